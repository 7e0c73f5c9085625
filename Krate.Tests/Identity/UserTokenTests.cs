using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Identity;
using Krate.Core.Kinds;
using Krate.Core.Resources;
using Krate.Tests.Testing;
using Xunit;

namespace Krate.Tests.Identity;

/// <summary>A person's own tokens, through the gateway: for themselves, for a time, and never written down.</summary>
public sealed class UserTokenTests(KrateCore core) : IClassFixture<KrateCore>
{
    private static int people;

    private static KindDefinition Users => KindTable.Catalog["User"];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_person_without_any_role_makes_a_token_that_is_them()
    {
        var (name, actor) = await NewPersonAsync();

        var answer = await MintAsync(actor, name, 3600);

        Assert.Equal("TokenRequest", answer.Text("kind"));
        var known = (await core.Authenticator.AuthenticateAsync(answer.Text("status.token")!, [], Ct))!;
        Assert.Equal(name, known.User);
        Assert.Equal(answer.Text("status.expirationTimestamp"), Timestamps.Format(known.ValidUntil!.Value));
    }

    [Theory]
    [InlineData("599")]
    [InlineData("43201")]
    [InlineData("-5")]
    [InlineData("\"soon\"")]
    public async Task A_lifetime_out_of_bounds_is_refused_naming_the_field(string seconds)
    {
        var (name, actor) = await NewPersonAsync();
        var body = KrateJson.ParseObject($$$"""{"spec":{"expirationSeconds":{{{seconds}}}}}""");

        var refusal = await Assert.ThrowsAsync<ApiException>(() => core.Gateway.ActAsync(actor, Users, WellKnown.PlatformNamespace, name, "token", body, Ct));

        Assert.Equal((422, "spec.expirationSeconds"), (refusal.Code, refusal.Causes.Single().Field));
    }

    [Theory]
    [InlineData("token")]
    [InlineData("revoke-tokens")]
    public async Task Nobody_does_it_for_another_and_a_hidden_User_is_answered_as_an_absent_one(string action)
    {
        var (other, _) = await NewPersonAsync();
        var (_, actor) = await NewPersonAsync();

        var hidden = await RefusalAsync(actor, other, action);
        var absent = await RefusalAsync(actor, "absent", action);
        Assert.Equal((404, absent.Message), (hidden.Code, hidden.Message.Replace(other, "absent", StringComparison.Ordinal)));

        var admin = await RefusalAsync(core.Admin, other, action);
        Assert.Equal(403, admin.Code);
        Assert.Contains("by the person whose they are", admin.Message, StringComparison.Ordinal);
        var impersonating = new Actor(other, [WellKnown.AuthenticatedGroup]) { Impersonator = core.Admin };
        Assert.Equal(403, (await RefusalAsync(impersonating, other, action)).Code);
    }

    [Fact]
    public async Task A_disabled_person_gets_none_and_what_they_had_ends()
    {
        var (name, actor) = await NewPersonAsync();
        var token = (await MintAsync(actor, name, 3600)).Text("status.token")!;

        await EditAsync(name, spec => spec["disabled"] = true);

        Assert.Equal(403, (await RefusalAsync(actor, name, "token")).Code);
        Assert.Null(await core.Authenticator.AuthenticateAsync(token, [], Ct));
    }

    [Fact]
    public async Task A_token_cannot_be_used_to_outlive_itself()
    {
        var (name, actor) = await NewPersonAsync();
        var first = (await core.Authenticator.AuthenticateAsync((await MintAsync(actor, name, 3600)).Text("status.token")!, [], Ct))!;

        Assert.NotNull((await MintAsync(first, name, 600)).Text("status.token"));
        var refusal = await Assert.ThrowsAsync<ApiException>(() => MintAsync(first, name, 7200));
        Assert.Equal((422, "spec.expirationSeconds"), (refusal.Code, refusal.Causes.Single().Field));
    }

    [Fact]
    public async Task Revoking_ends_all_tokens_of_the_person_and_of_nobody_else()
    {
        var (name, actor) = await NewPersonAsync();
        var (other, otherActor) = await NewPersonAsync();
        var mine = (await MintAsync(actor, name, 3600)).Text("status.token")!;
        var theirs = (await MintAsync(otherActor, other, 3600)).Text("status.token")!;

        var answer = await core.Gateway.ActAsync(actor, Users, WellKnown.PlatformNamespace, name, "revoke-tokens", null, Ct);

        var from = DateTimeOffset.Parse(answer.Text("spec.tokensValidFrom")!, CultureInfo.InvariantCulture);
        Assert.InRange(from, core.Now.AddSeconds(-30), core.Now.AddSeconds(2));
        Assert.Null(await core.Authenticator.AuthenticateAsync(mine, [], Ct));
        Assert.NotNull(await core.Authenticator.AuthenticateAsync(theirs, [], Ct));
        var user = await core.Gateway.GetAsync(core.Admin, Users, WellKnown.PlatformNamespace, name, Ct);
        Assert.Equal("A person", user.Body.Text("spec.displayName"));
    }

    [Fact]
    public async Task It_is_audited_without_the_token_and_the_token_is_in_no_file()
    {
        var (name, actor) = await NewPersonAsync();

        var token = (await MintAsync(actor, name, 3600)).Text("status.token")!;

        var audit = await core.Gateway.ListAsync(core.Admin, KindTable.Catalog["AuditEvent"], WellKnown.PlatformNamespace, new ListOptions(), Ct);
        var made = audit.Items.Single(e => e.Body.Text("spec.type") == "action.token" && e.Body.Text("spec.target.name") == name);
        Assert.Equal((name, "Allowed"), (made.Body.Text("spec.actor.name"), made.Body.Text("spec.decision")));
        Assert.Equal($"kubectl create --raw /apis/krate.a5c.ai/v1alpha1/namespaces/krate-system/users/{name}/token -f -", made.Body.Text("spec.metadata.kubectl"));
        Assert.Empty(core.FilesContaining(Encoding.ASCII.GetBytes(token.Split('.')[2])));
    }

    [Fact]
    public async Task More_than_a_few_in_a_minute_are_refused()
    {
        var (name, actor) = await NewPersonAsync();

        var codes = new List<int>();
        // Two windows at most, should a minute turn meanwhile.
        for (var i = 0; i <= 2 * OwnUser.MostPerMinute && !codes.Contains(429); i++)
        {
            try
            {
                await MintAsync(actor, name, 600);
            }
            catch (ApiException e)
            {
                codes.Add(e.Code);
            }
        }

        Assert.Equal([429], codes);
    }

    private Task<JsonObject> MintAsync(Actor actor, string name, long seconds) =>
        core.Gateway.ActAsync(actor, Users, WellKnown.PlatformNamespace, name, "token", new JsonObject { ["spec"] = new JsonObject { ["expirationSeconds"] = seconds } }, Ct);

    private Task<ApiException> RefusalAsync(Actor actor, string name, string action) =>
        Assert.ThrowsAsync<ApiException>(() => core.Gateway.ActAsync(actor, Users, WellKnown.PlatformNamespace, name, action, null, Ct));

    private async Task<(string Name, Actor Actor)> NewPersonAsync()
    {
        var name = $"holder-{Interlocked.Increment(ref people)}";
        var user = await core.CreateAsync(Users, WellKnown.PlatformNamespace, new JsonObject
        {
            ["metadata"] = new JsonObject { ["name"] = name },
            ["spec"] = new JsonObject { ["displayName"] = "A person", ["email"] = $"{name}@example.com" },
        });
        return (name, new Actor(name, [WellKnown.AuthenticatedGroup]) { Uid = user.Uid });
    }

    private async Task EditAsync(string name, Action<JsonObject> edit)
    {
        var user = (await core.Gateway.GetAsync(core.Admin, Users, WellKnown.PlatformNamespace, name, Ct)).Edit();
        edit(user.Child("spec"));
        await core.Gateway.UpdateAsync(core.Admin, Users, WellKnown.PlatformNamespace, name, user, new WriteOptions(), Ct);
    }
}
