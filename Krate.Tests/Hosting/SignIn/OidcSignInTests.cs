using System.Net;
using System.Text.Json.Nodes;
using Krate.Core.Resources;
using Krate.Tests.Repositories;
using Krate.Tests.Testing;
using Xunit;

namespace Krate.Tests.Hosting.SignIn;

[CollectionDefinition]
public sealed class SignInCollection : ICollectionFixture<SignInWorld>;

/// <summary>OpenID Connect from the button to the session, with a real provider and what a hostile one or a hostile browser may send.</summary>
[Collection(typeof(SignInCollection))]
public sealed class OidcSignInTests(SignInWorld world)
{
    private const string Platform = WellKnown.PlatformNamespace;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_first_sign_in_makes_a_User_and_a_session_with_the_groups_of_the_provider()
    {
        var (person, browser) = world.NewPerson(p => p with { Groups = ["crew", "system:masters"] });
        Assert.Contains("/signin/with/acme-login?returnUrl=%2Forgs%2Facme", await browser.Client.GetStringAsync(new Uri("/signin?returnUrl=/orgs/acme", UriKind.Relative), Ct), StringComparison.Ordinal);

        var answer = await SignInWorld.SignInAsync(browser, returnUrl: "/orgs/acme");

        Assert.Equal((HttpStatusCode.Redirect, "/orgs/acme"), (answer.StatusCode, answer.Headers.Location!.ToString()));
        var (user, groups) = await SignInWorld.WhoIsAsync(browser);
        Assert.Equal($"acme-login:{person.Login}", user);
        Assert.Equal(["acme-login:crew", "acme-login:system:masters", WellKnown.AuthenticatedGroup], groups.Order());
        var record = await world.UserOfAsync(person);
        Assert.Equal((user, person.Email, person.Login + " at work"), (record.Text("spec.username"), record.Text("spec.email"), record.Text("spec.displayName")));
    }

    [Fact]
    public async Task People_are_known_by_their_subject_whatever_their_name_and_address_become()
    {
        var (person, browser) = world.NewPerson(p => p with { Groups = ["crew"] });
        await SignInWorld.SignInAsync(browser);
        var first = await SignInWorld.WhoIsAsync(browser);

        world.Provider.People[person.Subject] = person with { Login = person.Login + "-renamed", Email = "other@acme.example", Groups = [] };
        await SignInWorld.SignInAsync(browser);

        Assert.Equal((first.User, WellKnown.AuthenticatedGroup), ((await SignInWorld.WhoIsAsync(browser)).User, (await SignInWorld.WhoIsAsync(browser)).Groups.Single()));
    }

    [Fact]
    public async Task The_same_name_is_another_User_for_another_subject_and_at_another_provider()
    {
        var (person, browser) = world.NewPerson();
        var (_, namesake) = world.NewPerson(p => p with { Login = person.Login });
        var other = await world.NewProviderAsync();

        await SignInWorld.SignInAsync(browser);
        await SignInWorld.SignInAsync(namesake);
        var elsewhere = world.BrowserOf(person);
        await SignInWorld.SignInAsync(elsewhere, other.Name);

        Assert.Equal($"acme-login:{person.Login}", (await SignInWorld.WhoIsAsync(browser)).User);
        Assert.StartsWith($"acme-login:{person.Login}-", (await SignInWorld.WhoIsAsync(namesake)).User, StringComparison.Ordinal);
        Assert.Equal($"{other.Name}:{person.Login}", (await SignInWorld.WhoIsAsync(elsewhere)).User);
    }

    [Fact]
    public async Task A_User_that_an_administrator_made_is_nobodys_for_its_name()
    {
        var (person, browser) = world.NewPerson();
        await world.Krate.CreateAsync("User", Platform, "made-before-" + person.Subject, new() { ["displayName"] = "x", ["email"] = person.Email, ["username"] = $"acme-login:{person.Login}", ["admin"] = true });

        await SignInWorld.SignInAsync(browser);

        var (user, groups) = await SignInWorld.WhoIsAsync(browser);
        Assert.NotEqual($"acme-login:{person.Login}", user);
        Assert.DoesNotContain(WellKnown.PlatformAdminsGroup, groups);
    }

    [Fact]
    public async Task A_provider_that_becomes_another_names_other_people()
    {
        await using var another = await IdentityProvider.StartAsync();
        var provider = await world.NewProviderAsync();
        var (person, browser) = world.NewPerson();
        another.People[person.Subject] = person;
        await SignInWorld.SignInAsync(browser, provider.Name);
        var first = (await SignInWorld.WhoIsAsync(browser)).User;

        var changed = provider.Edit();
        changed.Set("spec.issuer", another.Url);
        await world.Krate.Gateway.UpdateAsync(GitWorld.Admin, provider.Kind, Platform, provider.Name, changed, new(), Ct);
        await world.Krate.UntilAsync("AuthProvider", Platform, provider.Name, p => p?.Body.Text("status.issuer") == another.Url + "/");
        await SignInWorld.SignInAsync(browser, provider.Name);

        Assert.StartsWith(first + "-", (await SignInWorld.WhoIsAsync(browser)).User, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_disabled_person_does_not_come_in_again()
    {
        var (person, browser) = world.NewPerson();
        await SignInWorld.SignInAsync(browser);
        var user = new Resource(null!, (await world.UserOfAsync(person))!);
        var disabled = user.Edit();
        disabled.Set("spec.disabled", true);
        await world.Krate.Gateway.UpdateAsync(GitWorld.Admin, global::Krate.Core.Kinds.KindTable.Catalog["User"], Platform, user.Name, disabled, new(), Ct);

        var answer = await SignInWorld.SignInAsync(browser);

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Equal(WellKnown.AnonymousUser, (await SignInWorld.WhoIsAsync(browser)).User);

        browser.Client.DefaultRequestHeaders.Accept.ParseAdd("text/html");
        answer = await SignInWorld.SignInAsync(browser);
        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        var page = await answer.Content.ReadAsStringAsync(Ct);
        Assert.Contains("You are not signed in", page, StringComparison.Ordinal);
        Assert.Contains("may not sign in: the User is disabled", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_answer_is_taken_once_and_only_by_the_browser_that_asked_for_it()
    {
        var (_, browser) = world.NewPerson();
        var callback = await SignInWorld.CallbackAsync(browser);
        var (_, thief) = world.NewPerson();
        Assert.Equal(HttpStatusCode.Forbidden, (await thief.Client.GetAsync(callback, Ct)).StatusCode);

        var kept = browser.Cookies.Single(c => c.Name == $"krate-signin-{world.Krate.Server.Http.Port}");
        Assert.Equal(HttpStatusCode.Redirect, (await browser.Client.GetAsync(callback, Ct)).StatusCode);
        Assert.DoesNotContain(browser.Cookies, c => c.Name == kept.Name);
        thief.Keep(world.Krate.Server.Http.ToString(), kept.Name, kept.Value);
        var replayed = await thief.Client.GetAsync(callback, Ct);

        Assert.Equal(HttpStatusCode.Forbidden, replayed.StatusCode);
        Assert.Equal(WellKnown.AnonymousUser, (await SignInWorld.WhoIsAsync(thief)).User);
    }

    [Fact]
    public async Task A_code_of_another_sign_in_is_not_taken()
    {
        var (_, victim) = world.NewPerson();
        var (_, thief) = world.NewPerson();
        var stolen = System.Web.HttpUtility.ParseQueryString((await SignInWorld.CallbackAsync(victim)).Query)["code"]!;
        var own = await SignInWorld.CallbackAsync(thief);
        var query = System.Web.HttpUtility.ParseQueryString(own.Query);
        query["code"] = stolen;

        var answer = await thief.Client.GetAsync(new UriBuilder(own) { Query = query.ToString() }.Uri, Ct);

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Equal(WellKnown.AnonymousUser, (await SignInWorld.WhoIsAsync(thief)).User);
    }

    [Theory]
    [InlineData("state", "forged")]
    [InlineData("iss", "https://other.example/")]
    [InlineData("error", "access_denied")]
    public async Task An_answer_with_another_state_or_issuer_or_a_no_is_refused(string parameter, string value)
    {
        var (_, browser) = world.NewPerson();
        var callback = await SignInWorld.CallbackAsync(browser);
        var query = System.Web.HttpUtility.ParseQueryString(callback.Query);
        query[parameter] = value;

        var answer = await browser.Client.GetAsync(new UriBuilder(callback) { Query = query.ToString() }.Uri, Ct);

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Equal(WellKnown.AnonymousUser, (await SignInWorld.WhoIsAsync(browser)).User);
    }

    [Theory]
    [InlineData("nonce", "(nonce)")]
    [InlineData("audience", "InvalidAudience")]
    [InlineData("party", "another party")]
    [InlineData("issuer", "InvalidIssuer")]
    [InlineData("expired", "InvalidLifetime")]
    [InlineData("subject", "somebody else")]
    public async Task A_token_that_is_signed_for_somebody_else_is_refused(string mischief, string says)
    {
        var (person, browser) = world.NewPerson();
        var callback = await SignInWorld.CallbackAsync(browser);
        world.Provider.Mischief = (claims, token) =>
        {
            if (mischief == "nonce") claims["nonce"] = "of-another-sign-in";
            if (mischief == "party") claims["azp"] = "another-client";
            if (mischief == "subject") claims["sub"] = "1";
            if (mischief == "audience") { token.Audience = null; token.Audiences.Clear(); token.Audiences.Add("another-client"); claims.Remove("aud"); }
            if (mischief == "issuer") token.Issuer = "https://other.example/";
            if (mischief == "expired") (token.IssuedAt, token.NotBefore, token.Expires) = (token.IssuedAt - TimeSpan.FromHours(2), null, token.IssuedAt - TimeSpan.FromHours(1));
        };
        try
        {
            using var answer = await browser.Client.GetAsync(callback, Ct);
            Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
            Assert.Contains(says, await answer.Content.ReadAsStringAsync(Ct), StringComparison.Ordinal);
        }
        finally
        {
            world.Provider.Mischief = null;
        }

        Assert.Equal(WellKnown.AnonymousUser, (await SignInWorld.WhoIsAsync(browser)).User);
        Assert.Null(await world.UserOfAsync(person));
    }

    [Fact]
    public async Task A_provider_that_goes_meanwhile_lets_nobody_in_and_its_successor_takes_nothing_over()
    {
        var provider = await world.NewProviderAsync();
        var (_, browser) = world.NewPerson();
        var (_, late) = world.NewPerson();
        var (callback, lateCallback) = (await SignInWorld.CallbackAsync(browser, provider.Name), await SignInWorld.CallbackAsync(late, provider.Name));

        await world.Krate.Gateway.DeleteAsync(GitWorld.Admin, provider.Kind, Platform, provider.Name, new(), Ct);
        Assert.Equal(HttpStatusCode.NotFound, (await browser.Client.GetAsync(callback, Ct)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await browser.Client.GetAsync(new Uri($"/signin/with/{provider.Name}", UriKind.Relative), Ct)).StatusCode);
        Assert.DoesNotContain(provider.Name, await browser.Client.GetStringAsync(new Uri("/signin", UriKind.Relative), Ct), StringComparison.Ordinal);

        await world.NewProviderAsync(provider.Name);
        Assert.Equal(HttpStatusCode.Forbidden, (await late.Client.GetAsync(lateCallback, Ct)).StatusCode);
    }

    [Fact]
    public async Task Groups_of_a_provider_that_is_gone_count_no_more()
    {
        var provider = await world.NewProviderAsync();
        var (_, browser) = world.NewPerson(p => p with { Groups = ["crew"] });
        await SignInWorld.SignInAsync(browser, provider.Name);
        Assert.Contains($"{provider.Name}:crew", (await SignInWorld.WhoIsAsync(browser)).Groups);

        await world.Krate.Gateway.DeleteAsync(GitWorld.Admin, provider.Kind, Platform, provider.Name, new(), Ct);

        Assert.Equal([WellKnown.AuthenticatedGroup], (await SignInWorld.WhoIsAsync(browser)).Groups);
    }

    [Theory]
    [InlineData("allowedDomains", "ACME.example", true, "crew", true)]
    [InlineData("allowedDomains", "acme.example", false, "crew", false)]
    [InlineData("allowedDomains", "example", true, "crew", false)]
    [InlineData("allowedGroups", "crew", true, "crew", true)]
    [InlineData("allowedGroups", "crew", true, "guests", false)]
    public async Task A_provider_may_let_in_some_domains_or_groups_only(string field, string value, bool verified, string group, bool welcome)
    {
        var provider = await world.NewProviderAsync(more: spec => spec[field] = new JsonArray(value));
        var (person, browser) = world.NewPerson(p => p with { EmailVerified = verified, Groups = [group] });

        var answer = await SignInWorld.SignInAsync(browser, provider.Name);

        Assert.Equal(welcome ? HttpStatusCode.Redirect : HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Equal(welcome, await world.UserOfAsync(person, provider.Name) is not null);
    }

    [Fact]
    public async Task The_way_back_never_leads_elsewhere_and_an_old_session_is_not_taken_on()
    {
        var (_, browser) = world.NewPerson();
        var first = await SignInWorld.SignInAsync(browser, returnUrl: "//evil.example/x");
        var session = browser.Cookies.Single(c => c.Name == $"krate-{world.Krate.Server.Http.Port}").Value;
        await SignInWorld.SignInAsync(browser);

        Assert.Equal("/", first.Headers.Location!.ToString());
        Assert.NotEqual(session, browser.Cookies.Single(c => c.Name == $"krate-{world.Krate.Server.Http.Port}").Value);
    }

    [Fact]
    public async Task With_a_provider_nobody_is_the_local_developer()
    {
        var browser = world.Krate.Server.NewBrowser();
        Assert.DoesNotContain("local developer", await browser.Client.GetStringAsync(new Uri("/signin", UriKind.Relative), Ct), StringComparison.Ordinal);

        var (_, other) = world.NewPerson();
        await SignInWorld.SignInAsync(other);
        var answer = await other.PostAsync("/signin/local", await other.FormOfAsync("/signin"));

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
    }
}
