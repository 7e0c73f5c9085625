using System.Text.Json.Nodes;
using Krate.Core.Agents;
using Krate.Core.Kinds.Stacks;
using Krate.Core.Resources;
using Krate.Tests.ControlPlane;
using Krate.Tests.Testing;
using Xunit;

namespace Krate.Tests.Agents;

/// <summary>An adapter is asked what it can do by starting it, whatever it then does.</summary>
[Collection(typeof(AgentCollection))]
public sealed class AgentAdapterTests(AgentWorld agents)
{
    [Fact]
    public async Task An_agent_that_answers_is_ready_with_what_it_can_do()
    {
        var made = await agents.NewAdapterAsync("good", agents.Agent, "good");
        Assert.Equal((Condition.True, "CapabilitiesDiscovered", "Stub 1.2.3 speaks version 1 of the Agent Client Protocol."), Said(await agents.ConditionAsync(made, Condition.Ready)));
        var status = (await agents.World.FindAsync("AgentAdapter", AgentWorld.Namespace, "good"))!.Body.At("status")!;
        Assert.Equal((1L, "Stub", "1.2.3", true), (status.Whole("capabilities.protocolVersion"), status.Text("capabilities.agentName"), status.Text("version"), status.Flag("capabilities.loadSession")));
        Assert.Equal(["image|http|resume|login"], [string.Join('|', new[] { "promptCapabilities", "mcpCapabilities", "sessionCapabilities", "authMethods" }.Select(n => string.Join(',', status.Texts("capabilities." + n))))]);
        Assert.Matches("^sha256:[0-9a-f]{64}$", status.Text("capabilities.digest"));
        Assert.NotNull(status.Text("lastProbeTime"));
    }

    [Theory]
    [InlineData("exits", "AdapterHandshakeFailed", "it ended with exit code 3: no licence found")]
    [InlineData("hangs", "AdapterTimedOut", "no answer to initialize within 5 s")]
    [InlineData("floods", "AdapterHandshakeFailed", "it wrote more than 1 MiB")]
    [InlineData("nonsense", "AdapterHandshakeFailed", "it wrote something else than JSON-RPC: Welcome to the agent!")]
    [InlineData("refuses", "AdapterHandshakeFailed", "it refused initialize: log in first")]
    [InlineData("other-version", "AdapterHandshakeFailed", "does not speak version 1")]
    public async Task An_agent_that_gives_no_usable_answer_says_why(string behaviour, string reason, string message)
    {
        var made = await agents.World.FindAsync("AgentAdapter", AgentWorld.Namespace, behaviour) ?? await agents.NewAdapterAsync(behaviour, agents.Agent, behaviour);
        var ready = await agents.ConditionAsync(made, Condition.Ready);
        Assert.Equal((Condition.False, reason), (ready.Status, ready.Reason));
        Assert.Contains(message, ready.Message, StringComparison.Ordinal);
        Assert.Equal(ready.Message, (await agents.ConditionAsync(made, AgentAdapterReconciler.CapabilitiesDiscovered)).Message);
    }

    [Fact]
    public async Task Only_programs_that_the_operator_allows_are_started()
    {
        var (own, absent, known) = (await agents.NewAdapterAsync("own", "/bin/bash", "-c", "echo"), await agents.NewAdapterAsync("absent", "/opt/krate-tests/not-there"), await CatalogAsync());
        var ready = await agents.ConditionAsync(own, Condition.Ready);
        Assert.Equal((Condition.False, "CommandNotAllowed"), (ready.Status, ready.Reason));
        Assert.Contains("/bin/bash may not be started: whoever runs Krate has to add it to Krate:Agents:AllowedCommands", ready.Message, StringComparison.Ordinal);
        Assert.Equal("AdapterNotInstalled", (await agents.ConditionAsync(absent, Condition.Ready)).Reason);
        Assert.NotEqual("CommandNotAllowed", (await agents.ConditionAsync(known, Condition.Ready)).Reason);

        Task<Resource> CatalogAsync() => agents.CreateAsync("AgentAdapter", "catalog", new JsonObject { ["adapterType"] = "codex", ["transport"] = "acp-stdio" });
    }

    [Fact]
    public async Task A_program_sees_nothing_of_Krate_or_the_machine()
    {
        Environment.SetEnvironmentVariable("KRATE_TEST_CANARY", "canary");
        var made = await agents.NewAdapterAsync("spy", agents.Agent, "spy", agents.World.Data.Database, $"{agents.Web.Port}");
        Assert.True(File.Exists(agents.World.Data.Database));
        Assert.Equal("found: in /tmp/home 1 speaks version 1 of the Agent Client Protocol.", (await agents.ConditionAsync(made, Condition.Ready)).Message);
    }

    [Fact]
    public async Task Nothing_that_an_agent_started_outlives_the_question()
    {
        const string Mark = "krate-test-escapee";
        await agents.ConditionAsync(await agents.NewAdapterAsync("daemon", agents.Agent, "daemon", Mark), Condition.Ready);
        await agents.World.EventuallyAsync(() => !HostProcesses.IsAlive(Mark), "the program that called setsid still runs");
    }

    [Fact]
    public async Task Test_connection_asks_again_and_writes_only_what_is_new()
    {
        var made = await agents.NewAdapterAsync("again", agents.Agent, "good");
        await agents.ConditionAsync(made, Condition.Ready);
        var (once, twice) = (await agents.ActAsync(made, "probe"), await agents.ActAsync(made, "probe"));
        Assert.Equal(VersionOf(once), VersionOf(twice));
        Assert.Equal((Condition.True, "CapabilitiesDiscovered"), (twice.FindCondition(Condition.Ready)!.Status, twice.FindCondition(Condition.Ready)!.Reason));

        var refused = await Assert.ThrowsAsync<ApiException>(() => agents.ActAsync(made, "probe", new() { ["comand"] = "x" }));
        Assert.Equal(422, refused.Code);
    }

    [Fact]
    public void Every_type_of_the_catalog_but_the_custom_one_says_what_is_started() =>
        Assert.All(AdapterCatalog.All, e => Assert.Equal(e.Type == AdapterCatalog.Custom, e.Command is null));

    private static string? VersionOf(Resource r) => r.Body.Text("metadata.resourceVersion");

    private static (string, string, string) Said(Condition c) => (c.Status, c.Reason, c.Message);
}
