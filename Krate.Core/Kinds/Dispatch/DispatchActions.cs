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
    public const string Continue = "continue";
    public const string Resume = "resume";

    /// <summary>Why an adapter's agent cannot go on with a session of before, for people; null when it can.</summary>
    public static string? WhyNotResumed(Resource? adapter) =>
        adapter is null ? "its adapter is gone"
        : adapter.Body.Flag("status.capabilities.loadSession") || adapter.Body.Texts("status.capabilities.sessionCapabilities").Contains("resume") ? null
        : $"{adapter.Body.Text("status.capabilities.agentName") ?? adapter.Name} cannot take up a session of before; run it again";

    internal static IServiceCollection AddDispatch(this IServiceCollection services) => services
        .AddSingleton<DispatchWriter>()
        .AddSingleton<AttemptArtifacts>()
        .AddSingleton<AgentHomes>()
        .AddSingleton<ISweep>(p => p.GetRequiredService<AgentHomes>())
        .AddSingleton<AttemptEgress>()
        .AddSingleton<LaunchApprovals>()
        .AddSingleton<AttemptRunner>()
        .AddSingleton<AttemptHost>()
        .AddSingleton<ISweep, BlobSweep>()
        .AddSingleton<ISweep, SessionSweep>()
        .AddSingleton<ICreateStep, DispatchAdmission>()
        .AddSingleton<IResourceAction, DecideApprovalAction>()
        .AddSingleton<IResourceAction, CancelRunAction>()
        .AddSingleton<NewAttempts>()
        .AddSingleton<IResourceAction, RetryRunAction>()
        .AddSingleton<IResourceAction, ResumeRunAction>()
        .AddSingleton<IResourceAction, ContinueRunAction>();

    /// <summary>What every action takes: the generation that was seen, and why it is done.</summary>
    /// <exception cref="ApiException">409 when the run has changed since, 422 for fields that are none.</exception>
    internal static void Check(Resource run, JsonObject body, params string[] more)
    {
        RunActions.CheckFields(run, body, ["expectedGeneration", "reason", .. more]);
        if (body["expectedGeneration"] is { } expected && body.Whole("expectedGeneration") != run.Generation)
            throw new ApiException(409, "Conflict", $"the run is at generation {run.Generation}, not {expected}; look at it again") { Subject = (run.Kind.Group, run.Kind.Plural, run.Name), ProductCode = "GENERATION_CONFLICT" };
        if (body["reason"] is { } reason && (reason.Text() is not { } text || text.Length > 1000)) throw RunActions.Invalid(run, "reason", "must be a text of at most 1,000 characters");
    }

    /// <exception cref="ApiException">409 while it goes on.</exception>
    internal static void CheckEnded(Resource run)
    {
        if (!RunPhase.IsTerminal(RunActions.PhaseOf(run))) throw ApiException.Conflict(run.Kind, run.Name, $"the run has not ended ({RunActions.PhaseOf(run)}); cancel it first");
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

/// <summary>What begins one more attempt has in common: the run has ended, and the stack may still run this.</summary>
internal sealed class NewAttempts(DispatchWriter writer, IServiceProvider services, KindCatalog catalog)
{
    /// <param name="turn">Null for the task from its beginning.</param>
    /// <exception cref="ApiException">403 when the review refuses it.</exception>
    public async Task<JsonObject> BeginAsync(Actor actor, Resource run, string reason, NewTurn? turn, CancellationToken ct)
    {
        var stack = await writer.Gateway.GetAsync(actor, catalog["AgentStack"], run.Namespace, run.Body.Text("spec.agentStack") ?? "", ct);
        var (review, used) = await services.GetRequiredService<PermissionReviews>().ReviewAsync(actor, stack, ReviewQuestion.OfRun(run), ct);
        if (review.Decision == ReviewDecision.Denied) throw ApiException.Forbidden($"AgentStack {stack.Name} may not run this any more: {string.Join(" ", review.Shown.Where(f => f.IsBlocking).Take(3).Select(f => f.Message))}");
        return (await writer.BeginAgainAsync(PrivilegedAccess.Runs(actor), run, stack, reason, review.ToJson(used), turn, ct)).Body.Copy();
    }

    /// <summary>The session of the last attempt, if its agent can take it up.</summary>
    /// <exception cref="ApiException">409 that says why it cannot.</exception>
    public async Task<string> SessionAsync(Actor actor, Resource run, CancellationToken ct)
    {
        if (run.Body.Text("status.agentMuxSessionId") is not { Length: > 0 } name) throw Refused(run, "its agent had not begun; run it again");
        var session = await writer.Gateway.GetAsync(PrivilegedAccess.Runs(actor), catalog["AgentSession"], run.Namespace, name, ct);
        return DispatchActions.WhyNotResumed(services.GetRequiredService<IResourceCache>().Get(catalog["AgentAdapter"], run.Namespace, session.Body.Text("spec.adapter") ?? "")) is { } why ? throw Refused(run, why) : name;
    }

    private static ApiException Refused(Resource run, string why) => ApiException.Conflict(run.Kind, run.Name, why);
}

/// <summary>One more attempt of a run that has ended, with the same context; what the stack may do is looked at anew.</summary>
internal sealed class RetryRunAction(NewAttempts attempts) : IResourceAction
{
    public string Kind => "AgentDispatchRun";

    public string Name => DispatchActions.Retry;

    public (string Verb, string Subresource) Access => (Name, "");

    public Task<JsonObject> RunAsync(Actor actor, Resource target, JsonObject body, CancellationToken ct)
    {
        DispatchActions.Check(target, body);
        DispatchActions.CheckEnded(target);
        return attempts.BeginAsync(actor, target, DispatchActions.Retry, null, ct);
    }
}

/// <summary>Goes on with the session of a run that ended before it had finished.</summary>
internal sealed class ResumeRunAction(NewAttempts attempts) : IResourceAction
{
    private const string GoOn = "Go on with your task where you stopped.";

    public string Kind => "AgentDispatchRun";

    public string Name => DispatchActions.Resume;

    public (string Verb, string Subresource) Access => (Name, "");

    public async Task<JsonObject> RunAsync(Actor actor, Resource target, JsonObject body, CancellationToken ct)
    {
        DispatchActions.Check(target, body);
        DispatchActions.CheckEnded(target);
        return await attempts.BeginAsync(actor, target, DispatchActions.Resume, new(await attempts.SessionAsync(actor, target, ct), GoOn, actor.User), ct);
    }
}

/// <summary>Says something more to the agent: when it has ended its turn, it hears it; when it has ended, it is started again where it can go on.</summary>
internal sealed class ContinueRunAction(DispatchWriter writer, NewAttempts attempts) : IResourceAction
{
    public string Kind => "AgentDispatchRun";

    public string Name => DispatchActions.Continue;

    public (string Verb, string Subresource) Access => (Name, "");

    public async Task<JsonObject> RunAsync(Actor actor, Resource target, JsonObject body, CancellationToken ct)
    {
        DispatchActions.Check(target, body, "message");
        if (body.Text("message") is not { } text || string.IsNullOrWhiteSpace(text) || text.Length > RunMessages.Longest) throw RunActions.Invalid(target, "message", $"must be a text of 1 to {RunMessages.Longest:N0} characters");
        if (RunPhase.IsTerminal(RunActions.PhaseOf(target))) return await attempts.BeginAsync(actor, target, DispatchActions.Continue, new(await attempts.SessionAsync(actor, target, ct), text, actor.User), ct);
        var told = await writer.ChangeAsync(PrivilegedAccess.Runs(actor), target, run =>
        {
            if (RunPhase.IsTerminal(RunActions.PhaseOf(run)) || run.Body.At("status.acceptsMessages") is not null && !run.Body.Flag("status.acceptsMessages"))
                throw ApiException.Conflict(run.Kind, run.Name, "the agent has just ended; say it again");
            return new() { ["messages"] = RunMessages.With(run, new() { ["text"] = text, ["by"] = actor.User, ["at"] = writer.Now, ["attempt"] = DispatchWriter.AttemptOf(run) }) };
        }, ct);
        return told.Body.Copy();
    }
}
