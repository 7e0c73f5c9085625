using System.Text.Json.Nodes;
using Krate.Core.ControlPlane;
using Krate.Core.Gateway;
using Krate.Core.Kinds.Approvals;
using Krate.Core.Kinds.Review;
using Krate.Core.Kinds.Runs;
using Krate.Core.Resources;
using Microsoft.Extensions.DependencyInjection;

namespace Krate.Core.Kinds.Dispatch;

/// <summary>What is done with runs of agents. Each name is the RBAC verb, too.</summary>
public static class DispatchActions
{
    public const string Cancel = "cancel";
    public const string Retry = "retry";

    internal static IServiceCollection AddDispatch(this IServiceCollection services) => services
        .AddSingleton<DispatchWriter>()
        .AddSingleton<AttemptArtifacts>()
        .AddSingleton<AttemptEgress>()
        .AddSingleton<AttemptRunner>()
        .AddSingleton<AttemptHost>()
        .AddSingleton<ISweep, BlobSweep>()
        .AddSingleton<ISweep, SessionSweep>()
        .AddSingleton<ICreateStep, DispatchAdmission>()
        .AddSingleton<IResourceAction, DecideApprovalAction>()
        .AddSingleton<IResourceAction, CancelRunAction>()
        .AddSingleton<IResourceAction, RetryRunAction>();

    /// <summary>What every action takes: the generation that was seen, and why it is done.</summary>
    /// <exception cref="ApiException">409 when the run has changed since, 422 for fields that are none.</exception>
    internal static void Check(Resource run, JsonObject body)
    {
        RunActions.CheckFields(run, body, "expectedGeneration", "reason");
        if (body["expectedGeneration"] is { } expected && body.Whole("expectedGeneration") != run.Generation)
            throw new ApiException(409, "Conflict", $"the run is at generation {run.Generation}, not {expected}; look at it again") { Subject = (run.Kind.Group, run.Kind.Plural, run.Name), ProductCode = "GENERATION_CONFLICT" };
        if (body["reason"] is { } reason && (reason.Text() is not { } text || text.Length > 1000)) throw RunActions.Invalid(run, "reason", "must be a text of at most 1,000 characters");
    }
}

/// <summary>Ends a run. One that waits ends at once; an agent is told to stop, and then stopped.</summary>
internal sealed class CancelRunAction(DispatchWriter writer) : IResourceAction
{
    public string Kind => "AgentDispatchRun";

    public string Name => DispatchActions.Cancel;

    public (string Verb, string Subresource) Access => (Name, "");

    public async Task<JsonObject> RunAsync(Actor actor, Resource target, JsonObject body, CancellationToken ct)
    {
        DispatchActions.Check(target, body);
        var cancelled = await writer.ChangeAsync(PrivilegedAccess.Runs(actor), target, run => RunActions.PhaseOf(run) switch
        {
            RunPhase.Cancelled => null,
            var phase when RunPhase.IsTerminal(phase) => throw ApiException.Conflict(run.Kind, run.Name, $"the run has ended already: {phase}"),
            _ when run.Body.Text("status.cancelRequestedBy") is not null => null,
            _ => new JsonObject { ["cancelRequestedBy"] = actor.User, ["cancelReason"] = body.Text("reason") },
        }, ct);
        return cancelled.Body.Copy();
    }
}

/// <summary>One more attempt of a run that has ended, with the same context; what the stack may do is looked at anew.</summary>
internal sealed class RetryRunAction(DispatchWriter writer, IServiceProvider services, KindCatalog catalog) : IResourceAction
{
    public string Kind => "AgentDispatchRun";

    public string Name => DispatchActions.Retry;

    public (string Verb, string Subresource) Access => (Name, "");

    public async Task<JsonObject> RunAsync(Actor actor, Resource target, JsonObject body, CancellationToken ct)
    {
        DispatchActions.Check(target, body);
        var phase = RunActions.PhaseOf(target);
        if (!RunPhase.IsTerminal(phase)) throw ApiException.Conflict(target.Kind, target.Name, $"the run has not ended ({phase}); cancel it first");
        var stack = await writer.Gateway.GetAsync(actor, catalog["AgentStack"], target.Namespace, target.Body.Text("spec.agentStack") ?? "", ct);
        var (review, used) = await services.GetRequiredService<PermissionReviews>().ReviewAsync(actor, stack, ReviewQuestion.OfRun(target), ct);
        if (review.Decision == ReviewDecision.Denied) throw ApiException.Forbidden($"AgentStack {stack.Name} may not run this any more: {string.Join(" ", review.Shown.Where(f => f.IsBlocking).Take(3).Select(f => f.Message))}");
        return (await writer.BeginAgainAsync(PrivilegedAccess.Runs(actor), target, stack, DispatchActions.Retry, review.ToJson(used), ct)).Body.Copy();
    }
}
