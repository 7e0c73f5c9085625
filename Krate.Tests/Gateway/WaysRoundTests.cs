using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Kinds;
using Krate.Core.Resources;
using Krate.Core.Resources.Patching;
using Krate.Tests.Testing;
using Xunit;

namespace Krate.Tests.Gateway;

/// <summary>Ways round a missing right that an attacker would try first.</summary>
public sealed class WaysRoundTests(KrateCore core) : IClassFixture<KrateCore>
{
    private static readonly Actor Mallory = new("mallory", [WellKnown.AuthenticatedGroup]);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Changing_the_owners_of_a_resource_needs_the_right_to_delete_it()
    {
        var ns = await core.NewOrgAsync();
        await core.CreateAsync(Kind("ConfigMap"), ns, Named("precious"));
        await AllowAsync(ns, "", "configmaps", "get", "patch");
        var orphan = new JsonObject { ["apiVersion"] = "v1", ["kind"] = "ConfigMap", ["name"] = "gone", ["uid"] = "nobody" };
        var patch = new JsonObject { ["metadata"] = new JsonObject { ["ownerReferences"] = new JsonArray(orphan) } };
        var refused = await Assert.ThrowsAsync<ApiException>(() => PatchAsync("ConfigMap", ns, "precious", patch));
        Assert.Contains("cannot delete resource", refused.Message, StringComparison.Ordinal);
        await PatchAsync("ConfigMap", ns, "precious", new JsonObject { ["data"] = new JsonObject { ["a"] = "b" } });
    }

    [Fact]
    public async Task The_finalizer_that_cleans_up_an_organization_cannot_be_taken_away()
    {
        var ns = await core.NewOrgAsync();
        foreach (var (kind, space, name) in new[] { ("Organization", WellKnown.PlatformNamespace, ns["krate-org-".Length..]), ("Namespace", "", ns) })
        {
            var live = (await core.Gateway.GetAsync(core.Admin, Kind(kind), space, name, Ct)).Edit();
            live.Child("metadata").Remove("finalizers");
            var refused = await Assert.ThrowsAsync<ApiException>(() => core.Gateway.UpdateAsync(core.Admin, Kind(kind), space, name, live, new WriteOptions(), Ct));
            Assert.Equal("metadata.finalizers", refused.Causes[0].Field);
        }
    }

    [Fact]
    public async Task Joining_a_team_or_becoming_an_administrator_needs_what_it_gives()
    {
        var ns = await core.NewOrgAsync();
        var org = ns["krate-org-".Length..];
        await core.CreateAsync(Kind("Team"), ns, Named("owners", new JsonObject { ["displayName"] = "Owners" }));
        await core.CreateAsync(Kind("RoleBinding"), ns, Bound("owners", "krate-org-admin", "Group", WellKnown.TeamGroup(org, "owners")));
        await AllowAsync(ns, WellKnown.ApiGroup, "teams", "get", "patch");
        var join = new JsonObject { ["spec"] = new JsonObject { ["maintainers"] = new JsonArray(Mallory.User) } };
        Assert.Equal(403, (await Assert.ThrowsAsync<ApiException>(() => PatchAsync("Team", ns, "owners", join))).Code);
        await PatchAsync("Team", ns, "owners", new JsonObject { ["spec"] = new JsonObject { ["displayName"] = "The owners" } });

        await core.CreateAsync(Kind("User"), WellKnown.PlatformNamespace, Named("mallory", new JsonObject { ["displayName"] = "Mallory", ["email"] = "mallory@example.com" }));
        await AllowAsync(WellKnown.PlatformNamespace, WellKnown.ApiGroup, "users", "get", "patch");
        var promote = new JsonObject { ["spec"] = new JsonObject { ["admin"] = true } };
        Assert.Equal(403, (await Assert.ThrowsAsync<ApiException>(() => PatchAsync("User", WellKnown.PlatformNamespace, "mallory", promote))).Code);
    }

    [Fact]
    public async Task A_flood_of_denials_leaves_a_bounded_number_of_audit_rows()
    {
        var ns = await core.NewOrgAsync();
        var flood = new Actor("flood", [WellKnown.AuthenticatedGroup]);
        for (var i = 0; i < 100; i++)
            await Assert.ThrowsAsync<ApiException>(() => core.Gateway.GetAsync(flood, Kind("ConfigMap"), ns, $"guess-{i}", Ct));
        var rows = (await core.Gateway.ListAsync(core.Admin, Kind("AuditEvent"), ns, new ListOptions(), Ct)).Items.Count(r => r.Body.Text("spec.actor.name") == "flood");
        // A minute may turn in between, and then a second ration begins.
        Assert.InRange(rows, 1, 60);
    }

    [Fact]
    public async Task Audit_rows_of_a_hidden_repository_are_hidden_too()
    {
        var ns = await core.NewOrgAsync();
        await core.CreateAsync(Kind("Repository"), ns, Named("hidden", new JsonObject { ["visibility"] = "private" }));
        await AllowAsync(ns, WellKnown.ApiGroup, "auditevents", "get", "list");
        var seen = (await core.Gateway.ListAsync(Mallory, Kind("AuditEvent"), ns, new ListOptions(), Ct)).Items;
        Assert.DoesNotContain(seen, r => r.Body.Text("spec.target.name") == "hidden");
        Assert.Contains((await core.Gateway.ListAsync(core.Admin, Kind("AuditEvent"), ns, new ListOptions(), Ct)).Items, r => r.Body.Text("spec.target.name") == "hidden");
    }

    [Fact]
    public async Task A_watch_ends_with_the_credential_it_was_begun_with()
    {
        var ns = await core.NewOrgAsync();
        var brief = core.Admin with { ValidUntil = core.Now.AddMilliseconds(200) };
        var ended = await Assert.ThrowsAsync<ApiException>(async () =>
        {
            await foreach (var _ in core.Gateway.WatchAsync(brief, Kind("ConfigMap"), ns, new WatchOptions(), Ct))
            {
            }
        });
        Assert.Equal(410, ended.Code);
    }

    private static KindDefinition Kind(string kind) => KindTable.Catalog[kind];

    private static JsonObject Named(string name, JsonObject? spec = null)
    {
        var document = new JsonObject { ["metadata"] = new JsonObject { ["name"] = name } };
        if (spec is not null) document["spec"] = spec;
        return document;
    }

    private static JsonObject Bound(string name, string role, string subjectKind, string subject, string roleKind = "ClusterRole")
    {
        var document = Named(name);
        document["roleRef"] = new JsonObject { ["apiGroup"] = "rbac.authorization.k8s.io", ["kind"] = roleKind, ["name"] = role };
        document["subjects"] = new JsonArray(new JsonObject { ["apiGroup"] = "rbac.authorization.k8s.io", ["kind"] = subjectKind, ["name"] = subject });
        return document;
    }

    private async Task AllowAsync(string ns, string group, string resource, params string[] verbs)
    {
        var role = Named($"{resource}-for-mallory");
        role["rules"] = new JsonArray(new JsonObject { ["apiGroups"] = new JsonArray(group), ["resources"] = new JsonArray(resource), ["verbs"] = new JsonArray([.. verbs.Select(v => (JsonNode)v)]) });
        await core.CreateAsync(Kind("Role"), ns, role);
        await core.CreateAsync(Kind("RoleBinding"), ns, Bound($"{resource}-for-mallory", $"{resource}-for-mallory", "User", Mallory.User, "Role"));
    }

    private Task<(Resource Resource, bool Created)> PatchAsync(string kind, string ns, string name, JsonObject patch) =>
        core.Gateway.PatchAsync(Mallory, Kind(kind), ns, name, new Patch(PatchType.Merge, patch, "test"), new WriteOptions(), Ct);
}
