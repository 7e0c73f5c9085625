using System.Collections.Concurrent;
using Krate.Core.Resources;
using Krate.Core.Store;

namespace Krate.Core.Gateway;

/// <summary>Fills once from the store, then follows the feed inline. Thread-safe.</summary>
internal sealed class ResourceCache(IResourceStore store, KindCatalog catalog) : IResourceCache
{
    private readonly ConcurrentDictionary<(KindDefinition Kind, string Namespace), ConcurrentDictionary<string, Resource>> rows = new();
    private readonly Lock gate = new();
    private List<Change>? early = [];

    /// <summary>The kinds that are held: config and native ones; execution records and Events would grow without bound.</summary>
    public static bool Holds(KindDefinition kind) =>
        !kind.CreateOnly && !kind.ReadOnly && (kind.IsProduct ? kind.Storage == "etcd" : kind.Kind != "Event");

    /// <summary>Subscribes first and lists afterwards, so that nothing falls between.</summary>
    public async Task LoadAsync(CancellationToken ct)
    {
        store.Feed.Observe(OnChange);
        var pages = new List<ResourcePage>();
        foreach (var kind in catalog.All.Where(Holds)) pages.Add(await store.ListAsync(new ListQuery(kind), ct));
        lock (gate)
        {
            foreach (var resource in pages.SelectMany(p => p.Items)) Put(resource);
            foreach (var change in early!) Apply(change);
            early = null;
        }
    }

    public Resource? Get(KindDefinition kind, string ns, string name) =>
        rows.TryGetValue((kind, ns), out var byName) ? byName.GetValueOrDefault(name) : null;

    public IEnumerable<Resource> List(KindDefinition kind, string? ns = null) => ns is null
        ? rows.Where(r => r.Key.Kind == kind).SelectMany(r => r.Value.Values)
        : rows.TryGetValue((kind, ns), out var byName) ? byName.Values : [];

    private void OnChange(Change change)
    {
        if (!Holds(change.After.Kind)) return;
        lock (gate)
        {
            if (early is not null) early.Add(change);
            else Apply(change);
        }
    }

    private void Apply(Change change)
    {
        var after = change.After;
        if (change.Type != ChangeType.Deleted) Put(after);
        else if (Get(after.Kind, after.Namespace, after.Name) is { } held && held.Version <= change.Version)
            rows[(after.Kind, after.Namespace)].TryRemove(after.Name, out _);
    }

    private void Put(Resource resource)
    {
        var byName = rows.GetOrAdd((resource.Kind, resource.Namespace), _ => new(StringComparer.Ordinal));
        byName.AddOrUpdate(resource.Name, resource, (_, held) => held.Version > resource.Version ? held : resource);
    }
}
