using Krate.Core.Gateway;
using Krate.Core.Kinds;
using Krate.Core.Resources;
using Xunit;

namespace Krate.Tests.Gateway;

/// <summary>What each shipped role may do where it is bound in one org's namespace.</summary>
public sealed class ShippedRolesTests
{
    private const string Ns = "krate-org-acme";
    private static readonly string[] Bindable =
    [
        "krate-viewer", "krate-developer", "krate-maintainer", "krate-org-admin", "krate-agent-readonly", "krate-agent-repository-repair", "krate-agent-ci-diagnoser",
        "krate-agent-workspace-manager", "krate-runner-untrusted", "krate-runner-trusted", "krate-secret-grant-admin", "krate-agent-approver", "krate-ci-reporter",
    ];

    private static readonly (string May, string Who)[] Table =
    [
        ("get krate.a5c.ai repositories",                "krate-org-admin"),
        ("list krate.a5c.ai repositories",               "krate-viewer krate-developer krate-maintainer krate-org-admin krate-agent-readonly krate-agent-repository-repair krate-agent-ci-diagnoser krate-agent-approver"),
        ("create krate.a5c.ai repositories",             "krate-maintainer krate-org-admin"),
        ("delete krate.a5c.ai repositories",             "krate-org-admin"),
        ("push krate.a5c.ai repositories",               "krate-maintainer krate-org-admin krate-agent-repository-repair"),
        ("get krate.a5c.ai pullrequests",                "krate-viewer krate-developer krate-maintainer krate-org-admin krate-agent-readonly krate-agent-repository-repair krate-agent-ci-diagnoser krate-agent-approver"),
        ("create krate.a5c.ai pullrequests",             "krate-developer krate-maintainer krate-org-admin krate-agent-repository-repair"),
        ("merge krate.a5c.ai pullrequests",              "krate-maintainer krate-org-admin"),
        ("create krate.a5c.ai comments",                 "krate-developer krate-maintainer krate-org-admin krate-agent-repository-repair krate-agent-ci-diagnoser"),
        ("delete krate.a5c.ai comments",                 "krate-maintainer krate-org-admin"),
        ("log krate.a5c.ai jobs",                        "krate-viewer krate-developer krate-maintainer krate-org-admin krate-agent-readonly krate-agent-repository-repair krate-agent-ci-diagnoser krate-ci-reporter"),
        ("get krate.a5c.ai jobs",                        "krate-viewer krate-developer krate-maintainer krate-org-admin krate-agent-readonly krate-agent-repository-repair krate-agent-ci-diagnoser krate-runner-untrusted krate-runner-trusted krate-agent-approver krate-ci-reporter"),
        ("create krate.a5c.ai jobs/log",                 "krate-org-admin krate-ci-reporter"),
        ("finish krate.a5c.ai jobs",                     "krate-org-admin krate-ci-reporter"),
        ("create krate.a5c.ai pipelines",                "krate-developer krate-maintainer krate-org-admin krate-ci-reporter"),
        ("rerun krate.a5c.ai pipelines",                 "krate-developer krate-maintainer krate-org-admin"),
        ("get krate.a5c.ai pipelines",                   "krate-viewer krate-developer krate-maintainer krate-org-admin krate-agent-readonly krate-agent-repository-repair krate-agent-ci-diagnoser krate-runner-trusted krate-agent-approver krate-ci-reporter"),
        ("get krate.a5c.ai agentstacks",                 "krate-viewer krate-developer krate-maintainer krate-org-admin krate-secret-grant-admin krate-agent-approver"),
        ("update krate.a5c.ai agentstacks",              "krate-maintainer krate-org-admin"),
        ("dispatch krate.a5c.ai agentstacks",            "krate-developer krate-maintainer krate-org-admin"),
        ("create krate.a5c.ai agentdispatchruns",        "krate-developer krate-maintainer krate-org-admin"),
        ("cancel krate.a5c.ai agentdispatchruns",        "krate-developer krate-maintainer krate-org-admin"),
        ("decide krate.a5c.ai agentapprovals",           "krate-maintainer krate-org-admin krate-agent-approver"),
        ("get krate.a5c.ai agentsessiontranscripts",     "krate-developer krate-maintainer krate-org-admin"),
        ("get krate.a5c.ai agentworkspaces",             "krate-viewer krate-developer krate-maintainer krate-org-admin krate-agent-workspace-manager krate-runner-trusted"),
        ("delete krate.a5c.ai agentworkspaces",          "krate-maintainer krate-org-admin krate-agent-workspace-manager"),
        ("create krate.a5c.ai agentsecretgrants",        "krate-org-admin krate-secret-grant-admin"),
        ("get krate.a5c.ai agentsecretgrants",           "krate-developer krate-maintainer krate-org-admin krate-secret-grant-admin"),
        ("create krate.a5c.ai agentrolebindings",        "krate-org-admin"),
        ("create krate.a5c.ai agentserviceaccounts",     "krate-org-admin"),
        ("update krate.a5c.ai runnerpools",              "krate-org-admin"),
        ("update krate.a5c.ai teams",                    "krate-org-admin"),
        ("create krate.a5c.ai invites",                  "krate-org-admin"),
        ("update krate.a5c.ai branchprotections",        "krate-maintainer krate-org-admin"),
        ("get krate.a5c.ai auditevents",                 "krate-maintainer krate-org-admin"),
        ("list core secrets",                            "krate-org-admin krate-secret-grant-admin"),
        ("create core secrets",                          "krate-org-admin krate-secret-grant-admin"),
        ("update core configmaps",                       "krate-maintainer krate-org-admin"),
        ("create core serviceaccounts/token",            "krate-org-admin"),
        ("create rbac.authorization.k8s.io rolebindings", "krate-org-admin"),
        ("get rbac.authorization.k8s.io roles",          "krate-maintainer krate-org-admin"),
        ("bind rbac.authorization.k8s.io clusterroles",  ""),
        ("escalate rbac.authorization.k8s.io roles",     ""),
        ("create rbac.authorization.k8s.io clusterroles", ""),
        ("impersonate core users",                       ""),
        ("impersonate core serviceaccounts",             ""),
        ("update core namespaces",                       ""),
        ("create authorization.k8s.io subjectaccessreviews", ""),
    ];

    private static readonly RbacWorld World = Shipped();

    public static TheoryData<string, string> Rows => [.. Table.Select(r => (r.May, r.Who))];

    [Theory]
    [MemberData(nameof(Rows))]
    public void Exactly_these_roles_may(string may, string who)
    {
        var rule = RbacWorld.Rule(may);
        var resource = rule.Resources[0].Split('/');
        var request = new AccessRequest { Verb = rule.Verbs[0], Group = rule.ApiGroups[0], Resource = resource[0], Subresource = resource.Length > 1 ? resource[1] : "", Namespace = Ns, Name = "any" };
        Assert.Equal(who, string.Join(' ', Bindable.Where(r => World.Authorizer.Decide(Holder(r), request).Allowed)));
    }

    [Fact]
    public void Nothing_bound_in_a_namespace_reaches_another_or_the_cluster()
    {
        foreach (var role in Bindable)
        {
            Assert.False(World.Authorizer.Decide(Holder(role), new() { Verb = "list", Group = WellKnown.ApiGroup, Resource = "issues", Namespace = "krate-org-beta" }).Allowed);
            Assert.False(World.Authorizer.Decide(Holder(role), new() { Verb = "list", Group = WellKnown.ApiGroup, Resource = "issues" }).Allowed);
        }
    }

    [Fact]
    public void An_org_admin_may_give_every_role_of_an_org_and_no_greater_one()
    {
        var admin = Holder("krate-org-admin");
        foreach (var role in Bindable) World.Escalation.Check(admin, KindTable.Catalog["RoleBinding"], BindingOf(role), null);
        Assert.Equal(403, Assert.Throws<ApiException>(() => World.Escalation.Check(admin, KindTable.Catalog["RoleBinding"], BindingOf("cluster-admin"), null)).Code);
    }

    [Fact]
    public void Everybody_may_ask_about_himself_and_strangers_only_whether_the_server_lives()
    {
        var signedIn = new Actor("mira", [WellKnown.AuthenticatedGroup]);
        AccessRequest Path(string path) => new() { Verb = "get", Path = path };
        foreach (var path in new[] { "/api", "/apis/krate.a5c.ai", "/openapi/v3", "/version", "/livez" }) Assert.True(World.Authorizer.Decide(signedIn, Path(path)).Allowed, path);
        foreach (var path in new[] { "/healthz", "/livez", "/readyz", "/version" }) Assert.True(World.Authorizer.Decide(Actor.Anonymous, Path(path)).Allowed, path);
        foreach (var path in new[] { "/api", "/apis", "/openapi/v3", "/metrics" }) Assert.False(World.Authorizer.Decide(Actor.Anonymous, Path(path)).Allowed, path);
        Assert.False(World.Authorizer.Decide(signedIn, Path("/metrics")).Allowed);
        Assert.True(World.Authorizer.Decide(signedIn, new() { Verb = "create", Group = "authorization.k8s.io", Resource = "selfsubjectaccessreviews" }).Allowed);
        Assert.True(World.Authorizer.Decide(signedIn, new() { Verb = "create", Group = "authentication.k8s.io", Resource = "selfsubjectreviews" }).Allowed);
        Assert.False(World.Authorizer.Decide(Actor.Anonymous, new() { Verb = "create", Group = "authentication.k8s.io", Resource = "selfsubjectreviews" }).Allowed);
        Assert.False(World.Authorizer.Decide(signedIn, new() { Verb = "list", Resource = "namespaces" }).Allowed);
    }

    [Fact]
    public void Platform_admins_may_create_organizations_and_impersonate()
    {
        var admin = new Actor("mira", [WellKnown.PlatformAdminsGroup]);
        Assert.True(World.Authorizer.Decide(admin, new() { Verb = "create", Group = WellKnown.ApiGroup, Resource = "organizations", Namespace = WellKnown.PlatformNamespace }).Allowed);
        Assert.True(World.Authorizer.Decide(admin, new() { Verb = "impersonate", Resource = "users", Name = "noor" }).Allowed);
        Assert.True(World.Authorizer.Decide(admin, new() { Verb = "get", Path = "/metrics" }).Allowed);
    }

    [Fact]
    public void Every_resource_that_a_shipped_role_names_is_a_kind_of_the_table()
    {
        var unknown =
            from manifest in RbacBootstrap.Manifests
            from rule in RbacRules.Read(manifest)
            from resource in rule.Resources
            from grp in rule.ApiGroups
            where resource != "*" && KindTable.Catalog.FindPlural(grp, resource.Split('/')[0]) is null
            select $"{manifest.Text("metadata.name")}: {resource}.{grp}";
        Assert.Empty(unknown);
    }

    private static Actor Holder(string role) => new($"holder-of-{role}", []);

    private static RbacWorld Shipped()
    {
        var world = RbacWorld.Started();
        foreach (var manifest in RbacBootstrap.Manifests) world.Put(manifest);
        foreach (var role in Bindable) world.Bind(Ns, role, $"ClusterRole/{role}", $"User/{Holder(role).User}");
        return world;
    }

    private static System.Text.Json.Nodes.JsonObject BindingOf(string role) => KrateJson.ParseObject(
        $$"""{"metadata":{"namespace":"{{Ns}}","name":"new"},"roleRef":{"kind":"ClusterRole","name":"{{role}}"},"subjects":[{"kind":"User","name":"noor"}]}""");
}
