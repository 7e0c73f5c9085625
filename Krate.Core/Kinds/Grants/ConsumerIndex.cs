using System.Collections.Concurrent;
using Krate.Core.Gateway;
using Krate.Core.Resources;
using Krate.Core.Store;

namespace Krate.Core.Kinds.Grants;

/// <summary>
/// Who relies on what, kept as it changes, so that a grant finds its consumers without a look at everybody. In memory; filled at the first question,
/// and brought up to date at each. Thread-safe.
/// </summary>
internal sealed class ConsumerIndex(KindCatalog catalog, IResourceCache cache, IResourceStore store)
{
    private readonly Lock gate = new();
    private readonly ConcurrentQueue<ResourceKey> changed = new();
    private readonly Dictionary<ResourceKey, HashSet<(string Kind, string Name)>> reached = [];
    private readonly Dictionary<ResourceKey, HashSet<ResourceKey>> consumers = [];
    private bool isFilled;

    public GrantConsumers Consumers { get; } = new(catalog);

    /// <summary>Those that rely on a grant, in no order.</summary>
    public IReadOnlyList<Resource> Of(Resource grant, GrantTarget target)
    {
        lock (gate)
        {
            Follow();
            var keys = GrantConsumers.ConcernsOf(grant, target).SelectMany(c => consumers.TryGetValue(new(c.Kind, grant.Namespace, c.Name), out var found) ? found : []).ToHashSet();
            return [.. keys.Select(Get).OfType<Resource>()];
        }
    }

    private void Follow()
    {
        if (!isFilled)
        {
            // The cache listens since it was loaded, and observers are called in their order: what is heard here is in it already.
            store.Feed.Observe(change =>
            {
                if (change.IsOfSpec && Consumers.Kinds.Contains(change.After.Kind)) changed.Enqueue(change.After.Key);
            });
            foreach (var resource in Consumers.Kinds.SelectMany(k => cache.List(k)).ToList()) Enter(resource.Key);
            isFilled = true;
        }

        while (changed.TryDequeue(out var next))
        {
            // Whoever is made of it reaches something else now, too.
            foreach (var key in consumers.TryGetValue(next, out var above) ? above.Append(next).Distinct().ToList() : [next]) Enter(key);
        }
    }

    private void Enter(ResourceKey key)
    {
        if (reached.Remove(key, out var before))
        {
            foreach (var part in before)
                if (consumers.TryGetValue(new(part.Kind, key.Namespace, part.Name), out var all) && all.Remove(key) && all.Count == 0) consumers.Remove(new(part.Kind, key.Namespace, part.Name));
        }

        if (Get(key) is not { } resource) return;
        var now = reached[key] = Consumers.Reached(resource, cache);
        foreach (var part in now)
        {
            var on = new ResourceKey(part.Kind, key.Namespace, part.Name);
            if (!consumers.TryGetValue(on, out var all)) consumers[on] = all = [];
            all.Add(key);
        }
    }

    private Resource? Get(ResourceKey key) => cache.Get(catalog[key.Kind], key.Namespace, key.Name) is { IsDeleting: false } found ? found : null;
}
