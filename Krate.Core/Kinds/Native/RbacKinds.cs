using System.Text.Json.Nodes;
using k8s.Models;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Native;

/// <summary>Roles and their bindings (rbac.authorization.k8s.io/v1).</summary>
public static class RbacKinds
{
    public const string Group = "rbac.authorization.k8s.io";

    private static readonly Dictionary<string, string> RoleFields = new()
    {
        ["rules"] = "What the role allows; rules only ever add.",
        ["rules.verbs"] = "Verbs such as get, list, push, merge, decide; * for all.",
        ["rules.apiGroups"] = "API groups of the resources; empty text for the core group, * for all.",
        ["rules.resources"] = "Plural names, with subresource after a slash; * for all.",
        ["rules.resourceNames"] = "Only these names; all when empty.",
        ["rules.nonResourceURLs"] = "Paths outside the resources; ClusterRoles only.",
        ["aggregationRule"] = "Not evaluated by Krate: write the rules out.",
    };

    private static readonly Dictionary<string, string> BindingFields = new()
    {
        ["roleRef"] = "The role that is given; fixed after create.",
        ["roleRef.apiGroup"] = "Always rbac.authorization.k8s.io.",
        ["roleRef.kind"] = "Role or ClusterRole.",
        ["roleRef.name"] = "Name of the role.",
        ["subjects"] = "Who gets it.",
        ["subjects.kind"] = "User, Group or ServiceAccount.",
        ["subjects.name"] = "Name of the user, group or ServiceAccount.",
        ["subjects.namespace"] = "Namespace of a ServiceAccount.",
        ["subjects.apiGroup"] = "rbac.authorization.k8s.io for users and groups, empty for ServiceAccounts.",
    };

    public static KindDefinition Role { get; } = new()
    {
        Kind = "Role", Plural = "roles", Group = Group, Version = "v1", Scope = KindScope.Namespaced, Area = "Native", Context = "identity",
        Description = "Permissions within one namespace.",
        MaxNameLength = 253,
        NativeType = typeof(V1Role),
        RequiredFields = ["rules.verbs"],
        FieldDescriptions = RoleFields,
        Columns = [CreatedAt],
        Validate = body => Rules(body, namespaced: true),
    };

    public static KindDefinition ClusterRole { get; } = new()
    {
        Kind = "ClusterRole", Plural = "clusterroles", Group = Group, Version = "v1", Scope = KindScope.Cluster, Area = "Native", Context = "identity",
        Description = "Permissions in all namespaces, or to be bound in some.",
        MaxNameLength = 253,
        NativeType = typeof(V1ClusterRole),
        RequiredFields = ["rules.verbs"],
        FieldDescriptions = RoleFields,
        Columns = [CreatedAt],
        Validate = body => Rules(body, namespaced: false),
    };

    public static KindDefinition RoleBinding { get; } = Binding("RoleBinding", "rolebindings", KindScope.Namespaced, typeof(V1RoleBinding), "Gives a Role or ClusterRole to subjects within one namespace.");

    public static KindDefinition ClusterRoleBinding { get; } = Binding("ClusterRoleBinding", "clusterrolebindings", KindScope.Cluster, typeof(V1ClusterRoleBinding), "Gives a ClusterRole to subjects in all namespaces.");

    public static IReadOnlyList<KindDefinition> All { get; } = [Role, ClusterRole, RoleBinding, ClusterRoleBinding];

    private static KindColumn CreatedAt => new("Created At", "metadata.creationTimestamp");

    private static KindDefinition Binding(string kind, string plural, KindScope scope, Type model, string description) => new()
    {
        Kind = kind, Plural = plural, Group = Group, Version = "v1", Scope = scope, Area = "Native", Context = "identity",
        Description = description,
        MaxNameLength = 253,
        NativeType = model,
        RequiredFields = ["roleRef", "roleRef.kind", "roleRef.name", "subjects.kind", "subjects.name"],
        FixedSpecFields = ["roleRef"],
        FieldDescriptions = BindingFields,
        Columns =
        [
            new("Role", "roleRef") { Compute = b => $"{b.Text("roleRef.kind")}/{b.Text("roleRef.name")}" },
            Subjects("Users", "User"),
            Subjects("Groups", "Group"),
            new("ServiceAccounts", "subjects", Wide: true) { Compute = b => Join(b, "ServiceAccount", s => $"{s.Text("namespace")}/{s.Text("name")}") },
        ],
        Default = DefaultBinding,
        Validate = body => CheckBinding(body, scope),
    };

    private static KindColumn Subjects(string name, string kind) => new(name, "subjects", Wide: true) { Compute = b => Join(b, kind, s => s.Text("name")) };

    private static JsonNode Join(JsonObject body, string kind, Func<JsonObject, string?> text) =>
        string.Join(", ", (body["subjects"] as JsonArray ?? []).OfType<JsonObject>().Where(s => s.Text("kind") == kind).Select(text));

    private static void DefaultBinding(JsonObject body)
    {
        if (body["roleRef"] is JsonObject role && string.IsNullOrEmpty(role.Text("apiGroup"))) role["apiGroup"] = Group;
        foreach (var subject in (body["subjects"] as JsonArray ?? []).OfType<JsonObject>())
        {
            if (subject.Text("kind") is "User" or "Group" && string.IsNullOrEmpty(subject.Text("apiGroup"))) subject["apiGroup"] = Group;
        }
    }

    private static IEnumerable<FieldError> CheckBinding(JsonObject body, KindScope scope)
    {
        string[] roles = scope is KindScope.Cluster ? ["ClusterRole"] : ["Role", "ClusterRole"];
        if (body.Text("roleRef.kind") is { } kind && !roles.Contains(kind))
            yield return new FieldError(SchemaValidator.FieldNotSupported, "roleRef.kind", $"must be {string.Join(" or ", roles)}");
        if (body.Text("roleRef.apiGroup") is { Length: > 0 } group && group != Group)
            yield return new FieldError(SchemaValidator.FieldNotSupported, "roleRef.apiGroup", $"must be {Group}");
        var subjects = body["subjects"] as JsonArray ?? [];
        for (var i = 0; i < subjects.Count; i++)
        {
            if (subjects[i] is not JsonObject subject) continue;
            var subjectKind = subject.Text("kind");
            if (subjectKind is { Length: > 0 } and not ("User" or "Group" or "ServiceAccount"))
                yield return new FieldError(SchemaValidator.FieldNotSupported, $"subjects[{i}].kind", "must be User, Group or ServiceAccount");
            if (subjectKind == "ServiceAccount" && string.IsNullOrEmpty(subject.Text("namespace")))
                yield return new FieldError(SchemaValidator.FieldRequired, $"subjects[{i}].namespace", "Required value for a ServiceAccount");
        }
    }

    private static IEnumerable<FieldError> Rules(JsonObject body, bool namespaced)
    {
        var rules = body["rules"] as JsonArray ?? [];
        for (var i = 0; i < rules.Count; i++)
        {
            if (rules[i] is not JsonObject rule) continue;
            if (rule["verbs"] is JsonArray { Count: 0 })
                yield return new FieldError(SchemaValidator.FieldRequired, $"rules[{i}].verbs", "at least one verb is required");
            if (rule["nonResourceURLs"] is JsonArray { Count: > 0 })
            {
                if (namespaced)
                    yield return new FieldError(SchemaValidator.FieldInvalid, $"rules[{i}].nonResourceURLs", "a Role cannot allow paths outside the resources; use a ClusterRole");
                if (Any(rule, "apiGroups") || Any(rule, "resources") || Any(rule, "resourceNames"))
                    yield return new FieldError(SchemaValidator.FieldInvalid, $"rules[{i}].nonResourceURLs", "a rule is either about resources or about paths");
                continue;
            }

            if (!Any(rule, "apiGroups"))
                yield return new FieldError(SchemaValidator.FieldRequired, $"rules[{i}].apiGroups", "resource rules must name at least one API group");
            if (!Any(rule, "resources"))
                yield return new FieldError(SchemaValidator.FieldRequired, $"rules[{i}].resources", "resource rules must name at least one resource");
        }
    }

    private static bool Any(JsonObject rule, string list) => rule[list] is JsonArray { Count: > 0 };
}
