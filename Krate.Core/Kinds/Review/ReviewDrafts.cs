using Krate.Core.Gateway;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Review;

/// <summary>What somebody is about to save or delete; a review can be asked as if it were done (<see cref="PermissionReviews.With"/>). Immutable.</summary>
public sealed record ReviewDrafts
{
    /// <summary>In place of what is saved under the same name, or beside it.</summary>
    public IReadOnlyList<Resource> Written { get; init; } = [];

    public IReadOnlyList<ResourceKey> Deleted { get; init; } = [];

    public static ReviewDrafts Writing(params IReadOnlyList<Resource> resources) => new() { Written = resources };

    public static ReviewDrafts Deleting(params IReadOnlyList<ResourceKey> keys) => new() { Deleted = keys };
}

/// <summary>The cache as it would be with the drafts. A drafted RoleBinding or AgentRoleBinding gives no rights here: only reconcilers and RBAC decide that.</summary>
internal sealed class DraftedCache(IResourceCache saved, ReviewDrafts drafts) : IResourceCache
{
    private readonly Dictionary<ResourceKey, Resource?> drafted = drafts.Deleted.ToDictionary(k => k, _ => (Resource?)null).Concat(drafts.Written.ToDictionary(r => r.Key, r => (Resource?)r)).ToDictionary();

    public Resource? Get(KindDefinition kind, string ns, string name) => drafted.TryGetValue(new(kind.Kind, ns, name), out var draft) ? draft : saved.Get(kind, ns, name);

    public IEnumerable<Resource> ListBy(KindDefinition kind, string ns, string path, string value) =>
        saved.ListBy(kind, ns, path, value).Where(r => !drafted.ContainsKey(r.Key)).Concat(drafted.Values.OfType<Resource>().Where(r => r.Kind == kind && r.Namespace == ns && r.Body.Text(path) == value));

    public IEnumerable<Resource> List(KindDefinition kind, string? ns = null) =>
        saved.List(kind, ns).Where(r => !drafted.ContainsKey(r.Key)).Concat(drafted.Values.OfType<Resource>().Where(r => r.Kind == kind && (ns is null || r.Namespace == ns)));
}
