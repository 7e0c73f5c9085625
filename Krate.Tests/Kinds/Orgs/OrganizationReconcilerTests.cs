using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Resources;
using Krate.Tests.ControlPlane;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Krate.Tests.Kinds.Orgs;

public sealed class OrganizationReconcilerTests
{
    private const string Ns = "krate-org-acme";

    [Fact]
    public async Task A_new_organization_gets_its_namespace_binding_roles_and_defaults()
    {
        await using var world = await ControlPlaneWorld.StartAsync();
        var acme = await world.ReadyOrganizationAsync();

        Assert.Equal(["NamespaceReady", "BindingReady", "RolesReady", "DefaultsReady", "Ready"], acme.Conditions.Select(c => c.Type));
        Assert.All(acme.Conditions, c => Assert.Equal("True", c.Status));
        Assert.Equal(("Ready", Ns, acme.Generation), (acme.Body.Text("status.phase"), acme.Body.Text("status.namespace"), (long)acme.Body.At("status.observedGeneration")!));
        Assert.Equal("acme", (await world.FindAsync("Namespace", "", Ns))!.Label(WellKnown.OrgLabel));
        Assert.Equal(Ns, (await world.FindAsync("OrgNamespaceBinding", "krate-system", "acme"))!.Body.Text("spec.namespace"));
        Assert.Equal("trusted", (await world.FindAsync("RunnerPool", Ns, "trusted-linux"))!.Body.Text("spec.trustTier"));
        Assert.Equal("untrusted", (await world.FindAsync("RunnerPool", Ns, "untrusted-linux"))!.Body.Text("spec.trustTier"));
        foreach (var account in (string[])["agent-default", "runner-trusted-linux", "runner-untrusted-linux"]) Assert.NotNull(await world.FindAsync("ServiceAccount", Ns, account));
        Assert.Equal(["krate-admin"], (await world.FindAsync("Team", Ns, "owners"))!.Body.Texts("spec.maintainers"));
    }

    [Fact]
    public async Task Owners_rule_their_organization_members_use_it_and_nobody_else_sees_it()
    {
        await using var world = await ControlPlaneWorld.StartAsync();
        await world.ReadyOrganizationAsync();
        var owner = new Actor("ada", ["system:authenticated", "krate:org:acme", "krate:org:acme:team:owners"]);
        var member = new Actor("ben", ["system:authenticated", "krate:org:acme"]);
        var stranger = new Actor("cem", ["system:authenticated", "krate:org:other"]);

        Assert.Equal([true, true, false], (IEnumerable<bool>)await MayAsync("dispatch", "krate.a5c.ai", "agentstacks", Ns));
        Assert.Equal([true, false, false], (IEnumerable<bool>)await MayAsync("create", "rbac.authorization.k8s.io", "rolebindings", Ns));
        Assert.Equal([true, true, false], (IEnumerable<bool>)await MayAsync("get", "krate.a5c.ai", "organizations", "krate-system", "acme"));
        Assert.Equal([true, false, false], (IEnumerable<bool>)await MayAsync("update", "krate.a5c.ai", "organizations", "krate-system", "acme"));
        Assert.Equal([false, false, false], (IEnumerable<bool>)await MayAsync("get", "krate.a5c.ai", "organizations", "krate-system", "other"));

        async Task<bool[]> MayAsync(string verb, string group, string resource, string ns, string name = "")
        {
            var request = new AccessRequest { Verb = verb, Group = group, Resource = resource, Namespace = ns, Name = name };
            var answers = new List<bool>();
            foreach (var actor in (Actor[])[owner, member, stranger]) answers.Add((await world.Gateway.ReviewAsync(actor, request, ControlPlaneWorld.Ct)).Allowed);
            return [.. answers];
        }
    }

    [Fact]
    public async Task Both_organizations_see_how_their_sharing_stands_and_no_name_before_its_owners_agree()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UnixEpoch.AddYears(55));
        await using var world = await ControlPlaneWorld.StartAsync(time: time);
        await world.ReadyOrganizationAsync();
        await world.ReadyOrganizationAsync("other");
        await world.CreateAsync($"{{apiVersion: krate.a5c.ai/v1alpha1, kind: OrgSharingPolicy, metadata: {{name: share}}, spec: {{sourceOrg: other, targetOrg: acme, expiresAt: \"{Timestamps.Format(time.GetUtcNow().AddHours(1))}\", allowedRefs: [{{kind: AgentSkill, name: triage}}]}}}}", "krate-system");

        await world.UntilAsync("Organization", "krate-system", "other", o => State(o) == "triage AwaitsConsent share");
        Assert.Null(State(await world.FindAsync("Organization", "krate-system", "acme")));
        await world.AgreeAsync("other", "acme", "AgentSkill", "triage");
        foreach (var org in (string[])["other", "acme"]) await world.UntilAsync("Organization", "krate-system", org, o => State(o) == "triage InForce share");
        time.Advance(TimeSpan.FromHours(1));
        foreach (var org in (string[])["other", "acme"]) await world.UntilAsync("Organization", "krate-system", org, o => State(o) == "triage Expired share");
        await world.DeleteAsync("OrgSharingPolicy", "krate-system", "share");
        await world.UntilAsync("Organization", "krate-system", "other", o => State(o) == "triage AwaitsPolicy ");
        await world.UntilAsync("Organization", "krate-system", "acme", o => State(o) is null);

        static string? State(Resource? org) => (org?.Body.At("status.sharing") as JsonArray)?[0] is { } row ? $"{row.Text("name")} {row.Text("state")} {row.Text("policy")}" : null;
    }

    [Fact]
    public async Task What_people_changed_or_removed_stays_so_but_the_rule_of_the_owners_comes_back()
    {
        await using var world = await ControlPlaneWorld.StartAsync();
        await world.ReadyOrganizationAsync();
        await world.ChangeAsync("RunnerPool", Ns, "trusted-linux", d => d.Set("spec.maxReplicas", 9));
        await world.DeleteAsync("RoleBinding", Ns, "krate-developer");
        await world.DeleteAsync("RunnerPool", Ns, "untrusted-linux");
        await world.DeleteAsync("RoleBinding", Ns, "krate-org-admin");
        await world.UntilAsync("RoleBinding", Ns, "krate-org-admin", r => r is not null);

        var acme = await world.UntilAsync("Organization", "krate-system", "acme", o => o!.FindCondition("DefaultsReady")!.Message.Contains("untrusted-linux", StringComparison.Ordinal));
        Assert.Equal("Made once, and removed since: RoleBinding krate-developer.", acme.FindCondition("RolesReady")!.Message);
        Assert.Equal("True", acme.FindCondition("Ready")!.Status);
        Assert.Null(await world.FindAsync("RoleBinding", Ns, "krate-developer"));
        Assert.Null(await world.FindAsync("RunnerPool", Ns, "untrusted-linux"));
        Assert.Equal(9, (int)(await world.FindAsync("RunnerPool", Ns, "trusted-linux"))!.Body.At("spec.maxReplicas")!);
    }

    [Fact]
    public async Task A_converged_system_writes_nothing_and_sends_no_statement_however_often_it_looks()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UnixEpoch.AddYears(55));
        await using var world = await ControlPlaneWorld.StartAsync(time: time, options: new() { SingleProcess = true, CleanEvery = TimeSpan.FromDays(1) });
        await world.ReadyOrganizationAsync();
        await world.CreateAsync("{apiVersion: krate.a5c.ai/v1alpha1, kind: AgentStack, metadata: {name: stack}, spec: {baseAgent: claude-code, adapter: a, runtimeIdentity: {serviceAccountRef: nobody}}}", Ns);
        await world.UntilAsync("AgentStack", Ns, "stack", s => s!.FindCondition("Ready") is not null);
        await LookAgainAsync();

        var (version, statements) = (world.Store.Feed.Latest, world.Store.CommandCount);
        await LookAgainAsync();
        await LookAgainAsync();
        Assert.Equal((version, statements), (world.Store.Feed.Latest, world.Store.CommandCount));

        async Task LookAgainAsync()
        {
            string[] keys = ["Organization/krate-system/acme", $"AgentStack/{Ns}/stack", $"Namespace/{Ns}"];
            var before = keys.Select(k => world.Runs.GetValueOrDefault(k)).ToList();
            time.Advance(TimeSpan.FromMinutes(9.9));
            time.Advance(TimeSpan.FromMinutes(0.2));
            await world.EventuallyAsync(() => keys.Zip(before).All(k => world.Runs.GetValueOrDefault(k.First) > k.Second), "the resync did not come");
        }
    }

    [Fact]
    public async Task A_start_after_a_stop_at_any_point_ends_in_the_same_state()
    {
        var folder = Directory.CreateTempSubdirectory("krate-control-restart-").FullName;
        try
        {
            await using (var first = await ControlPlaneWorld.StartAsync(folder)) await first.CreateOrganizationAsync();
            await using (var second = await ControlPlaneWorld.StartAsync(folder))
                await second.UntilAsync("Organization", "krate-system", "acme", o => o?.FindCondition("Ready")?.Status == "True");
            await using var third = await ControlPlaneWorld.StartAsync(folder);
            Assert.Equal("True", (await third.FindAsync("Organization", "krate-system", "acme"))!.FindCondition("Ready")!.Status);
            Assert.NotNull(await third.FindAsync("Team", Ns, "owners"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task A_deleted_organization_takes_everything_with_it_and_its_git_goes_to_the_trash()
    {
        await using var world = await ControlPlaneWorld.StartAsync();
        var acme = await world.ReadyOrganizationAsync();
        await world.ReadyOrganizationAsync("other");
        await world.CreateAsync("{apiVersion: v1, kind: Secret, metadata: {name: token}, stringData: {value: a-long-enough-value}}", Ns);
        await world.CreateAsync("{apiVersion: krate.a5c.ai/v1alpha1, kind: AgentStack, metadata: {name: stack}, spec: {baseAgent: claude-code, adapter: a, runtimeIdentity: {serviceAccountRef: nobody}}}", Ns);
        Directory.CreateDirectory(Path.Combine(world.Data.Git, "acme", "payments-api.git"));

        await world.DeleteAsync("Organization", "krate-system", "acme");
        await world.GoneAsync("Organization", "krate-system", "acme");

        foreach (var (kind, ns, name) in (ReadOnlySpan<(string, string, string)>)[("Namespace", "", Ns), ("OrgNamespaceBinding", "krate-system", "acme"), ("Role", "krate-system", "krate-org-acme-member")])
            Assert.Null(world.Cache.Get(ControlPlaneWorld.Kind(kind), ns, name));
        foreach (var kind in Krate.Core.Kinds.KindTable.All.Where(k => k is { IsNamespaced: true, CreateOnly: false, ReadOnly: false }))
            Assert.Equal(0, await world.Store.CountAsync(new(kind, Ns), ControlPlaneWorld.Ct));
        Assert.NotNull(await world.FindAsync("RunnerPool", "krate-org-other", "trusted-linux"));
        Assert.True(Directory.Exists(Path.Combine(world.Data.Path, "trash", $"acme-{acme.Uid}", "payments-api.git")));
        Assert.False(Directory.Exists(Path.Combine(world.Data.Git, "acme")));
    }

    [Fact]
    public async Task A_deleted_namespace_is_emptied_before_it_goes()
    {
        await using var world = await ControlPlaneWorld.StartAsync();
        await world.CreateAsync("{apiVersion: v1, kind: Namespace, metadata: {name: scratch}}");
        await world.CreateAsync("{apiVersion: v1, kind: ConfigMap, metadata: {name: held, finalizers: [example.com/hold]}, data: {a: b}}", "scratch");
        await world.DeleteAsync("Namespace", "", "scratch");
        await world.UntilAsync("ConfigMap", "scratch", "held", c => c!.IsDeleting);
        Assert.Equal("Terminating", (await world.FindAsync("Namespace", "", "scratch"))!.Body.Text("status.phase"));
        await world.ChangeAsync("ConfigMap", "scratch", "held", d => d.Child("metadata").Remove("finalizers"));
        await world.GoneAsync("Namespace", "", "scratch");
        Assert.Null(await world.FindAsync("ConfigMap", "scratch", "held"));
    }

    [Fact]
    public async Task The_namespace_of_an_organization_goes_only_with_it()
    {
        await using var world = await ControlPlaneWorld.StartAsync();
        await world.ReadyOrganizationAsync();
        var refusal = await Assert.ThrowsAsync<ApiException>(() => world.DeleteAsync("Namespace", "", Ns));
        Assert.Equal(403, refusal.Code);
        Assert.Contains("kubectl delete organization acme", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Its_history_is_told_in_Events()
    {
        await using var world = await ControlPlaneWorld.StartAsync();
        var acme = await world.ReadyOrganizationAsync();
        await world.EventuallyAsync(() => world.Runs.GetValueOrDefault("Organization/krate-system/acme") >= 1, "no reconcile ended");
        var events = (await world.Gateway.ListAsync(ControlPlaneWorld.Admin, ControlPlaneWorld.Kind("Event"), "krate-system", new ListOptions(), ControlPlaneWorld.Ct)).Items;
        Assert.All(events, e => Assert.Equal((acme.Uid, "Normal", "1"), (e.Body.Text("involvedObject.uid"), e.Body.Text("type"), e.Body["count"]!.ToString())));
        Assert.Contains(events, e => e.Body.Text("reason") == "Created" && e.Body.Text("message")!.Contains("Namespace krate-org-acme", StringComparison.Ordinal));
        Assert.Contains(events, e => e.Body.Text("reason") == "Ready");
    }
}
