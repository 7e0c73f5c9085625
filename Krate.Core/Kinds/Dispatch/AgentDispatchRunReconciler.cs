using System.Text.Json.Nodes;
using Krate.Core.Agents;
using Krate.Core.ControlPlane;
using Krate.Core.Gateway;
using Krate.Core.Kinds.Runs;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Dispatch;

/// <summary>
/// Brings runs to their end: queues them, starts one when it is its turn, tells those that run what people want of them, and ends those that say they run
/// and have nothing behind them.
/// </summary>
internal sealed class AgentDispatchRunReconciler(KindCatalog catalog, DispatchWriter writer, AttemptHost host, AttemptRunner runner, LaunchApprovals launches, AgentOptions options) : IReconciler
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(1);

    public string Name => "agent-dispatch-run";

    public KindDefinition For { get; } = catalog["AgentDispatchRun"];

    public IReadOnlyList<WakeUp> WakeUps { get; } =
    [
        new(catalog["AgentApproval"], (r, _) => r.Body.Text("spec.dispatchRun") is { Length: > 0 } name ? [new("AgentDispatchRun", r.Namespace, name)] : []),
    ];

    public async Task<Outcome> ReconcileAsync(ResourceKey key, Resource? resource, ReconcileContext context, CancellationToken ct)
    {
        if (resource is not { IsDeleting: false } run || RunPhase.IsTerminal(RunActions.PhaseOf(run)))
        {
            if (resource is not null) host.Cancel(resource.Uid);
            return Outcome.Done;
        }

        if (host.Has(run)) return await AttendAsync(run, context, ct);
        if (DispatchWriter.AttemptOf(run) is not { } name || await writer.FindAsync(context.Actor, run.Namespace, name, ct) is not { } attempt) return await EndAsync(context.Actor, run, AttemptEnd.Failed("Lost", "Its attempt is gone."), ct);
        if (run.Body.Text("status.cancelRequestedBy") is { } who) return await EndAsync(context.Actor, run, new(RunPhase.Cancelled, "Cancelled", $"{who} ended it before it ran."), ct);
        return RunActions.PhaseOf(run) switch
        {
            RunPhase.Pending => LaunchApprovals.IsNeeded(attempt) ? await AskAsync(run, attempt, context, ct) : await QueueAsync(run, attempt, context, ct),
            RunPhase.WaitingForApproval when RunActions.PhaseOf(attempt) == RunPhase.Pending => await HearAsync(run, attempt, context, ct),
            RunPhase.Queued => await StartAsync(run, attempt, context, ct),
            _ => await LoseAsync(run, attempt, context, ct),
        };
    }

    /// <summary>It runs here: what people have decided since is told to it.</summary>
    private async Task<Outcome> AttendAsync(Resource run, ReconcileContext context, CancellationToken ct)
    {
        if (run.Body.Text("status.cancelRequestedBy") is not null) host.Cancel(run.Uid);
        if (!run.Body.Texts("status.approvals").Any()) return Outcome.Done;
        var approvals = (await context.Gateway.ListAsync(context.Actor, catalog["AgentApproval"], run.Namespace, new ListOptions { Labels = Selector.Parse($"{WellKnown.DispatchRunLabel}={run.Name}") }, ct)).Items;
        var now = context.Time.GetUtcNow();
        foreach (var late in approvals.Where(a => a.Body.Text("status.phase") == "pending" && ExpiryOf(a) <= now))
            await writer.ChangeAsync(context.Actor, late, a => a.Body.Text("status.phase") == "pending" ? new JsonObject { ["phase"] = "expired", ["decidedAt"] = writer.Now } : null, ct);
        host.Decided(run, approvals);
        return approvals.Where(a => a.Body.Text("status.phase") == "pending").Select(ExpiryOf).Min() is { } next && next > now ? Outcome.Again(next - now) : Outcome.Done;
    }

    /// <summary>Nothing starts, and no place is taken, before a person has approved it.</summary>
    private async Task<Outcome> AskAsync(Resource run, Resource attempt, ReconcileContext context, CancellationToken ct)
    {
        await launches.AskAsync(context.Actor, run, attempt, ct);
        await writer.SetAsync(context.Actor, run, new(AgentDispatchRunConditions.ApprovalSatisfied, Condition.False, "Waiting", "A person must approve what it starts with."), new() { ["phase"] = RunPhase.WaitingForApproval }, ct);
        return Outcome.Done;
    }

    private async Task<Outcome> HearAsync(Resource run, Resource attempt, ReconcileContext context, CancellationToken ct)
    {
        if (await launches.FindAsync(context.Actor, attempt, ct) is not { } approval) return await AskAsync(run, attempt, context, ct);
        var (phase, by) = (approval.Body.Text("status.phase"), approval.Body.Text("status.decidedBy"));
        if (phase == "pending" && ExpiryOf(approval) is { } end && end > context.Time.GetUtcNow()) return Outcome.Again(end - context.Time.GetUtcNow());
        if (phase == "rejected") return await EndAsync(context.Actor, run, AttemptEnd.Failed("ApprovalRejected", $"{by} did not approve what it starts with."), ct);
        if (phase != "approved") return await EndAsync(context.Actor, run, AttemptEnd.Failed("ApprovalExpired", "Nobody approved in time what it starts with."), ct);
        run = await writer.SetAsync(context.Actor, run, new(AgentDispatchRunConditions.ApprovalSatisfied, Condition.True, "Approved", $"{by} approved what it starts with."), null, ct);
        return await QueueAsync(run, attempt, context, ct);
    }

    private async Task<Outcome> QueueAsync(Resource run, Resource attempt, ReconcileContext context, CancellationToken ct)
    {
        var status = new JsonObject { ["phase"] = RunPhase.Queued, ["queuedAt"] = writer.Now };
        await writer.ChangeAsync(context.Actor, attempt, a => RunActions.PhaseOf(a) == RunPhase.Pending ? status.Copy() : null, ct);
        await writer.ChangeAsync(context.Actor, run, r => RunActions.PhaseOf(r) is RunPhase.Pending or RunPhase.WaitingForApproval ? status.Copy() : null, ct);
        return Outcome.Done;
    }

    private async Task<Outcome> StartAsync(Resource run, Resource attempt, ReconcileContext context, CancellationToken ct)
    {
        QueuePlace? place = null;
        var queued = (await context.Gateway.ListAsync(context.Actor, For, null, new ListOptions { Fields = Selector.Parse($"status.phase={RunPhase.Queued}") }, ct)).Items;
        var started = host.TryStart(run, attempt, context.Actor, active => (place = PlaceOf(run, active, queued, context.Cache)) is { Waits: null }, ct);
        if (started) return Outcome.Done;
        await writer.SetAsync(context.Actor, run, new(AgentDispatchRunConditions.RunnerAssigned, Condition.False, place?.Reason ?? DispatchQueue.Waiting, place?.Waits ?? "It waits for its turn."), null, ct);
        return Outcome.Again(LookAgain);
    }

    private QueuePlace? PlaceOf(Resource run, IReadOnlyList<Resource> active, IEnumerable<Resource> queued, IResourceCache cache) =>
        DispatchQueue.Order(active, queued.Where(r => !r.IsDeleting && !active.Any(a => a.Uid == r.Uid)), new(options.RunsAtOnce), r => LimitsOf(r, cache)).FirstOrDefault(p => p.Run.Uid == run.Uid);

    private IEnumerable<RunLimit> LimitsOf(Resource run, IResourceCache cache)
    {
        var (stack, pool) = (run.Body.Text("spec.agentStack") ?? "", run.Body.Text("spec.runnerPool"));
        if (cache.Get(catalog["AgentStack"], run.Namespace, stack)?.Body.Whole("spec.limits.maxConcurrentRuns") is { } ofStack)
            yield return new($"stack {stack}", ofStack, other => other.Namespace == run.Namespace && other.Body.Text("spec.agentStack") == stack);
        if (cache.Get(catalog["Organization"], WellKnown.PlatformNamespace, run.Label(WellKnown.OrgLabel) ?? "")?.Body.Whole("spec.agentLimits.maxConcurrentRuns") is { } ofOrg)
            yield return new("the organization", ofOrg, other => other.Namespace == run.Namespace);
        if (pool is { Length: > 0 } && cache.Get(catalog["RunnerPool"], run.Namespace, pool)?.Body.Whole("spec.maxReplicas") is { } ofPool)
            yield return new($"pool {pool}", ofPool, other => other.Namespace == run.Namespace && other.Body.Text("spec.runnerPool") == pool);
    }

    /// <summary>It says that it runs, and nothing is behind it: its agent went with the process that had started it.</summary>
    private async Task<Outcome> LoseAsync(Resource run, Resource attempt, ReconcileContext context, CancellationToken ct)
    {
        await runner.CleanUpAsync(context.Actor, run, attempt, ct);
        return await EndAsync(context.Actor, run, AttemptEnd.Failed("Lost", "Krate was stopped or moved while its agent worked. What it had said by then is kept; start it again to go on."), ct);
    }

    private async Task<Outcome> EndAsync(Actor krate, Resource run, AttemptEnd end, CancellationToken ct)
    {
        await writer.EndAsync(krate, run, end, null, ct);
        return Outcome.Done;
    }

    private static DateTimeOffset? ExpiryOf(Resource approval) =>
        DateTimeOffset.TryParse(approval.Body.Text("spec.expiresAt"), System.Globalization.CultureInfo.InvariantCulture, System.Globalization.DateTimeStyles.AssumeUniversal, out var at) ? at : null;
}
