using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Kinds;
using Krate.Core.Resources;
using Krate.Tests.Testing;
using Xunit;

namespace Krate.Tests.Hosting;

/// <summary>The browser's way in, over real sockets.</summary>
public sealed class SignInTests : IAsyncLifetime
{
    private const string WhoAmI = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    private KrateServer krate = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => krate = await KrateServer.StartAsync();

    public ValueTask DisposeAsync() => krate.DisposeAsync();

    [Fact]
    public async Task The_button_makes_a_session_of_the_local_developer_and_registers_them()
    {
        var browser = krate.NewBrowser();

        var answer = await browser.SignInAsync("/orgs/acme?tab=teams");

        Assert.Equal((HttpStatusCode.Redirect, "/orgs/acme?tab=teams"), (answer.StatusCode, answer.Headers.Location!.ToString()));
        Assert.Equal(HttpStatusCode.OK, await ListAsync(browser));
        var user = await krate.Admin.GetFromJsonAsync<JsonObject>($"/apis/{WellKnown.GroupVersion}/namespaces/krate-system/users/local-developer", Ct);
        Assert.Equal("Local developer", user.Text("spec.displayName"));
    }

    [Theory]
    [InlineData("//evil.example/x")]
    [InlineData("/\\evil.example")]
    [InlineData("https://evil.example")]
    public async Task The_way_back_never_leads_elsewhere(string returnUrl)
    {
        var answer = await krate.NewBrowser().SignInAsync(returnUrl);

        Assert.Equal("/", answer.Headers.Location!.ToString());
    }

    [Fact]
    public async Task The_cookie_is_for_this_port_on_http_and_for_this_host_on_https()
    {
        var http = SessionCookie(await krate.NewBrowser().SignInAsync());
        var https = SessionCookie(await krate.NewBrowser(https: true).SignInAsync());

        Assert.StartsWith($"krate-{krate.Http.Port}=", http, StringComparison.Ordinal);
        Assert.StartsWith("__Host-krate=", https, StringComparison.Ordinal);
        foreach (var cookie in new[] { http, https })
        {
            Assert.Contains("httponly", cookie, StringComparison.OrdinalIgnoreCase);
            Assert.Contains("samesite=lax", cookie, StringComparison.OrdinalIgnoreCase);
            Assert.Contains("path=/", cookie, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain("domain=", cookie, StringComparison.OrdinalIgnoreCase);
            Assert.Equal(cookie == https, cookie.Contains("; secure", StringComparison.OrdinalIgnoreCase));
        }
    }

    [Fact]
    public async Task A_session_that_was_signed_out_is_dead_even_for_who_kept_its_cookie()
    {
        var browser = krate.NewBrowser();
        await browser.SignInAsync();
        var kept = browser.Cookies.Single(c => c.Name == $"krate-{krate.Http.Port}");

        var answer = await browser.PostAsync("/signout", await browser.FormOfAsync("/signin"));

        Assert.Equal("/signin", answer.Headers.Location!.ToString());
        using var thief = krate.NewClient(http: true);
        thief.DefaultRequestHeaders.Add("Cookie", $"{kept.Name}={kept.Value}");
        Assert.Equal(HttpStatusCode.Forbidden, (await thief.GetAsync(new Uri("/api/v1/namespaces", UriKind.Relative), Ct)).StatusCode);
    }

    [Fact]
    public async Task A_new_sign_in_never_takes_on_a_session_that_was_there()
    {
        var browser = krate.NewBrowser();
        await browser.SignInAsync();
        var first = browser.Cookies.Single(c => c.Name == $"krate-{krate.Http.Port}").Value;

        await browser.PostAsync("/signin/local", await browser.FormOfAsync("/signin"));

        Assert.NotEqual(first, browser.Cookies.Single(c => c.Name == $"krate-{krate.Http.Port}").Value);
    }

    [Fact]
    public async Task A_disabled_person_is_out_at_once()
    {
        var browser = krate.NewBrowser();
        await browser.SignInAsync();
        Assert.Equal(HttpStatusCode.OK, await ListAsync(browser));

        var users = KindTable.Catalog["User"];
        var gateway = krate.Service<IResourceGateway>();
        var admin = new Actor(WellKnown.AdminUser, [WellKnown.MastersGroup, WellKnown.AuthenticatedGroup]);
        var user = (await gateway.GetAsync(admin, users, WellKnown.PlatformNamespace, WellKnown.LocalDeveloper, Ct)).Edit();
        user.Set("spec.disabled", true);
        await gateway.UpdateAsync(admin, users, WellKnown.PlatformNamespace, WellKnown.LocalDeveloper, user, new WriteOptions(), Ct);

        Assert.Equal(HttpStatusCode.Forbidden, await ListAsync(browser));
    }

    [Fact]
    public async Task Forms_need_their_token_and_their_own_site()
    {
        var browser = krate.NewBrowser();
        var token = await browser.FormOfAsync("/signin");

        Assert.Equal(HttpStatusCode.BadRequest, (await browser.PostAsync("/signin/local", "forged")).StatusCode);
        foreach (var origin in new[] { "https://evil.example", $"http://127.0.0.1:{krate.Http.Port + 1}", "null", null })
        {
            browser.Client.DefaultRequestHeaders.Remove("Origin");
            if (origin is not null) browser.Client.DefaultRequestHeaders.Add("Origin", origin);
            Assert.Equal(HttpStatusCode.Forbidden, (await browser.PostAsync("/signin/local", token)).StatusCode);
        }

        Assert.DoesNotContain(browser.Cookies, c => c.Name == $"krate-{krate.Http.Port}");
    }

    [Fact]
    public async Task A_write_to_the_API_with_a_session_needs_the_antiforgery_header()
    {
        var browser = krate.NewBrowser();
        await browser.SignInAsync();
        var token = await browser.FormOfAsync("/signin");
        var review = new JsonObject { ["apiVersion"] = "authentication.k8s.io/v1", ["kind"] = "SelfSubjectReview" };

        var without = await browser.Client.PostAsJsonAsync(WhoAmI, review, Ct);
        browser.Client.DefaultRequestHeaders.Add("RequestVerificationToken", token);
        var with = await browser.Client.PostAsJsonAsync(WhoAmI, review, Ct);

        Assert.Equal(HttpStatusCode.Forbidden, without.StatusCode);
        Assert.Equal("local-developer", (await with.Content.ReadFromJsonAsync<JsonObject>(Ct)).Text("status.userInfo.username"));
    }

    [Fact]
    public async Task Sign_in_is_slowed_down()
    {
        await using var strict = await KrateServer.StartAsync(args: ["--Krate:Limits:SignInsPerMinute=1"]);
        var browser = strict.NewBrowser();
        var token = await browser.FormOfAsync("/signin");

        Assert.Equal(HttpStatusCode.Redirect, (await browser.PostAsync("/signin/local", token)).StatusCode);
        var slowed = await browser.PostAsync("/signin/local", token);
        Assert.Equal((HttpStatusCode.TooManyRequests, TimeSpan.FromSeconds(60)), (slowed.StatusCode, slowed.Headers.RetryAfter!.Delta!.Value));
        Assert.Equal(HttpStatusCode.TooManyRequests, (await browser.Client.GetAsync(new Uri("/signin/with/nobody", UriKind.Relative), Ct)).StatusCode);
    }

    private static string SessionCookie(HttpResponseMessage answer) => answer.Headers.GetValues("Set-Cookie").Single(c => !c.Contains("-af", StringComparison.Ordinal));

    private static async Task<HttpStatusCode> ListAsync(Browser browser)
    {
        using var answer = await browser.Client.GetAsync(new Uri("/api/v1/namespaces", UriKind.Relative), Ct);
        return answer.StatusCode;
    }
}
