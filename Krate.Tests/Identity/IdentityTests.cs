using System.Globalization;
using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Kinds;
using Krate.Core.Resources;
using Krate.Tests.Testing;
using Xunit;

namespace Krate.Tests.Identity;

/// <summary>A token says who; what that means is looked up in the resources of this moment.</summary>
public sealed class IdentityTests(KrateCore core) : IClassFixture<KrateCore>
{
    private static int people;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_person_has_the_groups_of_their_teams_from_the_moment_they_are_in()
    {
        var ns = await core.NewOrgAsync();
        var org = ns["krate-org-".Length..];
        var name = await NewUserAsync();
        var token = core.Tokens.MintUser(name).Token;
        Assert.Equal([WellKnown.AuthenticatedGroup], (await ActorAsync(token))!.Groups);

        var team = await core.CreateAsync(Kind("Team"), ns, Document("core", new JsonObject { ["displayName"] = "Core", ["members"] = new JsonArray(name) }));
        Assert.Equal([WellKnown.AuthenticatedGroup, WellKnown.OrgGroup(org), WellKnown.TeamGroup(org, "core")], (await ActorAsync(token))!.Groups);

        var without = team.Edit();
        without.Set("spec.members", new JsonArray());
        await core.Gateway.UpdateAsync(core.Admin, Kind("Team"), ns, "core", without, new WriteOptions(), Ct);
        Assert.Equal([WellKnown.AuthenticatedGroup], (await ActorAsync(token))!.Groups);
    }

    [Fact]
    public async Task A_maintainer_is_a_member_and_a_provider_name_reaches_the_teams_of_its_User()
    {
        var ns = await core.NewOrgAsync();
        var name = await NewUserAsync(new JsonObject { ["username"] = "github:mira" });
        await core.CreateAsync(Kind("Team"), ns, Document("a", new JsonObject { ["displayName"] = "A", ["maintainers"] = new JsonArray(name) }));
        await core.CreateAsync(Kind("Team"), ns, Document("b", new JsonObject { ["displayName"] = "B", ["members"] = new JsonArray("github:mira") }));

        var groups = (await ActorAsync(core.Tokens.MintUser("github:mira").Token))!.Groups;

        var org = ns["krate-org-".Length..];
        Assert.Equal([WellKnown.OrgGroup(org), WellKnown.TeamGroup(org, "a"), WellKnown.TeamGroup(org, "b"), WellKnown.AuthenticatedGroup], groups.Order());
        Assert.Null(await ActorAsync(core.Tokens.MintUser(name).Token));
    }

    [Fact]
    public async Task A_disabled_person_and_a_stranger_are_nobody()
    {
        var name = await NewUserAsync();
        var token = core.Tokens.MintUser(name).Token;
        Assert.NotNull(await ActorAsync(token));

        await EditUserAsync(name, spec => spec["disabled"] = true);
        Assert.Null(await ActorAsync(token));
        Assert.Null(await ActorAsync(core.Tokens.MintUser("nobody-knows").Token));
    }

    [Fact]
    public async Task Tokens_of_before_tokensValidFrom_are_worthless()
    {
        var name = await NewUserAsync();
        var token = core.Tokens.MintUser(name).Token;

        await EditUserAsync(name, spec => spec["tokensValidFrom"] = Stamp(core.Now.AddHours(-1)));
        Assert.NotNull(await ActorAsync(token));
        await EditUserAsync(name, spec => spec["tokensValidFrom"] = Stamp(core.Now.AddMinutes(1)));
        Assert.Null(await ActorAsync(token));
    }

    [Fact]
    public async Task A_re_created_service_account_inherits_nothing()
    {
        var ns = await core.NewOrgAsync();
        var accounts = Kind("ServiceAccount");
        var first = await core.CreateAsync(accounts, ns, new JsonObject { ["metadata"] = new JsonObject { ["name"] = "runner" } });
        var token = (await core.Tokens.MintServiceAccountAsync(first, [], null)).Token;
        var actor = (await ActorAsync(token))!;
        Assert.Equal($"system:serviceaccount:{ns}:runner", actor.User);
        Assert.Equal(first.Uid, actor.Uid);
        Assert.Equal(["system:serviceaccounts", $"system:serviceaccounts:{ns}", WellKnown.AuthenticatedGroup], actor.Groups);

        await core.Gateway.DeleteAsync(core.Admin, accounts, ns, "runner", new DeleteOptions(), Ct);
        Assert.Null(await ActorAsync(token));
        await core.CreateAsync(accounts, ns, new JsonObject { ["metadata"] = new JsonObject { ["name"] = "runner" } });
        Assert.Null(await ActorAsync(token));
    }

    [Fact]
    public async Task Only_the_admin_credential_is_in_system_masters()
    {
        var admin = (await ActorAsync(core.Tokens.MintAdmin().Token))!;

        Assert.Equal((WellKnown.AdminUser, true), (admin.User, admin.InGroup(WellKnown.MastersGroup)));
        var local = (await ActorAsync(core.Tokens.MintUser(WellKnown.LocalDeveloper).Token))!;
        Assert.Equal([WellKnown.AuthenticatedGroup, WellKnown.PlatformAdminsGroup], local.Groups);
    }

    private static KindDefinition Kind(string name) => KindTable.Catalog[name];

    private static string Stamp(DateTimeOffset time) => time.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static JsonObject Document(string name, JsonObject spec) => new() { ["metadata"] = new JsonObject { ["name"] = name }, ["spec"] = spec };

    private async Task<string> NewUserAsync(JsonObject? more = null)
    {
        var name = $"person-{Interlocked.Increment(ref people)}";
        var spec = more ?? [];
        spec["displayName"] = "A person";
        spec["email"] = $"{name}@example.com";
        await core.CreateAsync(Kind("User"), WellKnown.PlatformNamespace, Document(name, spec));
        return name;
    }

    private async Task EditUserAsync(string name, Action<JsonObject> edit)
    {
        var user = (await core.Gateway.GetAsync(core.Admin, Kind("User"), WellKnown.PlatformNamespace, name, Ct)).Edit();
        edit(user.Child("spec"));
        await core.Gateway.UpdateAsync(core.Admin, Kind("User"), WellKnown.PlatformNamespace, name, user, new WriteOptions(), Ct);
    }

    private Task<Actor?> ActorAsync(string token) => core.Authenticator.AuthenticateAsync(token, [], Ct);
}
