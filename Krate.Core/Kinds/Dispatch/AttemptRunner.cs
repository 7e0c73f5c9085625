using System.Text.Json.Nodes;
using Krate.Core.Agents;
using Krate.Core.Blobs;
using Krate.Core.Context;
using Krate.Core.Gateway;
using Krate.Core.Git;
using Krate.Core.Kinds.Review;
using Krate.Core.Kinds.Runs;
using Krate.Core.Repositories;
using Krate.Core.Resources;
using Krate.Core.Sessions;
using Krate.Core.Workspaces;
using Microsoft.Extensions.Logging;

namespace Krate.Core.Kinds.Dispatch;

/// <summary>
/// One attempt from its start to its last word: workspace, agent, conversation, what came of it. Whatever goes wrong becomes the way in which it ended.
/// Stateless and thread-safe.
/// </summary>
internal sealed class AttemptRunner(
    KindCatalog catalog, IResourceCache cache, DispatchWriter writer, PermissionReviews reviews, IAgentMux mux, WorkspaceFolders workspaces, RepositoryFiles repositories,
    SessionLogs sessions, SecretVault vault, BlobStore blobs, AttemptArtifacts artifacts, AgentHomes homes, AttemptEgress egress, LaunchApprovals launches, AgentOptions options, ILogger<AttemptRunner> logger, TimeProvider time)
{
    private static readonly TimeSpan LongestRun = TimeSpan.FromHours(1), LongestSilence = TimeSpan.FromMinutes(10);

    /// <param name="life">The process ends, or its turn as the one that works does.</param>
    public async Task RunAsync(Resource run, Resource attempt, Actor krate, AttemptSignals signals, CancellationToken life)
    {
        var work = new Work(run, attempt, krate, signals);
        try
        {
            work.End = await WorkAsync(work, life);
        }
        catch (Exception e) when (!life.IsCancellationRequested)
        {
            work.End = e switch
            {
                WorkspaceException => AttemptEnd.Failed("WorkspaceFailed", e.Message),
                ProbeException or AgentEndedException => EndOf(e),
                ApiException => AttemptEnd.Failed("AgentError", e.Message),
                _ => AttemptEnd.Failed("AgentError", "What it does could not be kept or read; the log of Krate says more."),
            };
        }

        await CleanUpAsync(work.Krate, run, attempt, CancellationToken.None);
        var clean = await RedactorAsync(run, CancellationToken.None);
        await writer.EndAsync(krate, run, work.End with { Message = clean.Redact(work.End.Message).Text }, work.Status, CancellationToken.None);
        if (work.Session is { } session) await writer.ChangeAsync(krate, session, _ => new JsonObject { ["phase"] = work.End.Phase, ["eventCursor"] = work.Status.Text("eventCursor") }, CancellationToken.None);
    }

    /// <summary>
    /// Takes the workspace away: what was changed in it is kept as a patch, and the next attempt gets a new one. Also for what a process has left that is
    /// no more.
    /// </summary>
    public async Task CleanUpAsync(Actor krate, Resource run, Resource attempt, CancellationToken ct)
    {
        artifacts.Forget(attempt);
        if (run.Body.Text("spec.workspaceRef") is not { } name) return;
        try
        {
            await workspaces.RemoveAsync(Hosted(run), DispatchRecords.WorkspacePathOf(run, name), attempt.Name, ct);
            var workspace = await writer.Gateway.GetAsync(krate, catalog["AgentWorkspace"], run.Namespace, name, ct);
            await writer.ChangeAsync(krate, workspace, _ => new JsonObject { ["lifecycle"] = "Archived", ["lastActivityTime"] = writer.Now }, ct);
        }
        catch (Exception e) when (e is ApiException or WorkspaceException or IOException or UnauthorizedAccessException or GitException)
        {
            logger.LogWarning(e, "The workspace of run {Run} could not be taken away", run.Name);
        }
    }

    private async Task<AttemptEnd> WorkAsync(Work work, CancellationToken ct)
    {
        work.Run = await BeginAsync(work, ct);
        var stack = cache.Get(catalog["AgentStack"], work.Run.Namespace, work.Run.Body.Text("spec.agentStack") ?? "") ?? throw new ProbeException(ProbeReasons.AdapterNotInstalled, "its stack is gone");
        var review = reviews.ForRun(stack, work.Run, work.Attempt);
        var approved = review.Findings.Any(f => f.State == FindingState.RequiresApproval) && (await launches.FindAsync(work.Krate, work.Attempt, ct))?.Body.Text("status.phase") == "approved";
        if (Refusal(work.Attempt, stack, review, approved) is { } refused) return AttemptEnd.Failed("PolicyDenied", refused);
        var blocks = await PromptAsync(work, ct);
        var folder = await WorkspaceAsync(work, stack, ct);
        using var writing = sessions.Open(work.Attempt);
        await using var recorder = new SessionRecorder(writing, token => RedactorAsync(work.Run, token), time);
        using var left = artifacts.Begin(work.Attempt);
        AttemptEnd end;
        try
        {
            end = await TalkAsync(work, stack, review, folder, left.Path, blocks, recorder, ct);
        }
        catch (Exception e) when (e is AgentEndedException or ProbeException && !ct.IsCancellationRequested)
        {
            end = EndOf(e);
        }

        // Also what an agent leaves that failed.
        await TakeInAsync(work, folder, left, ct);
        await recorder.WriteAsync(new(AgentEventTypes.Ended, new() { ["reason"] = end.Reason, ["message"] = end.Message }), ct);
        await recorder.CompleteAsync();
        work.Status["eventCursor"] = recorder.Last.ToString(System.Globalization.CultureInfo.InvariantCulture);
        return end;
    }

    private static AttemptEnd EndOf(Exception e) =>
        e is ProbeException ? AttemptEnd.Failed("LaunchRejected", $"The agent could not be started: {e.Message}.") : AttemptEnd.Failed("AgentError", $"The agent ended before it had finished: {e.Message}.");

    private async Task<Resource> BeginAsync(Work work, CancellationToken ct)
    {
        var stack = work.Attempt.Body.Text("spec.agentStackSnapshot.name") ?? "";
        var account = cache.Get(catalog["AgentStack"], work.Run.Namespace, stack)?.Body.Text("spec.runtimeIdentity.serviceAccountRef") ?? "";
        var identity = new JsonObject { ["namespace"] = work.Run.Namespace, ["serviceAccountRef"] = account, ["uid"] = cache.Get(catalog["ServiceAccount"], work.Run.Namespace, account)?.Uid };
        await writer.ChangeAsync(work.Krate, work.Attempt, _ => new JsonObject { ["phase"] = RunPhase.Running, ["startedAt"] = writer.Now, ["runtimeIdentity"] = identity.DeepClone() }, ct);
        var began = new JsonObject { ["phase"] = RunPhase.Running, ["acceptsMessages"] = true };
        if (work.Run.Body.Text("status.startedAt") is null) began["startedAt"] = writer.Now;
        return await writer.SetAsync(work.Krate, work.Run, new(AgentDispatchRunConditions.RunnerAssigned, Condition.True, "Embedded", "It runs on the host of Krate."), began, ct);
    }

    /// <summary>It may have waited for its turn: what was admitted is what runs, as long as it still may.</summary>
    private static string? Refusal(Resource attempt, Resource stack, StackReview review, bool isApproved)
    {
        if (DispatchRecords.StackDigest(stack) != attempt.Body.Text("spec.agentStackSnapshot.digest")) return $"Stack {stack.Name} was changed after it was admitted; start the run again.";
        if (!isApproved && review.Findings.FirstOrDefault(f => f.State == FindingState.RequiresApproval) is { } asks) return $"Stack {stack.Name} needs an approval that it did not need when it was admitted; start the run again: {asks.Message}";
        return review.Findings.FirstOrDefault(f => f.IsBlocking) is { } missing ? $"Stack {stack.Name} may not run any more: {missing.Message}" : null;
    }

    private async Task<IReadOnlyList<string>> PromptAsync(Work work, CancellationToken ct)
    {
        var bundle = await writer.Gateway.GetAsync(work.Krate, catalog["AgentContextBundle"], work.Run.Namespace, work.Run.Body.Text("spec.contextBundleRef") ?? "", ct);
        work.IsUntrusted = work.Attempt.Body.Text("status.permissionSnapshot.trustTier") == TrustTier.Untrusted || FieldPath.Find(bundle.Body, "spec.sources[].trustTier").Any(t => t.Value.Text() == TrustTier.Untrusted);
        return ContextBundles.BlocksOf(await blobs.ReadAsync(bundle.Body.Text("spec.promptDigest") ?? "", ct));
    }

    private async Task<WorkspaceFolder?> WorkspaceAsync(Work work, Resource stack, CancellationToken ct)
    {
        if (work.Run.Body.Text("spec.workspaceRef") is not { } name) return null;
        var workspace = await writer.Gateway.GetAsync(work.Krate, catalog["AgentWorkspace"], work.Run.Namespace, name, ct);
        var hosted = Hosted(work.Run);
        var target = work.Run.Body.Text("spec.ref") is { } start && start.StartsWith("refs/heads/", StringComparison.Ordinal) ? start["refs/heads/".Length..] : "base";
        var folder = await workspaces.ProvisionAsync(hosted, DispatchRecords.WorkspacePathOf(work.Run, name), new(work.Run.Body.Text("spec.sha") ?? "", DispatchRecords.BranchOf(work.Run), target, work.Attempt.Name), ct);
        await writer.ChangeAsync(work.Krate, workspace, _ => new JsonObject { ["lifecycle"] = "Active", ["git"] = new JsonObject { ["head"] = work.Run.Body.Text("spec.sha"), ["dirty"] = false }, ["lastActivityTime"] = writer.Now }, ct);
        work.Run = await writer.SetAsync(work.Krate, work.Run, new(AgentDispatchRunConditions.WorkspaceResolved, Condition.True, "Provisioned", $"Workspace {name} is at {work.Run.Body.Text("spec.sha")?[..12]}."), null, ct);
        if (work.Attempt.Body.Text("spec.resumesSession") is not null) await RestoreAsync(work, folder, ct);
        work.Workspace = workspace;
        work.MayWrite = ProfileOf(stack)?.Body.Text("spec.filesystemPolicy") is not ("read-only" or "no-fs");
        return folder;
    }

    private async Task<AttemptEnd> TalkAsync(Work work, Resource stack, StackReview review, WorkspaceFolder? folder, string left, IReadOnlyList<string> blocks, SessionRecorder recorder, CancellationToken ct)
    {
        if (work.Signals.Cancelled.IsCompleted) return new(RunPhase.Cancelled, "Cancelled", "Somebody ended it.");
        var adapter = review.Adapter ?? throw new ProbeException(ProbeReasons.AdapterNotInstalled, "its adapter is gone");
        if (adapter.Body.Text("spec.transport") != "acp-stdio") throw new ProbeException(ProbeReasons.AdapterNotInstalled, $"adapter {adapter.Name} is reached through a gateway, and this one starts agents itself");
        var home = DispatchActions.WhyNotResumed(adapter) is null ? homes.Open(work.Run) : null;
        var rules = RulesOf(work, stack) with { Folders = [.. new[] { left, home, folder?.Path }.OfType<string>()], MostBytes = options.WorkspaceBytes };
        var approvals = new RunApprovals(writer, catalog, work.Run, work.Attempt, work.Krate, token => RedactorAsync(work.Run, token), time);
        var network = new AttemptNetwork(rules, approvals, work.Signals, recorder);
        await using var exit = await egress.OpenAsync(review, stack, (asked, token) => network.DecideAsync(asked, ct, token), ct);
        var launch = new AgentLaunch
        {
            Adapter = new(adapter.Body.Text("spec.adapterType") ?? "", adapter.Body.Text("spec.command"), adapter.Body.At("spec.args") is JsonArray ? [.. adapter.Body.Texts("spec.args")] : null),
            Workspace = folder?.Path, MayWrite = work.MayWrite, Artifacts = left,
            Folders = folder is null ? [] : [new(folder.Objects, WorkspaceFolders.ObjectsInside, IsWritable: false)], Network = exit.Network, Model = exit.Model,
            Home = home, Resume = await ResumedAsync(work, ct),
        };
        await using var session = await mux.LaunchAsync(launch, ct);
        await BindAsync(work, session, adapter, ct);
        var messages = new RunMessages(writer, work.Run, work.Attempt, work.Krate);
        using var talk = new AttemptTalk(session, recorder, rules, approvals, messages, work.Signals, time);
        try
        {
            return await talk.RunAsync(launch.Resume is not null && await messages.NextAsync(ct) is { } first ? await talk.HearAsync(first, ct) : blocks, ct);
        }
        finally
        {
            if (talk.Cost.Count > 0) work.Status["cost"] = talk.Cost.DeepClone();
        }
    }

    /// <summary>The agent's own name for the session that the attempt takes up.</summary>
    private async Task<string?> ResumedAsync(Work work, CancellationToken ct) =>
        work.Attempt.Body.Text("spec.resumesSession") is { } name ? (await writer.Gateway.GetAsync(work.Krate, catalog["AgentSession"], work.Run.Namespace, name, ct)).Body.Text("spec.agentMuxSessionId") : null;

    /// <summary>What the attempt before had changed is there again.</summary>
    private async Task RestoreAsync(Work work, WorkspaceFolder folder, CancellationToken ct)
    {
        var before = work.Run.Body.Texts("status.attempts").TakeWhile(a => a != work.Attempt.Name).LastOrDefault();
        var left = await writer.Gateway.ListAsync(work.Krate, catalog["AgentArtifact"], work.Run.Namespace, new ListOptions { Labels = Selector.Parse($"{WellKnown.DispatchRunLabel}={work.Run.Name}") }, ct);
        if (left.Items.FirstOrDefault(a => a.Body.Text("spec.attempt") == before && a.Body.Text("spec.kind") == "patch") is not { } patch) return;
        if (patch.Body.Text("spec.redactionStatus") != "clean") throw new WorkspaceException("what it had changed holds what looks like a secret, and is not kept; run it again");
        await WorkspaceFolders.ApplyAsync(folder, await blobs.ReadAsync(patch.Body.Text("spec.digest") ?? "", ct), ct);
    }

    private AttemptRules RulesOf(Work work, Resource stack)
    {
        var limits = stack.Body.At("spec.limits");
        return new(
            ProfileOf(stack), stack.Body.Text("spec.approvalMode"), DurationText.Parse(limits.Text("maxRunDuration")) ?? LongestRun, LongestSilence,
            limits.At("maxUsdPerRun") is JsonValue usd && usd.TryGetValue<decimal>(out var most) ? most : null, work.IsUntrusted);
    }

    /// <summary>From now on the conversation has a name that people find it by.</summary>
    private async Task BindAsync(Work work, IAgentSession session, Resource adapter, CancellationToken ct)
    {
        var kind = catalog["AgentSession"];
        var spec = new JsonObject { ["agentMuxSessionId"] = ForeignText.Line(session.Id, 200), ["dispatchRun"] = work.Run.Name, ["attempt"] = work.Attempt.Name, ["adapter"] = adapter.Name };
        if (work.Workspace is { } workspace) spec["workspaceRef"] = workspace.Name;
        work.Session = await CreateAsync(work, kind, null, spec, new() { ["phase"] = RunPhase.Running, ["transport"] = "acp-stdio" }, ct);
        foreach (var item in (work.Run.Body.At("status.breadcrumbs") as JsonArray ?? []).Where(b => b.Text("kind") is "Issue" or "PullRequest"))
            await CreateAsync(work, catalog["WorkItemSessionLink"], $"{work.Session.Name}-{item.Text("kind")!.ToLowerInvariant()}", new() { ["workItemRef"] = new JsonObject { ["kind"] = item.Text("kind"), ["name"] = item.Text("name") }, ["agentSession"] = work.Session.Name, ["dispatchRun"] = work.Run.Name, ["relation"] = "worked-on" }, null, ct);
        await writer.ChangeAsync(work.Krate, work.Attempt, _ => new JsonObject { ["agentMuxSessionId"] = work.Session.Name }, ct);
        work.Run = await writer.SetAsync(work.Krate, work.Run, new(AgentDispatchRunConditions.AgentMuxSessionBound, Condition.True, "Bound", $"{session.Capabilities.AgentName} {session.Capabilities.Version} answers."), new() { ["agentMuxSessionId"] = work.Session.Name }, ct);
    }

    private async Task TakeInAsync(Work work, WorkspaceFolder? folder, ArtifactFolder left, CancellationToken ct)
    {
        var redactor = await RedactorAsync(work.Run, ct);
        var made = await artifacts.TakeInAsync(work.Krate, work.Run, work.Attempt, left, folder is null || !work.MayWrite ? null : (Hosted(work.Run), folder.Path), redactor, ct);
        if (made.Count == 0) return;
        work.Status["artifacts"] = new JsonArray([.. work.Run.Body.Texts("status.artifacts").Concat(made.Select(m => m.Name)).Select(n => (JsonNode)n)]);
        work.Run = await writer.SetAsync(work.Krate, work.Run, new(AgentDispatchRunConditions.ArtifactsIndexed, Condition.True, "Indexed", $"{made.Count} {(made.Count == 1 ? "artifact is" : "artifacts are")} kept."), null, ct);
    }

    private Task<Resource> CreateAsync(Work work, KindDefinition kind, string? name, JsonObject spec, JsonObject? status, CancellationToken ct)
    {
        var metadata = new JsonObject { ["ownerReferences"] = new JsonArray(OwnerReference.To(work.Run)) };
        if (name is not null) metadata["name"] = name;
        var document = new JsonObject { ["metadata"] = metadata, ["spec"] = spec };
        if (status is not null) document["status"] = status;
        return writer.Gateway.CreateAsync(work.Krate, kind, work.Run.Namespace, document, new WriteOptions(), ct);
    }

    private async Task<Redactor> RedactorAsync(Resource run, CancellationToken ct) => new(await vault.KnownAsync(run.Namespace, ct), []);

    private Resource? ProfileOf(Resource stack) => stack.Body.Text("spec.toolProfileRef") is { Length: > 0 } name ? cache.Get(catalog["AgentToolProfile"], stack.Namespace, name) : null;

    private GitRepository Hosted(Resource run) => new(repositories.DirectoryOf(run.Label(WellKnown.OrgLabel) ?? "", run.Body.Text("spec.repository") ?? ""));

    /// <summary>What is known of the attempt so far.</summary>
    private sealed class Work(Resource run, Resource attempt, Actor krate, AttemptSignals signals)
    {
        public Resource Run { get; set; } = run;

        public Resource Attempt { get; } = attempt;

        public Actor Krate { get; } = krate;

        public AttemptSignals Signals { get; } = signals;

        public Resource? Workspace { get; set; }

        public Resource? Session { get; set; }

        public bool MayWrite { get; set; }

        /// <summary>Somebody without the right to push has a hand in what it works on, or in what it reads.</summary>
        public bool IsUntrusted { get; set; }

        public AttemptEnd End { get; set; } = AttemptEnd.Failed("Lost", "");

        /// <summary>What the run says of it at its end.</summary>
        public JsonObject Status { get; } = [];
    }
}
