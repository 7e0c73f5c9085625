using System.Globalization;
using System.Security.Claims;
using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Identity;
using Krate.Core.Kinds;
using Krate.Core.Repositories;
using Krate.Core.Resources;
using Krate.Tests.Testing;
using Krate.Web.Hosting.SignIn;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.Extensions.Options;
using Xunit;

namespace Krate.Tests.Repositories;

/// <summary>A running Krate with the organization <c>acme</c> and people in it; each test makes repositories of its own.</summary>
public class GitWorld : IAsyncLifetime
{
    public const string Namespace = "krate-org-acme";
    private static int made;

    public KrateServer Server { get; private set; } = null!;

    public IResourceGateway Gateway => Server.Service<IResourceGateway>();

    public static Actor Admin { get; } = new(WellKnown.AdminUser, [WellKnown.MastersGroup, WellKnown.AuthenticatedGroup]);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        Server = await KrateServer.StartAsync(null, null, ["--Krate:Outbound:AllowedHosts=localhost", "--Krate:Imports:Roots=" + Path.GetTempPath(), .. Settings]);
        await CreateAsync("Organization", WellKnown.PlatformNamespace, "acme", new() { ["slug"] = "acme", ["displayName"] = "Acme" });
        await UntilAsync("Organization", WellKnown.PlatformNamespace, "acme", IsReady);
        foreach (var name in (string[])["mira", "lumi", "oskar", "maya", "max"])
            await CreateAsync("User", WellKnown.PlatformNamespace, name, new() { ["displayName"] = name, ["email"] = name + "@acme.example" });
        await CreateAsync("Team", Namespace, "core", new() { ["displayName"] = "Core", ["members"] = new JsonArray("mira", "lumi") });
    }

    /// <summary>More of the command line.</summary>
    protected virtual string[] Settings => [];

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await Server.DisposeAsync();
    }

    public static bool IsReady(Resource? r) => r?.FindCondition(Condition.Ready)?.Status == Condition.True;

    public Task<Resource> CreateAsync(string kind, string ns, string name, JsonObject spec, Actor? actor = null) =>
        Gateway.CreateAsync(actor ?? Admin, KindTable.Catalog[kind], ns, new JsonObject { ["metadata"] = new JsonObject { ["name"] = name }, ["spec"] = spec }, new WriteOptions(), Ct);

    /// <summary>A hosted repository.</summary>
    public async Task<Resource> NewRepositoryAsync(string visibility = "private", Action<JsonObject>? more = null, bool wait = true)
    {
        var spec = new JsonObject { ["visibility"] = visibility };
        more?.Invoke(spec);
        var repository = await CreateAsync("Repository", Namespace, $"repo-{Interlocked.Increment(ref made)}", spec);
        return wait ? (await UntilAsync("Repository", Namespace, repository.Name, IsReady))! : repository;
    }

    /// <summary>Gives somebody a level in a repository and waits until RBAC knows.</summary>
    public async Task PermitAsync(Resource repository, string user, string level)
    {
        var actor = ActorOf(user);
        await CreateAsync("RepositoryPermission", Namespace, $"{repository.Name}-{user}-{level}", new()
        {
            ["repository"] = repository.Name,
            ["subject"] = new JsonObject { ["kind"] = "user", ["name"] = user },
            ["permission"] = level,
        });
        var verb = RepositoryLevels.Verbs[level][^1];
        await UntilAsync("RoleBinding", Namespace, $"krate-repository-{repository.Name}-{level}", b => b?.Body["subjects"] is JsonArray s && s.Any(x => x.Text("name") == user));
        Assert.True(Server.Service<IAuthorizer>().Decide(actor, new AccessRequest { Verb = verb, Group = WellKnown.ApiGroup, Resource = "repositories", Namespace = Namespace, Name = repository.Name }).Allowed);
    }

    public Actor ActorOf(string user)
    {
        var verdict = Server.Service<IdentityResolver>().Resolve(new Credential(user, TimeProvider.System.GetUtcNow()));
        return verdict.Value ?? throw new InvalidOperationException(verdict.Reason);
    }

    public string TokenOf(string user) => user == WellKnown.AdminUser ? Server.AdminToken : Server.Service<TokenIssuer>().MintUser(user).Token;

    /// <summary>With a token for programs; pages know people by their session only.</summary>
    public HttpClient ClientOf(string user)
    {
        var client = Server.NewClient(TokenOf(user), http: true);
        client.DefaultRequestHeaders.Add("Cookie", SessionOf(user));
        return client;
    }

    /// <summary>The cookie that a sign-in of this person ends with.</summary>
    private string SessionOf(string user)
    {
        var principal = new ClaimsPrincipal(new ClaimsIdentity(
            [new("sub", user), new("sid", Guid.NewGuid().ToString("N")), new("iat", TimeProvider.System.GetUtcNow().ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture))], Sessions.Scheme, "sub", null));
        var ticket = new AuthenticationTicket(principal, new AuthenticationProperties { ExpiresUtc = TimeProvider.System.GetUtcNow() + Sessions.Lifetime }, Sessions.Scheme);
        var options = Server.Service<IOptionsMonitor<CookieAuthenticationOptions>>().Get(Sessions.Scheme);
        return string.Create(CultureInfo.InvariantCulture, $"krate-{Server.Http.Port}={options.TicketDataFormat.Protect(ticket)}");
    }

    /// <summary>Clone address over http with this person's token; null for nobody.</summary>
    public string UrlOf(string repository, string? user = WellKnown.AdminUser) =>
        user is null ? $"{Server.Http}git/acme/{repository}.git" : $"http://x:{TokenOf(user)}@127.0.0.1:{Server.Http.Port}/git/acme/{repository}.git";

    public string DirectoryOf(string repository) => Server.Service<RepositoryFiles>().DirectoryOf("acme", repository);

    public async Task<Resource?> FindAsync(string kind, string ns, string name)
    {
        try
        {
            return await Gateway.GetAsync(Admin, KindTable.Catalog[kind], ns, name, Ct);
        }
        catch (ApiException e) when (e.Code == 404)
        {
            return null;
        }
    }

    /// <summary>Follows one resource until it is as wanted; null stands for "gone".</summary>
    public async Task<Resource?> UntilAsync(string kind, string ns, string name, Func<Resource?, bool> wanted)
    {
        while (true)
        {
            try
            {
                var watch = new WatchOptions { Fields = Selector.Parse($"metadata.name={name}"), InitialEventsBookmark = true, Bookmarks = true };
                Resource? last = null;
                await foreach (var e in Gateway.WatchAsync(Admin, KindTable.Catalog[kind], ns, watch, Ct))
                {
                    if (e.Type == WatchEventType.Deleted) last = null;
                    else if (e.Resource is not null) last = e.Resource;
                    if ((e.Resource is not null || e.InitialEventsEnd) && wanted(last)) return last;
                }
            }
            catch (ApiException e) when (e.Code == 410)
            {
                // What the administrator may see has changed: it starts anew.
            }
        }
    }

    /// <summary>Audit events of a repository about refs or rules, oldest first.</summary>
    public async Task<IReadOnlyList<Resource>> EventsAsync(string repository, string prefix)
    {
        var found = new List<Resource>();
        string? next = null;
        do
        {
            var page = await Gateway.ListAsync(Admin, KindTable.Catalog["AuditEvent"], Namespace, new ListOptions { Limit = 500, Continue = next }, Ct);
            found.AddRange(page.Items.Where(e => e.Body.Text("spec.target.name") == repository && e.Body.Text("spec.type")!.StartsWith(prefix, StringComparison.Ordinal)));
            next = page.Continue;
        }
        while (next is not null);
        found.Reverse();
        return found;
    }
}

[CollectionDefinition]
public sealed class GitCollection : ICollectionFixture<GitWorld>;
