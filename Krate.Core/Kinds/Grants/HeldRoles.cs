using Krate.Core.Gateway;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Grants;

/// <summary>A role that a ServiceAccount holds.</summary>
/// <param name="Binding">Native binding that gives it.</param>
/// <param name="Rules">Null when the role is not there, or not among those that were looked at.</param>
/// <param name="Group">The group through which it is held; null when it is bound by name.</param>
public sealed record HeldRole(Resource Binding, RoleRef Role, IReadOnlyList<PolicyRule>? Rules, string? Group)
{
    /// <summary>In all namespaces, and for what has none.</summary>
    public bool IsClusterWide => !Binding.Kind.IsNamespaced;

    /// <summary>AgentRoleBinding that owns the binding; null for one that somebody made.</summary>
    public string? Owner => Binding.Metadata["ownerReferences"] is System.Text.Json.Nodes.JsonArray owners ? owners.FirstOrDefault(o => o.Text("kind") == "AgentRoleBinding").Text("name") : null;
}

/// <summary>What ServiceAccounts hold, as bindings and roles say it. Pure: among what it is given, which is what a person may see.</summary>
public static class HeldRoles
{
    /// <param name="native">Roles, ClusterRoles, RoleBindings and ClusterRoleBindings.</param>
    /// <returns>Cluster-wide ones first, then by role.</returns>
    public static IReadOnlyList<HeldRole> Of(string ns, string serviceAccount, IReadOnlyCollection<Resource> native)
    {
        var user = $"system:serviceaccount:{ns}:{serviceAccount}";
        string[] groups = [$"system:serviceaccounts:{ns}", "system:serviceaccounts"];
        var held = new List<HeldRole>();
        foreach (var binding in native.Where(r => r.Kind.Kind is "RoleBinding" or "ClusterRoleBinding" && (r.Namespace == ns || !r.Kind.IsNamespaced)))
        {
            var subjects = RbacRules.ReadSubjects(binding.Body, binding.Namespace).Select(s => s.Key).ToList();
            var isNamed = subjects.Contains(SubjectKey.User(user));
            var group = groups.FirstOrDefault(g => subjects.Contains(SubjectKey.Group(g)));
            if (!isNamed && group is null) continue;
            var role = RbacRules.ReadRoleRef(binding.Body);
            var found = native.FirstOrDefault(r => r.Kind.Kind == role.Kind && r.Name == role.Name && (!r.Kind.IsNamespaced || r.Namespace == binding.Namespace));
            held.Add(new(binding, role, found is null ? null : RbacRules.Read(found.Body), isNamed ? null : group));
        }

        return [.. held.OrderByDescending(h => h.IsClusterWide).ThenBy(h => h.Role.Name, StringComparer.Ordinal).ThenBy(h => h.Binding.Name, StringComparer.Ordinal)];
    }
}
