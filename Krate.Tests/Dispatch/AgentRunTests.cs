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
    private const string Ns = AgentWorld.Namespace;

    private static CancellationToken Ct => ControlPlaneWorld.Ct;

    [Theory]
    [InlineData("approved", "allowed", 1)]
    [InlineData("rejected", "rejected", 0)]
    public async Task What_an_agent_asks_for_waits_for_a_person_and_goes_on_as_they_decide(string decision, string outcome, int patches)
    {
        await MakeAsync("works" + decision, "works");
        var run = await StartAsync("works" + decision);
        var waiting = await UntilAsync(run, r => r.Body.Text("status.phase") == RunPhase.WaitingForApproval);
        var approval = (await agents.World.FindAsync("AgentApproval", Ns, waiting.Body.Texts("status.approvals").Single()))!;
        Assert.Equal(("tool-use", "Write out.txt", "pending"), (approval.Body.Text("spec.action.type"), approval.Body.Text("spec.action.summary"), approval.Body.Text("status.phase")));
        await DecideAsync(approval, decision);
        Assert.Equal("ALREADY_DECIDED", (await Assert.ThrowsAsync<ApiException>(() => DecideAsync(approval, "approved"))).ProductCode);

        var ended = await UntilAsync(run, r => RunPhase.IsTerminal(r.Body.Text("status.phase")));
        Assert.Equal((RunPhase.Succeeded, "Completed", "krate-admin"), (ended.Body.Text("status.phase"), ended.Body.Text("status.terminalReason"), ended.Body.Text("status.startedBy")));
        var said = await EventsAsync(ended);
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
        await MakeAsync("exits-early", "works", "exits");
        var run = await StartAsync("exits-early");
        var ended = await UntilAsync(run, r => RunPhase.IsTerminal(r.Body.Text("status.phase")));
        Assert.Equal((RunPhase.Failed, "AgentError", "The agent ended before it had finished: it ended with exit code 4: out of ideas."), (ended.Body.Text("status.phase"), ended.Body.Text("status.terminalReason"), ended.Body.Text("status.message")));
        Assert.Equal("ended", (await EventsAsync(ended))[^1].Type);

        await agents.World.Gateway.ActAsync(ControlPlaneWorld.Admin, run.Kind, Ns, run.Name, "retry", new(), Ct);
        var again = await UntilAsync(run, r => RunPhase.IsTerminal(r.Body.Text("status.phase")) && r.Body.Texts("status.attempts").Count() == 2);
        var attempts = await Task.WhenAll(again.Body.Texts("status.attempts").Select(a => agents.World.FindAsync("AgentDispatchAttempt", Ns, a)));
        Assert.Equal(["initial", "retry"], attempts.Select(a => a!.Body.Text("spec.attemptReason")));
        Assert.Single(attempts.Select(a => a!.Body.Text("spec.contextBundleDigest")).Distinct());
    }

    [Fact]
    public async Task A_run_that_is_cancelled_leaves_no_process()
    {
        var marker = $"krate-run-{Guid.NewGuid():N}";
        await MakeAsync("hangs-on", "works", "hangs", marker);
        var run = await StartAsync("hangs-on");
        await agents.World.EventuallyAsync(() => HostProcesses.IsAlive(marker), "the agent did not begin");
        await agents.World.Gateway.ActAsync(ControlPlaneWorld.Admin, run.Kind, Ns, run.Name, "cancel", new() { ["reason"] = "enough" }, Ct);
        var ended = await UntilAsync(run, r => RunPhase.IsTerminal(r.Body.Text("status.phase")));
        Assert.Equal((RunPhase.Cancelled, "Cancelled"), (ended.Body.Text("status.phase"), ended.Body.Text("status.terminalReason")));
        await agents.World.EventuallyAsync(() => !HostProcesses.IsAlive(marker), "a process is left");
        Assert.Equal(409, (await Assert.ThrowsAsync<ApiException>(() => agents.World.Gateway.ActAsync(ControlPlaneWorld.Admin, run.Kind, Ns, run.Name, "cancel", new() { ["expectedGeneration"] = 99 }, Ct))).Code);
    }

    [Fact]
    public async Task What_only_Krate_may_say_is_refused_what_may_not_run_makes_no_run_and_a_key_makes_one()
    {
        await MakeAsync("keyed", "works", "exits");
        Assert.Equal(422, (await Assert.ThrowsAsync<ApiException>(() => StartAsync("keyed", s => s["contextBundleRef"] = "mine"))).Code);
        var before = (await RunsAsync()).Count;
        await agents.World.CreateAsync("{apiVersion: krate.a5c.ai/v1alpha1, kind: AgentStack, metadata: {name: lacks}, spec: {baseAgent: custom, adapter: nowhere, runtimeIdentity: {serviceAccountRef: nobody}}}", Ns);
        var refused = await Assert.ThrowsAsync<ApiException>(() => StartAsync("lacks"));
        Assert.Equal((403, "POLICY_DENIED"), (refused.Code, refused.ProductCode));
        Assert.Contains(refused.Causes, c => c.Reason == "MissingServiceAccount");
        Assert.Equal(before, (await RunsAsync()).Count);
        Assert.Equal("CONTEXT_CHANGED", (await Assert.ThrowsAsync<ApiException>(() => StartAsync("keyed", annotation: (WellKnown.ExpectedContextAnnotation, "sha256:" + new string('0', 64))))).ProductCode);

        var key = (WellKnown.IdempotencyAnnotation, Guid.NewGuid().ToString());
        var first = await StartAsync("keyed", annotation: key);
        var second = await Assert.ThrowsAsync<ApiException>(() => StartAsync("keyed", annotation: key));
        Assert.Equal(("AlreadyExists", first.Name), (second.Reason, second.Subject.Name));
        Assert.Equal("Conflict", (await Assert.ThrowsAsync<ApiException>(() => StartAsync("keyed", s => s["task"] = "Another.", key))).Reason);
        await UntilAsync(first, r => RunPhase.IsTerminal(r.Body.Text("status.phase")));
    }

    [Fact]
    public async Task A_run_works_in_its_own_workspace_whatever_a_resource_says_and_a_pipe_among_its_artifacts_keeps_nobody_waiting()
    {
        await MakeAsync("waits", "works", "pipes");
        await LimitAsync("waits", 0);
        var run = await StartAsync("waits");
        await UntilAsync(run, r => r.FindCondition("RunnerAssigned") is { Status: Condition.False, Reason: "ConcurrencyLimit" });
        var victim = Path.Combine(agents.World.Data.Path, "workspaces", "victim", "aws-theirs");
        Directory.CreateDirectory(victim);
        await File.WriteAllTextAsync(Path.Combine(victim, "keep"), "theirs", Ct);
        var workspace = run.Body.Text("spec.workspaceRef")!;
        await agents.World.DeleteAsync("AgentWorkspace", Ns, workspace);
        await agents.CreateAsync("AgentWorkspace", workspace, new() { ["repository"] = "runs-work", ["workspacePath"] = "victim/aws-theirs", ["ownership"] = new JsonObject { ["kind"] = "dispatch-run", ["name"] = run.Name } });

        await LimitAsync("waits", 1);
        var ended = await UntilAsync(run, r => RunPhase.IsTerminal(r.Body.Text("status.phase")));
        Assert.Equal((RunPhase.Succeeded, "theirs"), (ended.Body.Text("status.phase"), await File.ReadAllTextAsync(Path.Combine(victim, "keep"), Ct)));
        Assert.Equal("log", (await agents.World.FindAsync("AgentArtifact", Ns, ended.Body.Texts("status.artifacts").Single()))!.Body.Text("spec.kind"));
    }

    [Fact]
    public async Task A_stack_that_is_changed_while_its_run_waits_is_not_started()
    {
        await MakeAsync("changes", "works", "exits");
        await LimitAsync("changes", 0);
        var run = await StartAsync("changes");
        await UntilAsync(run, r => r.FindCondition("RunnerAssigned") is { Status: Condition.False });
        await ChangeAsync("changes", s => (s["prompt"], s["limits"]) = (new JsonObject { ["system"] = "Do something else." }, null));
        var ended = await UntilAsync(run, r => RunPhase.IsTerminal(r.Body.Text("status.phase")));
        Assert.Equal(("PolicyDenied", "Stack changes was changed after it was admitted; start the run again."), (ended.Body.Text("status.terminalReason"), ended.Body.Text("status.message")));
    }

    private Task<Resource> LimitAsync(string stack, int most) => ChangeAsync(stack, s => s["limits"] = new JsonObject { ["maxConcurrentRuns"] = most });

    private Task<Resource> ChangeAsync(string stack, Action<JsonObject> change) => agents.World.ChangeAsync("AgentStack", Ns, stack, d =>
    {
        change((JsonObject)d["spec"]!);
        // Its status may be written meanwhile.
        d.Child("metadata").Remove("resourceVersion");
    });

    private async Task MakeAsync(string name, params string[] arguments)
    {
        var world = agents.World;
        await agents.NewAdapterAsync(name, agents.Agent, arguments);
        await world.CreateAsync($"{{apiVersion: v1, kind: ServiceAccount, metadata: {{name: {name}}}}}", Ns);
        await world.CreateAsync($"{{apiVersion: krate.a5c.ai/v1alpha1, kind: AgentStack, metadata: {{name: {name}}}, spec: {{baseAgent: custom, adapter: {name}, runtimeIdentity: {{serviceAccountRef: {name}}}}}}}", Ns);
        await world.UntilAsync("AgentStack", Ns, name, s => s?.FindCondition(Condition.Ready)?.Status == Condition.True);
        if (await world.FindAsync("Repository", Ns, "runs-work") is null) await MakeRepositoryAsync();
    }

    private async Task MakeRepositoryAsync()
    {
        await agents.World.CreateAsync("{apiVersion: krate.a5c.ai/v1alpha1, kind: Repository, metadata: {name: runs-work}, spec: {visibility: private, defaultBranch: main}}", Ns);
        await agents.World.UntilAsync("Repository", Ns, "runs-work", r => r?.FindCondition(Condition.Ready)?.Status == Condition.True);
        using var git = new GitClient();
        await git.NewRepositoryAsync("work", "a.txt", "a\n");
        await git.RunAsync("work", "push", "--quiet", agents.World.Service<RepositoryFiles>().DirectoryOf("acme", "runs-work"), "main");
    }

    private async Task<Resource> StartAsync(string stack, Action<JsonObject>? change = null, (string Name, string Value)? annotation = null)
    {
        var document = new JsonObject { ["spec"] = new JsonObject { ["repository"] = "runs-work", ["agentStack"] = stack, ["taskKind"] = "task", ["sourceRefs"] = new JsonObject(), ["task"] = "Do it." } };
        change?.Invoke((JsonObject)document["spec"]!);
        if (annotation is var (name, value)) document["metadata"] = new JsonObject { ["annotations"] = new JsonObject { [name] = value } };
        return await agents.World.Gateway.CreateAsync(ControlPlaneWorld.Admin, ControlPlaneWorld.Kind("AgentDispatchRun"), Ns, document, new WriteOptions(), Ct);
    }

    private Task<Resource> UntilAsync(Resource run, Func<Resource, bool> holds) => agents.World.UntilAsync("AgentDispatchRun", Ns, run.Name, r => r is not null && holds(r));

    private async Task<IReadOnlyList<Resource>> RunsAsync() => (await agents.World.Gateway.ListAsync(ControlPlaneWorld.Admin, ControlPlaneWorld.Kind("AgentDispatchRun"), Ns, new ListOptions(), Ct)).Items;

    private Task<JsonObject> DecideAsync(Resource approval, string decision) => agents.World.Gateway.ActAsync(ControlPlaneWorld.Admin, approval.Kind, Ns, approval.Name, "decision", new() { ["decision"] = decision }, Ct);

    private async Task<IReadOnlyList<SessionEvent>> EventsAsync(Resource run)
    {
        var attempt = await SessionReading.AttemptAsync(agents.World.Gateway, Krate.Core.Kinds.KindTable.Catalog, ControlPlaneWorld.Admin, run, Ct);
        return agents.World.Service<SessionLogs>().Read(attempt!, 0);
    }

    private async Task AssertPatchAsync(Resource run)
    {
        var artifact = (await agents.World.FindAsync("AgentArtifact", Ns, run.Body.Texts("status.artifacts").Single()))!;
        Assert.Equal(("patch", "clean", "exact"), (artifact.Body.Text("spec.kind"), artifact.Body.Text("spec.redactionStatus"), artifact.Body.Text("spec.patch.applyStrategy")));
        Assert.Equal(["out.txt"], artifact.Body.Texts("spec.patch.files"));
        Assert.Contains("+changed", Encoding.UTF8.GetString(await agents.World.Service<BlobStore>().ReadAsync(artifact.Body.Text("spec.digest")!, Ct)), StringComparison.Ordinal);
    }
}
