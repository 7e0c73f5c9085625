using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Core.Gateway;

/// <summary>What a binding points at. <paramref name="Kind"/> is <c>Role</c> or <c>ClusterRole</c>.</summary>
public sealed record RoleRef(string Kind, string Name);

/// <summary>Names a Role, or a ClusterRole when the namespace is empty.</summary>
internal readonly record struct RoleKey(string Namespace, string Name);

/// <summary>Who a binding speaks of. ServiceAccounts are users by their Kubernetes name.</summary>
internal readonly record struct SubjectKey(bool IsGroup, string Name)
{
    public static SubjectKey User(string name) => new(false, name);

    public static SubjectKey Group(string name) => new(true, name);
}

/// <summary>Reads the documents of Role, ClusterRole, RoleBinding and ClusterRoleBinding. What is malformed gives nothing.</summary>
public static class RbacRules
{
    public const string ApiGroup = "rbac.authorization.k8s.io";

    public static readonly IReadOnlyList<PolicyRule> Everything = [new(["*"], ["*"], ["*"], [], []), new(["*"], [], [], [], ["*"])];

    /// <summary>The rules of a Role or ClusterRole document.</summary>
    public static IReadOnlyList<PolicyRule> Read(JsonNode? role) => role is JsonObject o && o["rules"] is JsonArray rules ? [.. rules.OfType<JsonObject>().Select(ReadRule)] : [];

    /// <summary>The rule as it stands in a manifest.</summary>
    public static JsonObject Write(PolicyRule rule)
    {
        var o = new JsonObject();
        Add("apiGroups", rule.ApiGroups);
        Add("resources", rule.Resources);
        Add("resourceNames", rule.ResourceNames);
        Add("nonResourceURLs", rule.NonResourceUrls);
        Add("verbs", rule.Verbs);
        return o;

        void Add(string field, IReadOnlyList<string> values)
        {
            if (values.Count > 0) o[field] = new JsonArray([.. values.Select(v => (JsonNode)v)]);
        }
    }

    /// <summary>The rules a role in memory holds; null when there is no such role.</summary>
    /// <param name="ns">Namespace of the binding; empty for a ClusterRoleBinding, which can only refer to ClusterRoles.</param>
    public static IReadOnlyList<PolicyRule>? Of(IResourceCache cache, KindCatalog catalog, RoleRef role, string ns)
    {
        var found = role.Kind switch
        {
            "ClusterRole" => cache.Get(catalog["ClusterRole"], "", role.Name),
            "Role" when ns.Length > 0 => cache.Get(catalog["Role"], ns, role.Name),
            _ => null,
        };
        return found is null ? null : Read(found.Body);
    }

    internal static RoleRef ReadRoleRef(JsonNode binding) => new(binding.Text("roleRef.kind") ?? "", binding.Text("roleRef.name") ?? "");

    /// <summary>The subjects of a binding, each with the words Kubernetes uses for it in a reason.</summary>
    internal static IEnumerable<(SubjectKey Key, string Words)> ReadSubjects(JsonObject binding, string bindingNamespace)
    {
        foreach (var subject in (binding["subjects"] as JsonArray ?? []).OfType<JsonObject>())
        {
            var name = subject.Text("name") ?? "";
            if (name.Length == 0) continue;
            switch (subject.Text("kind"))
            {
                case "User":
                    yield return (SubjectKey.User(name), $"User \"{name}\"");
                    break;
                case "Group":
                    yield return (SubjectKey.Group(name), $"Group \"{name}\"");
                    break;
                case "ServiceAccount":
                    var ns = subject.Text("namespace") is { Length: > 0 } given ? given : bindingNamespace;
                    if (ns.Length > 0) yield return (SubjectKey.User($"system:serviceaccount:{ns}:{name}"), $"ServiceAccount \"{name}/{ns}\"");
                    break;
            }
        }
    }

    private static PolicyRule ReadRule(JsonObject rule) =>
        new([.. rule.Texts("verbs")], [.. rule.Texts("apiGroups")], [.. rule.Texts("resources")], [.. rule.Texts("resourceNames")], [.. rule.Texts("nonResourceURLs")]);
}
