using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Identity;
using Krate.Core.Kinds;
using Krate.Core.Resources;
using Krate.Core.Store;
using Krate.Tests.Repositories;
using Krate.Tests.Testing;
using Krate.Web.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Xunit;

namespace Krate.Tests.Hosting.SignIn;

/// <summary>What a provider needs, what it says of itself, and who may make one.</summary>
[Collection(typeof(SignInCollection))]
public sealed class AuthProviderTests(SignInWorld world)
{
    private const string Platform = WellKnown.PlatformNamespace;
    private static readonly KindDefinition Providers = KindTable.Catalog["AuthProvider"];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_provider_waits_for_its_Secret_and_then_says_what_its_discovery_document_says()
    {
        await CreateAsync("waiting", Spec(spec => spec["clientSecretRef"] = new JsonObject { ["name"] = "waited-for" }));
        var waiting = (await world.Krate.UntilAsync("AuthProvider", Platform, "waiting", p => p?.FindCondition("Ready")?.Reason == "SecretMissing"))!;
        Assert.Equal(("Pending", Condition.True), (waiting.Body.Text("status.phase"), waiting.FindCondition("DiscoveryResolved")!.Status));

        await world.CreateSecretAsync("waited-for");
        var ready = (await world.Krate.UntilAsync("AuthProvider", Platform, "waiting", GitWorld.IsReady))!;

        Assert.Equal(("Ready", world.Provider.Url + "/", world.Provider.Url + "/token"), (ready.Body.Text("status.phase"), ready.Body.Text("status.issuer"), ready.Body.Text("status.tokenEndpoint")));
        await world.Krate.Gateway.DeleteAsync(GitWorld.Admin, KindTable.Catalog["Secret"], Platform, "waited-for", new(), Ct);
        await world.Krate.UntilAsync("AuthProvider", Platform, "waiting", p => p?.Body.Text("status.phase") == "Degraded");
    }

    [Theory]
    [InlineData("http://localhost:{0}", "not encrypted")]
    [InlineData("https://localhost:{0}", "has not allowed")]
    [InlineData("http://127.0.0.1:{0}/elsewhere", "404")]
    [InlineData("http://127.0.0.1:1", "cannot be asked")]
    public async Task A_provider_that_cannot_be_asked_is_not_ready_and_says_why(string issuer, string why)
    {
        var name = "asked-" + Convert.ToHexStringLower(Guid.NewGuid().ToByteArray())[..8];
        await CreateAsync(name, Spec(spec => spec["issuer"] = string.Format(System.Globalization.CultureInfo.InvariantCulture, issuer, new Uri(world.Provider.Url).Port)));

        var provider = (await world.Krate.UntilAsync("AuthProvider", Platform, name, p => p?.FindCondition("Ready")?.Reason == "DiscoveryFailed"))!;

        Assert.Contains(why, provider.FindCondition("DiscoveryResolved")!.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("sane", "{type: headers, userHeader: X-User, trustedProxies: [10.0.0.0/40]}", "spec.trustedProxies[0]")]
    [InlineData("sane", "{type: headers, userHeader: 'X User', trustedProxies: [10.0.0.0/8]}", "spec.userHeader")]
    [InlineData("sane", "{type: oidc, issuer: 'https://me:word@login.example.com'}", "spec.issuer")]
    [InlineData("sane", "{type: saml}", "spec.type")]
    [InlineData("system", "{type: github}", "metadata.name")]
    [InlineData("krate", "{type: github}", "metadata.name")]
    public async Task What_cannot_be_a_provider_is_refused_with_the_field(string name, string spec, string field)
    {
        var refused = await Assert.ThrowsAsync<ApiException>(() => CreateAsync(name, Yaml.ParseObject(spec)));

        Assert.Equal((422, field), (refused.Code, refused.Causes[0].Field));
    }

    [Fact]
    public async Task Only_who_may_do_everything_says_how_people_sign_in_and_as_whom()
    {
        var rule = new JsonObject { ["apiGroups"] = new JsonArray(WellKnown.ApiGroup), ["resources"] = new JsonArray("authproviders", "identitymappings"), ["verbs"] = new JsonArray("*") };
        await CreateNativeAsync("Role", new() { ["rules"] = new JsonArray(rule) });
        await CreateNativeAsync("RoleBinding", new()
        {
            ["roleRef"] = new JsonObject { ["apiGroup"] = "rbac.authorization.k8s.io", ["kind"] = "Role", ["name"] = "sign-in-clerk" },
            ["subjects"] = new JsonArray(new JsonObject { ["apiGroup"] = "rbac.authorization.k8s.io", ["kind"] = "User", ["name"] = "maya" }),
        });
        var maya = world.Krate.ActorOf("maya");

        var provider = await Assert.ThrowsAsync<ApiException>(() => world.Krate.CreateAsync("AuthProvider", Platform, "mayas", Spec(), maya));
        var mapping = await Assert.ThrowsAsync<ApiException>(() => world.Krate.CreateAsync("IdentityMapping", Platform, "mayas", new() { ["user"] = "mira", ["provider"] = "acme-login", ["subject"] = "1" }, maya));

        Assert.Equal(("POLICY_DENIED", "POLICY_DENIED"), (provider.ProductCode, mapping.ProductCode));
    }

    [Fact]
    public async Task Nobody_but_Krate_says_where_a_provider_is()
    {
        var provider = (await world.Krate.FindAsync("AuthProvider", Platform, "acme-login"))!;
        var document = provider.Edit();
        document.Set("status.tokenEndpoint", "https://evil.example/token");

        var refused = await Assert.ThrowsAsync<ApiException>(() => world.Krate.Gateway.UpdateAsync(GitWorld.Admin, Providers, Platform, provider.Name, document, new() { Subresource = "status" }, Ct));

        Assert.Equal(403, refused.Code);
    }

    [Fact]
    public async Task A_Krate_that_others_reach_starts_with_a_provider_of_its_configuration_and_not_without_one_that_worked()
    {
        var folder = Directory.CreateTempSubdirectory("krate-signin-").FullName;
        string[] line = ["--urls=http://0.0.0.0:0", "--Krate:Data=" + Path.Combine(folder, "data"), "--Logging:LogLevel:Default=Warning"];
        string[] provider = ["--Krate:SignIn:Oidc:Issuer=https://login.example.com", "--Krate:SignIn:Oidc:ClientId=krate", "--Krate:SignIn:Oidc:ClientSecret=another-secret-9876543210"];
        try
        {
            // Everything that comes before the first listener, which is not opened here.
            await PrepareAsync([.. line, .. provider], async services =>
            {
                var made = await services.GetRequiredService<IResourceGateway>().GetAsync(GitWorld.Admin, Providers, Platform, "oidc", Ct);
                Assert.Equal(("https://login.example.com", "krate", "sign-in-oidc"), (made.Body.Text("spec.issuer"), made.Body.Text("spec.clientId"), made.Body.Text("spec.clientSecretRef.name")));
                Assert.False(services.GetRequiredService<IdentityResolver>().AllowsLocalDeveloper);
            });
            var refused = await Assert.ThrowsAsync<StartupException>(() => PrepareAsync(line, _ => Task.CompletedTask));
            Assert.Contains("no sign-in provider", refused.Message, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task PrepareAsync(string[] args, Func<IServiceProvider, Task> then)
    {
        await using var app = KrateHost.Build(args);
        await app.Services.GetServices<IHostedService>().OfType<Preparation>().Single().StartAsync(Ct);
        await then(app.Services);
    }

    private JsonObject Spec(Action<JsonObject>? more = null)
    {
        var spec = new JsonObject { ["type"] = "oidc", ["issuer"] = world.Provider.Url, ["clientId"] = IdentityProvider.ClientId };
        more?.Invoke(spec);
        return spec;
    }

    private Task<Resource> CreateAsync(string name, JsonObject spec) => world.Krate.CreateAsync("AuthProvider", Platform, name, spec);

    private Task<Resource> CreateNativeAsync(string kind, JsonObject document)
    {
        document["metadata"] = new JsonObject { ["name"] = "sign-in-clerk" };
        return world.Krate.Gateway.CreateAsync(GitWorld.Admin, KindTable.Catalog[kind], Platform, document, new(), Ct);
    }
}
