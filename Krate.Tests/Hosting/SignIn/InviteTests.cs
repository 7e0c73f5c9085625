using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Kinds;
using Krate.Core.Resources;
using Krate.Tests.Repositories;
using Krate.Tests.Testing;
using Xunit;

namespace Krate.Tests.Hosting.SignIn;

/// <summary>Who was invited becomes a member by signing in with the address, and nobody invites to more than they hold.</summary>
[Collection(typeof(SignInCollection))]
public sealed class InviteTests(SignInWorld world)
{
    private const string Ns = GitWorld.Namespace;
    private static int made;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_invite_is_accepted_with_its_verified_address_only_in_time_and_once()
    {
        var (stranger, strangers) = world.NewPerson(p => p with { EmailVerified = false });
        var (_, browser) = world.NewPerson(p => p with { Email = stranger.Email!.ToUpperInvariant() });
        var (_, late) = world.NewPerson(p => p with { Email = stranger.Email });
        var invite = await InviteAsync(stranger.Email!, "developer");
        await world.Krate.CreateAsync("Invite", Ns, $"invite-{Interlocked.Increment(ref made)}", new() { ["email"] = stranger.Email, ["role"] = "maintainer", ["expiresAt"] = "2026-01-01T00:00:00Z" });

        await SignInWorld.SignInAsync(strangers);
        Assert.DoesNotContain(WellKnown.OrgGroup("acme"), (await SignInWorld.WhoIsAsync(strangers)).Groups);
        Assert.Equal("Pending", (await world.Krate.FindAsync("Invite", Ns, invite.Name))!.Body.Text("status.phase"));

        await SignInWorld.SignInAsync(browser);
        var (user, groups) = await SignInWorld.WhoIsAsync(browser);
        Assert.Contains(WellKnown.TeamGroup("acme", "developers"), groups);
        Assert.DoesNotContain(WellKnown.TeamGroup("acme", "maintainers"), groups);
        var accepted = (await world.Krate.FindAsync("Invite", Ns, invite.Name))!;
        Assert.Equal(("Accepted", user), (accepted.Body.Text("status.phase"), (await world.Krate.FindAsync("User", WellKnown.PlatformNamespace, accepted.Body.Text("status.acceptedBy")!))!.Body.Text("spec.username")));

        await SignInWorld.SignInAsync(late);
        Assert.DoesNotContain(WellKnown.OrgGroup("acme"), (await SignInWorld.WhoIsAsync(late)).Groups);
    }

    [Fact]
    public async Task A_maintainer_maintains_and_an_owner_owns()
    {
        var (maintainer, one) = world.NewPerson();
        var (owner, other) = world.NewPerson();
        var inviter = await NewOwnerAsync();
        await InviteAsync(maintainer.Email!, "maintainer", inviter);
        await InviteAsync(owner.Email!, "owner", inviter);

        await SignInWorld.SignInAsync(one);
        await SignInWorld.SignInAsync(other);

        Assert.True(May($"acme-login:{maintainer.Login}", "create", "repositories"));
        Assert.False(May($"acme-login:{maintainer.Login}", "create", "teams"));
        Assert.True(May($"acme-login:{owner.Login}", "create", "teams"));
    }

    [Fact]
    public async Task Nobody_invites_to_more_than_they_hold_changes_an_invite_or_says_that_it_was_accepted()
    {
        var clerk = await NewUserAsync();
        await CreateNativeAsync("Role", clerk, new() { ["rules"] = new JsonArray(new JsonObject { ["apiGroups"] = new JsonArray(WellKnown.ApiGroup), ["resources"] = new JsonArray("invites", "invites/status"), ["verbs"] = new JsonArray("*") }) });
        await CreateNativeAsync("RoleBinding", clerk, new()
        {
            ["roleRef"] = new JsonObject { ["apiGroup"] = "rbac.authorization.k8s.io", ["kind"] = "Role", ["name"] = clerk },
            ["subjects"] = new JsonArray(new JsonObject { ["apiGroup"] = "rbac.authorization.k8s.io", ["kind"] = "User", ["name"] = clerk }),
        });
        var actor = world.Krate.ActorOf(clerk);

        foreach (var role in (string[])["owner", "maintainer", "developer"])
        {
            var refused = await Assert.ThrowsAsync<ApiException>(() => InviteAsync("a@acme.example", role, actor));
            Assert.Equal((403, "POLICY_DENIED"), (refused.Code, refused.ProductCode));
        }

        Assert.Equal(422, (await Assert.ThrowsAsync<ApiException>(() => InviteAsync("a@acme.example", "emperor"))).Code);
        var invite = await InviteAsync("b@acme.example", "developer");
        var changed = invite.Edit();
        changed.Set("spec.role", "owner");
        Assert.Equal(422, (await Assert.ThrowsAsync<ApiException>(() => world.Krate.Gateway.UpdateAsync(actor, invite.Kind, Ns, invite.Name, changed, new(), Ct))).Code);
        var done = invite.Edit();
        done.Set("status.phase", "Accepted");
        Assert.Equal(403, (await Assert.ThrowsAsync<ApiException>(() => world.Krate.Gateway.UpdateAsync(actor, invite.Kind, Ns, invite.Name, done, new() { Subresource = "status" }, Ct))).Code);
    }

    private Task<Resource> InviteAsync(string email, string role, Actor? actor = null) =>
        world.Krate.CreateAsync("Invite", Ns, $"invite-{Interlocked.Increment(ref made)}", new() { ["email"] = email, ["role"] = role }, actor);

    private async Task<string> NewUserAsync()
    {
        var name = $"inviter-{Interlocked.Increment(ref made)}";
        await world.Krate.CreateAsync("User", WellKnown.PlatformNamespace, name, new() { ["displayName"] = name, ["email"] = name + "@acme.example" });
        return name;
    }

    private async Task<Actor> NewOwnerAsync()
    {
        var name = await NewUserAsync();
        var owners = (await world.Krate.FindAsync("Team", Ns, "owners"))!;
        var document = owners.Edit();
        document.Set("spec.members", new JsonArray([.. owners.Body.Texts("spec.members").Append(name).Select(m => (JsonNode)m)]));
        await world.Krate.Gateway.UpdateAsync(GitWorld.Admin, owners.Kind, Ns, owners.Name, document, new(), Ct);
        return world.Krate.ActorOf(name);
    }

    private Task<Resource> CreateNativeAsync(string kind, string name, JsonObject document)
    {
        document["metadata"] = new JsonObject { ["name"] = name };
        return world.Krate.Gateway.CreateAsync(GitWorld.Admin, KindTable.Catalog[kind], Ns, document, new(), Ct);
    }

    private bool May(string user, string verb, string resource) => world.Krate.Server.Service<IAuthorizer>()
        .Decide(world.Krate.ActorOf(user), new AccessRequest { Verb = verb, Group = WellKnown.ApiGroup, Resource = resource, Namespace = Ns }).Allowed;
}
