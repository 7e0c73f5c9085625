using Krate.Core.Resources;

namespace Krate.Web.Features.Registries;

/// <summary>A component that follows roles and bindings, as far as the person may list them, to say who holds what.</summary>
public abstract class NativeRights : UsesComponent
{
    private static readonly string[] Kinds = ["RoleBinding", "Role", "ClusterRoleBinding", "ClusterRole"];

    /// <summary>Kinds of rights that the person may not list, so that what they give is not shown.</summary>
    protected IReadOnlyList<KindDefinition> Unseen { get; private set; } = [];

    /// <summary>Roles and bindings that the person may see.</summary>
    protected IReadOnlyCollection<Resource> Native => [.. Shown.Where(r => Kinds.Contains(r.Kind.Kind))];

    protected async Task FollowRightsAsync(IEnumerable<KindDefinition> more)
    {
        var unseen = new List<KindDefinition>();
        foreach (var kind in Kinds.Select(k => Catalog[k]))
            if (!await Workplace.MayAsync("list", kind, Place.NamespaceOf(kind), ct: Gone)) unseen.Add(kind);
        Unseen = unseen;
        await FollowAsync(Kinds.Select(k => Catalog[k]).Concat(more).Distinct());
    }
}
