using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Core.Gateway;

/// <summary>
/// Nobody gives what they do not hold. Writing a Role or ClusterRole needs all its rules, or the verb <c>escalate</c> on it;
/// writing a binding needs all rules of the role it points at, or the verb <c>bind</c> on that role.
/// </summary>
public sealed class RbacEscalation(IAuthorizer authorizer, IResourceCache cache, KindCatalog catalog)
{
    private static readonly string[] TeamFields = ["spec.members", "spec.maintainers"];
    private static readonly string[] UserFields = ["spec.admin", "spec.username"];
    private static readonly string[] InviteFields = ["spec.email", "spec.role", "spec.expiresAt"];
    private static readonly string[] WholeSpec = ["spec"];

    /// <summary>Does nothing for other kinds, for members of <c>system:masters</c>, and for updates that leave rules, subjects and role as they are on an object being deleted.</summary>
    /// <param name="before">Null for a create.</param>
    /// <exception cref="ApiException">403 that lists the missing rules, 404 when the role is not there, 422 for a changed roleRef.</exception>
    public void Check(Actor actor, KindDefinition kind, JsonObject document, JsonObject? before)
    {
        if (kind.IsProduct) CheckMembership(actor, kind, document, before);
        if (kind.Group != RbacRules.ApiGroup) return;
        if (kind.Kind is "RoleBinding" or "ClusterRoleBinding") CheckBinding(actor, kind, document, before);
        else if (kind.Kind is "Role" or "ClusterRole") CheckRole(actor, kind, document, before);
    }

    /// <summary>What the actor may not give others; the question of <see cref="Check"/>, for Krate where it makes roles and bindings that somebody asked for.</summary>
    /// <param name="ns">Empty for the whole cluster.</param>
    /// <param name="role">The role that the rules are of; null when they are new, and need the rights to escalate and to bind.</param>
    /// <returns>Empty when the actor may give all of it.</returns>
    public IReadOnlyList<PolicyRule> Missing(Actor actor, string ns, RoleRef? role, IReadOnlyList<PolicyRule> rules)
    {
        if (actor.InGroup(WellKnown.MastersGroup) || (role is not null ? MayBind(actor, role, ns) : MayEscalateAndBind(actor, ns))) return [];
        try
        {
            return RbacCoverage.Missing(authorizer.RulesFor(actor, ns), rules);
        }
        catch (ArgumentException)
        {
            return rules;
        }
    }

    private bool MayEscalateAndBind(Actor actor, string ns)
    {
        var roles = catalog[ns.Length > 0 ? "Role" : "ClusterRole"];
        return new[] { "escalate", "bind" }.All(v => authorizer.Decide(actor, new AccessRequest { Verb = v, Group = roles.Group, Resource = roles.Plural, Namespace = ns }).Allowed);
    }

    private bool MayBind(Actor actor, RoleRef role, string ns)
    {
        var roles = catalog[role.Kind is "Role" ? "Role" : "ClusterRole"];
        return authorizer.Decide(actor, new AccessRequest { Verb = "bind", Group = roles.Group, Resource = roles.Plural, Namespace = ns, Name = role.Name }).Allowed;
    }

    /// <summary>
    /// Putting people into a Team, inviting them into one or making them administrators gives them what the group holds. Who says how
    /// people sign in, and as whom, may become anybody.
    /// </summary>
    private void CheckMembership(Actor actor, KindDefinition kind, JsonObject document, JsonObject? before)
    {
        var given = kind.Kind switch { "Team" => TeamFields, "Invite" => InviteFields, "User" => UserFields, "AuthProvider" or "IdentityMapping" => WholeSpec, _ => [] };
        if (actor.InGroup(WellKnown.MastersGroup) || given.All(f => JsonNode.DeepEquals(before?.At(f), document.At(f)))) return;
        var role = kind.Kind == "Invite" ? InviteRole.Find(document.Text("spec.role") ?? "") : null;
        var team = kind.Kind == "Team" ? document.Text("metadata.name") : role?.Team;
        var ns = team is null ? "" : document.Text("metadata.namespace") ?? "";
        var org = document.Text("spec.organizationRef") ?? "";
        string[] groups = team is null ? [WellKnown.PlatformAdminsGroup] : [WellKnown.OrgGroup(org), WellKnown.TeamGroup(org, team)];
        var wanted = authorizer.RulesFor(new Actor("", groups), ns);
        if (role?.ClusterRole is { } bound) wanted = [.. wanted, .. RbacRules.Of(cache, catalog, new RoleRef("ClusterRole", bound), ns) ?? throw ApiException.NotFound(catalog["ClusterRole"], bound)];
        Demand(actor, kind, document, ns, wanted);
    }

    private void CheckRole(Actor actor, KindDefinition kind, JsonObject document, JsonObject? before)
    {
        if (actor.InGroup(WellKnown.MastersGroup) || OnlyLetsGo(before, document, "rules")) return;
        var ns = document.Text("metadata.namespace") ?? "";
        // As Kubernetes: a create names no object yet, so only an unnamed right to escalate counts.
        var name = before is null ? "" : document.Text("metadata.name") ?? "";
        if (authorizer.Decide(actor, new AccessRequest { Verb = "escalate", Group = kind.Group, Resource = kind.Plural, Namespace = ns, Name = name }).Allowed) return;
        Demand(actor, kind, document, ns, RbacRules.Read(document));
    }

    private void CheckBinding(Actor actor, KindDefinition kind, JsonObject document, JsonObject? before)
    {
        var role = RbacRules.ReadRoleRef(document);
        var name = document.Text("metadata.name") ?? "";
        if (before is not null && RbacRules.ReadRoleRef(before) != role)
            throw ApiException.Invalid(kind, name, new FieldError("FieldValueInvalid", "roleRef", "cannot change roleRef; delete the binding and create it anew"));
        if (actor.InGroup(WellKnown.MastersGroup) || OnlyLetsGo(before, document, "subjects")) return;

        var ns = document.Text("metadata.namespace") ?? "";
        if (MayBind(actor, role, ns)) return;
        Demand(actor, kind, document, ns, RbacRules.Of(cache, catalog, role, ns) ?? throw ApiException.NotFound(catalog[role.Kind is "Role" ? "Role" : "ClusterRole"], role.Name));
    }

    /// <summary>Removing a finalizer or an owner from what goes away gives nobody anything.</summary>
    private static bool OnlyLetsGo(JsonObject? before, JsonObject document, string given) =>
        before?.At("metadata.deletionTimestamp") is not null && JsonNode.DeepEquals(before[given], document[given]);

    private void Demand(Actor actor, KindDefinition kind, JsonObject document, string ns, IReadOnlyList<PolicyRule> wanted)
    {
        IReadOnlyList<PolicyRule> missing;
        try
        {
            missing = RbacCoverage.Missing(authorizer.RulesFor(actor, ns), wanted);
        }
        catch (ArgumentException)
        {
            throw Refused(kind, document, $"rules that spread out to more than {RbacCoverage.MaxSpread} permissions need the verb escalate or bind");
        }

        if (missing.Count == 0) return;
        var groups = actor.Groups.Count > 0 ? $" (groups={RbacCoverage.List(actor.Groups)})" : "";
        throw Refused(kind, document, $"user \"{actor.User}\"{groups} is attempting to grant RBAC permissions not currently held:\n{string.Join('\n', missing.Select(RbacCoverage.Text))}");
    }

    private static ApiException Refused(KindDefinition kind, JsonObject document, string why)
    {
        var name = document.Text("metadata.name") ?? "";
        return new ApiException(403, "Forbidden", $"{kind.QualifiedPlural} \"{name}\" is forbidden: {why}") { Subject = (kind.Group, kind.Plural, name), ProductCode = "POLICY_DENIED" };
    }
}
