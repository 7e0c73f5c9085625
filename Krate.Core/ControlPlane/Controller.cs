using Krate.Core.Gateway;
using Krate.Core.Resources;
using Krate.Core.Store;
using Microsoft.Extensions.Logging;

namespace Krate.Core.ControlPlane;

/// <summary>What every controller is built from.</summary>
internal sealed record ControlPlaneParts(IResourceGateway Gateway, IResourceCache Cache, IChangeFeed Feed, ResourceReader Reader, TimeProvider Time, ControlPlaneOptions Options);

/// <summary>Watches what a reconciler cares about, queues the keys concerned and hands them to it, freshly read.</summary>
internal sealed class Controller(IReconciler reconciler, ControlPlaneParts parts, ILogger logger) : IControlLoop
{
    public string Name => reconciler.Name;

    public async Task RunAsync(Fence fence, Action started, CancellationToken ct)
    {
        using var queue = new WorkQueue<ResourceKey>(parts.Time);
        var workers = new Workers<ResourceKey>(Name, queue, (key, correlationId, token) => ReconcileAsync(key, correlationId, fence, token), parts.Time, logger);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var kinds = reconciler.WakeUps.Select(w => w.Kind).Append(reconciler.For).ToHashSet();
        var informer = new Informer(parts.Feed, new ChangeFilter(kinds), token => AddAllAsync(queue, token), change => Route(change, queue), logger);
        Task[] tasks = [workers.RunAsync(reconciler.Concurrency ?? parts.Options.Concurrency, end.Token), informer.RunAsync(started, end.Token), ResyncAsync(queue, end.Token)];
        // The first to end takes the others with it: a controller that only half works looks alive and is not.
        await Task.WhenAny(tasks);
        await end.CancelAsync();
        await Task.WhenAll(tasks);
    }

    private async Task<TimeSpan?> ReconcileAsync(ResourceKey key, string correlationId, Fence fence, CancellationToken ct)
    {
        var actor = PrivilegedAccess.Controller(Name, correlationId, fence);
        var resource = await parts.Reader.FindAsync(actor, reconciler.For, key.Namespace, key.Name, ct);
        var context = new ReconcileContext(actor, parts.Gateway, parts.Cache, parts.Time) { Logger = logger };
        return (await reconciler.ReconcileAsync(key, resource, context, ct)).After;
    }

    private void Route(Change change, WorkQueue<ResourceKey> queue)
    {
        if (change.After.Kind == reconciler.For) queue.Add(change.After.Key);
        foreach (var wakeUp in reconciler.WakeUps)
        {
            if (wakeUp.Kind != change.After.Kind || (wakeUp.OfSpecOnly && !change.IsOfSpec)) continue;
            foreach (var key in wakeUp.Keys(change.After, parts.Cache)) queue.Add(key);
            // What an update no longer points to has to hear of it as well.
            if (change.Before is null) continue;
            foreach (var key in wakeUp.Keys(change.Before, parts.Cache)) queue.Add(key);
        }
    }

    private async Task AddAllAsync(WorkQueue<ResourceKey> queue, CancellationToken ct)
    {
        await foreach (var resource in parts.Reader.ListAsync(PrivilegedAccess.Controller(Name, ""), reconciler.For, null, ct)) queue.Add(resource.Key);
    }

    /// <summary>A lost wake-up would otherwise stay lost. Only for kinds in memory: an idle process sends no SQL.</summary>
    private async Task ResyncAsync(WorkQueue<ResourceKey> queue, CancellationToken ct)
    {
        while (true)
        {
            await Task.Delay(parts.Options.Resync, parts.Time, ct);
            if (ResourceReader.IsHeld(reconciler.For)) await AddAllAsync(queue, ct);
        }
    }
}
