using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Kinds.Orgs;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Grants;

/// <summary>What an AgentRoleBinding would give in somebody's name.</summary>
/// <param name="Role">Whether it is known what it gives.</param>
/// <param name="Subjects">Whether there is somebody to give it to.</param>
/// <param name="Admitted">Whether the giver may give it, and what they lack.</param>
/// <param name="Rules">What it gives, narrowed to its scope; empty while that is not known.</param>
/// <param name="Subject">As RBAC names it; null when it is not there.</param>
public sealed record RoleBindingReview(Condition Role, Condition Subjects, Condition Admitted, IReadOnlyList<PolicyRule> Rules, JsonObject? Subject)
{
    /// <summary>Whether it would be given.</summary>
    public bool IsGiven => Role.Status == Condition.True && Subjects.Status == Condition.True && Admitted.Status == Condition.True;
}

/// <summary>
/// Whether somebody may give what an AgentRoleBinding gives: the same answer for the reconciler, which then gives it, and for the form, which says so
/// before it is saved. Reads memory only, and says what is there: for those only who may write such bindings. Thread-safe.
/// </summary>
public sealed class RoleBindingReviews(KindCatalog catalog, IResourceCache cache, RbacEscalation escalation)
{
    private const int LongestRule = 500;

    /// <param name="binding">Saved, or as somebody is writing it.</param>
    public RoleBindingReview Of(Actor giver, Resource binding)
    {
        var plan = AgentRolePlan.For(binding, cache, catalog);
        var rules = plan.Role.Status == Condition.True ? plan.Rules.Concat(plan.Sight).ToList() : [];
        return new(plan.Role, plan.Subjects, Admit(binding, plan, giver), rules, plan.Subject);
    }

    /// <summary>Name of the native objects that the binding is kept as.</summary>
    public static string NativeNameOf(Resource binding) => NativeBinding.NameOf(binding);

    public static bool IsClusterWide(Resource binding) => AgentRolePlan.IsClusterWide(binding);

    internal Condition Admit(Resource binding, AgentRolePlan plan, Actor giver)
    {
        const string Type = AgentRoleBindingKind.EscalationAdmitted;
        if (plan.Role.Status != Condition.True) return NotKnown(plan);
        var ns = AgentRolePlan.IsClusterWide(binding) ? "" : binding.Namespace;
        var missing = escalation.Missing(giver, ns, plan.Reference, plan.Rules);
        if (missing.Count > 0 && MayAsOwner(binding, giver)) missing = [];
        missing = [.. missing, .. escalation.Missing(giver, ns, null, plan.Sight)];
        if (missing.Count == 0) return new(Type, Condition.True, "Admitted", $"{giver.User} may give it.");

        var rule = RbacCoverage.Text(missing[0]);
        var said = $"{giver.User} does not hold {(rule.Length > LongestRule ? rule[..LongestRule] + "…" : rule)}{(missing.Count > 1 ? $" and {missing.Count - 1} more" : "")}{(plan.Reference is { } role ? $", and may not bind {role.Kind} {role.Name}" : "")}";
        return binding.Body.Text("spec.escalationPolicy") == "require-admin-approval"
            ? new(Type, Condition.False, "AdminApprovalRequired", $"{said}. Nothing is given until somebody who may give it takes it over by setting spec.escalationPolicy to deny.")
            : new(Type, Condition.False, "EscalationDenied", $"{said}. Nothing is given; somebody who may give it must save the binding.");
    }

    internal static Condition NotKnown(AgentRolePlan plan) =>
        new(AgentRoleBindingKind.EscalationAdmitted, Condition.Unknown, plan.Role.Reason, "Nobody can say whether it may be given before it is known what it gives.");

    /// <summary>Owners may give the templates, which are bounded, in their own organization; never rules that somebody wrote.</summary>
    private static bool MayAsOwner(Resource binding, Actor giver) =>
        binding.Body.Text("spec.escalationPolicy") == "allow-if-owner"
        && binding.Body.Text("spec.roleRef.kind") == "RoleTemplate"
        && binding.Body.At("spec.resourceRules") is not JsonArray { Count: > 0 }
        && !AgentRolePlan.IsClusterWide(binding)
        && giver.InGroup(WellKnown.TeamGroup(binding.Body.Text("spec.organizationRef") ?? "", OrganizationPlan.OwnersTeam));
}
