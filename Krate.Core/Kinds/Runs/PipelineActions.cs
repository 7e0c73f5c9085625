using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Runs;

/// <summary>A pipeline has ended. Nothing else ends one but <see cref="CancelPipelineAction"/>: a CI may add jobs until it says so.</summary>
internal sealed class FinishPipelineAction(RunWriter writer) : IResourceAction
{
    private const int MostNamed = 5;

    public string Kind => "Pipeline";

    public string Name => RunActions.Finish;

    public (string Verb, string Subresource) Access => (Name, "");

    public async Task<JsonObject> RunAsync(Actor actor, Resource target, JsonObject body, CancellationToken ct)
    {
        RunActions.CheckFields(target, body, "phase");
        var wanted = RunActions.PhaseOf(target, body);
        if (IsSo(target, wanted)) return target.Body.Copy();
        var krate = PrivilegedAccess.Runs(actor);
        var jobs = await writer.JobsAsync(krate, target, ct);
        var open = jobs.Where(j => !RunPhase.IsTerminal(RunActions.PhaseOf(j))).ToList();
        if (open.Count > 0)
        {
            if (wanted is not (RunPhase.Failed or RunPhase.Cancelled)) throw ApiException.Conflict(target.Kind, target.Name, $"{open.Count} of its jobs have not ended ({Names(open)}); finish them, or finish the pipeline as failed or cancelled, which cancels them");
            await writer.CancelJobsAsync(krate, open, ct);
            jobs = await writer.JobsAsync(krate, target, ct);
        }

        var changed = await writer.ChangeAsync(krate, target, pipeline => IsSo(pipeline, wanted) ? null : PipelineSummary.Ended(pipeline, jobs, wanted ?? PipelineSummary.PhaseOf(jobs), writer.Now), ct);
        return changed.Body.Copy();
    }

    private static string Names(List<Resource> jobs) => string.Join(", ", jobs.Take(MostNamed).Select(j => j.Name)) + (jobs.Count > MostNamed ? ", ..." : "");

    /// <exception cref="ApiException">409 when it ended otherwise.</exception>
    private static bool IsSo(Resource pipeline, string? wanted)
    {
        var now = RunActions.PhaseOf(pipeline);
        if (!RunPhase.IsTerminal(now)) return false;
        return wanted is null || now == wanted ? true : throw ApiException.Conflict(pipeline.Kind, pipeline.Name, $"the pipeline has ended already: {now}");
    }
}

/// <summary>Stops a pipeline and its jobs. The CI learns of it when it next says something of one of them.</summary>
internal sealed class CancelPipelineAction(RunWriter writer) : IResourceAction
{
    public string Kind => "Pipeline";

    public string Name => RunActions.Cancel;

    public (string Verb, string Subresource) Access => (Name, "");

    public async Task<JsonObject> RunAsync(Actor actor, Resource target, JsonObject body, CancellationToken ct)
    {
        RunActions.CheckFields(target, body);
        var krate = PrivilegedAccess.Runs(actor);
        // First the pipeline: from then on it takes no more jobs.
        var cancelled = await writer.ChangeAsync(krate, target, pipeline => RunActions.PhaseOf(pipeline) switch
        {
            RunPhase.Cancelled => null,
            RunPhase.Succeeded or RunPhase.Failed => throw ApiException.Conflict(pipeline.Kind, pipeline.Name, $"the pipeline has ended already: {RunActions.PhaseOf(pipeline)}"),
            _ => new JsonObject { ["phase"] = RunPhase.Cancelled, ["completedAt"] = writer.Now },
        }, ct);
        await writer.CancelJobsAsync(krate, await writer.JobsAsync(krate, cancelled, ct), ct);
        return cancelled.Body.Copy();
    }
}

/// <summary>Asks the CI for the same once more: a new pipeline that goes on from this one.</summary>
internal sealed class RerunPipelineAction(RunWriter writer) : IResourceAction
{
    private static readonly string[] Same = ["repository", "ref", "sha", "workflow", "trustTier", "runnerPool"];

    public string Kind => "Pipeline";

    public string Name => RunActions.Rerun;

    public (string Verb, string Subresource) Access => (Name, "");

    public async Task<JsonObject> RunAsync(Actor actor, Resource target, JsonObject body, CancellationToken ct)
    {
        RunActions.CheckFields(target, body);
        var phase = RunActions.PhaseOf(target);
        if (!RunPhase.IsTerminal(phase)) throw ApiException.Conflict(target.Kind, target.Name, $"the pipeline has not ended ({phase}); cancel it first");
        var spec = new JsonObject { ["resumeFrom"] = target.Name, ["startedBy"] = actor.User };
        foreach (var field in Same)
            if (target.Body.At("spec." + field) is { } value) spec[field] = value.DeepClone();
        var made = await writer.Gateway.CreateAsync(PrivilegedAccess.Runs(actor), target.Kind, target.Namespace, new JsonObject { ["spec"] = spec }, new WriteOptions(), ct);
        return made.Body.Copy();
    }
}
