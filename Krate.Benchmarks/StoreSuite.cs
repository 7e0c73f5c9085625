using System.Globalization;
using Krate.Core.Kinds;
using Krate.Core.Resources;
using Krate.Core.Store;
using Krate.Tests.Testing;

namespace Krate.Benchmarks;

/// <summary>The store on both databases, each figure beside the bare ADO.NET that it should be near.</summary>
internal static class StoreSuite
{
    private const string Ns = "krate-org-acme";
    private const int Rounds = 5;
    private static readonly TimeSpan Length = TimeSpan.FromSeconds(2);

    public static async Task RunAsync(Report report, CancellationToken ct)
    {
        await RunAsync(report, CreatesAsync, ct);
        await RunAsync(report, ListsAsync, ct);
        await RunAsync(report, WatchesAsync, ct);
    }

    public static async Task RunAsync(Report report, Func<Report, Func<Task<StoreTarget>>, CancellationToken, Task> part, CancellationToken ct)
    {
        await using var server = new PostgresServer { Durable = true };
        await part(report, () => StoreTarget.SqliteAsync(ct), ct);
        await part(report, () => StoreTarget.PostgresAsync(server, ct), ct);
    }

    /// <summary>Reference and store take turns, so that a noisy moment of the machine hits both; medians of the rounds.</summary>
    public static async Task CreatesAsync(Report report, Func<Task<StoreTarget>> open, CancellationToken ct)
    {
        // What the bare writer logs is nobody's: it has a database of its own.
        await using var bare = await open();
        await using var target = await open();
        await using var writer = await BareWriter.OpenAsync(bare, ct);
        var rates = new Dictionary<string, List<double>>(StringComparer.Ordinal);
        for (var round = 0; round < Rounds; round++)
        {
            var ns = $"round{round}";
            Add("bare", await Measure.RateAsync(1, Length, (_, i) => writer.CreateAsync(ns, Name(0, i), "web", ct)));
            Add("plain", await Measure.RateAsync(1, Length, (w, i) => CreateAsync(target, ns + "plain", w, i, null, ct)));
            Add("audited", await Measure.RateAsync(1, Length, (w, i) => CreateAsync(target, ns + "audited", w, i, Audit, ct)));
            Add("plain16", await Measure.RateAsync(16, Length, (w, i) => CreateAsync(target, ns + "plain16", w, i, null, ct)));
            Add("audited16", await Measure.RateAsync(16, Length, (w, i) => CreateAsync(target, ns + "audited16", w, i, Audit, ct)));
        }

        report.Section($"{target.Name}: creates per second", "", "1 writer", "of the reference", "16 writers", "of its own 1-writer rate");
        var reference = Median("bare");
        report.Row("bare transaction (reference)", reference, "", target.IsPostgres ? await BareManyAsync(bare, ct) : "-", "");
        report.Row("store: create", Median("plain"), Percent(Median("plain"), reference), Median("plain16"), Percent(Median("plain16"), Median("plain")));
        report.Row("store: create with audit", Median("audited"), Percent(Median("audited"), reference), Median("audited16"), Percent(Median("audited16"), Median("audited")));

        void Add(string what, double rate) => (rates.TryGetValue(what, out var all) ? all : rates[what] = []).Add(rate);
        double Median(string what) => rates[what].Order().ElementAt(Rounds / 2);
    }

    private static async Task<double> BareManyAsync(StoreTarget target, CancellationToken ct)
    {
        var writers = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => BareWriter.OpenAsync(target, ct)));
        var rate = await Measure.RateAsync(16, Length, (w, i) => writers[w].CreateAsync("bare16", Name(w, i), "web", ct));
        foreach (var writer in writers) await writer.DisposeAsync();
        return rate;
    }

    private static Task<IReadOnlyList<Resource>> CreateAsync(StoreTarget target, string ns, int writer, int i, System.Text.Json.Nodes.JsonObject? audit, CancellationToken ct) =>
        target.Store.CommitAsync(new Commit { Writes = [StoreTarget.Creating(ns, Name(writer, i))], Audit = audit is null ? [] : [audit] }, ct);

    public static async Task ListsAsync(Report report, Func<Task<StoreTarget>> open, CancellationToken ct)
    {
        await using var target = await open();
        report.Section($"{target.Name}: one page of 500 by label, ms", "", "p50", "p99", "of the reference");
        await target.FillAsync(Ns, 100_000, ct);
        var query = new ListQuery(KindTable.Catalog["AgentStack"], Ns, Selector.Parse("app=a7"), Selector.Everything) { Limit = 500 };
        await using var reader = await BareReader.OpenAsync(target, ct);
        var raw = Measure.Percentiles(await Measure.TimesAsync(100, () => reader.PageAsync(Ns, "a7", serialise: false, ct)), 0.5, 0.99);
        report.Row("bare query, bodies copied as they are", raw[0], raw[1], "");
        var reference = Measure.Percentiles(await Measure.TimesAsync(100, () => reader.PageAsync(Ns, "a7", serialise: true, ct)), 0.5, 0.99);
        report.Row("bare query and serialisation (reference), 100,000 rows", reference[0], reference[1], "");
        await PageAsync(report, target, "store, 100,000 rows", query, reference[0], ct);
        var plain = new ListQuery(query.Kind, Ns) { Limit = 1000 };
        await PageAsync(report, target, "store, list of 1,000 without selector", plain, null, ct);

        await target.FillAsync("small", 1_000, ct);
        var small = query with { Namespace = "small", Labels = Selector.Parse("app=a7") };
        await PageAsync(report, target, "store, 50 of 1,000 beside 100,000 rows in another namespace", small, null, ct);
        await using var empty = await open();
        await empty.FillAsync("other", 1_000, ct);
        await empty.FillAsync("small", 1_000, ct);
        await PageAsync(report, empty, "store, 50 of 1,000 beside 1,000 rows in another namespace", small, null, ct);
    }

    private static async Task PageAsync(Report report, StoreTarget target, string what, ListQuery query, double? reference, CancellationToken ct)
    {
        var times = Measure.Percentiles(await Measure.TimesAsync(100, () => WriteAsync(target, query, ct)), 0.5, 0.99);
        report.Row(what, times[0], times[1], reference is { } r ? Percent(times[0], r) : "");
    }

    private static async Task WriteAsync(StoreTarget target, ListQuery query, CancellationToken ct)
    {
        var page = await target.Store.ListAsync(query, ct);
        using var answer = new MemoryStream();
        foreach (var item in page.Items) answer.Write(item.Utf8.Span);
        if (page.Items.Count == 0) throw new InvalidOperationException("an empty page proves nothing");
    }

    public static async Task WatchesAsync(Report report, Func<Task<StoreTarget>> open, CancellationToken ct)
    {
        await using var target = await open();
        report.Section($"{target.Name}: from the write call to delivery, ms", "watchers", "p50", "p99", "SQL statements per write");
        for (var i = 0; i < 200; i++) await target.Store.CommitAsync(new Commit { Writes = [StoreTarget.Creating("warm", Name(0, i))] }, ct);
        foreach (var watchers in new[] { 1, 50, 200 })
        {
            const int Writes = 500;
            var sent = new long[Writes];
            var first = target.Store.Feed.Latest + 1;
            var filter = new ChangeFilter([KindTable.Catalog["AgentStack"]], $"watch{watchers}");
            var deliveries = Enumerable.Range(0, watchers).Select(_ => DeliveriesAsync(target.Store.Feed.Subscribe(filter, null, ct), sent, first)).ToList();
            var statements = target.Store.CommandCount;
            for (var i = 0; i < Writes; i++)
            {
                sent[i] = Measure.Now;
                await target.Store.CommitAsync(new Commit { Writes = [StoreTarget.Creating($"watch{watchers}", Name(0, i))] }, ct);
            }

            var times = Measure.Percentiles([.. (await Task.WhenAll(deliveries)).SelectMany(d => d)], 0.5, 0.99);
            report.Row(watchers, times[0], times[1], (target.Store.CommandCount - statements) / (double)Writes);
        }
    }

    private static async Task<List<double>> DeliveriesAsync(IAsyncEnumerable<ChangeBatch> feed, long[] sent, long first)
    {
        var times = new List<double>();
        await foreach (var batch in feed)
        {
            foreach (var change in batch.Changes) times.Add(Measure.Since(sent[change.Version - first]).TotalMilliseconds);
            if (times.Count == sent.Length) break;
        }

        return times;
    }

    private static System.Text.Json.Nodes.JsonObject Audit { get; } = new()
    {
        ["apiVersion"] = WellKnown.GroupVersion,
        ["kind"] = "AuditEvent",
        ["metadata"] = new System.Text.Json.Nodes.JsonObject { ["namespace"] = Ns },
        ["spec"] = new System.Text.Json.Nodes.JsonObject
        {
            ["type"] = "resource.created",
            ["actor"] = new System.Text.Json.Nodes.JsonObject { ["kind"] = "User", ["name"] = "mira", ["groups"] = new System.Text.Json.Nodes.JsonArray("system:authenticated", "krate:org:acme") },
            ["target"] = new System.Text.Json.Nodes.JsonObject { ["kind"] = "AgentStack", ["namespace"] = Ns, ["name"] = "web" },
            ["decision"] = "Allowed",
            ["metadata"] = new System.Text.Json.Nodes.JsonObject { ["correlationId"] = "0123456789abcdef", ["kubectl"] = "kubectl -n krate-org-acme create -f -" },
        },
    };

    private static string Name(int writer, int i) => string.Create(CultureInfo.InvariantCulture, $"w{writer}-{i + 1_000_000_000}");

    private static string Percent(double value, double reference) => string.Create(CultureInfo.InvariantCulture, $"{100 * value / reference:N0} %");
}
