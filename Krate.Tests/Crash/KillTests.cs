using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Krate.Core.Resources;
using Krate.Tests.Testing;
using Xunit;

namespace Krate.Tests.Crash;

/// <summary>
/// A real Krate under load is killed at random moments. Whatever it acknowledged is there afterwards with its audit row, and
/// nothing that nobody asked for is.
/// </summary>
public abstract class KillTests : IAsyncLifetime
{
    private const int Kills = 20;
    private const int Writers = 16;

    /// <summary>Writes until a process that has just started is at its speed.</summary>
    private const int WarmUp = 100;
    private const string Namespace = "default";
    private readonly string folder = Directory.CreateTempSubdirectory("krate-kill-").FullName;
    private readonly ConcurrentDictionary<string, Expected> expected = new(StringComparer.Ordinal);
    private int acknowledged;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public virtual ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public virtual ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        Directory.Delete(folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    protected async Task KilledTwentyTimesAsync(string? postgres)
    {
        var random = new Random(20260510);
        var data = Path.Combine(folder, "data");
        var rates = new List<double>();
        for (var kill = 0; kill < Kills; kill++)
        {
            await using var krate = await StartAsync(data, postgres);
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
            var run = kill;
            var warm = acknowledged + WarmUp;
            var target = warm + 50 + random.Next(150);
            var writers = Enumerable.Range(0, Writers).Select(w => WriteUntilCutAsync(krate, $"r{run}-w{w}", stop.Token)).ToList();
            await UntilAsync(warm, writers);
            var (from, since) = (Volatile.Read(ref acknowledged), Stopwatch.GetTimestamp());
            // The moment is random in what has been acknowledged, so that a slow machine is not killed before it wrote.
            await UntilAsync(target, writers);
            await krate.KillAsync();
            rates.Add((Volatile.Read(ref acknowledged) - from) / Stopwatch.GetElapsedTime(since).TotalSeconds);
            await stop.CancelAsync();
            await Task.WhenAll(writers);
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"Acknowledged writes per second before each kill: {string.Join(", ", rates.Select(r => $"{r:0}"))}");
        await using var survivor = await StartAsync(data, postgres);
        await CompareAsync(survivor);
    }

    private async Task UntilAsync(int writes, List<Task> writers)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(1));
        while (Volatile.Read(ref acknowledged) < writes && !writers.Any(w => w.IsFaulted)) await timer.WaitForNextTickAsync(Ct);
    }

    private static Task<KrateProcess> StartAsync(string data, string? postgres) =>
        KrateProcess.StartAsync(["dotnet", Path.Combine(AppContext.BaseDirectory, "Krate.Web.dll")], data, postgres, Ct);

    private static HttpClient Client(KrateProcess krate)
    {
        var client = new HttpClient { BaseAddress = krate.Http };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", krate.AdminToken());
        return client;
    }

    private static string Path1(string plural, string name) => $"/api/v1/namespaces/{Namespace}/{plural}{(name.Length > 0 ? "/" + name : "")}";

    /// <summary>Create, update, delete held by a finalizer, release, and Secrets, each remembered before and after its answer.</summary>
    private async Task WriteUntilCutAsync(KrateProcess krate, string prefix, CancellationToken ct)
    {
        using var client = Client(krate);
        try
        {
            for (var i = 0; ; i++)
            {
                var map = $"{prefix}-{i}";
                await SendAsync(client, HttpMethod.Post, "configmaps", map, Document("ConfigMap", map, "1", held: i % 3 == 0), "1", ct);
                await SendAsync(client, HttpMethod.Put, "configmaps", map, Document("ConfigMap", map, "2", held: i % 3 == 0), "2", ct);
                if (i % 3 == 0)
                {
                    await SendAsync(client, HttpMethod.Delete, "configmaps", map, [], "2", ct);
                    await SendAsync(client, HttpMethod.Put, "configmaps", map, Document("ConfigMap", map, "2", held: false), null, ct);
                }

                if (i % 4 == 0) await SendAsync(client, HttpMethod.Post, "secrets", $"s-{map}", Document("Secret", $"s-{map}", "1", held: false), "", ct);
            }
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException or IOException)
        {
            // Killed in the middle: what was on the way may or may not have happened.
        }
    }

    private async Task SendAsync(HttpClient client, HttpMethod method, string plural, string name, JsonObject body, string? value, CancellationToken ct)
    {
        var key = $"{plural}/{name}";
        var before = expected.TryGetValue(key, out var known) ? known : new Expected([null], 0);
        expected[key] = before with { Values = [.. before.Values, value] };
        using var request = new HttpRequestMessage(method, Path1(plural, method == HttpMethod.Post ? "" : name)) { Content = JsonContent.Create(body) };
        using var answer = await client.SendAsync(request, ct);
        await answer.Content.LoadIntoBufferAsync(ct);
        Assert.True(answer.IsSuccessStatusCode, $"{method} {key}: {answer.StatusCode} {await answer.Content.ReadAsStringAsync(ct)}");
        expected[key] = new Expected([value], before.Acknowledged + 1);
        Interlocked.Increment(ref acknowledged);
    }

    private static JsonObject Document(string kind, string name, string value, bool held)
    {
        var metadata = new JsonObject { ["name"] = name };
        if (held) metadata["finalizers"] = new JsonArray("example.com/hold");
        return new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = kind,
            ["metadata"] = metadata,
            [kind == "Secret" ? "stringData" : "data"] = new JsonObject { ["value"] = value },
        };
    }

    private async Task CompareAsync(KrateProcess krate)
    {
        using var client = Client(krate);
        var found = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var plural in new[] { "configmaps", "secrets" })
            foreach (var item in (await client.GetFromJsonAsync<JsonObject>(Path1(plural, ""), Ct))!["items"]!.AsArray())
                found[$"{plural}/{item.Text("metadata.name")}"] = plural == "configmaps" ? item.Text("data.value")! : "";

        foreach (var (key, want) in expected)
            Assert.True(want.Values.Contains(found.GetValueOrDefault(key)), $"{key} is {found.GetValueOrDefault(key) ?? "absent"}, acknowledged was one of [{string.Join(", ", want.Values.Select(v => v ?? "absent"))}]");
        Assert.DoesNotContain(found.Keys, k => k.Contains("/r", StringComparison.Ordinal) && !expected.ContainsKey(k));

        var rows = await AuditRowsAsync(client);
        foreach (var (key, want) in expected)
        {
            var count = rows.GetValueOrDefault(key);
            Assert.True(count >= want.Acknowledged && count <= want.Acknowledged + want.Values.Count - 1, $"{key}: {want.Acknowledged} writes were acknowledged, the audit log has {count}");
        }

        Assert.True(acknowledged > Kills * 50);
    }

    private static async Task<Dictionary<string, int>> AuditRowsAsync(HttpClient client)
    {
        var rows = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var next = ""; next is not null;)
        {
            var page = await client.GetFromJsonAsync<JsonObject>($"/apis/{WellKnown.GroupVersion}/namespaces/{Namespace}/auditevents?limit=2000&continue={Uri.EscapeDataString(next)}", Ct);
            foreach (var row in page!["items"]!.AsArray().Where(r => r.Text("spec.decision") == "Allowed"))
            {
                var key = $"{row.Text("spec.target.kind")!.ToLowerInvariant()}s/{row.Text("spec.target.name")}";
                rows[key] = rows.GetValueOrDefault(key) + 1;
            }

            next = page.Text("metadata.continue") is { Length: > 0 } more ? more : null;
        }

        return rows;
    }

    /// <param name="Values">Every value that may be there: the last acknowledged one, and those sent since without an answer. Null is absent.</param>
    /// <param name="Acknowledged">Writes with an answer.</param>
    private sealed record Expected(IReadOnlyList<string?> Values, int Acknowledged);
}

public sealed class SqliteKillTests : KillTests
{
    [Fact]
    public Task Every_acknowledged_write_survives_twenty_kills_on_SQLite() => KilledTwentyTimesAsync(null);
}

public sealed class PostgresKillTests(PostgresServer postgres) : KillTests
{
    [Fact]
    public async Task Every_acknowledged_write_survives_twenty_kills_on_PostgreSQL() =>
        await KilledTwentyTimesAsync(await postgres.CreateDatabaseAsync(TestContext.Current.CancellationToken));
}
