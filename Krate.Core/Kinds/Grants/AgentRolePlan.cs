using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Grants;

/// <summary>What an AgentRoleBinding gives, to whom and where; worked out from memory, before anybody is asked whether it may be given.</summary>
/// <param name="Reference">The role that the rules are of; null for rules of the binding's own.</param>
/// <param name="Rules">What the role gives, narrowed to the scope.</param>
/// <param name="Sight">What the scope adds: seeing its repository.</param>
/// <param name="IsDirect">Whether the native binding points at the role itself, and not at one that is made for it.</param>
internal sealed record AgentRolePlan(Condition Role, Condition Subjects, RoleRef? Reference, IReadOnlyList<PolicyRule> Rules, IReadOnlyList<PolicyRule> Sight, bool IsDirect, JsonObject? Subject)
{
    public bool IsResolved => Role.Status == Condition.True && Subjects.Status == Condition.True;

    public static AgentRolePlan For(Resource binding, IResourceCache cache, KindCatalog catalog)
    {
        var (subject, subjects) = new AgentRoleSubject(binding, cache, catalog).Find();
        var (problem, reference, rules) = RulesOf(binding, cache, catalog);
        var repository = binding.Body.Text("spec.scope.kind") == "repository" ? binding.Body.Text("spec.scope.name") : null;
        IReadOnlyList<PolicyRule> sight = [];
        if (problem is null && repository is not null)
        {
            if (cache.Get(catalog["Repository"], binding.Namespace, repository) is not { IsDeleting: false }) problem = No("ScopeMissing", $"Repository {repository} does not exist.");
            else (problem, rules) = Narrow(rules, repository, catalog);
            sight = [Seeing(repository)];
        }

        var role = problem ?? new Condition(AgentRoleBindingKind.RoleResolved, Condition.True, "RoleFound", $"{(reference is null ? "The binding's own rules" : $"{reference.Kind} {reference.Name}")}: {rules.Count} rule{(rules.Count == 1 ? "" : "s")}.");
        var direct = reference is not null && repository is null && binding.Body.Text("spec.roleRef.kind") != "RoleTemplate";
        return new(role, subjects, reference, rules, sight, direct, subject);
    }

    public static bool IsClusterWide(Resource binding) => binding.Body.Text("spec.scope.kind") == "cluster";

    private static Condition No(string reason, string message) => new(AgentRoleBindingKind.RoleResolved, Condition.False, reason, message);

    private static PolicyRule Seeing(string repository) => new(RepositoryLevels.Verbs["read"], [WellKnown.ApiGroup], ["repositories"], [repository], []);

    private static (Condition? Problem, RoleRef? Reference, IReadOnlyList<PolicyRule> Rules) RulesOf(Resource binding, IResourceCache cache, KindCatalog catalog)
    {
        var (kind, name) = (binding.Body.Text("spec.roleRef.kind") ?? "", binding.Body.Text("spec.roleRef.name") ?? "");
        if (binding.Body.At("spec.resourceRules") is JsonArray { Count: > 0 } own) return (null, null, RbacRules.Read(new JsonObject { ["rules"] = own.DeepClone() }));
        if (kind == "RoleTemplate" && !RbacTemplates.Names.Contains(name)) return (No("RoleMissing", $"There is no role template {name}; there are {string.Join(", ", RbacTemplates.Names)}."), null, []);
        var reference = new RoleRef(kind == "Role" ? "Role" : "ClusterRole", name);
        return RbacRules.Of(cache, catalog, reference, IsClusterWide(binding) ? "" : binding.Namespace) is { } rules
            ? (null, reference, rules)
            : (No("RoleMissing", $"{reference.Kind} {name} does not exist."), null, []);
    }

    /// <summary>
    /// The rules for one repository: what belongs to a repository is seen by those only who see that repository, and the repository itself is named. What
    /// cannot be narrowed so would hold for the whole organization, and is refused.
    /// </summary>
    private static (Condition? Problem, IReadOnlyList<PolicyRule> Rules) Narrow(IReadOnlyList<PolicyRule> rules, string repository, KindCatalog catalog)
    {
        var narrowed = new List<PolicyRule>();
        foreach (var rule in rules)
        {
            foreach (var resource in rule.Resources.DefaultIfEmpty(""))
            {
                if (rule.NonResourceUrls.Count > 0 || rule.ApiGroups.Any(g => g != WellKnown.ApiGroup) || !Belongs(resource, catalog))
                    return (No("ScopeTooWide", $"{RbacCoverage.Text(rule)} cannot be narrowed to a repository; use scope namespace, or other rules."), []);
                if (resource.Split('/')[0] != "repositories") narrowed.Add(rule with { Resources = [resource] });
                else if (rule.ResourceNames.Count == 0 || rule.ResourceNames.Contains(repository, StringComparer.Ordinal)) narrowed.Add(rule with { Resources = [resource], ResourceNames = [repository] });
            }
        }

        return (null, narrowed);
    }

    /// <summary>Whether each instance of the kind belongs to some repository.</summary>
    private static bool Belongs(string resource, KindCatalog catalog)
    {
        if (catalog.FindPlural(WellKnown.ApiGroup, resource.Split('/')[0]) is not { RepositoryPath: { } path } kind) return false;
        return kind.Kind == "Repository" || (path.Split('.') is ["spec", var field] && kind.RequiredSpec.Contains(field));
    }
}
