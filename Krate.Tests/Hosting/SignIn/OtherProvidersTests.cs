using System.Net;
using System.Text.Json.Nodes;
using Krate.Core.Resources;
using Krate.Tests.Testing;
using Xunit;

namespace Krate.Tests.Hosting.SignIn;

/// <summary>GitHub's flow against an API of its shape, and proxies that say who people are.</summary>
[Collection(typeof(SignInCollection))]
public sealed class OtherProvidersTests(SignInWorld world)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task GitHub_is_asked_for_person_addresses_and_organizations()
    {
        var provider = await NewGitHubAsync(spec => spec["scopes"] = new JsonArray("read:user", "user:email", "read:org"));
        var (person, browser) = world.NewPerson(p => p with { Groups = ["acme"] });

        var answer = await SignInWorld.SignInAsync(browser, provider.Name, "/inbox");

        Assert.Equal("/inbox", answer.Headers.Location?.ToString());
        Assert.Equal(($"{provider.Name}:{person.Login}", $"{provider.Name}:acme"), ((await SignInWorld.WhoIsAsync(browser)).User, (await SignInWorld.WhoIsAsync(browser)).Groups.First(g => g.EndsWith("acme", StringComparison.Ordinal))));
        Assert.Equal(person.Email, (await world.UserOfAsync(person, provider.Name)).Text("spec.email"));
    }

    [Fact]
    public async Task An_address_that_GitHub_has_not_verified_is_not_taken()
    {
        var provider = await NewGitHubAsync();
        var (person, browser) = world.NewPerson(p => p with { EmailVerified = false });

        await SignInWorld.SignInAsync(browser, provider.Name);

        Assert.EndsWith("@users.krate.invalid", (await world.UserOfAsync(person, provider.Name)).Text("spec.email"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_proxy_at_a_trusted_address_says_who_somebody_is()
    {
        var provider = await NewProxyAsync("127.0.0.0/8");
        var browser = world.Krate.Server.NewBrowser();
        browser.Client.DefaultRequestHeaders.Add("X-User", "kim");
        browser.Client.DefaultRequestHeaders.Add("X-Groups", "crew, system:masters");

        var answer = await browser.Client.GetAsync(new Uri($"/signin/with/{provider.Name}?returnUrl=/inbox", UriKind.Relative), Ct);

        Assert.Equal("/inbox", answer.Headers.Location?.ToString());
        var (user, groups) = await SignInWorld.WhoIsAsync(browser);
        Assert.Equal($"{provider.Name}:kim", user);
        Assert.Equal(new[] { $"{provider.Name}:crew", $"{provider.Name}:system:masters", WellKnown.AuthenticatedGroup }.Order(), groups.Order());
    }

    [Theory]
    [InlineData("10.0.0.0/8", "kim", null)]
    [InlineData("10.0.0.0/8", "kim", "10.0.0.1")]
    [InlineData("127.0.0.0/8", null, null)]
    [InlineData("127.0.0.0/8", "kim|max", null)]
    [InlineData("127.0.0.0/8", "no name", null)]
    public async Task Headers_from_elsewhere_or_of_nobody_are_refused(string trusted, string? user, string? forwardedFor)
    {
        var provider = await NewProxyAsync(trusted);
        var browser = world.Krate.Server.NewBrowser();
        if (user is not null) browser.Client.DefaultRequestHeaders.Add("X-User", user.Split('|'));
        foreach (var header in (string[])["X-Forwarded-For", "X-Real-IP", "Forwarded"])
            if (forwardedFor is not null) browser.Client.DefaultRequestHeaders.TryAddWithoutValidation(header, header == "Forwarded" ? "for=" + forwardedFor : forwardedFor);

        var answer = await browser.Client.GetAsync(new Uri("/signin/with/" + provider.Name, UriKind.Relative), Ct);

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.DoesNotContain(browser.Cookies, c => c.Name == $"krate-{world.Krate.Server.Http.Port}");
    }

    [Fact]
    public async Task The_headers_alone_make_nobody_of_a_request()
    {
        await NewProxyAsync("127.0.0.0/8");
        var browser = world.Krate.Server.NewBrowser();
        browser.Client.DefaultRequestHeaders.Add("X-User", "kim");

        Assert.Equal(WellKnown.AnonymousUser, (await SignInWorld.WhoIsAsync(browser)).User);
    }

    private Task<Resource> NewGitHubAsync(Action<JsonObject>? more = null) => world.NewProviderAsync(more: spec =>
    {
        spec["type"] = "github";
        spec.Remove("issuer");
        spec["authorizationEndpoint"] = world.Provider.Url + "/authorize";
        spec["tokenEndpoint"] = world.Provider.Url + "/token";
        spec["userInfoEndpoint"] = world.Provider.Url + "/user";
        more?.Invoke(spec);
    });

    private Task<Resource> NewProxyAsync(string trusted) => world.NewProviderAsync(more: spec =>
    {
        spec.Clear();
        spec["type"] = "headers";
        spec["userHeader"] = "X-User";
        spec["groupsHeader"] = "X-Groups";
        spec["trustedProxies"] = new JsonArray(trusted);
    });
}
