using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Orgs;

/// <summary>Something an organization needs to have.</summary>
/// <param name="Condition">The condition that speaks of it.</param>
internal sealed record OrganizationPart(string Condition, string Kind, string Namespace, string Name, JsonObject Document)
{
    /// <summary>Made anew whenever it is missing: without it there is no organization, or nobody who rules it. Everything else is made once.</summary>
    public bool Kept { get; init; }
}

/// <summary>What every organization starts with. Pure. Once made, all of it is left to people: what they change or remove stays so, but for what is kept.</summary>
internal static class OrganizationPlan
{
    public const string NamespaceReady = "NamespaceReady";
    public const string BindingReady = "BindingReady";
    public const string RolesReady = "RolesReady";
    public const string DefaultsReady = "DefaultsReady";

    public const string ManagedByLabel = WellKnown.ApiGroup + "/managed-by";
    public const string ManagedBy = "krate";
    public const string OwnersTeam = "owners";

    private const string Rbac = "rbac.authorization.k8s.io";

    /// <summary>In the order in which they must be made.</summary>
    public static IReadOnlyList<OrganizationPart> For(Resource organization, string? creator)
    {
        var slug = Slug(organization);
        var ns = Namespace(organization);
        return
        [
            new(NamespaceReady, "Namespace", "", ns, Named(slug, "v1", "Namespace", ns)) { Kept = true },
            new(BindingReady, "OrgNamespaceBinding", WellKnown.PlatformNamespace, slug, Binding(organization, slug, ns)) { Kept = true },
            .. Roles(organization, slug, ns),
            .. Defaults(slug, ns, creator),
        ];
    }

    public static string Slug(Resource organization) => organization.Body.Text("spec.slug") ?? organization.Name;

    public static string Namespace(Resource organization) => organization.Body.Text("spec.namespaceName") ?? WellKnown.OrgNamespace(Slug(organization));

    /// <summary>ClusterRoles that the default bindings refer to.</summary>
    public static IReadOnlyList<string> ClusterRoles { get; } = ["krate-org-admin", "krate-developer", "krate-agent-readonly", "krate-runner-trusted", "krate-runner-untrusted"];

    private static IEnumerable<OrganizationPart> Roles(Resource organization, string slug, string ns)
    {
        var owners = Group(WellKnown.TeamGroup(slug, OwnersTeam));
        var members = Group(WellKnown.OrgGroup(slug));
        yield return Bound("krate-org-admin", owners) with { Kept = true };
        yield return Bound("krate-developer", members);
        yield return Bound("krate-agent-readonly", Account("agent-default"));
        yield return Bound("krate-runner-trusted", Account("runner-trusted-linux"));
        yield return Bound("krate-runner-untrusted", Account("runner-untrusted-linux"));

        // Members see their own organization in the platform namespace, owners change it; nobody sees the others.
        yield return Platform("Role", $"krate-org-{slug}-member", d => d["rules"] = Rules(slug, ["get", "list", "watch"], ["organizations", "orgnamespacebindings"]));
        yield return Platform("RoleBinding", $"krate-org-{slug}-member", d => Bind(d, "Role", $"krate-org-{slug}-member", members));
        yield return Platform("Role", $"krate-org-{slug}-admin", d => d["rules"] = Rules(slug, ["get", "list", "watch", "update", "patch", "delete"], ["organizations"])) with { Kept = true };
        yield return Platform("RoleBinding", $"krate-org-{slug}-admin", d => Bind(d, "Role", $"krate-org-{slug}-admin", owners)) with { Kept = true };

        OrganizationPart Bound(string role, JsonObject subject)
        {
            var document = Named(slug, $"{Rbac}/v1", "RoleBinding", role, ns);
            Bind(document, "ClusterRole", role, subject);
            return new(RolesReady, "RoleBinding", ns, role, document);
        }

        OrganizationPart Platform(string kind, string name, Action<JsonObject> fill)
        {
            var document = Named(slug, $"{Rbac}/v1", kind, name, WellKnown.PlatformNamespace);
            fill(document);
            document.Child("metadata")["ownerReferences"] = OwnedBy(organization);
            return new(RolesReady, kind, WellKnown.PlatformNamespace, name, document);
        }

        JsonObject Account(string name) => new() { ["kind"] = "ServiceAccount", ["namespace"] = ns, ["name"] = name };
    }

    private static IEnumerable<OrganizationPart> Defaults(string slug, string ns, string? creator)
    {
        foreach (var account in (string[])["agent-default", "runner-trusted-linux", "runner-untrusted-linux"])
        {
            var document = Named(slug, "v1", "ServiceAccount", account, ns);
            document["automountServiceAccountToken"] = false;
            yield return new(DefaultsReady, "ServiceAccount", ns, account, document);
        }

        foreach (var tier in (string[])["trusted", "untrusted"])
        {
            yield return Product("RunnerPool", $"{tier}-linux", new JsonObject
            {
                ["warmReplicas"] = 0,
                ["maxReplicas"] = tier == "trusted" ? 4 : 2,
                ["trustTier"] = tier,
                ["serviceAccountRef"] = $"runner-{tier}-linux",
            });
        }

        yield return Product("Team", OwnersTeam, new JsonObject { ["displayName"] = "Owners", ["members"] = new JsonArray(), ["maintainers"] = creator is null ? [] : new JsonArray(creator) });

        OrganizationPart Product(string kind, string name, JsonObject spec)
        {
            var document = Named(slug, WellKnown.GroupVersion, kind, name, ns);
            spec["organizationRef"] = slug;
            document["spec"] = spec;
            return new(DefaultsReady, kind, ns, name, document);
        }
    }

    private static JsonObject Binding(Resource organization, string slug, string ns)
    {
        var document = Named(slug, WellKnown.GroupVersion, "OrgNamespaceBinding", slug, WellKnown.PlatformNamespace);
        document["spec"] = new JsonObject { ["organizationRef"] = slug, ["namespace"] = ns };
        document.Child("metadata")["ownerReferences"] = OwnedBy(organization);
        return document;
    }

    private static JsonObject Named(string slug, string apiVersion, string kind, string name, string ns = "")
    {
        var metadata = new JsonObject { ["name"] = name, ["labels"] = new JsonObject { [WellKnown.OrgLabel] = slug, [ManagedByLabel] = ManagedBy } };
        if (ns.Length > 0) metadata["namespace"] = ns;
        return new JsonObject { ["apiVersion"] = apiVersion, ["kind"] = kind, ["metadata"] = metadata };
    }

    private static void Bind(JsonObject document, string roleKind, string role, JsonObject subject)
    {
        document["roleRef"] = new JsonObject { ["apiGroup"] = Rbac, ["kind"] = roleKind, ["name"] = role };
        document["subjects"] = new JsonArray(subject.DeepClone());
    }

    private static JsonObject Group(string name) => new() { ["apiGroup"] = Rbac, ["kind"] = "Group", ["name"] = name };

    private static JsonArray Rules(string slug, string[] verbs, string[] resources) =>
    [
        new JsonObject
        {
            ["apiGroups"] = new JsonArray(WellKnown.ApiGroup),
            ["resources"] = new JsonArray([.. resources.Select(r => (JsonNode)r)]),
            ["resourceNames"] = new JsonArray(slug),
            ["verbs"] = new JsonArray([.. verbs.Select(v => (JsonNode)v)]),
        },
    ];

    private static JsonArray OwnedBy(Resource organization) => [OwnerReference.To(organization)];
}
