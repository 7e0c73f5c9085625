using System.Collections.Concurrent;
using Krate.Core.Resources;
using Krate.Core.Store;

namespace Krate.Core.Gateway;

/// <summary>Fills once from the store, then follows the feed inline. Thread-safe.</summary>
internal sealed class ResourceCache(IResourceStore store, KindCatalog catalog) : IResourceCache
{
    private readonly ConcurrentDictionary<(KindDefinition Kind, string Namespace), ConcurrentDictionary<string, Resource>> rows = new();
    private readonly ConcurrentDictionary<(KindDefinition Kind, string Namespace, string Path, string Value), ConcurrentDictionary<string, Resource>> byText = new();
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

    public IEnumerable<Resource> ListBy(KindDefinition kind, string ns, string path, string value) =>
        !kind.CachedBy.Contains(path) ? List(kind, ns).Where(r => r.Body.Text(path) == value) : byText.TryGetValue((kind, ns, path, value), out var byName) ? byName.Values : [];

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
            Remove(held);
    }

    /// <summary>One at a time; readers see the new state of a resource by a text before the old one goes.</summary>
    private void Put(Resource resource)
    {
        var byName = rows.GetOrAdd((resource.Kind, resource.Namespace), _ => new(StringComparer.Ordinal));
        var held = byName.GetValueOrDefault(resource.Name);
        if (held is not null && held.Version > resource.Version) return;
        byName[resource.Name] = resource;
        foreach (var path in resource.Kind.CachedBy)
        {
            var (before, after) = (held?.Body.Text(path), resource.Body.Text(path));
            if (after is not null) byText.GetOrAdd((resource.Kind, resource.Namespace, path, after), _ => new(StringComparer.Ordinal))[resource.Name] = resource;
            if (before is not null && before != after) Forget(held!, path, before);
        }
    }

    private void Remove(Resource held)
    {
        rows[(held.Kind, held.Namespace)].TryRemove(held.Name, out _);
        foreach (var path in held.Kind.CachedBy)
            if (held.Body.Text(path) is { } value) Forget(held, path, value);
    }

    private void Forget(Resource held, string path, string value)
    {
        var key = (held.Kind, held.Namespace, path, value);
        if (byText.TryGetValue(key, out var byName) && byName.TryRemove(held.Name, out _) && byName.IsEmpty) byText.TryRemove(key, out _);
    }
}
