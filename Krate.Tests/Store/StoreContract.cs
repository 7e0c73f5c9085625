using System.Text.Json.Nodes;
using Krate.Core.Resources;
using Krate.Core.Store;
using Krate.Tests.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Krate.Tests.Store;

/// <summary>What both databases promise. Each test has a database of its own.</summary>
public abstract partial class StoreContract(PostgresServer? postgres) : IAsyncLifetime
{
    protected const string Ns = "krate-org-acme";
    private readonly List<RelationalStore> open = [];
    private readonly string folder = Path.Combine(Path.GetTempPath(), $"krate-store-{Guid.NewGuid():N}");
    private string? connectionString;

    protected static CancellationToken Ct => TestContext.Current.CancellationToken;

    protected static KindDefinition Stack { get; } = new()
    {
        Kind = "AgentStack", Plural = "agentstacks", Group = WellKnown.ApiGroup, Version = WellKnown.ApiVersion, Scope = KindScope.Org,
        Description = "A stack.", SelectableFields = ["status.phase", "spec.repository", "spec.number", "spec.tags"], SpecType = typeof(StackSpec),
    };

    protected static KindDefinition Issue { get; } = new()
    {
        Kind = "Issue", Plural = "issues", Group = WellKnown.ApiGroup, Version = WellKnown.ApiVersion, Scope = KindScope.Org, Description = "An issue.", Numbered = true,
        SpecType = typeof(StackSpec), RepositoryPath = "spec.repository", SelectableFields = ["status.phase", "spec.repository", "spec.number", "spec.tags"],
    };

    protected static KindDefinition Run { get; } = new()
    {
        Kind = "Run", Plural = "runs", Group = WellKnown.ApiGroup, Version = WellKnown.ApiVersion, Scope = KindScope.Org, Description = "A run.", OrderedByCreation = true,
        SpecType = typeof(StackSpec), RepositoryPath = "spec.repository", SelectableFields = ["status.phase", "spec.repository", "spec.tags"],
    };

    protected static KindCatalog Catalog { get; } = new(
    [
        Stack, Issue, Run,
        new() { Kind = "AuditEvent", Plural = "auditevents", Group = WellKnown.ApiGroup, Version = WellKnown.ApiVersion, Scope = KindScope.Org, Description = "What happened.", ReadOnly = true },
    ]);

    protected sealed record StackSpec
    {
        public string? Repository { get; init; }

        public long? Number { get; init; }

        public IReadOnlyList<string>? Tags { get; init; }
    }

    protected FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));

    protected RelationalStore Store => open[0];

    protected StoreOptions Options => new() { DataDirectory = new DataDirectory(folder), PostgresConnectionString = connectionString };

    public async ValueTask InitializeAsync()
    {
        if (postgres is not null) connectionString = await postgres.CreateDatabaseAsync(Ct);
        await OpenAsync(Options);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var store in open) await store.DisposeAsync();
        if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Another process on the same database (PostgreSQL), or the same one after a restart.</summary>
    protected async Task<RelationalStore> OpenAsync(StoreOptions options)
    {
        var store = new RelationalStore(options, Catalog, Time, NullLogger<RelationalStore>.Instance);
        open.Add(store);
        await store.InitializeAsync(Ct);
        return store;
    }

    protected async Task<RelationalStore> ReopenAsync(StoreOptions options)
    {
        await Store.DisposeAsync();
        open.RemoveAt(0);
        return await OpenAsync(options);
    }

    protected static JsonObject Document(KindDefinition kind, string name, string ns = Ns, string? uid = null, JsonObject? spec = null, params (string, string)[] labels) => new()
    {
        ["apiVersion"] = kind.ApiVersion,
        ["kind"] = kind.Kind,
        ["metadata"] = new JsonObject
        {
            ["name"] = name,
            ["namespace"] = ns,
            ["uid"] = uid ?? Guid.NewGuid().ToString(),
            ["labels"] = new JsonObject(labels.Select(l => new KeyValuePair<string, JsonNode?>(l.Item1, l.Item2))),
        },
        ["spec"] = spec ?? [],
    };

    protected static CreateWrite Creating(string name, string ns = Ns, JsonObject? spec = null, params (string, string)[] labels) =>
        new(Stack, ns, name, Document(Stack, name, ns, null, spec, labels));

    protected static UpdateWrite Updating(Resource resource, Action<JsonObject> change)
    {
        var body = resource.Edit();
        change(body);
        body.Child("metadata").Remove("resourceVersion");
        return new(resource.Kind, resource.Namespace, resource.Name, resource.Uid, resource.Version, body);
    }

    protected static DeleteWrite Deleting(Resource resource) => new(resource.Kind, resource.Namespace, resource.Name, resource.Uid, resource.Version);

    protected async Task<Resource> CommitAsync(ResourceWrite write, IResourceStore? store = null) =>
        (await (store ?? Store).CommitAsync(new Commit { Writes = [write] }, Ct))[0];

    protected Task<Resource> CreateAsync(string name, string ns = Ns, JsonObject? spec = null, params (string, string)[] labels) =>
        CommitAsync(Creating(name, ns, spec, labels));

    protected Task<Resource> UpdateAsync(Resource resource, Action<JsonObject> change) => CommitAsync(Updating(resource, change));

    protected static async Task<ApiException> RefusedAsync(Func<Task> act) => await Assert.ThrowsAsync<ApiException>(act);
}
