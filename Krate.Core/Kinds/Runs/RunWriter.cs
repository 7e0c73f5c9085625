using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Resources;
using Krate.Core.Runs;

namespace Krate.Core.Kinds.Runs;

/// <summary>Moves pipelines and jobs on, for actions and the reconciler. Thread-safe.</summary>
internal sealed class RunWriter(IServiceProvider services, KindCatalog catalog, JobLogs logs, TimeProvider time) : StatusChanges(services, time)
{
    /// <summary>Queued becomes running; anything else stays.</summary>
    public Task<Resource> StartAsync(Actor actor, Resource job, CancellationToken ct) => ChangeAsync(
        actor, job, j => RunActions.PhaseOf(j) is RunPhase.Queued or RunPhase.Pending ? new JsonObject { ["phase"] = RunPhase.Running, ["startedAt"] = Now } : null, ct);

    public async Task<IReadOnlyList<Resource>> JobsAsync(Actor actor, Resource pipeline, CancellationToken ct)
    {
        var fields = Selector.Everything.And(new SelectorTerm("spec.pipeline", SelectorOperator.In, [pipeline.Name]));
        var list = await Gateway.ListAsync(actor, catalog["Job"], pipeline.Namespace, new ListOptions { Fields = fields }, ct);
        return [.. list.Items.OrderBy(j => j.CreatedAt).ThenBy(j => j.Name, StringComparer.Ordinal)];
    }

    /// <summary>Ends the jobs that have not ended; from then on their logs take nothing.</summary>
    public async Task CancelJobsAsync(Actor actor, IEnumerable<Resource> jobs, CancellationToken ct)
    {
        foreach (var job in jobs.Where(j => !RunPhase.IsTerminal(RunActions.PhaseOf(j))))
        {
            try
            {
                var length = await logs.SealAsync(job, ct);
                await ChangeAsync(actor, job, j => RunPhase.IsTerminal(RunActions.PhaseOf(j)) ? null : new JsonObject { ["phase"] = RunPhase.Cancelled, ["completedAt"] = Now, ["logBytes"] = length }, ct);
            }
            catch (ApiException e) when (e.Code == 404)
            {
                // It is gone.
            }
        }
    }
}
