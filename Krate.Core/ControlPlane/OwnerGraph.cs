using Krate.Core.Resources;

namespace Krate.Core.ControlPlane;

/// <summary>
/// Who is owned by whom, by uid, for all resources that have an owner. What has neither owner nor dependents takes no
/// room. Thread-safe.
/// </summary>
internal sealed class OwnerGraph
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, Node> nodes = new(StringComparer.Ordinal);
    private readonly Dictionary<string, HashSet<string>> dependents = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ResourceKey> waiting = new(StringComparer.Ordinal);
    private readonly HashSet<string> gone = new(StringComparer.Ordinal);
    private bool sweeping;

    private sealed record Node(ResourceKey Key, long Version, IReadOnlyList<string> Owners);

    public const string Foreground = "foregroundDeletion";
    public const string Orphan = "orphan";

    /// <summary>A deletion that waits for what is owned.</summary>
    public static bool Waits(Resource resource) => resource.IsDeleting && resource.Finalizers.Any(f => f is Foreground or Orphan);

    /// <summary>Takes in a resource as it is or was: what is older than known is left out.</summary>
    public void Put(Resource resource)
    {
        var owners = OwnerReference.ReadAll(resource).Select(o => o.Uid).Where(u => u.Length > 0).Distinct(StringComparer.Ordinal).ToList();
        lock (gate)
        {
            // A list may be older than what the feed has said meanwhile.
            if (nodes.TryGetValue(resource.Uid, out var known) && known.Version > resource.Version) return;
            Unlink(resource.Uid);
            if (Waits(resource)) waiting[resource.Uid] = resource.Key;
            else waiting.Remove(resource.Uid);
            if (owners.Count == 0) return;
            nodes[resource.Uid] = new(resource.Key, resource.Version, owners);
            foreach (var owner in owners)
            {
                if (!dependents.TryGetValue(owner, out var set)) dependents[owner] = set = new(StringComparer.Ordinal);
                set.Add(resource.Uid);
            }
        }
    }

    /// <summary>A resource is gone.</summary>
    /// <returns>What has to be looked at: its dependents, and owners that waited for it.</returns>
    public IReadOnlyList<ResourceKey> Remove(Resource resource)
    {
        lock (gate)
        {
            var concerned = DependentsOfLocked(resource.Uid).ToList();
            if (nodes.TryGetValue(resource.Uid, out var node))
                concerned.AddRange(node.Owners.Where(waiting.ContainsKey).Select(o => waiting[o]));
            Unlink(resource.Uid);
            waiting.Remove(resource.Uid);
            if (sweeping) gone.Add(resource.Uid);
            return concerned;
        }
    }

    /// <summary>From here on deletions are remembered: a sweep may have seen an owner that went before its dependents were seen.</summary>
    public void BeginSweep()
    {
        lock (gate) sweeping = true;
    }

    /// <returns>What went since <see cref="BeginSweep"/>.</returns>
    public IReadOnlySet<string> EndSweep()
    {
        lock (gate)
        {
            var went = gone.ToHashSet(StringComparer.Ordinal);
            gone.Clear();
            sweeping = false;
            return went;
        }
    }

    public IReadOnlyList<ResourceKey> DependentsOf(string uid)
    {
        lock (gate) return [.. DependentsOfLocked(uid)];
    }

    private IEnumerable<ResourceKey> DependentsOfLocked(string uid) =>
        dependents.TryGetValue(uid, out var set) ? set.Where(nodes.ContainsKey).Select(d => nodes[d].Key) : [];

    private void Unlink(string uid)
    {
        if (!nodes.Remove(uid, out var node)) return;
        foreach (var owner in node.Owners)
        {
            if (!dependents.TryGetValue(owner, out var set)) continue;
            set.Remove(uid);
            if (set.Count == 0) dependents.Remove(owner);
        }
    }
}
