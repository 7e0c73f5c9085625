using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Krate.Core.Resources;
using Krate.Tests.Repositories;
using Krate.Tests.Testing;
using Xunit;

namespace Krate.Tests.Hosting.SignIn;

/// <summary>A Krate with the organization <c>acme</c>, and a real provider beside it; each test makes people, and providers for what it changes.</summary>
public sealed class SignInWorld : IAsyncLifetime
{
    private const string Platform = WellKnown.PlatformNamespace;
    private static int made;
    private readonly Host host = new();

    /// <summary>For the organization and whoever looks on; its people have no provider.</summary>
    public GitWorld Krate => host;

    public IdentityProvider Provider { get; private set; } = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await host.InitializeAsync();
        Provider = await IdentityProvider.StartAsync();
        await CreateSecretAsync("client");
        await NewProviderAsync("acme-login", spec => spec["displayName"] = "Acme login");
    }

    public async ValueTask DisposeAsync()
    {
        await host.DisposeAsync();
        await Provider.DisposeAsync();
    }

    public Task<Resource> CreateSecretAsync(string name, string value = IdentityProvider.ClientSecret) => Krate.Gateway.CreateAsync(
        GitWorld.Admin,
        global::Krate.Core.Kinds.KindTable.Catalog["Secret"],
        Platform,
        new JsonObject { ["metadata"] = new JsonObject { ["name"] = name }, ["stringData"] = new JsonObject { ["secret"] = value } },
        new(),
        Ct);

    /// <summary>A provider that is ready.</summary>
    public async Task<Resource> NewProviderAsync(string? name = null, Action<JsonObject>? more = null)
    {
        var spec = new JsonObject { ["type"] = "oidc", ["issuer"] = Provider.Url, ["clientId"] = IdentityProvider.ClientId, ["clientSecretRef"] = new JsonObject { ["name"] = "client" } };
        more?.Invoke(spec);
        var provider = await Krate.CreateAsync("AuthProvider", Platform, name ?? $"provider-{Interlocked.Increment(ref made)}", spec);
        return (await Krate.UntilAsync("AuthProvider", Platform, provider.Name, GitWorld.IsReady))!;
    }

    /// <summary>Somebody who is signed in at the provider, with a browser.</summary>
    public (ProviderPerson Person, Browser Browser) NewPerson(Func<ProviderPerson, ProviderPerson>? more = null)
    {
        var number = Interlocked.Increment(ref made);
        var person = new ProviderPerson($"{1000 + number}", $"person{number}") { Email = $"person{number}@acme.example" };
        person = more?.Invoke(person) ?? person;
        Provider.People[person.Subject] = person;
        return (person, BrowserOf(person));
    }

    public Browser BrowserOf(ProviderPerson person)
    {
        var browser = Krate.Server.NewBrowser();
        browser.Keep(Provider.Url, "person", person.Subject);
        return browser;
    }

    /// <summary>To the provider and back, up to Krate's last answer.</summary>
    public static async Task<HttpResponseMessage> SignInAsync(Browser browser, string provider = "acme-login", string returnUrl = "/") =>
        await browser.Client.GetAsync(await CallbackAsync(browser, provider, returnUrl), Ct);

    /// <summary>Where the provider sends the browser, before it goes there.</summary>
    public static async Task<Uri> CallbackAsync(Browser browser, string provider = "acme-login", string returnUrl = "/")
    {
        var there = await browser.RedirectOfAsync($"/signin/with/{provider}?returnUrl={Uri.EscapeDataString(returnUrl)}");
        return await browser.RedirectOfAsync(there.ToString());
    }

    /// <summary>User name and groups; system:anonymous for who is not signed in.</summary>
    public static async Task<(string User, IReadOnlyList<string> Groups)> WhoIsAsync(Browser browser)
    {
        using var question = new HttpRequestMessage(HttpMethod.Post, new Uri("/apis/authentication.k8s.io/v1/selfsubjectreviews", UriKind.Relative))
        {
            Content = JsonContent.Create(new JsonObject { ["apiVersion"] = "authentication.k8s.io/v1", ["kind"] = "SelfSubjectReview" }),
        };
        question.Headers.Add("RequestVerificationToken", await browser.FormOrNothingAsync("/signin"));
        using var answer = await browser.Client.SendAsync(question, Ct);
        if (answer.StatusCode is HttpStatusCode.Forbidden or HttpStatusCode.Unauthorized) return (WellKnown.AnonymousUser, []);
        var review = await answer.Content.ReadFromJsonAsync<JsonObject>(Ct);
        return (review.Text("status.userInfo.username")!, [.. review.Texts("status.userInfo.groups")]);
    }

    public async Task<JsonObject?> UserOfAsync(ProviderPerson person, string provider = "acme-login")
    {
        var mappings = await Krate.Gateway.ListAsync(GitWorld.Admin, global::Krate.Core.Kinds.KindTable.Catalog["IdentityMapping"], Platform, new(), Ct);
        var mapping = mappings.Items.SingleOrDefault(m => m.Body.Text("spec.subject") == person.Subject && m.Body.Text("spec.provider") == provider);
        return mapping is null ? null : (await Krate.FindAsync("User", Platform, mapping.Body.Text("spec.user")!))?.Body;
    }

    private sealed class Host : GitWorld
    {
        protected override string[] Settings => ["--Krate:Outbound:AllowedHosts=127.0.0.1", "--Krate:Limits:SignInsPerMinute=10000"];
    }
}
