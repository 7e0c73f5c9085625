using System.Text.Json.Nodes;
using Krate.Core.ControlPlane;
using Krate.Core.Gateway;
using Krate.Core.Kinds.Orgs;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Code;

/// <summary>
/// Who may do what in one repository, as Kubernetes RBAC: one Role for each level in use, bound to those who have it. Kept as it is here:
/// what somebody changes in them is put right; other Roles and bindings about the repository are people's own.
/// </summary>
internal static class RepositoryRoles
{
    private const string Rbac = "rbac.authorization.k8s.io";

    public static string NameOf(string repository, string level) => $"krate-repository-{repository}-{level}";

    /// <summary>Roles and RoleBindings that the repository should have.</summary>
    public static IEnumerable<(string Kind, JsonObject Document)> For(Resource repository, IResourceCache cache, KindCatalog catalog)
    {
        var org = repository.Label(WellKnown.OrgLabel) ?? "";
        var byLevel = Subjects(repository, org, cache, catalog).ToLookup(s => s.Level, s => s.Subject);
        foreach (var (level, verbs) in RepositoryLevels.Verbs)
        {
            var subjects = byLevel[level].DistinctBy(s => s.ToJsonString()).ToList();
            if (subjects.Count == 0) continue;
            var role = Named(repository, "Role", level);
            role["rules"] = new JsonArray(new JsonObject
            {
                ["apiGroups"] = new JsonArray(WellKnown.ApiGroup),
                ["resources"] = new JsonArray("repositories"),
                ["resourceNames"] = new JsonArray(repository.Name),
                ["verbs"] = new JsonArray([.. verbs.Select(v => (JsonNode)v)]),
            });
            yield return ("Role", role);
            var binding = Named(repository, "RoleBinding", level);
            binding["roleRef"] = new JsonObject { ["apiGroup"] = Rbac, ["kind"] = "Role", ["name"] = NameOf(repository.Name, level) };
            binding["subjects"] = new JsonArray([.. subjects]);
            yield return ("RoleBinding", binding);
        }
    }

    /// <summary>The permissions of a repository that are in force.</summary>
    public static IEnumerable<Resource> PermissionsOf(Resource repository, IResourceCache cache, KindCatalog catalog) =>
        cache.List(catalog["RepositoryPermission"], repository.Namespace).Where(p => !p.IsDeleting && p.Body.Text("spec.repository") == repository.Name).OrderBy(p => p.Name, StringComparer.Ordinal);

    private static IEnumerable<(string Level, JsonObject Subject)> Subjects(Resource repository, string org, IResourceCache cache, KindCatalog catalog)
    {
        foreach (var group in Readers(repository, org)) yield return ("read", Subject("Group", group));
        foreach (var permission in PermissionsOf(repository, cache, catalog))
        {
            var (level, name) = (permission.Body.Text("spec.permission") ?? "", permission.Body.Text("spec.subject.name") ?? "");
            if (!RepositoryLevels.Verbs.ContainsKey(level)) continue;
            if (permission.Body.Text("spec.subject.kind") == "team") yield return (level, Subject("Group", WellKnown.TeamGroup(org, name)));
            // Somebody who comes later under a name that nobody has now must not find rights waiting.
            else if (cache.Get(catalog["User"], WellKnown.PlatformNamespace, name) is { } user) yield return (level, Subject("User", user.Body.Text("spec.username") is { Length: > 0 } username ? username : user.Name));
        }
    }

    private static string[] Readers(Resource repository, string org) => repository.Body.Text("spec.visibility") switch
    {
        "public" => [WellKnown.AuthenticatedGroup, WellKnown.UnauthenticatedGroup],
        "internal" => [WellKnown.OrgGroup(org)],
        _ => [],
    };

    private static JsonObject Subject(string kind, string name) => new() { ["apiGroup"] = Rbac, ["kind"] = kind, ["name"] = name };

    private static JsonObject Named(Resource repository, string kind, string level) => new()
    {
        ["apiVersion"] = $"{Rbac}/v1",
        ["kind"] = kind,
        ["metadata"] = new JsonObject
        {
            ["name"] = NameOf(repository.Name, level),
            ["namespace"] = repository.Namespace,
            ["labels"] = new JsonObject
            {
                [WellKnown.OrgLabel] = repository.Label(WellKnown.OrgLabel),
                [WellKnown.RepositoryLabel] = repository.Name,
                [OrganizationPlan.ManagedByLabel] = OrganizationPlan.ManagedBy,
            },
            ["ownerReferences"] = new JsonArray(OwnerReference.To(repository)),
        },
    };
}
