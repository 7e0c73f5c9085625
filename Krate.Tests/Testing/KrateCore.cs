using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Identity;
using Krate.Core.Kinds;
using Krate.Core.Resources;
using Krate.Core.Store;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Krate.Tests.Testing;

/// <summary>
/// Store and gateway without web or reconcilers, on SQLite in a folder of its own: what a test of the gateway needs. As a
/// class fixture, or one per test through <see cref="StartAsync"/> for another database.
/// </summary>
public class KrateCore : IAsyncLifetime
{
    private readonly string folder = Directory.CreateTempSubdirectory("krate-core-").FullName;
    private readonly string? postgres;
    private ServiceProvider services = null!;
    private int orgs;

    public KrateCore()
        : this(null)
    {
    }

    protected KrateCore(string? postgres) => this.postgres = postgres;

    public Actor Admin { get; } = new(WellKnown.AdminUser, [WellKnown.MastersGroup, WellKnown.AuthenticatedGroup]);

    public T Service<T>()
        where T : notnull => services.GetRequiredService<T>();

    public IResourceGateway Gateway => services.GetRequiredService<IResourceGateway>();

    public IAuthorizer Authorizer => services.GetRequiredService<IAuthorizer>();

    public IResourceStore Store => services.GetRequiredService<IResourceStore>();

    public SecretVault Vault => services.GetRequiredService<SecretVault>();

    public TokenIssuer Tokens => services.GetRequiredService<TokenIssuer>();

    public ITokenAuthenticator Authenticator => services.GetRequiredService<ITokenAuthenticator>();

    public DateTimeOffset Now => services.GetRequiredService<TimeProvider>().GetUtcNow();

    /// <summary>A running core; the caller disposes it.</summary>
    public static async Task<KrateCore> StartAsync(string? postgres = null)
    {
        var core = new KrateCore(postgres);
        await core.InitializeAsync();
        return core;
    }

    public async ValueTask InitializeAsync()
    {
        var ct = TestContext.Current.CancellationToken;
        var data = new DataDirectory(folder);
        data.Create();
        services = new ServiceCollection()
            .AddLogging()
            .AddSingleton(TimeProvider.System)
            .AddSingleton(KindTable.Catalog)
            .AddKrateStore(new StoreOptions { DataDirectory = data, PostgresConnectionString = postgres })
            .AddKrateGateway()
            .AddKrateIdentity(new IdentityOptions("https://krate.test", LocalDeveloper: true))
            .BuildServiceProvider(new ServiceProviderOptions { ValidateOnBuild = true, ValidateScopes = true });
        await services.GetRequiredService<RelationalStore>().InitializeAsync(ct);
        await GatewayServices.LoadAsync(services, ct);
        await services.GetRequiredService<BootstrapWriter>().EnsureAsync(Gateway, ct);
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await services.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>An organization with namespace and binding, as its reconciler would leave it.</summary>
    /// <returns>Its namespace.</returns>
    public async Task<string> NewOrgAsync()
    {
        var slug = $"org{Interlocked.Increment(ref orgs)}";
        var ns = WellKnown.OrgNamespace(slug);
        await CreateAsync(KindTable.Catalog["Organization"], WellKnown.PlatformNamespace, new JsonObject { ["metadata"] = new JsonObject { ["name"] = slug }, ["spec"] = new JsonObject() });
        await CreateAsync(KindTable.Catalog["Namespace"], "", new JsonObject { ["metadata"] = new JsonObject { ["name"] = ns } });
        await CreateAsync(KindTable.Catalog["OrgNamespaceBinding"], WellKnown.PlatformNamespace, new JsonObject
        {
            ["metadata"] = new JsonObject { ["name"] = slug },
            ["spec"] = new JsonObject { ["organizationRef"] = slug, ["namespace"] = ns },
        });
        return ns;
    }

    public Task<Resource> CreateAsync(KindDefinition kind, string ns, JsonObject document) =>
        Gateway.CreateAsync(Admin, kind, ns, document, new WriteOptions(), TestContext.Current.CancellationToken);

    /// <summary>Files of the data directory (database, WAL, keys, ...) that contain these bytes.</summary>
    public IReadOnlyList<string> FilesContaining(byte[] needle) =>
        [.. Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Where(f => !f.EndsWith("krate.lock", StringComparison.Ordinal) && ReadShared(f).AsSpan().IndexOf(needle) >= 0)];

    private static byte[] ReadShared(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var copy = new MemoryStream();
        file.CopyTo(copy);
        return copy.ToArray();
    }
}
