using System.Net;
using System.Net.Sockets;
using System.Text;
using Krate.Core.Blobs;
using Krate.Core.Kinds.Dispatch;
using Krate.Core.Resources;
using Krate.Tests.Agents;
using Krate.Tests.Testing;
using Xunit;

namespace Krate.Tests.Dispatch;

/// <summary>Agents that break the protocol, the limits or the walls: each run comes to a true end, and nothing outside its sandbox is reached or run.</summary>
[Collection(typeof(AgentCollection))]
public sealed class HostileRunTests(AgentWorld agents)
{
    private readonly RunWorld runs = new(agents);

    private static CancellationToken Ct => RunWorld.Ct;

    [Theory]
    [InlineData("malformed", "AgentError", "something else than JSON-RPC")]
    [InlineData("long-line", "AgentError", "a message of more than")]
    [InlineData("dies-asking", "AgentError", "it ended with exit code 5")]
    [InlineData("fills", "WorkspaceFailed", "It wrote more than 64 MiB.")]
    public async Task What_breaks_a_rule_ends_its_run_and_the_run_says_which(string behaviour, string reason, string words)
    {
        var ended = await EndedAsync(behaviour);
        Assert.Equal((RunPhase.Failed, reason), (ended.Body.Text("status.phase"), ended.Body.Text("status.terminalReason")));
        Assert.Contains(words, ended.Body.Text("status.message"), StringComparison.Ordinal);
        Assert.Equal(["ended"], (await runs.EventsAsync(ended)).TakeLast(1).Select(e => e.Type));
        foreach (var name in ended.Body.Texts("status.approvals"))
            Assert.Equal("superseded", (await agents.World.FindAsync("AgentApproval", RunWorld.Ns, name))!.Body.Text("status.phase"));
    }

    [Theory]
    [InlineData("unknown", "refused")]
    [InlineData("twice", "")]
    [InlineData("many", "")]
    public async Task What_is_only_strange_is_passed_over(string behaviour, string said)
    {
        var ended = await EndedAsync(behaviour);
        Assert.Equal((RunPhase.Succeeded, "Completed"), (ended.Body.Text("status.phase"), ended.Body.Text("status.terminalReason")));
        var events = await runs.EventsAsync(ended);
        Assert.Equal(said, await runs.WordsAsync(ended));
        if (behaviour == "many") Assert.Equal(20_000, events.Where(e => e.Type == "thought").Sum(e => e.Data.Text("text")!.Length));
    }

    [Fact]
    public async Task An_agent_that_hears_nothing_and_ignores_signals_is_gone_after_it_is_cancelled()
    {
        var marker = $"krate-deaf-{Guid.NewGuid():N}";
        var run = await StartAsync("deaf", marker);
        await agents.World.EventuallyAsync(() => HostProcesses.IsAlive(marker), "the agent did not begin");
        await runs.ActAsync(run, DispatchActions.Cancel);
        var ended = await runs.EndAsync(run);
        Assert.Equal((RunPhase.Cancelled, "Cancelled"), (ended.Body.Text("status.phase"), ended.Body.Text("status.terminalReason")));
        Assert.False(HostProcesses.IsAlive(marker));
    }

    [Fact]
    public async Task A_secret_that_an_agent_prints_is_in_no_event_and_in_no_artifact()
    {
        const string Canary = "canary-7f3a9c51e2";
        await agents.World.CreateAsync($"{{apiVersion: v1, kind: Secret, metadata: {{name: run-canary}}, stringData: {{key: {Canary}}}}}", RunWorld.Ns);
        var ended = await EndedAsync("leaks", Canary[..9], Canary[9..]);
        var events = await runs.EventsAsync(ended);
        Assert.Contains("the key is [REDACTED:", await runs.WordsAsync(ended), StringComparison.Ordinal);
        Assert.DoesNotContain(Canary, string.Concat(events.Select(e => e.Data.ToJsonString())), StringComparison.Ordinal);
        var artifact = (await agents.World.FindAsync("AgentArtifact", RunWorld.Ns, ended.Body.Texts("status.artifacts").Single()))!;
        Assert.DoesNotContain(Canary, Encoding.UTF8.GetString(await agents.World.Service<BlobStore>().ReadAsync(artifact.Body.Text("spec.digest")!, Ct)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_agent_that_tries_every_way_out_reaches_nothing_and_what_it_plants_is_not_run()
    {
        var data = agents.World.Data.Path;
        Directory.CreateDirectory(Path.Combine(data, "workspaces", "victim"));
        await File.WriteAllTextAsync(Path.Combine(data, "workspaces", "victim", "keep"), "theirs", Ct);
        using var service = new TcpListener(IPAddress.Loopback, 0);
        service.Start();
        var ended = await EndedAsync("escapes", data, $"{((IPEndPoint)service.LocalEndpoint).Port}");
        Assert.Equal(RunPhase.Succeeded, ended.Body.Text("status.phase"));
        Assert.Contains("reached:.", await runs.WordsAsync(ended), StringComparison.Ordinal);
        Assert.False(service.Pending());
        foreach (var mark in new[] { "hooked", "monitored", "filtered", "converted" }) Assert.False(File.Exists(Path.Combine(data, mark)), mark);
        var patch = (await agents.World.FindAsync("AgentArtifact", RunWorld.Ns, ended.Body.Texts("status.artifacts").Single()))!;
        Assert.Equal([".gitattributes", "a.txt", "out", "passwd.txt"], patch.Body.Texts("spec.patch.files").Order(StringComparer.Ordinal));
        Assert.DoesNotContain("root:", Encoding.UTF8.GetString(await agents.World.Service<BlobStore>().ReadAsync(patch.Body.Text("spec.digest")!, Ct)), StringComparison.Ordinal);
    }

    private async Task<Resource> EndedAsync(string behaviour, params string[] more) => await runs.EndAsync(await StartAsync(behaviour, more));

    private async Task<Resource> StartAsync(string behaviour, params string[] more)
    {
        await runs.MakeAsync($"hostile-{behaviour}", agents.Hostile, [behaviour, .. more]);
        return await runs.StartAsync($"hostile-{behaviour}");
    }
}
