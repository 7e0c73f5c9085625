using Krate.Core.Gateway;
using Krate.Core.Resources;
using Xunit;

namespace Krate.Tests.Gateway;

public sealed class RbacAuthorizerTests
{
    private static readonly Actor Mira = new("mira", ["devs", WellKnown.AuthenticatedGroup]);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private static AccessRequest Ask(string verb, string resource, string ns = "acme", string name = "", string group = WellKnown.ApiGroup) =>
        new() { Verb = verb, Group = group, Resource = resource, Namespace = ns, Name = name };

    [Fact]
    public void Reasons_and_refusals_are_worded_as_Kubernetes_does()
    {
        var world = RbacWorld.Started()
            .Role("", "reader", "get krate.a5c.ai issues").Bind("acme", "devs-read", "ClusterRole/reader", "Group/devs")
            .Role("", "scraper", "get /metrics").Bind("", "scrape", "ClusterRole/scraper", "ServiceAccount/ops:prom");
        var authorizer = world.Authorizer;

        Assert.Equal(new AccessDecision(true, "RBAC: allowed by RoleBinding \"devs-read/acme\" of ClusterRole \"reader\" to Group \"devs\""), authorizer.Decide(Mira, Ask("get", "issues", name: "1")));
        Assert.Equal(
            new AccessDecision(true, "RBAC: allowed by ClusterRoleBinding \"scrape\" of ClusterRole \"scraper\" to ServiceAccount \"prom/ops\""),
            authorizer.Decide(new("system:serviceaccount:ops:prom", []), new() { Verb = "get", Path = "/metrics" }));
        Assert.Equal("User \"mira\" cannot list resource \"agentstacks\" in API group \"krate.a5c.ai\" in the namespace \"acme\"", authorizer.Decide(Mira, Ask("list", "agentstacks")).Reason);
        Assert.Equal("User \"mira\" cannot list resource \"issues\" in API group \"krate.a5c.ai\" at the cluster scope", authorizer.Decide(Mira, Ask("list", "issues", "")).Reason);
        Assert.Equal(
            "User \"mira\" cannot create resource \"serviceaccounts/token\" in API group \"\" in the namespace \"acme\"",
            authorizer.Decide(Mira, Ask("create", "serviceaccounts", group: "") with { Subresource = "token" }).Reason);
        Assert.Equal("User \"mira\" cannot get path \"/metrics\"", authorizer.Decide(Mira, new() { Verb = "get", Path = "/metrics" }).Reason);
    }

    [Fact]
    public void Masters_may_everything_and_a_binding_to_a_missing_role_gives_nothing()
    {
        var world = RbacWorld.Started().Bind("acme", "early", "Role/later", "User/mira");
        Assert.False(world.Authorizer.Decide(Mira, Ask("get", "issues")).Allowed);
        world.Role("acme", "later", "get krate.a5c.ai issues");
        Assert.True(world.Authorizer.Decide(Mira, Ask("get", "issues")).Allowed);
        Assert.False(world.Authorizer.Decide(Mira, Ask("get", "issues", "beta")).Allowed);

        var master = new Actor("anyone", [WellKnown.MastersGroup]);
        Assert.True(world.Authorizer.Decide(master, Ask("obliterate", "stars")).Allowed);
        Assert.True(world.Authorizer.Decide(master, new() { Verb = "get", Path = "/x" }).Allowed);
        Assert.Null(world.Authorizer.NamesAllowed(master, "get", WellKnown.ApiGroup, "repositories", "acme"));
    }

    [Fact]
    public void A_change_is_in_the_next_answer_also_when_it_came_while_starting()
    {
        var world = new RbacWorld().Role("", "r", "get krate.a5c.ai issues").Bind("acme", "b", "ClusterRole/r", "User/mira");
        world.Authorizer.Initialize();
        Assert.True(world.Authorizer.Decide(Mira, Ask("get", "issues")).Allowed);
        world.Role("", "r", "list krate.a5c.ai issues");
        Assert.False(world.Authorizer.Decide(Mira, Ask("get", "issues")).Allowed);
        Assert.True(world.Authorizer.Decide(Mira, Ask("list", "issues")).Allowed);
        world.Bind("acme", "b", "ClusterRole/r", "User/noor");
        Assert.False(world.Authorizer.Decide(Mira, Ask("list", "issues")).Allowed);
        world.Delete("RoleBinding", "acme", "b");
        Assert.False(world.Authorizer.Decide(new("noor", []), Ask("list", "issues")).Allowed);
    }

    [Fact]
    public void Names_gather_over_bindings_until_an_unnamed_rule_gives_all()
    {
        var world = RbacWorld.Started()
            .Role("acme", "web", "get,push krate.a5c.ai repositories web").Bind("acme", "web", "Role/web", "User/mira")
            .Role("acme", "api", "get krate.a5c.ai repositories api,docs").Bind("acme", "api", "Role/api", "Group/devs");
        IReadOnlySet<string>? Names(string verb, string ns = "acme") => world.Authorizer.NamesAllowed(Mira, verb, WellKnown.ApiGroup, "repositories", ns);

        Assert.Equal(["api", "docs", "web"], Names("get")!.Order());
        Assert.Equal(["web"], Names("push")!);
        Assert.Empty(Names("get", "beta")!);
        world.Role("", "admin", "* krate.a5c.ai *").Bind("acme", "admin", "ClusterRole/admin", "User/mira");
        Assert.Null(Names("get"));
    }

    [Fact]
    public void A_rule_of_very_many_resources_and_names_is_still_found()
    {
        var resources = string.Join(',', Enumerable.Range(0, 300).Select(i => $"r{i}"));
        var names = string.Join(',', Enumerable.Range(0, 300).Select(i => $"n{i}"));
        var world = RbacWorld.Started().Role("", "wide", $"get krate.a5c.ai {resources} {names}").Bind("acme", "wide", "ClusterRole/wide", "User/mira");
        Assert.True(world.Authorizer.Decide(Mira, Ask("get", "r299", name: "n299")).Allowed);
        Assert.False(world.Authorizer.Decide(Mira, Ask("get", "r299", name: "n300")).Allowed);
        Assert.Equal(300, world.Authorizer.NamesAllowed(Mira, "get", WellKnown.ApiGroup, "r7", "acme")!.Count);
    }

    public static TheoryData<string, bool> EpochMoves => new()
    {
        { "own binding removed", true },
        { "role of own binding changed", true },
        { "binding of own group added", true },
        { "added to a team", true },
        { "own user disabled", true },
        { "somebody else bound", false },
        { "own binding labelled", false },
        { "role of own binding labelled", false },
        { "unbound role changed", false },
        { "somebody else added to a team", false },
        { "team described anew", false },
        { "own user's status written", false },
    };

    [Theory]
    [MemberData(nameof(EpochMoves))]
    public void The_epoch_of_an_actor_moves_only_when_its_own_rights_may_have_changed(string what, bool moves)
    {
        var world = RbacWorld.Started()
            .Role("", "r", "get krate.a5c.ai issues").Role("", "unbound", "get krate.a5c.ai issues").Bind("acme", "b", "ClusterRole/r", "User/github:mira")
            .Put(User("mira", "github:mira", "false", "old")).Put(Team("noor", "one"));
        var actor = new Actor("github:mira", ["devs", WellKnown.AuthenticatedGroup]);
        var before = world.Authorizer.EpochOf(actor);
        switch (what)
        {
            case "own binding removed": world.Delete("RoleBinding", "acme", "b"); break;
            case "role of own binding changed": world.Role("", "r", "list krate.a5c.ai issues"); break;
            case "binding of own group added": world.Bind("beta", "g", "ClusterRole/r", "Group/devs"); break;
            case "added to a team": world.Put(Team("noor\",\"mira", "one")); break;
            case "own user disabled": world.Put(User("mira", "github:mira", "true", "old")); break;
            case "somebody else bound": world.Bind("acme", "other", "ClusterRole/r", "User/noor", "Group/ops"); break;
            case "own binding labelled": world.Put(Labelled(world, "RoleBinding", "acme", "b")); break;
            case "role of own binding labelled": world.Put(Labelled(world, "ClusterRole", "", "r")); break;
            case "unbound role changed": world.Role("", "unbound", "list krate.a5c.ai issues"); break;
            case "somebody else added to a team": world.Put(Team("noor\",\"lena", "one")); break;
            case "team described anew": world.Put(Team("noor", "two")); break;
            case "own user's status written": world.Put(User("mira", "github:mira", "false", "new")); break;
            default: Assert.Fail(what); break;
        }

        Assert.Equal(moves, world.Authorizer.EpochOf(actor) > before);
    }

    [Fact]
    public async Task Waiting_for_a_change_sleeps_through_others_and_wakes_for_ones_own()
    {
        var world = RbacWorld.Started().Role("", "r", "get krate.a5c.ai issues").Bind("acme", "b", "ClusterRole/r", "User/mira");
        var waiting = world.Authorizer.WaitForChangeAsync(Mira, world.Authorizer.EpochOf(Mira), Ct);
        world.Bind("acme", "other", "ClusterRole/r", "User/noor");
        Assert.False(waiting.IsCompleted);
        world.Delete("RoleBinding", "acme", "b");
        await waiting.WaitAsync(TimeSpan.FromSeconds(5), Ct);

        // Moved between the question and the wait: answered at once.
        await world.Authorizer.WaitForChangeAsync(Mira, 0, Ct);
    }

    [Fact]
    public async Task Readers_and_a_writer_at_once_never_see_a_gap_in_rights_that_stay()
    {
        var world = RbacWorld.Started().Role("", "r", "get krate.a5c.ai issues").Bind("acme", "b", "ClusterRole/r", "User/mira");
        using var stop = new CancellationTokenSource();
        var reader = Task.Run(() =>
        {
            var refused = 0;
            while (!stop.IsCancellationRequested)
                if (!world.Authorizer.Decide(Mira, Ask("get", "issues")).Allowed) refused++;
            return refused;
        }, Ct);
        for (var i = 0; i < 3000; i++)
        {
            world.Bind("acme", "b", "ClusterRole/r", i % 2 == 0 ? "Group/devs" : "User/mira");
            world.Role("", "r", $"get,v{i} krate.a5c.ai issues");
        }

        await stop.CancelAsync();
        Assert.Equal(0, await reader);
    }

    private static System.Text.Json.Nodes.JsonObject Labelled(RbacWorld world, string kind, string ns, string name)
    {
        var copy = world.All.Single(r => r.Key == new ResourceKey(kind, ns, name)).Edit();
        copy.Set("metadata.labels", new System.Text.Json.Nodes.JsonObject { ["a"] = "b" });
        return copy;
    }

    private static string User(string name, string username, string disabled, string status) =>
        $$$"""{"kind":"User","metadata":{"namespace":"krate-system","name":"{{{name}}}"},"spec":{"username":"{{{username}}}","disabled":{{{disabled}}} },"status":{"phase":"{{{status}}}"}}""";

    private static string Team(string members, string description) =>
        $$$"""{"kind":"Team","metadata":{"namespace":"acme","name":"core","labels":{"krate.a5c.ai/org":"acme"}},"spec":{"displayName":"{{{description}}}","members":["{{{members}}}"]}}""";
}
