using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Resources;
using Krate.Core.Resources.Patching;
using Krate.Core.Runs;
using Microsoft.Extensions.DependencyInjection;

namespace Krate.Core.Kinds.Runs;

/// <summary>Moves pipelines and jobs on, for actions and the reconciler. Thread-safe.</summary>
internal sealed class RunWriter(IServiceProvider services, KindCatalog catalog, JobLogs logs, TimeProvider time)
{
    private static readonly WriteOptions Status = new() { Subresource = "status", FieldManager = "krate" };
    private const int Attempts = 8;

    /// <summary>The gateway holds the actions, so it is asked for only when one runs.</summary>
    public IResourceGateway Gateway => services.GetRequiredService<IResourceGateway>();

    public string Now => Timestamps.Format(time.GetUtcNow());

    /// <summary>Works out a status on what is there and writes it, unless something else came between; then it looks again.</summary>
    /// <param name="change">The members to set; null for "it is so already".</param>
    /// <exception cref="ApiException">What <paramref name="change"/> refuses; 404 when it is gone.</exception>
    public async Task<Resource> ChangeAsync(Actor actor, Resource run, Func<Resource, JsonObject?> change, CancellationToken ct)
    {
        for (var attempt = 1; ; attempt++)
        {
            if (change(run) is not { } status) return run;
            var patch = new JsonObject { ["metadata"] = new JsonObject { ["resourceVersion"] = run.Body.Text("metadata.resourceVersion") }, ["status"] = status };
            try
            {
                return (await Gateway.PatchAsync(actor, run.Kind, run.Namespace, run.Name, new Patch(PatchType.Merge, patch, "krate"), Status, ct)).Resource;
            }
            catch (ApiException e) when (e.Reason == "Conflict" && attempt < Attempts)
            {
                run = await Gateway.GetAsync(actor, run.Kind, run.Namespace, run.Name, ct);
            }
        }
    }

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
