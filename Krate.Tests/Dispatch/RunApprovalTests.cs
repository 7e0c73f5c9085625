using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Krate.Core.Agents;
using Krate.Core.Kinds.Dispatch;
using Krate.Core.Resources;
using Krate.Tests.Agents;
using Krate.Tests.ControlPlane;
using Xunit;

namespace Krate.Tests.Dispatch;

/// <summary>What a person is asked beside the use of tools: Secrets before the start, and hosts of the network.</summary>
[Collection(typeof(AgentCollection))]
public sealed class RunApprovalTests(AgentWorld agents)
{
    private readonly RunWorld runs = new(agents);

    [Theory]
    [InlineData("approved", RunPhase.Succeeded, "Completed")]
    [InlineData("rejected", RunPhase.Failed, "ApprovalRejected")]
    public async Task A_secret_that_needs_an_approval_is_asked_for_before_anything_starts(string decision, string phase, string reason)
    {
        var name = $"secretive-{decision}";
        await agents.World.CreateAsync($"{{apiVersion: v1, kind: Secret, metadata: {{name: {name}}}, stringData: {{api-key: not-a-known-value}}}}", RunWorld.Ns);
        await agents.CreateAsync("AgentProviderConfig", name, new() { ["provider"] = "openai-compatible", ["authType"] = "api-key", ["baseUrl"] = "https://models.example.com/v1", ["secretRef"] = new JsonObject { ["name"] = name, ["key"] = "api-key" } });
        await agents.CreateAsync("AgentSecretGrant", name, new()
        {
            ["subject"] = new JsonObject { ["kind"] = "agent-stack", ["name"] = name }, ["secretRef"] = new JsonObject { ["name"] = name, ["keys"] = new JsonArray("api-key") },
            ["purpose"] = "model-provider-token", ["mountPolicy"] = "never-mount-pass-by-reference", ["requiredApproval"] = "always",
        });
        await runs.MakeAsync(name, agents.Talking, [], new() { ["provider"] = name });
        var run = await runs.StartAsync(name);
        var waiting = await runs.UntilAsync(run, r => r.Body.Text("status.phase") == RunPhase.WaitingForApproval);
        Assert.Equal(Condition.False, waiting.FindCondition(AgentDispatchRunConditions.ApprovalSatisfied)?.Status);
        Assert.Null(waiting.Body.Text("status.startedAt"));
        var approval = (await agents.World.FindAsync("AgentApproval", RunWorld.Ns, $"approval-{waiting.Body.Texts("status.attempts").Single()}"))!;
        Assert.Equal(("secret-access", $"Start with key api-key of Secret {name}"), (approval.Body.Text("spec.action.type"), approval.Body.Text("spec.action.summary")));
        Assert.Equal(waiting.Body.Text("status.permissionSnapshotDigest"), approval.Body.Text("spec.action.payloadDigest"));

        await runs.DecideAsync(approval, decision);
        var ended = await runs.EndAsync(run);
        Assert.Equal((phase, reason), (ended.Body.Text("status.phase"), ended.Body.Text("status.terminalReason")));
        Assert.Equal(decision == "approved", ended.Body.Text("status.startedAt") is not null);
    }

    [Fact]
    public async Task A_host_that_is_not_listed_is_asked_for_once_and_reached_when_a_person_lets_it()
    {
        using var host = new TcpListener(IPAddress.Loopback, 0);
        host.Start();
        var port = ((IPEndPoint)host.LocalEndpoint).Port;
        await agents.CreateAsync("AgentToolProfile", "asks-network", new() { ["filesystemPolicy"] = "workspace-write", ["approvalPolicyByTool"] = new JsonObject { ["network"] = "prompt" } });
        await runs.MakeAsync("asks-network", agents.Hostile, ["connects", $"localhost:{port}"], new() { ["toolProfileRef"] = "asks-network" });
        var run = await runs.StartAsync("asks-network");
        var waiting = await runs.UntilAsync(run, r => r.Body.Text("status.phase") == RunPhase.WaitingForApproval);
        var approval = (await agents.World.FindAsync("AgentApproval", RunWorld.Ns, waiting.Body.Texts("status.approvals").Single()))!;
        Assert.Equal(("network", $"Connect to localhost, port {port}"), (approval.Body.Text("spec.action.type"), approval.Body.Text("spec.action.summary")));
        await runs.DecideAsync(approval, "approved");
        using (var reached = await host.AcceptSocketAsync(RunWorld.Ct)) await reached.SendAsync("hello from the host\n"u8.ToArray(), RunWorld.Ct);
        var ended = await runs.EndAsync(run);
        Assert.Equal("hello from the host", await runs.WordsAsync(ended));
        var asked = (await runs.EventsAsync(ended)).Single(e => e.Type == AgentEventTypes.Network).Data;
        Assert.Equal(("localhost", "allowed", "Approved by krate-admin."), (asked.Text("host"), asked.Text("outcome"), asked.Text("reason")));
    }

    [Fact]
    public async Task What_the_profile_does_not_list_is_refused_where_nobody_is_to_be_asked()
    {
        await agents.CreateAsync("AgentToolProfile", "lists-network", new() { ["filesystemPolicy"] = "workspace-write", ["networkPolicy"] = new JsonObject { ["allowHosts"] = new JsonArray("packages.example.com") }, ["approvalPolicyByTool"] = new JsonObject { ["shell"] = "prompt" } });
        await runs.MakeAsync("lists-network", agents.Hostile, ["connects", "localhost:443"], new() { ["toolProfileRef"] = "lists-network" });
        var ended = await runs.EndAsync(await runs.StartAsync("lists-network"));
        Assert.Equal("403", await runs.WordsAsync(ended));
        Assert.Empty(ended.Body.Texts("status.approvals"));
    }

    [Theory]
    [InlineData("api.example.com", 443, false, null, ToolVerdict.Allow)]
    [InlineData("API.example.com", 443, false, null, ToolVerdict.Allow)]
    [InlineData("api.example.com", 80, false, null, ToolVerdict.Deny)]
    [InlineData("a.wild.example.com", 443, false, null, ToolVerdict.Allow)]
    [InlineData("a.b.wild.example.com", 443, false, null, ToolVerdict.Deny)]
    [InlineData("wild.example.com", 443, false, null, ToolVerdict.Deny)]
    [InlineData("evilwild.example.com", 443, false, null, ToolVerdict.Deny)]
    [InlineData("db.example.com", 5432, false, null, ToolVerdict.Allow)]
    [InlineData("db.example.com", 443, false, null, ToolVerdict.Deny)]
    [InlineData("other.example.com", 443, false, "prompt", ToolVerdict.Ask)]
    [InlineData("api.example.com", 443, true, "prompt", ToolVerdict.Deny)]
    public void A_host_is_allowed_by_name_and_port_asked_for_or_refused(string host, int port, bool isUntrusted, string? rule, ToolVerdict verdict)
    {
        var spec = new JsonObject { ["networkPolicy"] = new JsonObject { ["allowHosts"] = new JsonArray("api.example.com", "*.wild.example.com", "db.example.com:5432") }, ["approvalPolicyByTool"] = rule is null ? [] : new JsonObject { ["network"] = rule } };
        var profile = new Resource(ControlPlaneWorld.Kind("AgentToolProfile"), new JsonObject { ["metadata"] = new JsonObject { ["name"] = "p" }, ["spec"] = spec });
        Assert.Equal(verdict, NetworkRules.Of(profile, "prompt", isUntrusted, new(host, port)).Verdict);
        if (verdict == ToolVerdict.Ask) Assert.Equal(ToolVerdict.Deny, NetworkRules.Of(profile, "deny", isUntrusted, new(host, port)).Verdict);
    }
}
