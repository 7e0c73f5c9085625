using System.Data.Common;
using System.Text.Json.Nodes;
using Krate.Core.Kinds;
using Krate.Core.Resources;
using Krate.Core.Store;
using Krate.Tests.Testing;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Krate.Benchmarks;

/// <summary>A fresh, migrated database with a store on it and bare connections beside it.</summary>
internal sealed class StoreTarget : IAsyncDisposable
{
    private readonly string folder = Path.Combine(Path.GetTempPath(), $"krate-bench-{Guid.NewGuid():N}");
    private readonly StoreOptions options;

    private StoreTarget(string name, string? connectionString)
    {
        Name = name;
        options = new StoreOptions { DataDirectory = new DataDirectory(folder), PostgresConnectionString = connectionString };
        Store = new RelationalStore(options, KindTable.Catalog, TimeProvider.System, NullLogger<RelationalStore>.Instance);
    }

    public string Name { get; }

    public RelationalStore Store { get; }

    public DataDirectory Data => options.DataDirectory;

    public bool IsPostgres => options.IsPostgres;

    public static async Task<StoreTarget> SqliteAsync(CancellationToken ct) => await OpenAsync(new StoreTarget("SQLite", null), ct);

    public static async Task<StoreTarget> PostgresAsync(PostgresServer server, CancellationToken ct) =>
        await OpenAsync(new StoreTarget("PostgreSQL", await server.CreateDatabaseAsync(ct)), ct);

    /// <summary>A connection of its own with the store's durability settings.</summary>
    public async Task<DbConnection> ConnectAsync(CancellationToken ct)
    {
        if (IsPostgres)
        {
            var postgres = new NpgsqlConnection(options.PostgresConnectionString);
            await postgres.OpenAsync(ct);
            return postgres;
        }

        var sqlite = new SqliteConnection($"Data Source={options.DataDirectory.Database};Pooling=False");
        await sqlite.OpenAsync(ct);
        await using var pragmas = sqlite.CreateCommand();
        pragmas.CommandText = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=30000; PRAGMA temp_store=MEMORY; PRAGMA mmap_size=268435456; PRAGMA cache_size=-32768;";
        await pragmas.ExecuteNonQueryAsync(ct);
        return sqlite;
    }

    /// <summary>About 1 kB with three labels, as a stack looks.</summary>
    public static JsonObject Document(string ns, string name, string app) => new()
    {
        ["apiVersion"] = WellKnown.GroupVersion,
        ["kind"] = "AgentStack",
        ["metadata"] = new JsonObject
        {
            ["name"] = name,
            ["namespace"] = ns,
            ["uid"] = Guid.NewGuid().ToString(),
            ["generation"] = 1,
            ["creationTimestamp"] = "2026-01-01T00:00:00Z",
            ["labels"] = new JsonObject { [WellKnown.OrgLabel] = "acme", [WellKnown.NamespaceLabel] = ns, ["app"] = app },
        },
        ["spec"] = new JsonObject
        {
            ["organizationRef"] = "acme",
            ["displayName"] = $"Stack {name}",
            ["systemPrompt"] = new string('p', 500),
            ["mcpServerRefs"] = new JsonArray("one", "two", "three"),
        },
    };

    public static CreateWrite Creating(string ns, string name, string app = "web") => new(KindTable.Catalog["AgentStack"], ns, name, Document(ns, name, app));

    public async Task FillAsync(string ns, int rows, CancellationToken ct)
    {
        foreach (var chunk in Enumerable.Range(0, rows).Chunk(200))
            await Store.CommitAsync(new Commit { Writes = [.. chunk.Select(i => Creating(ns, $"r{i:d6}", $"a{i % 20}"))] }, ct);
        if (!IsPostgres) return;
        await using var connection = await ConnectAsync(ct);
        await using var analyze = connection.CreateCommand();
        analyze.CommandText = "VACUUM ANALYZE resources; VACUUM ANALYZE resource_labels";
        foreach (var statement in analyze.CommandText.Split(';'))
        {
            analyze.CommandText = statement;
            await analyze.ExecuteNonQueryAsync(ct);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Store.DisposeAsync();
        if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
    }

    private static async Task<StoreTarget> OpenAsync(StoreTarget target, CancellationToken ct)
    {
        await target.Store.InitializeAsync(ct);
        return target;
    }
}
