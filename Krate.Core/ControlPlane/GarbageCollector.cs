using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Resources;
using Krate.Core.Store;
using Microsoft.Extensions.Logging;

namespace Krate.Core.ControlPlane;

/// <summary>
/// Deletes what is owned only by what is gone, and completes foreground and orphaning deletions, as Kubernetes does. Learns
/// of deletions from the feed; one sweep at the start finds what happened before.
/// </summary>
internal sealed class GarbageCollector(ControlPlaneParts parts, ILogger<GarbageCollector> logger) : IControlLoop
{
    private const int Concurrency = 8;
    private static readonly WriteOptions Options = new() { FieldManager = "krate-garbage-collector", FieldValidation = FieldValidation.Ignore };

    public string Name => "garbage-collector";

    private enum OwnerState
    {
        Alive,
        WaitsForDependents,
        Gone,
    }

    public async Task RunAsync(Fence fence, Action started, CancellationToken ct)
    {
        var graph = new OwnerGraph();
        var swept = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var queue = new WorkQueue<ResourceKey>(parts.Time);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var workers = new Workers<ResourceKey>(Name, queue, (key, id, token) => CollectAsync(key, graph, PrivilegedAccess.Controller(Name, id, fence), token), parts.Time, logger);
        var informer = new Informer(parts.Feed, new ChangeFilter(parts.Reader.Stored.ToHashSet()), token => SweepAsync(graph, queue, token), change => Observe(change, graph, queue), logger);
        Task[] tasks = [informer.RunAsync(() => swept.TrySetResult(), end.Token), WorkAsync()];
        await Task.WhenAny(tasks);
        await end.CancelAsync();
        await Task.WhenAll(tasks);

        async Task WorkAsync()
        {
            // Until the sweep is through the graph does not know every dependent.
            await swept.Task.WaitAsync(end.Token);
            started();
            await workers.RunAsync(Concurrency, end.Token);
        }
    }

    private static void Observe(Change change, OwnerGraph graph, WorkQueue<ResourceKey> queue)
    {
        if (change.Type == ChangeType.Deleted)
        {
            foreach (var key in graph.Remove(change.After)) queue.Add(key);
            return;
        }

        graph.Put(change.After);
        // An owner may have gone before its child came.
        var isNews = change.Before is null || !OwnerReference.ReadAll(change.Before).SequenceEqual(OwnerReference.ReadAll(change.After));
        if (OwnerGraph.Waits(change.After) || (isNews && OwnerReference.ReadAll(change.After).Count > 0)) queue.Add(change.After.Key);
    }

    private async Task SweepAsync(OwnerGraph graph, WorkQueue<ResourceKey> queue, CancellationToken ct)
    {
        var actor = PrivilegedAccess.Controller(Name, "");
        var alive = new HashSet<string>(StringComparer.Ordinal);
        graph.BeginSweep();
        var owned = new List<(ResourceKey Key, IReadOnlyList<OwnerReference> Owners)>();
        foreach (var kind in parts.Reader.Stored)
        {
            await foreach (var resource in parts.Reader.ListAsync(actor, kind, null, ct))
            {
                alive.Add(resource.Uid);
                var owners = OwnerReference.ReadAll(resource);
                if (owners.Count > 0) owned.Add((resource.Key, owners));
                if (owners.Count > 0 || resource.IsDeleting) graph.Put(resource);
                if (OwnerGraph.Waits(resource)) queue.Add(resource.Key);
            }
        }

        alive.ExceptWith(graph.EndSweep());
        foreach (var (key, owners) in owned)
            if (!owners.All(o => alive.Contains(o.Uid))) queue.Add(key);
    }

    private async Task<TimeSpan?> CollectAsync(ResourceKey key, OwnerGraph graph, Actor actor, CancellationToken ct)
    {
        var kind = parts.Reader.FindKind(key.Kind)!;
        if (await parts.Reader.FindAsync(actor, kind, key.Namespace, key.Name, ct) is not { } resource) return null;
        if (resource.IsDeleting)
        {
            if (resource.Finalizers.Contains(OwnerGraph.Orphan)) await OrphanAsync(resource, graph, actor, ct);
            else if (resource.Finalizers.Contains(OwnerGraph.Foreground)) await DeleteDependentsAsync(resource, graph, actor, ct);
            return null;
        }

        await JudgeAsync(resource, graph, actor, ct);
        return null;
    }

    /// <summary>Whether somebody still owns it.</summary>
    private async Task JudgeAsync(Resource resource, OwnerGraph graph, Actor actor, CancellationToken ct)
    {
        var owners = OwnerReference.ReadAll(resource);
        if (owners.Count == 0) return;
        var states = new List<(OwnerReference Owner, OwnerState State)>();
        foreach (var owner in owners) states.Add((owner, await StateOfAsync(owner, resource, actor, ct)));

        var leaving = states.Where(s => s.State != OwnerState.Alive).Select(s => s.Owner.Uid).ToHashSet(StringComparer.Ordinal);
        if (leaving.Count == 0) return;
        if (leaving.Count < states.Select(s => s.Owner.Uid).Distinct(StringComparer.Ordinal).Count())
        {
            // Another owner keeps it; only the reference goes.
            await parts.Gateway.UpdateAsync(actor, resource.Kind, resource.Namespace, resource.Name, OwnerReference.Without(resource, leaving), Options, ct);
            return;
        }

        var foreground = states.Any(s => s.State == OwnerState.WaitsForDependents) && graph.DependentsOf(resource.Uid).Count > 0;
        await DeleteAsync(resource, foreground ? "Foreground" : "Background", actor, ct);
        logger.LogInformation("Deleted {Key}: its owner {Owner} is gone", resource.Key, $"{owners[0].Kind}/{owners[0].Name}");
    }

    private async Task<OwnerState> StateOfAsync(OwnerReference reference, Resource dependent, Actor actor, CancellationToken ct)
    {
        // What cannot be resolved is left alone: deleting on a misunderstanding is worse than keeping.
        var kind = parts.Reader.FindKind(reference.Kind);
        if (kind is null || kind.ApiVersion != reference.ApiVersion || (kind.IsNamespaced && dependent.Namespace.Length == 0)) return OwnerState.Alive;
        var ns = kind.IsNamespaced ? dependent.Namespace : "";
        var owner = await parts.Reader.FindAsync(actor, kind, ns, reference.Name, ct);
        // Memory may be a moment behind another process; the store is asked before anything is deleted.
        if (owner?.Uid != reference.Uid && ResourceReader.IsHeld(kind)) owner = await parts.Reader.FindLiveAsync(actor, kind, ns, reference.Name, ct);
        if (owner?.Uid != reference.Uid) return OwnerState.Gone;
        return owner.IsDeleting && owner.Finalizers.Contains(OwnerGraph.Foreground) ? OwnerState.WaitsForDependents : OwnerState.Alive;
    }

    /// <summary>Foreground: what is owned goes first, the owner when nothing that blocks is left.</summary>
    private async Task DeleteDependentsAsync(Resource owner, OwnerGraph graph, Actor actor, CancellationToken ct)
    {
        foreach (var dependent in await LiveDependentsAsync(owner, graph, actor, ct))
            if (!dependent.IsDeleting) await JudgeAsync(dependent, graph, actor, ct);

        // While something blocks, its end brings the owner back here.
        var left = await LiveDependentsAsync(owner, graph, actor, ct);
        if (!left.Any(d => OwnerReference.ReadAll(d).Any(o => o.Uid == owner.Uid && o.BlocksOwnerDeletion)))
            await RemoveFinalizerAsync(owner, OwnerGraph.Foreground, actor, ct);
    }

    private async Task OrphanAsync(Resource owner, OwnerGraph graph, Actor actor, CancellationToken ct)
    {
        foreach (var dependent in await LiveDependentsAsync(owner, graph, actor, ct))
            await parts.Gateway.UpdateAsync(actor, dependent.Kind, dependent.Namespace, dependent.Name, OwnerReference.Without(dependent, new HashSet<string> { owner.Uid }), Options, ct);
        await RemoveFinalizerAsync(owner, OwnerGraph.Orphan, actor, ct);
    }

    private async Task<List<Resource>> LiveDependentsAsync(Resource owner, OwnerGraph graph, Actor actor, CancellationToken ct)
    {
        var found = new List<Resource>();
        foreach (var key in graph.DependentsOf(owner.Uid))
        {
            if (await parts.Reader.FindAsync(actor, parts.Reader.FindKind(key.Kind)!, key.Namespace, key.Name, ct) is { } dependent
                && OwnerReference.ReadAll(dependent).Any(o => o.Uid == owner.Uid)) found.Add(dependent);
        }

        return found;
    }

    private async Task RemoveFinalizerAsync(Resource owner, string finalizer, Actor actor, CancellationToken ct)
    {
        var document = owner.Edit();
        document.Set("metadata.finalizers", new JsonArray([.. owner.Finalizers.Where(f => f != finalizer).Select(f => (JsonNode)f)]));
        await parts.Gateway.UpdateAsync(actor, owner.Kind, owner.Namespace, owner.Name, document, Options, ct);
    }

    private async Task DeleteAsync(Resource resource, string propagation, Actor actor, CancellationToken ct)
    {
        try
        {
            await parts.Gateway.DeleteAsync(actor, resource.Kind, resource.Namespace, resource.Name, new DeleteOptions { Uid = resource.Uid, PropagationPolicy = propagation }, ct);
        }
        catch (ApiException e) when (e.Code == 404)
        {
            // Somebody was quicker.
        }
    }
}
