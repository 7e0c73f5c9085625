using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Kinds.Runs;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Dispatch;

/// <summary>How an attempt ended.</summary>
/// <param name="Reason">One of <see cref="TerminalReasonsAttribute"/>.</param>
/// <param name="Message">For people; it holds no secret.</param>
internal sealed record AttemptEnd(string Phase, string Reason, string Message)
{
    public static AttemptEnd Failed(string reason, string message) => new(RunPhase.Failed, reason, message);
}

/// <summary>What an attempt begins with that goes on where another ended.</summary>
/// <param name="Session">AgentSession that it takes up.</param>
/// <param name="Text">What its agent is told.</param>
internal sealed record NewTurn(string Session, string Text, string By);

/// <summary>Moves runs and attempts of agents on. A run says what its last attempt says. Thread-safe.</summary>
internal sealed class DispatchWriter(IServiceProvider services, KindCatalog catalog, TimeProvider time) : StatusChanges(services, time)
{
    private readonly TimeProvider time = time;

    public KindDefinition Runs { get; } = catalog["AgentDispatchRun"];

    public KindDefinition Attempts { get; } = catalog["AgentDispatchAttempt"];

    /// <summary>Name of the attempt that counts.</summary>
    public static string? AttemptOf(Resource run) => run.Body.Texts("status.attempts").LastOrDefault();

    /// <summary>Writes one condition, with what else changes.</summary>
    public Task<Resource> SetAsync(Actor krate, Resource resource, Condition condition, JsonObject? more, CancellationToken ct) => ChangeAsync(krate, resource, now =>
    {
        if (RunPhase.IsTerminal(RunActions.PhaseOf(now))) return null;
        var status = more?.Copy() ?? [];
        status["conditions"] = With(now, condition);
        return status;
    }, ct);

    /// <summary>One more attempt; the run waits for its turn again.</summary>
    /// <param name="turn">Null for the task from its beginning.</param>
    public async Task<Resource> BeginAgainAsync(Actor krate, Resource run, Resource stack, string reason, JsonObject snapshot, NewTurn? turn, CancellationToken ct)
    {
        var bundle = await Gateway.GetAsync(krate, catalog["AgentContextBundle"], run.Namespace, run.Body.Text("spec.contextBundleRef") ?? "", ct);
        var spec = DispatchRecords.AttemptSpec(run, reason, stack, bundle.Body.Text("spec.digest"), snapshot.Text("digest"));
        if (turn is not null) spec["resumesSession"] = turn.Session;
        var document = CompanionDocument.Make(Attempts, CompanionDocument.NewName(Attempts), run, run.Body.Text("spec.repository"), spec, DispatchRecords.AttemptStatus(snapshot), time.GetUtcNow());
        var attempt = await Gateway.CreateAsync(krate, Attempts, run.Namespace, document, new WriteOptions(), ct);
        try
        {
            return await ChangeAsync(krate, run, now => RunPhase.IsTerminal(RunActions.PhaseOf(now)) ? Again(now, attempt.Name, snapshot, turn) : throw ApiException.Conflict(now.Kind, now.Name, "somebody else has started it again"), ct);
        }
        catch (ApiException)
        {
            await Gateway.DeleteAsync(krate, Attempts, attempt.Namespace, attempt.Name, new DeleteOptions { Uid = attempt.Uid }, CancellationToken.None);
            throw;
        }
    }

    /// <summary>The last words about an attempt and its run. What has ended stays as it is.</summary>
    public async Task EndAsync(Actor krate, Resource run, AttemptEnd end, JsonObject? more, CancellationToken ct)
    {
        var status = new JsonObject { ["phase"] = end.Phase, ["terminalReason"] = end.Reason, ["message"] = end.Message, ["completedAt"] = Now };
        if (AttemptOf(run) is { } name && await FindAsync(krate, run.Namespace, name, ct) is { } attempt)
        {
            var own = status.Copy();
            own.Remove("message");
            await ChangeAsync(krate, attempt, now => RunPhase.IsTerminal(RunActions.PhaseOf(now)) ? null : own.Copy(), ct);
        }

        foreach (var (field, value) in more ?? []) status[field] = value?.DeepClone();
        // Before the last word: what has ended is not looked at again.
        await CloseApprovalsAsync(krate, run, ct);
        await ChangeAsync(krate, run, now => RunPhase.IsTerminal(RunActions.PhaseOf(now)) ? null : status.Copy(), ct);
    }

    /// <summary>Nobody waits for their answer any more.</summary>
    private async Task CloseApprovalsAsync(Actor krate, Resource run, CancellationToken ct)
    {
        var asked = await Gateway.ListAsync(krate, catalog["AgentApproval"], run.Namespace, new ListOptions { Labels = Selector.Parse($"{WellKnown.DispatchRunLabel}={run.Name}") }, ct);
        foreach (var approval in asked.Items) await ChangeAsync(krate, approval, now => now.Body.Text("status.phase") == "pending" ? new JsonObject { ["phase"] = "superseded" } : null, ct);
    }

    public async Task<Resource?> FindAsync(Actor krate, string ns, string attempt, CancellationToken ct)
    {
        try
        {
            return await Gateway.GetAsync(krate, Attempts, ns, attempt, ct);
        }
        catch (ApiException e) when (e.Code == 404)
        {
            return null;
        }
    }

    private JsonArray With(Resource resource, Condition condition)
    {
        var all = resource.Conditions.Where(c => c.Type != condition.Type).Append(condition).ToList();
        var order = AgentDispatchRunConditions.All.ToList();
        return Condition.Merge(resource.Conditions, all.OrderBy(c => order.IndexOf(c.Type)), resource.Generation, time.GetUtcNow());
    }

    private JsonObject Again(Resource run, string attempt, JsonObject snapshot, NewTurn? turn)
    {
        var status = Again(run, attempt, snapshot);
        if (turn is not null) status["messages"] = RunMessages.With(run, new() { ["text"] = turn.Text, ["by"] = turn.By, ["at"] = Now, ["attempt"] = attempt });
        return status;
    }

    private static JsonObject Again(Resource run, string attempt, JsonObject snapshot) => new()
    {
        ["phase"] = RunPhase.Pending, ["attempts"] = new JsonArray([.. run.Body.Texts("status.attempts").Append(attempt).Select(a => (JsonNode)a)]), ["permissionSnapshotDigest"] = snapshot.Text("digest"),
        ["terminalReason"] = null, ["message"] = null, ["completedAt"] = null, ["cancelRequestedBy"] = null, ["cancelReason"] = null, ["acceptsMessages"] = null, ["agentMuxSessionId"] = null, ["agentMuxRunId"] = null, ["eventCursor"] = null,
        ["conditions"] = new JsonArray([.. (run.Body.At("status.conditions") as JsonArray ?? []).Where(c => c.Text("type") is AgentDispatchRunConditions.ContextAssembled or AgentDispatchRunConditions.PermissionsAdmitted).Select(c => c!.DeepClone())]),
    };
}
