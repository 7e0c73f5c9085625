using System.Text.Json.Nodes;
using Bunit;
using Krate.Core.Gateway;
using Krate.Core.Kinds;
using Krate.Core.Resources;
using Krate.Tests.Testing;
using Krate.Web.Features.Agents;
using Krate.Web.Features.Registries;
using Xunit;

namespace Krate.Tests.Pages.Agents;

/// <summary>Who holds what, as pages say it, and what somebody would give before they do.</summary>
public sealed class PermissionPagesTests(KrateCore core) : PageTest(core)
{
    private static readonly KindDefinition Bindings = KindTable.Catalog["AgentRoleBinding"];

    [Fact]
    public async Task Roles_of_an_identity_are_those_that_bindings_give_it_with_their_dangers_first_and_its_keys_by_their_grants()
    {
        var ns = await Core.NewOrgAsync();
        await Core.CreateAsync(KindTable.Catalog["Role"], ns, Json("""{"metadata":{"name":"reads"},"rules":[{"apiGroups":[""],"resources":["secrets"],"verbs":["get"]},{"apiGroups":["krate.a5c.ai"],"resources":["issues"],"verbs":["get"]}]}"""));
        await Core.CreateAsync(KindTable.Catalog["RoleBinding"], ns, Json($$"""{"metadata":{"name":"by-hand"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"Role","name":"reads"},"subjects":[{"kind":"ServiceAccount","name":"agent","namespace":"{{ns}}"}]}"""));
        await Core.CreateAsync(KindTable.Catalog["RoleBinding"], ns, Json($$"""{"metadata":{"name":"for-all"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"krate-viewer"},"subjects":[{"kind":"Group","apiGroup":"rbac.authorization.k8s.io","name":"system:serviceaccounts:{{ns}}"}]}"""));
        await Core.CreateAsync(KindTable.Catalog["AgentSecretGrant"], ns, Json("""{"metadata":{"name":"token"},"spec":{"subject":{"kind":"service-account","name":"agent"},"secretRef":{"name":"tokens","keys":["a"]},"purpose":"tool"}}"""));
        var identity = await Core.CreateAsync(KindTable.Catalog["AgentServiceAccount"], ns, Json($$"""{"metadata":{"name":"agent"},"spec":{"namespace":"{{ns}}","serviceAccountName":"agent"} }"""));

        var panel = Render<IdentityPanel>(p => p.Add(i => i.Place, PlaceOf(ns)).Add(i => i.Resource, identity));
        panel.WaitForAssertion(() => Assert.Equal(["krate-viewer", "reads"], panel.FindAll("[aria-label='Roles held'] summary b").Select(b => b.TextContent)));
        Assert.Contains($"through system:serviceaccounts:{ns}", panel.Markup, StringComparison.Ordinal);
        Assert.Equal(["get secrets", "get issues"], panel.FindAll("details")[1].QuerySelectorAll("code").Select(c => c.TextContent));
        Assert.Contains("1 danger", panel.FindAll("details")[1].TextContent, StringComparison.Ordinal);
        Assert.Equal("token", panel.Find("[aria-labelledby=keys] a").TextContent);

        Looker.Actor = new Actor("sees-little", [WellKnown.AuthenticatedGroup]);
        await BindAsync(ns, "sees-little", """{"apiGroups":["krate.a5c.ai"],"resources":["agentserviceaccounts"],"verbs":["get","list"]}""");
        var other = Render<IdentityPanel>(p => p.Add(i => i.Place, PlaceOf(ns)).Add(i => i.Resource, identity));
        Assert.Contains("Not shown: what rolebindings, roles, clusterrolebindings, clusterroles give, for you may not list them.", other.Markup, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Before_a_binding_is_saved_its_form_says_what_it_would_give_and_what_the_person_lacks_to_give_it()
    {
        var ns = await Core.NewOrgAsync();
        await Core.CreateAsync(KindTable.Catalog["ServiceAccount"], ns, Json("""{"metadata":{"name":"agent"}}"""));
        await BindAsync(ns, "writer", """{"apiGroups":["krate.a5c.ai"],"resources":["agentrolebindings"],"verbs":["create"]}""");
        var draft = new Resource(Bindings, Json($$"""{"metadata":{"name":"more","namespace":"{{ns}}"},"spec":{"organizationRef":"{{PlaceOf(ns).Org}}","subject":{"kind":"service-account","name":"agent"},"roleRef":{"kind":"ClusterRole","name":"krate-org-admin"},"scope":{"kind":"organization","name":"{{PlaceOf(ns).Org}}"},"escalationPolicy":"deny"} }"""));

        var admin = Render<BindingCheck>(p => p.Add(c => c.Place, PlaceOf(ns)).Add(c => c.Draft, draft));
        Assert.Contains("It would give", admin.Markup, StringComparison.Ordinal);
        Looker.Actor = new Actor("writer", [WellKnown.AuthenticatedGroup]);
        var writer = Render<BindingCheck>(p => p.Add(c => c.Place, PlaceOf(ns)).Add(c => c.Draft, draft));
        Assert.Contains("It is meant to give", writer.Markup, StringComparison.Ordinal);
        Assert.Contains(writer.FindAll("li"), l => l.TextContent.Contains("writer does not hold", StringComparison.Ordinal) && l.QuerySelector(".k-s-bad") is not null);
    }

    [Fact]
    public async Task The_matrix_has_each_identity_once_with_its_stacks_and_each_role_in_its_state()
    {
        var ns = await Core.NewOrgAsync();
        await Core.CreateAsync(Stack, ns, StackNamed("one"));
        await Core.CreateAsync(Stack, ns, StackNamed("two"));
        await StoreAsync(Bindings, ns, Binding("good", "reader", """{"type":"Ready","status":"True","reason":"Ready","message":""}"""));
        await StoreAsync(Bindings, ns, Binding("drifts", "writer", """{"type":"NativeBindingDrifted","status":"True","reason":"Drifted","message":"Role x also gives y"},{"type":"Ready","status":"False","reason":"RoleBindingDrifted","message":""}"""));
        await StoreAsync(Bindings, ns, Binding("grabs", "owner", """{"type":"EscalationAdmitted","status":"False","reason":"EscalationDenied","message":"lumi does not hold it"}"""));
        await StoreAsync(Bindings, ns, Binding("asks", "owner", """{"type":"EscalationAdmitted","status":"False","reason":"AdminApprovalRequired","message":"lumi does not hold it"}"""));

        var page = Render<PermissionsView>(p => p.Add(v => v.Place, PlaceOf(ns)));
        page.WaitForAssertion(() => Assert.Equal(["ghost"], page.FindAll(".k-matrix tbody th .k-mono").Select(e => e.TextContent)));
        Assert.Equal(["one", "two"], page.FindAll(".k-matrix tbody th a").Select(a => a.TextContent));
        Assert.Equal(["Subject", "owner", "reader", "writer"], page.FindAll(".k-matrix thead th").Select(e => e.TextContent.Trim()));
        Assert.Equal(["Requested|Escalation, blocked", "Bound", "Drifted"], page.FindAll(".k-matrix tbody td").Select(c => string.Join('|', c.QuerySelectorAll("a").Select(a => a.TextContent.Trim()))));
        Assert.Equal(3, page.FindAll(".k-perms__alerts .k-alert").Count);

        Looker.Actor = new Actor("nobody", [WellKnown.AuthenticatedGroup]);
        await DisposeComponentsAsync();
        Assert.Contains("Role bindings and grants are not yours to list", Render<PermissionsView>(p => p.Add(v => v.Place, PlaceOf(ns))).Markup, StringComparison.Ordinal);

        JsonObject Binding(string name, string role, string conditions) => Json($$"""
            {"apiVersion":"krate.a5c.ai/v1alpha1","kind":"AgentRoleBinding","metadata":{"name":"{{name}}"},"spec":{"subject":{"kind":"agent-stack","name":"one"},"roleRef":{"kind":"RoleTemplate","name":"{{role}}"},"scope":{"kind":"organization","name":"{{PlaceOf(ns).Org}}"} },"status":{"conditions":[{{conditions}}]} }
            """);
    }

    private async Task BindAsync(string ns, string user, string rule)
    {
        await Core.CreateAsync(KindTable.Catalog["Role"], ns, Json($$"""{"metadata":{"name":"{{user}}"},"rules":[{{rule}}]}"""));
        await Core.CreateAsync(KindTable.Catalog["RoleBinding"], ns, Json($$"""{"metadata":{"name":"{{user}}"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"Role","name":"{{user}}"},"subjects":[{"kind":"User","apiGroup":"rbac.authorization.k8s.io","name":"{{user}}"}]}"""));
    }

    private static JsonObject Json(string text) => KrateJson.ParseObject(text).Copy();
}
