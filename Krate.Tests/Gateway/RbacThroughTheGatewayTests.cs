using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Kinds;
using Krate.Core.Resources;
using Krate.Tests.Testing;
using Xunit;

namespace Krate.Tests.Gateway;

/// <summary>What roles and bindings do to a caller of the gateway over a real store.</summary>
public sealed class RbacThroughTheGatewayTests(KrateCore core) : IClassFixture<KrateCore>
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(5);
    private readonly Actor mira = new($"mira-{Guid.NewGuid():n}", [WellKnown.AuthenticatedGroup]);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_refusal_says_who_may_not_do_what_where_and_is_audited_once_a_minute()
    {
        var ns = await core.NewOrgAsync();
        for (var i = 0; i < 2; i++)
        {
            var refused = await RefusedAsync(() => core.Gateway.ListAsync(mira, Kind("AgentStack"), ns, new ListOptions(), Ct));
            Assert.Equal((403, "Forbidden"), (refused.Code, refused.Reason));
            Assert.Equal($"agentstacks.krate.a5c.ai is forbidden: User \"{mira.User}\" cannot list resource \"agentstacks\" in API group \"krate.a5c.ai\" in the namespace \"{ns}\"", refused.Message);
        }

        var named = await RefusedAsync(() => core.Gateway.GetAsync(mira, Kind("ConfigMap"), ns, "settings", Ct));
        Assert.Equal($"configmaps \"settings\" is forbidden: User \"{mira.User}\" cannot get resource \"configmaps\" in API group \"\" in the namespace \"{ns}\"", named.Message);

        var audit = await core.Gateway.ListAsync(core.Admin, Kind("AuditEvent"), ns, new ListOptions(), Ct);
        var denied = audit.Items.Where(e => e.Body.Text("spec.decision") == "Denied" && e.Body.Text("spec.actor.name") == mira.User).ToList();
        Assert.Equal(["AgentStack", "ConfigMap"], denied.Select(e => e.Body.Text("spec.target.kind")).Order());
    }

    [Fact]
    public async Task Lists_counts_and_single_reads_are_narrowed_to_the_repositories_one_may_get()
    {
        var ns = await OrgWithIssuesAsync();
        await BindAsync(ns, "view", "ClusterRole", "krate-viewer");
        Assert.Empty(await IssuesAsync(ns));
        Assert.Empty((await core.Gateway.ListAsync(mira, Kind("Repository"), ns, new ListOptions(), Ct)).Items);
        Assert.Equal(404, (await RefusedAsync(() => core.Gateway.GetAsync(mira, Kind("Issue"), ns, "api-one", Ct))).Code);

        await AllowRepositoryAsync(ns, "web");
        Assert.Equal(["web-one", "web-two"], await IssuesAsync(ns));
        Assert.Equal(["web"], (await core.Gateway.ListAsync(mira, Kind("Repository"), ns, new ListOptions(), Ct)).Items.Select(r => r.Name));
        Assert.Equal("web-one", (await core.Gateway.GetAsync(mira, Kind("Issue"), ns, "web-one", Ct)).Name);
        Assert.Equal(404, (await RefusedAsync(() => core.Gateway.GetAsync(mira, Kind("Issue"), ns, "api-one", Ct))).Code);
        // A page of one counts nothing that one may not see.
        var page = await core.Gateway.ListAsync(mira, Kind("Issue"), ns, new ListOptions { Limit = 1 }, Ct);
        Assert.Equal(["web-one"], page.Items.Select(r => r.Name));
        Assert.True(page.Remaining is null or 1, $"{page.Remaining} remain");

        await BindAsync(ns, "admin", "ClusterRole", "krate-org-admin");
        Assert.Equal(["api-one", "web-one", "web-two"], await IssuesAsync(ns));
    }

    [Fact]
    public async Task A_list_of_all_namespaces_is_narrowed_in_each_and_a_namespace_is_read_by_a_binding_within_it()
    {
        var (one, two) = (await OrgWithIssuesAsync(), await OrgWithIssuesAsync());
        await AllowRepositoryAsync(one, "web");
        await AllowRepositoryAsync(two, "api");
        await BindAsync(one, "view", "ClusterRole", "krate-viewer");
        Assert.Equal(one, (await core.Gateway.GetAsync(mira, Kind("Namespace"), "", one, Ct)).Name);
        Assert.Equal(403, (await RefusedAsync(() => core.Gateway.GetAsync(mira, Kind("Namespace"), "", two, Ct))).Code);
        Assert.Equal(403, (await RefusedAsync(() => core.Gateway.ListAsync(mira, Kind("Issue"), null, new ListOptions(), Ct))).Code);

        await core.CreateAsync(Kind("ClusterRoleBinding"), "", Binding($"view-{mira.User}", "ClusterRole", "krate-viewer", mira.User));
        var all = await core.Gateway.ListAsync(mira, Kind("Issue"), null, new ListOptions(), Ct);
        Assert.Equivalent(new[] { $"{one}/web-one", $"{one}/web-two", $"{two}/api-one" }, all.Items.Select(r => $"{r.Namespace}/{r.Name}"), strict: true);
        var repositories = await core.Gateway.ListAsync(mira, Kind("Repository"), null, new ListOptions(), Ct);
        Assert.Equivalent(new[] { $"{one}/web", $"{two}/api" }, repositories.Items.Select(r => $"{r.Namespace}/{r.Name}"), strict: true);
    }

    [Fact]
    public async Task An_issue_in_a_repository_one_may_not_get_cannot_be_made_and_the_text_does_not_confirm_it()
    {
        var ns = await OrgWithIssuesAsync();
        await BindAsync(ns, "develop", "ClusterRole", "krate-developer");
        await AllowRepositoryAsync(ns, "web");
        Assert.Equal("web-mine", (await core.Gateway.CreateAsync(mira, Kind("Issue"), ns, Issue("web-mine", "web"), new WriteOptions(), Ct)).Name);
        var hidden = await RefusedAsync(() => core.Gateway.CreateAsync(mira, Kind("Issue"), ns, Issue("x", "api"), new WriteOptions(), Ct));
        var absent = await RefusedAsync(() => core.Gateway.CreateAsync(mira, Kind("Issue"), ns, Issue("x", "nowhere"), new WriteOptions(), Ct));
        Assert.Equal(absent.Code, hidden.Code);
        Assert.Equal(absent.Message.Replace("nowhere", "api", StringComparison.Ordinal), hidden.Message);

        Task<Resource> Remark(string issue) => core.Gateway.CreateAsync(mira, Kind("Comment"), ns, new JsonObject
        {
            ["metadata"] = new JsonObject { ["name"] = "comment-x" },
            ["spec"] = new JsonObject { ["targetRef"] = new JsonObject { ["kind"] = "Issue", ["name"] = issue }, ["body"] = "hello" },
        }, new WriteOptions(), Ct);
        hidden = await RefusedAsync(() => Remark("api-one"));
        absent = await RefusedAsync(() => Remark("nowhere-one"));
        Assert.Equal(absent.Message.Replace("nowhere-one", "api-one", StringComparison.Ordinal), hidden.Message);
        Assert.Equal("comment-x", (await Remark("web-one")).Name);
    }

    [Fact]
    public async Task ResourceNames_allow_single_reads_and_a_list_that_names_it_but_no_other_list()
    {
        var ns = await core.NewOrgAsync();
        foreach (var name in new[] { "one", "two" }) await core.CreateAsync(Kind("ConfigMap"), ns, new JsonObject { ["metadata"] = new JsonObject { ["name"] = name } });
        await RoleAsync(ns, "only-one", "get,list,watch core configmaps one");
        await BindAsync(ns, "only-one", "Role", "only-one");

        Assert.Equal("one", (await core.Gateway.GetAsync(mira, Kind("ConfigMap"), ns, "one", Ct)).Name);
        Assert.Equal(403, (await RefusedAsync(() => core.Gateway.GetAsync(mira, Kind("ConfigMap"), ns, "two", Ct))).Code);
        Assert.Equal(403, (await RefusedAsync(() => core.Gateway.ListAsync(mira, Kind("ConfigMap"), ns, new ListOptions(), Ct))).Code);
        var named = await core.Gateway.ListAsync(mira, Kind("ConfigMap"), ns, new ListOptions { Fields = Selector.Parse("metadata.name=one") }, Ct);
        Assert.Equal(["one"], named.Items.Select(r => r.Name));
        Assert.Equal(403, (await RefusedAsync(() => core.Gateway.ListAsync(mira, Kind("ConfigMap"), ns, new ListOptions { Fields = Selector.Parse("metadata.name!=one") }, Ct))).Code);
    }

    [Fact]
    public async Task Removing_a_binding_ends_an_open_watch_and_a_new_one_is_refused()
    {
        var ns = await core.NewOrgAsync();
        await BindAsync(ns, "view", "ClusterRole", "krate-viewer");
        await using var watch = core.Gateway.WatchAsync(mira, Kind("AgentStack"), ns, new WatchOptions { InitialEventsBookmark = true }, Ct).GetAsyncEnumerator(Ct);
        Assert.True(await watch.MoveNextAsync());
        Assert.True(watch.Current.InitialEventsEnd);
        var next = watch.MoveNextAsync().AsTask();

        // Somebody else's binding is none of its business.
        await BindAsync(ns, "other", "ClusterRole", "krate-viewer", "noor");
        Assert.False(next.IsCompleted);
        await core.Gateway.DeleteAsync(core.Admin, Kind("RoleBinding"), ns, "view", new DeleteOptions(), Ct);
        Assert.Equal((410, "Expired"), Brief(await RefusedAsync(() => next.WaitAsync(Soon, Ct))));
        await using var again = core.Gateway.WatchAsync(mira, Kind("AgentStack"), ns, new WatchOptions(), Ct).GetAsyncEnumerator(Ct);
        Assert.Equal(403, (await RefusedAsync(() => again.MoveNextAsync().AsTask())).Code);
    }

    [Fact]
    public async Task A_repository_that_appears_ends_the_watch_which_then_starts_with_it()
    {
        var ns = await OrgWithIssuesAsync();
        await BindAsync(ns, "view", "ClusterRole", "krate-viewer");
        await AllowRepositoryAsync(ns, "web");
        var options = new WatchOptions { InitialEventsBookmark = true };
        await using var watch = core.Gateway.WatchAsync(mira, Kind("Issue"), ns, options, Ct).GetAsyncEnumerator(Ct);
        Assert.Equal(["web-one", "web-two"], await InitialAsync(watch));
        var next = watch.MoveNextAsync().AsTask();

        await core.CreateAsync(Kind("Issue"), ns, Issue("api-two", "api"));
        await core.CreateAsync(Kind("Issue"), ns, Issue("web-three", "web"));
        Assert.True(await next.WaitAsync(Soon, Ct));
        Assert.Equal("web-three", watch.Current.Resource!.Name);

        next = watch.MoveNextAsync().AsTask();
        await AllowRepositoryAsync(ns, "api");
        Assert.Equal(410, (await RefusedAsync(() => next.WaitAsync(Soon, Ct))).Code);
        await using var again = core.Gateway.WatchAsync(mira, Kind("Issue"), ns, options, Ct).GetAsyncEnumerator(Ct);
        Assert.Equal(["api-one", "api-two", "web-one", "web-three", "web-two"], await InitialAsync(again));
    }

    [Fact]
    public async Task An_org_admin_gives_what_it_holds_and_nothing_more_from_every_door()
    {
        var ns = await core.NewOrgAsync();
        await BindAsync(ns, "admin", "ClusterRole", "krate-org-admin");
        Task<Resource> Give(string name, string role) => core.Gateway.CreateAsync(mira, Kind("RoleBinding"), ns, Binding(name, "ClusterRole", role, "noor"), new WriteOptions(), Ct);
        Assert.Equal("fine", (await Give("fine", "krate-maintainer")).Name);
        var refused = await RefusedAsync(() => Give("greedy", "cluster-admin"));
        Assert.Equal(403, refused.Code);
        Assert.Contains("is attempting to grant RBAC permissions not currently held:\n{APIGroups:[\"*\"], Resources:[\"*\"], Verbs:[\"*\"]}", refused.Message, StringComparison.Ordinal);

        Task<Resource> Write(string rule) => core.Gateway.CreateAsync(mira, Kind("Role"), ns, Role($"r-{Guid.NewGuid():n}", rule), new WriteOptions(), Ct);
        var role = await Write("get core secrets");
        Assert.Equal(403, (await RefusedAsync(() => Write("impersonate core serviceaccounts"))).Code);
        var patch = new Krate.Core.Resources.Patching.Patch(
            Krate.Core.Resources.Patching.PatchType.Merge, new JsonObject { ["rules"] = new JsonArray(RbacRules.Write(RbacWorld.Rule("escalate rbac.authorization.k8s.io roles"))) }, "test");
        Assert.Equal(403, (await RefusedAsync(() => core.Gateway.PatchAsync(mira, Kind("Role"), ns, role.Name, patch, new WriteOptions(), Ct))).Code);
        Assert.Equal(403, (await RefusedAsync(() => core.Gateway.CreateAsync(mira, Kind("ClusterRole"), "", Role("mine", "get core secrets"), new WriteOptions(), Ct))).Code);
    }

    [Fact]
    public async Task Reviews_answer_through_the_gateway_and_about_others_only_to_those_who_may_ask()
    {
        var ns = await core.NewOrgAsync();
        await BindAsync(ns, "view", "ClusterRole", "krate-viewer");
        var attributes = new JsonObject { ["verb"] = "list", ["group"] = WellKnown.ApiGroup, ["resource"] = "issues", ["namespace"] = ns };
        var self = new JsonObject { ["spec"] = new JsonObject { ["resourceAttributes"] = attributes.DeepClone() } };
        Assert.True((bool)(await core.Gateway.CreateAsync(mira, Kind("SelfSubjectAccessReview"), "", self, new WriteOptions(), Ct)).Body.At("status.allowed")!);
        var other = new JsonObject { ["spec"] = new JsonObject { ["user"] = mira.User, ["resourceAttributes"] = attributes.DeepClone() } };
        Assert.Equal(403, (await RefusedAsync(() => core.Gateway.CreateAsync(mira, Kind("SubjectAccessReview"), "", other, new WriteOptions(), Ct))).Code);
        Assert.True((bool)(await core.Gateway.CreateAsync(core.Admin, Kind("SubjectAccessReview"), "", other, new WriteOptions(), Ct)).Body.At("status.allowed")!);
    }

    [Fact]
    public async Task Bootstrap_writes_nothing_twice_keeps_what_an_administrator_changed_and_renews_an_older_version()
    {
        var writer = new BootstrapWriter(KindTable.Catalog);
        var kind = Kind("ClusterRole");
        var version = core.Store.Feed.Latest;
        await writer.EnsureAsync(core.Gateway, Ct);
        Assert.Equal(version, core.Store.Feed.Latest);

        var shipped = await core.Gateway.GetAsync(core.Admin, kind, "", "krate-runner-untrusted", Ct);
        async Task<Resource> EditAsync(Action<JsonObject> edit)
        {
            var next = (await core.Gateway.GetAsync(core.Admin, kind, "", shipped.Name, Ct)).Edit();
            edit(next);
            await core.Gateway.UpdateAsync(core.Admin, kind, "", shipped.Name, next, new WriteOptions(), Ct);
            await writer.EnsureAsync(core.Gateway, Ct);
            return await core.Gateway.GetAsync(core.Admin, kind, "", shipped.Name, Ct);
        }

        Assert.Empty(RbacRules.Read((await EditAsync(r => r["rules"] = new JsonArray())).Body));
        Assert.Equal(shipped.Body["rules"]!.ToJsonString(), (await EditAsync(r => r["metadata"]!["labels"]![RbacBootstrap.VersionLabel] = "older")).Body["rules"]!.ToJsonString());
        var kept = await EditAsync(r =>
        {
            r["rules"] = new JsonArray();
            r["metadata"]!["labels"]![RbacBootstrap.VersionLabel] = "older";
            r["metadata"]!["annotations"]![RbacBootstrap.AutoUpdateAnnotation] = "false";
        });
        Assert.Empty(RbacRules.Read(kept.Body));

        await core.Gateway.DeleteAsync(core.Admin, kind, "", shipped.Name, new DeleteOptions(), Ct);
        await writer.EnsureAsync(core.Gateway, Ct);
        Assert.Equal(shipped.Body["rules"]!.ToJsonString(), (await core.Gateway.GetAsync(core.Admin, kind, "", shipped.Name, Ct)).Body["rules"]!.ToJsonString());
    }

    private static KindDefinition Kind(string kind) => KindTable.Catalog[kind];

    private static (int, string) Brief(ApiException e) => (e.Code, e.Reason);

    private static Task<ApiException> RefusedAsync<T>(Func<Task<T>> call) => Assert.ThrowsAsync<ApiException>(call);

    private static async Task<IReadOnlyList<string>> InitialAsync(IAsyncEnumerator<WatchEvent> watch)
    {
        var names = new List<string>();
        while (await watch.MoveNextAsync() && !watch.Current.InitialEventsEnd) names.Add(watch.Current.Resource!.Name);
        return [.. names.Order(StringComparer.Ordinal)];
    }

    private async Task<IReadOnlyList<string>> IssuesAsync(string ns) =>
        [.. (await core.Gateway.ListAsync(mira, Kind("Issue"), ns, new ListOptions(), Ct)).Items.Select(r => r.Name).Order(StringComparer.Ordinal)];

    private async Task<string> OrgWithIssuesAsync()
    {
        var ns = await core.NewOrgAsync();
        foreach (var repository in new[] { "web", "api" })
            await core.CreateAsync(Kind("Repository"), ns, new JsonObject { ["metadata"] = new JsonObject { ["name"] = repository }, ["spec"] = new JsonObject { ["visibility"] = "private" } });
        foreach (var (name, repository) in new[] { ("web-one", "web"), ("web-two", "web"), ("api-one", "api") }) await core.CreateAsync(Kind("Issue"), ns, Issue(name, repository));
        return ns;
    }

    private static JsonObject Issue(string name, string repository) =>
        new() { ["metadata"] = new JsonObject { ["name"] = name }, ["spec"] = new JsonObject { ["repository"] = repository, ["title"] = name } };

    private static JsonObject Role(string name, string rule) =>
        new() { ["metadata"] = new JsonObject { ["name"] = name }, ["rules"] = new JsonArray(RbacRules.Write(RbacWorld.Rule(rule))) };

    private static JsonObject Binding(string name, string roleKind, string role, string user) => new()
    {
        ["metadata"] = new JsonObject { ["name"] = name },
        ["roleRef"] = new JsonObject { ["apiGroup"] = RbacRules.ApiGroup, ["kind"] = roleKind, ["name"] = role },
        ["subjects"] = new JsonArray(new JsonObject { ["apiGroup"] = RbacRules.ApiGroup, ["kind"] = "User", ["name"] = user }),
    };

    private Task<Resource> RoleAsync(string ns, string name, string rule) => core.CreateAsync(Kind("Role"), ns, Role(name, rule));

    private Task<Resource> BindAsync(string ns, string name, string roleKind, string role, string? user = null) => core.CreateAsync(Kind("RoleBinding"), ns, Binding(name, roleKind, role, user ?? mira.User));

    /// <summary>As the Repository reconciler will do for a private repository's readers.</summary>
    private async Task AllowRepositoryAsync(string ns, string repository)
    {
        await RoleAsync(ns, $"read-{repository}", $"get krate.a5c.ai repositories {repository}");
        await BindAsync(ns, $"read-{repository}", "Role", $"read-{repository}");
    }
}
