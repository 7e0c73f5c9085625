using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Identity;
using Krate.Core.Resources;
using Krate.Tests.ControlPlane;
using Xunit;

namespace Krate.Tests.Kinds.Grants;

public sealed class AgentRoleBindingReconcilerTests(GrantsWorld grants) : IClassFixture<GrantsWorld>
{
    private const string Binding = "AgentRoleBinding";
    private const string Here = "scope: {kind: namespace, name: krate-org-acme}";
    private const string Writer = "apiGroups: [krate.a5c.ai], resources: [agentrolebindings, agentrolebindings/status], verbs: ['*']";
    private const string Leases = "{apiGroups: [coordination.k8s.io], resources: [leases], verbs: [get]}";

    [Fact]
    public async Task Who_may_not_give_a_role_gets_it_through_no_binding_and_each_attempt_is_in_the_audit()
    {
        var mallory = await PersonAsync("mallory");
        await GiveAsync("mallory", Writer);
        await MakeAsync(mallory, "greedy", $"subject: {{kind: user, name: mallory}}, {Here}, roleRef: {{kind: RoleTemplate, name: krate-secret-grant-admin}}", "{requestedBy: krate-admin}");
        var greedy = await grants.ReasonAsync(Binding, "greedy", "EscalationDenied");
        Assert.Equal(["RoleResolved", "SubjectsResolved", "NativeBindingSynced", "EscalationAdmitted", "NativeBindingDrifted", "Ready"], greedy.Conditions.Select(c => c.Type));
        Assert.Equal(("mallory", "Blocked", "False"), (greedy.Body.Text("status.requestedBy"), greedy.Body.Text("status.phase"), greedy.FindCondition("EscalationAdmitted")!.Status));
        Assert.StartsWith("mallory does not hold {APIGroups:[\"\"], Resources:[\"configmaps\"], Verbs:[", greedy.FindCondition("EscalationAdmitted")!.Message, StringComparison.Ordinal);
        await MakeAsync(mallory, "greedy-rules", $"subject: {{kind: user, name: mallory}}, {Here}, roleRef: {{kind: RoleTemplate, name: mine}}, resourceRules: [{{apiGroups: [''], resources: [secrets], verbs: ['*']}}], escalationPolicy: allow-if-owner");
        await MakeAsync(mallory, "greedy-cluster", "subject: {kind: user, name: mallory}, scope: {kind: cluster}, roleRef: {kind: ClusterRole, name: cluster-admin}, escalationPolicy: require-admin-approval");
        await grants.ReasonAsync(Binding, "greedy-rules", "EscalationDenied");
        await grants.ReasonAsync(Binding, "greedy-cluster", "AdminApprovalRequired");

        // What an administrator has made is theirs until somebody else changes it.
        await grants.MakeAsync(Binding, "taken", $"subject: {{kind: user, name: mallory}}, {Here}, roleRef: {{kind: ClusterRole, name: krate-viewer}}");
        await grants.ReasonAsync(Binding, "taken", "Ready");
        await ChangeAsync(mallory, "taken", d => d.Set("spec.roleRef.name", "krate-org-admin"));
        await grants.ReasonAsync(Binding, "taken", "EscalationDenied");
        await grants.World.GoneAsync("RoleBinding", GrantsWorld.Ns, "agentrolebinding-taken");

        var forged = await Assert.ThrowsAsync<ApiException>(() => ChangeAsync(mallory, "greedy", d => d.Set("status.requestedBy", "krate-admin"), "status"));
        Assert.Equal(403, forged.Code);
        Assert.DoesNotContain(new[] { "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding" }, k => grants.World.Cache.List(ControlPlaneWorld.Kind(k)).Any(r => r.Name.StartsWith("agentrolebinding-greedy", StringComparison.Ordinal) || r.Name.Contains("-acme-greedy", StringComparison.Ordinal)));
        Assert.False(May("mallory", "get", "", "secrets"));
        var audit = await grants.World.Gateway.ListAsync(ControlPlaneWorld.Admin, ControlPlaneWorld.Kind("AuditEvent"), GrantsWorld.Ns, new ListOptions(), ControlPlaneWorld.Ct);
        Assert.Equal(["greedy", "greedy-cluster", "greedy-rules", "taken"], audit.Items
            .Where(e => (e.Body.Text("spec.type"), e.Body.Text("spec.decision"), e.Body.Text("spec.actor.name")) == ("policy.escalate", "Denied", "mallory")).Select(e => e.Body.Text("spec.target.name")).Distinct().Order());
    }

    [Fact]
    public async Task A_right_that_goes_takes_along_what_was_given_with_it_and_so_does_the_person()
    {
        await PersonAsync("olga");
        await grants.AccountAsync("helper");
        await grants.MakeAsync("Team", "givers", "displayName: Givers, members: [olga]");
        await GiveAsync("olga", Writer);
        await grants.World.CreateAsync($"{{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {{name: givers}}, rules: [{Leases}]}}", GrantsWorld.Ns);
        await GiversAsync();
        await MakeAsync(Now("olga"), "lent", $"subject: {{kind: service-account, name: helper}}, {Here}, roleRef: {{kind: RoleTemplate, name: mine}}, resourceRules: [{Leases}]");
        await grants.ReasonAsync(Binding, "lent", "Ready");
        Assert.True(May("system:serviceaccount:krate-org-acme:helper", "get", "coordination.k8s.io", "leases"));

        await grants.ChangeAsync("Team", "givers", "spec.members", new JsonArray());
        await grants.ReasonAsync(Binding, "lent", "EscalationDenied");
        Assert.False(May("system:serviceaccount:krate-org-acme:helper", "get", "coordination.k8s.io", "leases"));
        Assert.Null(grants.Find("Role", "agentrolebinding-lent"));
        await grants.ChangeAsync("Team", "givers", "spec.members", new JsonArray("olga"));
        await grants.ReasonAsync(Binding, "lent", "Ready");

        await grants.World.DeleteAsync("RoleBinding", GrantsWorld.Ns, "givers");
        await grants.ReasonAsync(Binding, "lent", "EscalationDenied");
        await GiversAsync();
        await grants.ReasonAsync(Binding, "lent", "Ready");

        await grants.World.ChangeAsync("User", "krate-system", "olga", d => d.Set("spec.disabled", true));
        Assert.Contains("olga is not known here any more", (await grants.ReasonAsync(Binding, "lent", "EscalationDenied")).FindCondition("Ready")!.Message, StringComparison.Ordinal);
        await grants.World.DeleteAsync("User", "krate-system", "olga");
        await PersonAsync("olga");
        await grants.World.EventuallyAsync(() => May("olga", "create", "krate.a5c.ai", "agentrolebindings"), "the new olga has the old one's native binding, by name");
        Assert.Equal(0, await grants.WrittenByLookingAgainAsync($"{Binding}/{GrantsWorld.Ns}/lent"));
        Assert.Equal("EscalationDenied", grants.Find(Binding, "lent")!.FindCondition("Ready")!.Reason);

        Task<Resource> GiversAsync() => grants.World.CreateAsync("{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: givers}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: givers}, subjects: [{kind: Group, apiGroup: rbac.authorization.k8s.io, name: 'krate:org:acme:team:givers'}]}", GrantsWorld.Ns);
    }

    [Fact]
    public async Task An_organization_takes_along_what_its_bindings_gave_cluster_wide()
    {
        const string Ns = "krate-org-leaving";
        await grants.World.ReadyOrganizationAsync("leaving");
        await grants.MakeAsync("AgentServiceAccount", "worker", $"namespace: {Ns}, serviceAccountName: worker", Ns);
        await grants.MakeAsync(Binding, "wide", "subject: {kind: service-account, name: worker}, scope: {kind: cluster}, roleRef: {kind: RoleTemplate, name: krate-agent-readonly}", Ns);
        await grants.World.UntilAsync("ClusterRoleBinding", "", $"agentrolebinding-{Ns}-wide", r => r is not null);
        await grants.World.DeleteAsync("Organization", "krate-system", "leaving");
        await grants.World.GoneAsync("Organization", "krate-system", "leaving");
        Assert.Null(grants.Find("ClusterRoleBinding", $"agentrolebinding-{Ns}-wide", ""));
        Assert.Null(grants.Find("ClusterRole", $"agentrolebinding-{Ns}-wide", ""));
    }

    [Fact]
    public async Task What_a_hand_takes_away_comes_back_and_what_it_adds_stays_and_blocks_until_a_person_has_decided()
    {
        await grants.AccountAsync("drifter");
        await grants.AccountAsync("stowaway");
        await grants.MakeAsync(Binding, "drift", $"subject: {{kind: service-account, name: drifter}}, {Here}, roleRef: {{kind: RoleTemplate, name: krate-agent-readonly}}");
        await grants.ReasonAsync(Binding, "drift", "Ready");
        const string Native = "agentrolebinding-drift";
        await grants.ChangeAsync("Role", Native, "rules", new JsonArray());
        await grants.World.UntilAsync("Role", GrantsWorld.Ns, Native, r => r!.Body["rules"]!.AsArray().Count > 1);
        await grants.World.DeleteAsync("RoleBinding", GrantsWorld.Ns, Native);
        await grants.World.UntilAsync("RoleBinding", GrantsWorld.Ns, Native, r => r is not null);
        await grants.ReasonAsync(Binding, "drift", "Ready");

        await grants.World.ChangeAsync("RoleBinding", GrantsWorld.Ns, Native, d => d["subjects"]!.AsArray().Add(new JsonObject { ["kind"] = "ServiceAccount", ["namespace"] = GrantsWorld.Ns, ["name"] = "stowaway" }));
        var drifted = await grants.ReasonAsync(Binding, "drift", "RoleBindingDrifted");
        Assert.Equal(("Drifted", "True"), (drifted.Body.Text("status.phase"), drifted.FindCondition("NativeBindingDrifted")!.Status));
        Assert.Contains("RoleBinding agentrolebinding-drift also gives the role to ServiceAccount stowaway", drifted.FindCondition("Ready")!.Message, StringComparison.Ordinal);
        Assert.Equal(0, await grants.WrittenByLookingAgainAsync($"{Binding}/{GrantsWorld.Ns}/drift"));
        Assert.Equal(2, grants.Find("RoleBinding", Native)!.Body["subjects"]!.AsArray().Count);

        await grants.World.DeleteAsync("RoleBinding", GrantsWorld.Ns, Native);
        await grants.ReasonAsync(Binding, "drift", "Ready");
        Assert.Single(grants.Find("RoleBinding", Native)!.Body["subjects"]!.AsArray());
        await grants.World.ChangeAsync("Role", GrantsWorld.Ns, Native, d => d["rules"]!.AsArray().Add(new JsonObject { ["apiGroups"] = new JsonArray(""), ["resources"] = new JsonArray("secrets"), ["verbs"] = new JsonArray("get") }));
        Assert.Contains("also gives {APIGroups:[\"\"], Resources:[\"secrets\"], Verbs:[\"get\"]}", (await grants.ReasonAsync(Binding, "drift", "RoleBindingDrifted")).FindCondition("Ready")!.Message, StringComparison.Ordinal);
        await grants.World.ChangeAsync("Role", GrantsWorld.Ns, Native, d => d["rules"]!.AsArray().RemoveAt(d["rules"]!.AsArray().Count - 1));
        await grants.ReasonAsync(Binding, "drift", "Ready");
    }

    [Fact]
    public async Task Deleting_a_binding_removes_what_it_made_and_leaves_what_others_made()
    {
        await grants.AccountAsync("leaver");
        const string Leaver = "subject: {kind: service-account, name: leaver}";
        await grants.World.CreateAsync("{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: by-hand}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: krate-viewer}, subjects: []}", GrantsWorld.Ns);
        await grants.MakeAsync(Binding, "meets", $"{Leaver}, {Here}, roleRef: {{kind: ClusterRole, name: krate-viewer}}, nativeRoleBindingName: by-hand");
        await grants.ReasonAsync(Binding, "meets", "External");
        Assert.Empty(grants.Find("RoleBinding", "by-hand")!.Body["subjects"]!.AsArray());
        await grants.MakeAsync(Binding, "goes", $"{Leaver}, {Here}, roleRef: {{kind: RoleTemplate, name: krate-agent-ci-diagnoser}}");
        await grants.MakeAsync(Binding, "goes-wide", $"{Leaver}, scope: {{kind: cluster}}, roleRef: {{kind: ClusterRole, name: krate-agent-readonly}}");
        await grants.ReasonAsync(Binding, "goes", "Ready");
        await grants.ReasonAsync(Binding, "goes-wide", "Ready");
        const string Wide = "agentrolebinding-krate-org-acme-goes-wide";
        Assert.Equal("krate-agent-readonly", grants.Find("ClusterRoleBinding", Wide, "")!.Body.Text("roleRef.name"));

        var held = await Assert.ThrowsAsync<ApiException>(() => grants.ChangeAsync(Binding, "goes-wide", "metadata.finalizers", new JsonArray()));
        Assert.Equal("metadata.finalizers", held.Causes[0].Field);
        foreach (var name in (string[])["meets", "goes", "goes-wide"]) await grants.World.DeleteAsync(Binding, GrantsWorld.Ns, name);
        await grants.World.GoneAsync("ClusterRoleBinding", "", Wide);
        await grants.World.GoneAsync("RoleBinding", GrantsWorld.Ns, "agentrolebinding-goes");
        await grants.World.GoneAsync("Role", GrantsWorld.Ns, "agentrolebinding-goes");
        Assert.NotNull(grants.Find("RoleBinding", "by-hand"));
        Assert.NotNull(grants.Find("ClusterRole", "krate-agent-readonly", ""));
    }

    [Fact]
    public async Task Subjects_are_those_of_this_organization_and_stacks_and_pools_are_the_accounts_that_they_act_as()
    {
        const string Viewer = $"{Here}, roleRef: {{kind: ClusterRole, name: krate-viewer}}";
        await grants.MakeAsync("Team", "core", "displayName: Core", "krate-org-other");
        await grants.MakeAsync(Binding, "to-team", $"subject: {{kind: team, name: core}}, {Viewer}");
        await grants.ReasonAsync(Binding, "to-team", "SubjectMissing");
        await grants.MakeAsync(Binding, "to-group", $"subject: {{kind: group, name: 'krate:org:other:team:core'}}, {Viewer}");
        await grants.ReasonAsync(Binding, "to-group", "SubjectMissing");
        await grants.MakeAsync("Team", "core", "displayName: Core");
        await grants.ReasonAsync(Binding, "to-team", "Ready");
        Assert.Equal("krate:org:acme:team:core", SubjectOf("to-team"));

        await grants.MakeAsync(Binding, "to-pool", $"subject: {{kind: runner-pool, name: trusted-linux}}, {Viewer}");
        await grants.ReasonAsync(Binding, "to-pool", "Ready");
        Assert.Equal("runner-trusted-linux", SubjectOf("to-pool"));
        await grants.MakeAsync("AgentServiceAccount", "actor", "namespace: krate-org-acme, serviceAccountName: actor-native");
        await grants.MakeAsync("AgentStack", "acts", "baseAgent: codex, adapter: a, runtimeIdentity: {serviceAccountRef: actor}");
        await grants.MakeAsync(Binding, "to-stack", $"subject: {{kind: agent-stack, name: acts, serviceAccountRef: actor}}, {Viewer}");
        await grants.ReasonAsync(Binding, "to-stack", "Ready");
        Assert.Equal("actor-native", SubjectOf("to-stack"));
        // A stack that takes on another identity takes nothing with it.
        await grants.ChangeAsync("AgentStack", "acts", "spec.runtimeIdentity.serviceAccountRef", "agent-default");
        await grants.ReasonAsync(Binding, "to-stack", "SubjectMismatch");
        Assert.Null(grants.Find("RoleBinding", "agentrolebinding-to-stack"));
    }

    [Fact]
    public async Task A_role_for_a_repository_shows_that_one_only_and_what_cannot_be_narrowed_is_refused()
    {
        await grants.AccountAsync("narrow");
        await grants.MakeAsync("Repository", "inside", "visibility: private");
        await grants.MakeAsync("Repository", "outside", "visibility: private");
        await grants.MakeAsync(Binding, "narrow", "subject: {kind: service-account, name: narrow}, scope: {kind: repository, name: inside}, roleRef: {kind: RoleTemplate, name: krate-agent-repository-repair}");
        await grants.ReasonAsync(Binding, "narrow", "Ready");
        const string Account = "system:serviceaccount:krate-org-acme:narrow";
        Assert.Equal([true, true, false, false], new[] { ("get", "inside"), ("push", "inside"), ("get", "outside"), ("push", "outside") }.Select(q => May(Account, q.Item1, "krate.a5c.ai", "repositories", q.Item2)));
        Assert.True(May(Account, "create", "krate.a5c.ai", "pullrequests"));
        await grants.ChangeAsync(Binding, "narrow", "spec.roleRef.name", "krate-secret-grant-admin");
        Assert.Contains("cannot be narrowed to a repository", (await grants.ReasonAsync(Binding, "narrow", "ScopeTooWide")).FindCondition("Ready")!.Message, StringComparison.Ordinal);
        Assert.False(May(Account, "push", "krate.a5c.ai", "repositories", "inside"));
        await grants.ChangeAsync(Binding, "narrow", "spec.roleRef.name", "cluster-admin");
        await grants.ReasonAsync(Binding, "narrow", "RoleMissing");
    }

    [Fact]
    public async Task An_owner_may_give_a_template_that_they_do_not_hold_when_the_binding_says_so_but_no_rules_of_their_own()
    {
        await PersonAsync("boss");
        await grants.AccountAsync("employee");
        await grants.World.ChangeAsync("ClusterRole", "", "krate-agent-approver", d => d["rules"]!.AsArray().Add(new JsonObject { ["apiGroups"] = new JsonArray("batch"), ["resources"] = new JsonArray("jobs"), ["verbs"] = new JsonArray("get") }));
        await grants.ChangeAsync("Team", "owners", "spec.maintainers", new JsonArray("boss"));
        const string Employee = $"subject: {{kind: service-account, name: employee}}, {Here}";
        await MakeAsync(Now("boss"), "by-deny", $"{Employee}, roleRef: {{kind: RoleTemplate, name: krate-agent-approver}}");
        await MakeAsync(Now("boss"), "by-owner", $"{Employee}, roleRef: {{kind: RoleTemplate, name: krate-agent-approver}}, escalationPolicy: allow-if-owner");
        await MakeAsync(Now("boss"), "by-rules", $"{Employee}, roleRef: {{kind: RoleTemplate, name: krate-agent-approver}}, resourceRules: [{{apiGroups: [batch], resources: [jobs], verbs: [get]}}], escalationPolicy: allow-if-owner");
        await grants.ReasonAsync(Binding, "by-deny", "EscalationDenied");
        await grants.ReasonAsync(Binding, "by-owner", "Ready");
        await grants.ReasonAsync(Binding, "by-rules", "EscalationDenied");
    }

    [Theory]
    [InlineData("scope: {kind: namespace, name: krate-org-other}", "spec.scope.name")]
    [InlineData("scope: {kind: organization, name: other}", "spec.scope.name")]
    [InlineData($"{Here}, nativeRoleBindingName: krate-org-admin", "spec.nativeRoleBindingName")]
    [InlineData($"{Here}, resourceRules: [{{verbs: [get], apiGroups: ['']}}]", "spec.resourceRules[0].resources")]
    public async Task A_binding_that_reaches_out_of_its_organization_or_into_Krates_own_names_is_refused_at_once(string spec, string field)
    {
        var refused = await Assert.ThrowsAsync<ApiException>(() => grants.MakeAsync(Binding, "refused", $"subject: {{kind: user, name: x}}, roleRef: {{kind: ClusterRole, name: x}}, {spec}"));
        Assert.Equal((422, field), (refused.Code, refused.Causes.Single().Field));
    }

    private string? SubjectOf(string binding) => grants.Find("RoleBinding", $"agentrolebinding-{binding}")!.Body["subjects"]!.AsArray().Single().Text("name");

    private bool May(string user, string verb, string group, string resource, string name = "") =>
        grants.World.Service<IAuthorizer>().Decide(new Actor(user, [WellKnown.AuthenticatedGroup]), new AccessRequest { Verb = verb, Group = group, Resource = resource, Namespace = GrantsWorld.Ns, Name = name }).Allowed;

    private async Task<Actor> PersonAsync(string name)
    {
        await grants.MakeAsync("User", name, $"displayName: {name}, email: {name}@example.com", "krate-system");
        return Now(name);
    }

    /// <summary>The person as they would come in now.</summary>
    private Actor Now(string name) => grants.World.Service<IdentityResolver>().Resolve(new Credential(name, grants.Time.GetUtcNow())).Value!;

    private async Task GiveAsync(string user, string rule)
    {
        await grants.World.CreateAsync($"{{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {{name: of-{user}}}, rules: [{{{rule}}}]}}", GrantsWorld.Ns);
        await grants.World.CreateAsync($"{{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {{name: of-{user}}}, roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: of-{user}}}, subjects: [{{kind: User, apiGroup: rbac.authorization.k8s.io, name: {user}}}]}}", GrantsWorld.Ns);
    }

    private Task<Resource> MakeAsync(Actor actor, string name, string spec, string status = "{}") => grants.World.Gateway.CreateAsync(
        actor, ControlPlaneWorld.Kind(Binding), GrantsWorld.Ns, Yaml.ParseObject($"{{apiVersion: krate.a5c.ai/v1alpha1, kind: {Binding}, metadata: {{name: {name}}}, spec: {{{spec}}}, status: {status}}}"), new WriteOptions(), ControlPlaneWorld.Ct);

    private async Task ChangeAsync(Actor actor, string name, Action<JsonObject> change, string subresource = "")
    {
        var document = grants.Find(Binding, name)!.Edit();
        change(document);
        document.Child("metadata").Remove("resourceVersion");
        await grants.World.Gateway.UpdateAsync(actor, ControlPlaneWorld.Kind(Binding), GrantsWorld.Ns, name, document, new WriteOptions { Subresource = subresource }, ControlPlaneWorld.Ct);
    }
}
