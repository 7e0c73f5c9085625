using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Krate.Core.Kinds;
using Krate.Core.Resources;
using Krate.Core.Store;
using Krate.Tests.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Krate.Tests.Store;

/// <summary>A process that writes at full speed is killed (SIGKILL) twenty times at random moments.</summary>
public sealed class StoreCrashTests(PostgresServer postgres) : IDisposable
{
    private const string Ns = "krate-org-crash";
    private const int Kills = 20, Writers = 8;
    private readonly string folder = Path.Combine(Path.GetTempPath(), $"krate-crash-{Guid.NewGuid():N}");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public Task SQLite_keeps_every_acknowledged_write_and_nothing_by_halves() => KillAndLookAsync(null);

    [Fact]
    public async Task PostgreSQL_keeps_every_acknowledged_write_and_nothing_by_halves() => await KillAndLookAsync(await postgres.CreateDatabaseAsync(Ct));

    private async Task KillAndLookAsync(string? connectionString)
    {
        var random = new Random(20);
        var acknowledged = new ConcurrentDictionary<long, string>();
        for (var kill = 0; kill < Kills; kill++) await RunAndKillAsync($"k{kill}", connectionString, random.Next(1, 400), acknowledged);

        var options = new StoreOptions { DataDirectory = new DataDirectory(folder), PostgresConnectionString = connectionString };
        await using var store = new RelationalStore(options, KindTable.Catalog, TimeProvider.System, NullLogger<RelationalStore>.Instance);
        await store.InitializeAsync(Ct);
        var log = await LogAsync(store);
        TestContext.Current.SendDiagnosticMessage("{0} acknowledged, {1} written, {2} kills", acknowledged.Count, log.Count, Kills);

        // Every commit had one write and one audit row, so the two sequences run in step: neither came without the other.
        var audit = (await store.Audit.ListAsync(new ListQuery(KindTable.Catalog["AuditEvent"]), Ct)).Items.ToDictionary(r => r.Version, r => $"{r.Body.Text("spec.type")} {r.Body.Text("spec.target.name")}");
        Assert.Equal(log.ToDictionary(c => c.Version, Describe), audit);
        Assert.Null(await store.Audit.VerifyAsync(Ct));

        // What was acknowledged is there; what is there besides was on its way when the process died.
        Assert.All(acknowledged, a => Assert.Equal(a.Value, audit[a.Key]));
        Assert.InRange(log.Count - acknowledged.Count, 0, Kills * Writers);
        await AssertStateIsLogAsync(store, log);
    }

    private static string Describe(Change c) => $"{(c.Type == ChangeType.Added ? "CreateWrite" : c.Type == ChangeType.Modified ? "UpdateWrite" : "DeleteWrite")} {c.After.Name}";

    /// <summary>Rows, label index and Secret values are what the log says they must be.</summary>
    private static async Task AssertStateIsLogAsync(RelationalStore store, List<Change> log)
    {
        var live = new SortedDictionary<string, (Resource Resource, int Revision)>(StringComparer.Ordinal);
        foreach (var change in log)
        {
            if (change.Type == ChangeType.Deleted) live.Remove(change.After.Name);
            else live[change.After.Name] = (change.After, live.TryGetValue(change.After.Name, out var before) ? before.Revision + 1 : 1);
        }

        var kind = KindTable.Catalog["AgentStack"];
        var rows = (await store.ListAsync(new ListQuery(kind, Ns), Ct)).Items;
        Assert.Equal(live.Values.Select(l => Encoding.UTF8.GetString(l.Resource.Utf8.Span)), rows.Select(r => Encoding.UTF8.GetString(r.Utf8.Span)));
        foreach (var app in new[] { "web", "api" })
        {
            var byLabel = await store.ListAsync(new ListQuery(kind, Ns, Selector.Parse($"app={app}"), Selector.Everything), Ct);
            Assert.Equal(live.Values.Where(l => l.Resource.Label("app") == app).Select(l => l.Resource.Key), byLabel.Items.Select(r => r.Key));
        }

        var values = new SortedDictionary<string, string>(StringComparer.Ordinal);
        await foreach (var (uid, key, cipher) in store.ReadAllSecretValuesAsync(Ns, Ct)) values.Add($"{uid} {key}", Encoding.ASCII.GetString(cipher));
        Assert.Equal(live.Values.Select(l => $"{l.Resource.Name}/{l.Revision}").Order(StringComparer.Ordinal), values.Values.Order(StringComparer.Ordinal));
    }

    private static async Task<List<Change>> LogAsync(RelationalStore store)
    {
        var log = new List<Change>();
        if (store.Feed.Latest == 0) return log;
        await foreach (var batch in store.Feed.Subscribe(new ChangeFilter([KindTable.Catalog["AgentStack"]]), 0, Ct))
        {
            log.AddRange(batch.Changes);
            if (batch.Version == store.Feed.Latest) break;
        }

        Assert.Equal(Enumerable.Range(1, log.Count).Select(v => (long)v), log.Select(c => c.Version));
        return log;
    }

    private async Task RunAndKillAsync(string run, string? connectionString, int acknowledgedFirst, ConcurrentDictionary<long, string> acknowledged)
    {
        using var process = Process.Start(new ProcessStartInfo(WriterPath, [.. new[] { "crash-writer", run, folder, connectionString }.OfType<string>()]) { RedirectStandardOutput = true })!;
        try
        {
            // The moment is a number of acknowledgements: random for the store, the same for slow machines.
            var left = acknowledgedFirst;
            while (await process.StandardOutput.ReadLineAsync(Ct) is { } line)
            {
                Take(line);
                if (--left == 0) process.Kill();
            }
        }
        finally
        {
            if (!process.HasExited) process.Kill();
            await process.WaitForExitAsync(CancellationToken.None);
        }

        void Take(string line)
        {
            var parts = line.Split(' ', 2);
            Assert.True(acknowledged.TryAdd(long.Parse(parts[0], CultureInfo.InvariantCulture), parts[1]), $"version {parts[0]} was acknowledged twice");
        }
    }

    /// <summary>Built beside this assembly, in the same configuration.</summary>
    private static string WriterPath
    {
        get
        {
            var mine = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar));
            return Path.Combine(mine.Parent!.Parent!.FullName, "Krate.Benchmarks", mine.Name, "Krate.Benchmarks");
        }
    }
}
