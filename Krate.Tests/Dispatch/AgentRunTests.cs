using System.Text;
using System.Text.Json.Nodes;
using Krate.Core.Blobs;
using Krate.Core.Gateway;
using Krate.Core.Kinds.Dispatch;
using Krate.Core.Repositories;
using Krate.Core.Resources;
using Krate.Core.Sessions;
using Krate.Tests.Agents;
using Krate.Tests.ControlPlane;
using Krate.Tests.Testing;
using Xunit;

namespace Krate.Tests.Dispatch;

/// <summary>Runs of a real child process that speaks the protocol, in its sandbox, from their start to their true end.</summary>
[Collection(typeof(AgentCollection))]
public sealed class AgentRunTests(AgentWorld agents)
{
    private readonly RunWorld runs = new(agents);
    private const string Ns = AgentWorld.Namespace;

    private static CancellationToken Ct => ControlPlaneWorld.Ct;

    [Theory]
    [InlineData("approved", "allowed", 1)]
    [InlineData("rejected", "rejected", 0)]
    public async Task What_an_agent_asks_for_waits_for_a_person_and_goes_on_as_they_decide(string decision, string outcome, int patches)
    {
        await runs.MakeAsync("works" + decision, agents.Agent, "works");
        var run = await runs.StartAsync("works" + decision);
        var waiting = await runs.UntilAsync(run, r => r.Body.Text("status.phase") == RunPhase.WaitingForApproval);
        var approval = (await agents.World.FindAsync("AgentApproval", Ns, waiting.Body.Texts("status.approvals").Single()))!;
        Assert.Equal(("tool-use", "Write out.txt", "pending"), (approval.Body.Text("spec.action.type"), approval.Body.Text("spec.action.summary"), approval.Body.Text("status.phase")));
        await runs.DecideAsync(approval, decision);
        Assert.Equal("ALREADY_DECIDED", (await Assert.ThrowsAsync<ApiException>(() => runs.DecideAsync(approval, "approved"))).ProductCode);

        var ended = await runs.EndAsync(run);
        Assert.Equal((RunPhase.Succeeded, "Completed", "krate-admin"), (ended.Body.Text("status.phase"), ended.Body.Text("status.terminalReason"), ended.Body.Text("status.startedBy")));
        var said = await runs.EventsAsync(ended);
        Assert.Equal(Enumerable.Range(1, said.Count).Select(n => (long)n), said.Select(e => e.Sequence));
        Assert.Equal(("session-started", "ended"), (said[0].Type, said[^1].Type));
        Assert.Contains("I begin in /workspace.", string.Concat(said.Where(e => e.Type == "message").Select(e => e.Data.Text("text"))), StringComparison.Ordinal);
        Assert.Equal(outcome, said.Single(e => e.Type == "permission-decision").Data.Text("outcome"));
        Assert.Equal(patches, ended.Body.Texts("status.artifacts").Count());
        if (patches > 0) await AssertPatchAsync(ended);
        var workspace = (await agents.World.FindAsync("AgentWorkspace", Ns, ended.Body.Text("spec.workspaceRef")!))!;
        Assert.Equal("Archived", workspace.Body.Text("status.lifecycle"));
        Assert.False(Directory.Exists(Path.Combine(agents.World.Data.Path, "workspaces", workspace.Body.Text("spec.workspacePath")!)));
    }

    [Fact]
    public async Task An_agent_that_ends_in_the_middle_fails_the_run_in_its_own_words_and_the_run_can_be_started_again_with_the_same_context()
    {
        await runs.MakeAsync("exits-early", agents.Agent, "works", "exits");
        var run = await runs.StartAsync("exits-early");
        var ended = await runs.EndAsync(run);
        Assert.Equal((RunPhase.Failed, "AgentError", "The agent ended before it had finished: it ended with exit code 4: out of ideas."), (ended.Body.Text("status.phase"), ended.Body.Text("status.terminalReason"), ended.Body.Text("status.message")));
        Assert.Equal("ended", (await runs.EventsAsync(ended))[^1].Type);

        await agents.World.Gateway.ActAsync(ControlPlaneWorld.Admin, run.Kind, Ns, run.Name, "retry", new(), Ct);
        var again = await runs.UntilAsync(run, r => RunPhase.IsTerminal(r.Body.Text("status.phase")) && r.Body.Texts("status.attempts").Count() == 2);
        var attempts = await Task.WhenAll(again.Body.Texts("status.attempts").Select(a => agents.World.FindAsync("AgentDispatchAttempt", Ns, a)));
        Assert.Equal(["initial", "retry"], attempts.Select(a => a!.Body.Text("spec.attemptReason")));
        Assert.Single(attempts.Select(a => a!.Body.Text("spec.contextBundleDigest")).Distinct());
    }

    [Fact]
    public async Task A_run_that_is_cancelled_leaves_no_process()
    {
        var marker = $"krate-run-{Guid.NewGuid():N}";
        await runs.MakeAsync("hangs-on", agents.Agent, "works", "hangs", marker);
        var run = await runs.StartAsync("hangs-on");
        await agents.World.EventuallyAsync(() => HostProcesses.IsAlive(marker), "the agent did not begin");
        await agents.World.Gateway.ActAsync(ControlPlaneWorld.Admin, run.Kind, Ns, run.Name, "cancel", new() { ["reason"] = "enough" }, Ct);
        var ended = await runs.EndAsync(run);
        Assert.Equal((RunPhase.Cancelled, "Cancelled"), (ended.Body.Text("status.phase"), ended.Body.Text("status.terminalReason")));
        await agents.World.EventuallyAsync(() => !HostProcesses.IsAlive(marker), "a process is left");
        Assert.Equal(409, (await Assert.ThrowsAsync<ApiException>(() => agents.World.Gateway.ActAsync(ControlPlaneWorld.Admin, run.Kind, Ns, run.Name, "cancel", new() { ["expectedGeneration"] = 99 }, Ct))).Code);
    }

    [Fact]
    public async Task What_only_Krate_may_say_is_refused_what_may_not_run_makes_no_run_and_a_key_makes_one()
    {
        await runs.MakeAsync("keyed", agents.Agent, "works", "exits");
        Assert.Equal(422, (await Assert.ThrowsAsync<ApiException>(() => runs.StartAsync("keyed", s => s["contextBundleRef"] = "mine"))).Code);
        var before = (await RunsAsync()).Count;
        await agents.World.CreateAsync("{apiVersion: krate.a5c.ai/v1alpha1, kind: AgentStack, metadata: {name: lacks}, spec: {baseAgent: custom, adapter: nowhere, runtimeIdentity: {serviceAccountRef: nobody}}}", Ns);
        var refused = await Assert.ThrowsAsync<ApiException>(() => runs.StartAsync("lacks"));
        Assert.Equal((403, "POLICY_DENIED"), (refused.Code, refused.ProductCode));
        Assert.Contains(refused.Causes, c => c.Reason == "MissingServiceAccount");
        Assert.Equal(before, (await RunsAsync()).Count);
        Assert.Equal("CONTEXT_CHANGED", (await Assert.ThrowsAsync<ApiException>(() => runs.StartAsync("keyed", annotation: (WellKnown.ExpectedContextAnnotation, "sha256:" + new string('0', 64))))).ProductCode);

        var key = (WellKnown.IdempotencyAnnotation, Guid.NewGuid().ToString());
        var first = await runs.StartAsync("keyed", annotation: key);
        var second = await Assert.ThrowsAsync<ApiException>(() => runs.StartAsync("keyed", annotation: key));
        Assert.Equal(("AlreadyExists", first.Name), (second.Reason, second.Subject.Name));
        Assert.Equal("Conflict", (await Assert.ThrowsAsync<ApiException>(() => runs.StartAsync("keyed", s => s["task"] = "Another.", key))).Reason);
        await runs.EndAsync(first);
    }

    [Fact]
    public async Task A_run_works_in_its_own_workspace_whatever_a_resource_says_and_a_pipe_among_its_artifacts_keeps_nobody_waiting()
    {
        await runs.MakeAsync("waits", agents.Agent, "works", "pipes");
        await LimitAsync("waits", 0);
        var run = await runs.StartAsync("waits");
        await runs.UntilAsync(run, r => r.FindCondition("RunnerAssigned") is { Status: Condition.False, Reason: "ConcurrencyLimit" });
        var victim = Path.Combine(agents.World.Data.Path, "workspaces", "victim", "aws-theirs");
        Directory.CreateDirectory(victim);
        await File.WriteAllTextAsync(Path.Combine(victim, "keep"), "theirs", Ct);
        var workspace = run.Body.Text("spec.workspaceRef")!;
        await agents.World.DeleteAsync("AgentWorkspace", Ns, workspace);
        await agents.CreateAsync("AgentWorkspace", workspace, new() { ["repository"] = "runs-work", ["workspacePath"] = "victim/aws-theirs", ["ownership"] = new JsonObject { ["kind"] = "dispatch-run", ["name"] = run.Name } });

        await LimitAsync("waits", 1);
        var ended = await runs.EndAsync(run);
        Assert.Equal((RunPhase.Succeeded, "theirs"), (ended.Body.Text("status.phase"), await File.ReadAllTextAsync(Path.Combine(victim, "keep"), Ct)));
        Assert.Equal("log", (await agents.World.FindAsync("AgentArtifact", Ns, ended.Body.Texts("status.artifacts").Single()))!.Body.Text("spec.kind"));
    }

    [Fact]
    public async Task A_stack_that_is_changed_while_its_run_waits_is_not_started()
    {
        await runs.MakeAsync("changes", agents.Agent, "works", "exits");
        await LimitAsync("changes", 0);
        var run = await runs.StartAsync("changes");
        await runs.UntilAsync(run, r => r.FindCondition("RunnerAssigned") is { Status: Condition.False });
        await ChangeAsync("changes", s => (s["prompt"], s["limits"]) = (new JsonObject { ["system"] = "Do something else." }, null));
        var ended = await runs.EndAsync(run);
        Assert.Equal(("PolicyDenied", "Stack changes was changed after it was admitted; start the run again."), (ended.Body.Text("status.terminalReason"), ended.Body.Text("status.message")));
    }

    private Task<Resource> LimitAsync(string stack, int most) => ChangeAsync(stack, s => s["limits"] = new JsonObject { ["maxConcurrentRuns"] = most });

    private Task<Resource> ChangeAsync(string stack, Action<JsonObject> change) => agents.World.ChangeAsync("AgentStack", Ns, stack, d =>
    {
        change((JsonObject)d["spec"]!);
        // Its status may be written meanwhile.
        d.Child("metadata").Remove("resourceVersion");
    });

    private async Task<IReadOnlyList<Resource>> RunsAsync() => (await agents.World.Gateway.ListAsync(ControlPlaneWorld.Admin, ControlPlaneWorld.Kind("AgentDispatchRun"), Ns, new ListOptions(), Ct)).Items;

    private async Task AssertPatchAsync(Resource run)
    {
        var artifact = (await agents.World.FindAsync("AgentArtifact", Ns, run.Body.Texts("status.artifacts").Single()))!;
        Assert.Equal(("patch", "clean", "exact"), (artifact.Body.Text("spec.kind"), artifact.Body.Text("spec.redactionStatus"), artifact.Body.Text("spec.patch.applyStrategy")));
        Assert.Equal(["out.txt"], artifact.Body.Texts("spec.patch.files"));
        Assert.Contains("+changed", Encoding.UTF8.GetString(await agents.World.Service<BlobStore>().ReadAsync(artifact.Body.Text("spec.digest")!, Ct)), StringComparison.Ordinal);
    }
}
