using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Kinds;
using Krate.Core.Resources;
using Xunit;

namespace Krate.Tests.Gateway;

public sealed class RbacEscalationTests
{
    private static readonly Actor Mira = new("mira", ["devs"]);

    /// <summary>What one holds in the namespace, what one wants to give, whether one may.</summary>
    public static TheoryData<string, string, bool> Coverage => new()
    {
        { "get,list krate.a5c.ai issues", "get krate.a5c.ai issues", true },
        { "get,list krate.a5c.ai issues", "get,list,watch krate.a5c.ai issues", false },
        { "* krate.a5c.ai *", "merge,get krate.a5c.ai pullrequests,issues a,b", true },
        { "* krate.a5c.ai *", "get core secrets", false },
        { "* krate.a5c.ai *", "* * *", false },
        { "get krate.a5c.ai issues|list krate.a5c.ai issues", "get,list krate.a5c.ai issues", true },
        { "get krate.a5c.ai repositories web", "get krate.a5c.ai repositories web", true },
        { "get krate.a5c.ai repositories web|get krate.a5c.ai repositories api", "get krate.a5c.ai repositories web,api", true },
        { "get krate.a5c.ai repositories web", "get krate.a5c.ai repositories web,api", false },
        { "get krate.a5c.ai repositories web", "get krate.a5c.ai repositories", false },
        { "get krate.a5c.ai repositories", "get krate.a5c.ai repositories web", true },
        { "get core pods", "get core pods/log", false },
        { "get core */log", "get core pods/log", true },
        { "get core *", "get core pods/log", true },
        { "get core */log", "get core */log", true },
        { "get core pods/log,jobs/log", "get core */log", false },
        { "get /api/*", "get /api/v1", true },
        { "get /api/*", "get /apis", false },
        { "get /api", "get /api/*", false },
        { "get /*", "get *", false },
    };

    [Theory]
    [MemberData(nameof(Coverage))]
    public void Nobody_gives_what_he_does_not_hold(string held, string wanted, bool may)
    {
        // As cluster rules, so that paths count, too.
        var world = RbacWorld.Started().Role("", "held", held.Split('|')).Bind("", "held", "ClusterRole/held", "User/mira").Role("", "wanted", Fix(wanted));
        Assert.Equal(may, Refused(() => world.Escalation.Check(Mira, Kind("ClusterRole"), Role("ClusterRole", "", Fix(wanted)), null)) is null);
        Assert.Equal(may, Refused(() => world.Escalation.Check(Mira, Kind("ClusterRoleBinding"), Binding("", "ClusterRole/wanted"), null)) is null);
        Assert.Equal(may, Refused(() => world.Escalation.Check(Mira, Kind("RoleBinding"), Binding("acme", "ClusterRole/wanted"), null)) is null);
    }

    [Fact]
    public void The_refusal_lists_exactly_the_missing_rules_in_Kubernetes_form()
    {
        var world = RbacWorld.Started().Role("", "held", "get krate.a5c.ai issues").Bind("acme", "held", "ClusterRole/held", "User/mira");
        var refused = Refused(() => world.Escalation.Check(Mira, Kind("Role"), Role("Role", "acme", "get,list,watch krate.a5c.ai issues", "get core secrets token"), null))!;
        Assert.Equal(403, refused.Code);
        Assert.Equal(
            "roles.rbac.authorization.k8s.io \"mine\" is forbidden: user \"mira\" (groups=[\"devs\"]) is attempting to grant RBAC permissions not currently held:\n"
            + "{APIGroups:[\"\"], Resources:[\"secrets\"], ResourceNames:[\"token\"], Verbs:[\"get\"]}\n"
            + "{APIGroups:[\"krate.a5c.ai\"], Resources:[\"issues\"], Verbs:[\"list\" \"watch\"]}",
            refused.Message);
    }

    [Fact]
    public void Rights_held_in_one_namespace_cover_nothing_in_another_or_in_the_cluster()
    {
        var world = RbacWorld.Started().Role("", "held", "get krate.a5c.ai issues").Bind("acme", "held", "ClusterRole/held", "User/mira");
        Assert.Null(Refused(() => world.Escalation.Check(Mira, Kind("RoleBinding"), Binding("acme", "ClusterRole/held"), null)));
        Assert.Equal(403, Refused(() => world.Escalation.Check(Mira, Kind("RoleBinding"), Binding("beta", "ClusterRole/held"), null))?.Code);
        Assert.Equal(403, Refused(() => world.Escalation.Check(Mira, Kind("ClusterRoleBinding"), Binding("", "ClusterRole/held"), null))?.Code);
    }

    [Fact]
    public void Bind_on_the_role_and_escalate_on_roles_stand_in_for_holding()
    {
        var world = RbacWorld.Started()
            .Role("", "power", "* * *").Role("", "other", "* * *")
            .Role("", "binder", "bind rbac.authorization.k8s.io clusterroles power").Bind("acme", "binder", "ClusterRole/binder", "User/mira")
            .Role("", "escalator", "escalate rbac.authorization.k8s.io roles").Bind("beta", "escalator", "ClusterRole/escalator", "User/mira")
            .Role("", "named", "escalate rbac.authorization.k8s.io roles mine").Bind("gamma", "named", "ClusterRole/named", "User/mira");
        ApiException? Check(string kind, JsonObject document, JsonObject? before = null) => Refused(() => world.Escalation.Check(Mira, Kind(kind), document, before));

        Assert.Null(Check("RoleBinding", Binding("acme", "ClusterRole/power")));
        Assert.Equal(403, Check("RoleBinding", Binding("acme", "ClusterRole/other"))?.Code);
        Assert.Equal(403, Check("RoleBinding", Binding("beta", "ClusterRole/power"))?.Code);
        Assert.Null(Check("Role", Role("Role", "beta", "* * *")));
        Assert.Equal(403, Check("Role", Role("Role", "acme", "* * *"))?.Code);
        // A name is known only once the object exists.
        Assert.Equal(403, Check("Role", Role("Role", "gamma", "* * *"))?.Code);
        Assert.Null(Check("Role", Role("Role", "gamma", "* * *"), Role("Role", "gamma", "get core pods")));
    }

    [Fact]
    public void A_role_that_is_not_there_cannot_be_bound_and_a_roleRef_never_changes_not_even_by_masters()
    {
        var world = RbacWorld.Started();
        Assert.Equal(404, Refused(() => world.Escalation.Check(Mira, Kind("RoleBinding"), Binding("acme", "Role/absent"), null))?.Code);
        var master = new Actor("root", [WellKnown.MastersGroup]);
        Assert.Null(Refused(() => world.Escalation.Check(master, Kind("RoleBinding"), Binding("acme", "Role/absent"), null)));
        var changed = Refused(() => world.Escalation.Check(master, Kind("RoleBinding"), Binding("acme", "Role/b"), Binding("acme", "Role/a")));
        Assert.Equal((422, "roleRef"), (changed!.Code, changed.Causes[0].Field));
    }

    [Fact]
    public void A_finalizer_may_be_taken_from_a_binding_that_goes_away_without_holding_its_rules()
    {
        var world = RbacWorld.Started().Role("", "power", "* * *");
        var before = Binding("acme", "ClusterRole/power");
        before.Set("metadata.deletionTimestamp", "2026-01-01T00:00:00Z");
        Assert.Null(Refused(() => world.Escalation.Check(Mira, Kind("RoleBinding"), before.Copy(), before)));
        var other = before.Copy();
        other["subjects"]![0]!["name"] = "mira";
        Assert.Equal(403, Refused(() => world.Escalation.Check(Mira, Kind("RoleBinding"), other, before))?.Code);
    }

    [Fact]
    public void Rules_that_spread_out_without_end_are_refused_rather_than_reckoned()
    {
        var many = string.Join(',', Enumerable.Range(0, 2000).Select(i => $"x{i}"));
        var world = RbacWorld.Started().Role("", "held", "* krate.a5c.ai *").Bind("", "held", "ClusterRole/held", "User/mira");
        var refused = Refused(() => world.Escalation.Check(Mira, Kind("ClusterRole"), Role("ClusterRole", "", $"{many} krate.a5c.ai {many}"), null));
        Assert.Equal(403, refused?.Code);
    }

    private static string Fix(string rule) => rule == "get *" ? "get /x,*" : rule;

    private static KindDefinition Kind(string kind) => KindTable.Catalog[kind];

    private static JsonObject Role(string kind, string ns, params string[] rules) => new()
    {
        ["kind"] = kind,
        ["metadata"] = ns.Length > 0 ? new JsonObject { ["namespace"] = ns, ["name"] = "mine" } : new JsonObject { ["name"] = "mine" },
        ["rules"] = new JsonArray([.. rules.Select(r => (JsonNode)RbacRules.Write(RbacWorld.Rule(r)))]),
    };

    private static JsonObject Binding(string ns, string role) => new()
    {
        ["metadata"] = ns.Length > 0 ? new JsonObject { ["namespace"] = ns, ["name"] = "mine" } : new JsonObject { ["name"] = "mine" },
        ["roleRef"] = new JsonObject { ["kind"] = role.Split('/')[0], ["name"] = role.Split('/')[1] },
        ["subjects"] = new JsonArray(new JsonObject { ["kind"] = "User", ["name"] = "noor" }),
    };

    private static ApiException? Refused(Action action) => Record.Exception(action) switch
    {
        null => null,
        ApiException e => e,
        var e => throw new Xunit.Sdk.XunitException(e.ToString()),
    };
}
