using Krate.Core.Gateway;
using Krate.Core.Kinds.Grants;
using Krate.Core.Resources;

namespace Krate.Web.Features.Registries;

/// <summary>Somebody who relies on a part.</summary>
/// <param name="Through">The parts by which they reach it; empty for who names it themselves.</param>
public sealed record PartUse(Resource Consumer, IReadOnlyList<Resource> Through);

/// <summary>Who relies on what, among the resources that a person may see: the way in which grants find their consumers.</summary>
public sealed class PartUses(KindCatalog catalog)
{
    private readonly GrantConsumers consumers = new(catalog);

    /// <summary>Kinds that a resource of this kind may be named by, as its references say: stacks first. Records of what was done are none.</summary>
    public IReadOnlyList<KindDefinition> KindsFor(KindDefinition part, Place place) =>
        [.. consumers.Kinds.Concat(catalog.All).Distinct().Where(k => place.Has(k) && !k.IsExecution && k != part && (consumers.Kinds.Contains(k) || k.References.Any(r => r.TargetKind == part.Kind)))];

    /// <summary>By kind in their order, then by name.</summary>
    /// <param name="shown">All that may be consumers, or stand between.</param>
    public IReadOnlyList<PartUse> Of(Resource part, IReadOnlyCollection<Resource> shown)
    {
        var cache = new ShownResources(shown);
        var uses = new List<PartUse>();
        var names = GrantConsumers.NamesOf(part).ToHashSet();
        var reaching = shown.Where(r => r.Key != part.Key && consumers.Kinds.Contains(r.Kind) && consumers.Reached(r, cache).Overlaps(names)).ToList();
        foreach (var consumer in reaching)
        {
            var named = consumers.NamedBy(consumer, cache).ToHashSet();
            uses.Add(new(consumer, named.Overlaps(names) ? [] : [.. reaching.Where(r => named.Contains((r.Kind.Kind, r.Name)))]));
        }

        return [.. uses.OrderBy(u => Order(u.Consumer.Kind)).ThenBy(u => u.Consumer.Name, StringComparer.Ordinal)];
    }

    /// <summary>How many stacks reach each part of a kind, by the part's name.</summary>
    public IReadOnlyDictionary<string, int> StacksBy(KindDefinition kind, IReadOnlyCollection<Resource> shown)
    {
        var cache = new ShownResources(shown);
        return shown.Where(r => r.Kind.Kind == "AgentStack").SelectMany(s => consumers.Reached(s, cache)).Where(r => r.Kind == kind.Kind).CountBy(r => r.Name).ToDictionary();
    }

    private int Order(KindDefinition kind) => kind.Kind == "AgentStack" ? -1 : consumers.Kinds.ToList().IndexOf(kind) is var at && at < 0 ? int.MaxValue : at;

    private sealed class ShownResources(IEnumerable<Resource> shown) : IResourceCache
    {
        private readonly Dictionary<ResourceKey, Resource> all = shown.DistinctBy(r => r.Key).ToDictionary(r => r.Key);

        public Resource? Get(KindDefinition kind, string ns, string name) => all.GetValueOrDefault(new(kind.Kind, ns, name));

        public IEnumerable<Resource> List(KindDefinition kind, string? ns = null) => all.Values.Where(r => r.Kind == kind && (ns is null || r.Namespace == ns));
    }
}
