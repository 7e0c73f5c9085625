using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Krate.Core.Resources;
using Krate.Tests.Testing;
using Xunit;

namespace Krate.Tests.Crash;

/// <summary>Two Krate processes on one PostgreSQL are one control plane.</summary>
public sealed class ReplicaTests(PostgresServer postgres) : IAsyncLifetime
{
    private const int Writes = 5000;
    private const int Writers = 8;
    private const int Cuts = 50;
    private const string Maps = "/api/v1/namespaces/default/configmaps";
    private readonly string folder = Directory.CreateTempSubdirectory("krate-replicas-").FullName;
    private KrateProcess[] replicas = [];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var database = await postgres.CreateDatabaseAsync(Ct);
        var command = new[] { "dotnet", Path.Combine(AppContext.BaseDirectory, "Krate.Web.dll") };
        var data = Path.Combine(folder, "data");
        replicas = [await KrateProcess.StartAsync(command, data, database, Ct), await KrateProcess.StartAsync(command, data, database, Ct)];
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var replica in replicas) await replica.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Watchers_on_both_processes_and_one_that_is_cut_fifty_times_see_the_same_sequence()
    {
        using var first = Client(0);
        using var second = Client(1);
        var from = (await first.GetFromJsonAsync<JsonObject>(Maps, Ct)).Text("metadata.resourceVersion")!;
        var watching = new[] { WatchAsync([first], from, 0), WatchAsync([second], from, 0), WatchAsync([first, second], from, Cuts) };

        await Task.WhenAll(Enumerable.Range(0, Writers).Select(async w =>
        {
            var client = w % 2 == 0 ? first : second;
            for (var i = 0; i < Writes / Writers; i++)
            {
                // Made by one process and changed by the other.
                var map = new JsonObject { ["metadata"] = new JsonObject { ["name"] = $"w{w}-{i / 2}" }, ["data"] = new JsonObject { ["i"] = $"{i}" } };
                using var answer = i % 2 == 0
                    ? await client.PostAsJsonAsync(Maps, map, Ct)
                    : await (client == first ? second : first).PutAsJsonAsync($"{Maps}/w{w}-{i / 2}", map, Ct);
                Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(Ct));
            }
        }));

        var seen = await Task.WhenAll(watching);
        Assert.Equal(Writes, seen[0].Count);
        Assert.Equal(seen[0].Order(), seen[0]);
        Assert.Equal(seen[0], seen[1]);
        Assert.Equal(seen[0], seen[2]);
    }

    private HttpClient Client(int replica)
    {
        var client = new HttpClient { BaseAddress = replicas[replica].Http };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", replicas[replica].AdminToken());
        return client;
    }

    /// <summary>Versions in the order seen; the connection is dropped at <paramref name="cuts"/> random events and resumed on the next process.</summary>
    private static async Task<List<long>> WatchAsync(HttpClient[] clients, string from, int cuts)
    {
        var random = new Random(7);
        var cutAt = Enumerable.Range(0, cuts).Select(_ => random.Next(1, Writes)).ToHashSet();
        var versions = new List<long>();
        for (var turn = 0; versions.Count < Writes; turn++)
        {
            var last = versions.Count > 0 ? $"{versions[^1]}" : from;
            using var answer = await clients[turn % clients.Length].GetAsync($"{Maps}?watch=true&resourceVersion={last}", HttpCompletionOption.ResponseHeadersRead, Ct);
            using var lines = new StreamReader(await answer.Content.ReadAsStreamAsync(Ct));
            while (versions.Count < Writes && await lines.ReadLineAsync(Ct) is { } line)
            {
                var e = JsonNode.Parse(line)!;
                Assert.NotEqual("ERROR", e.Text("type"));
                versions.Add(long.Parse(e.Text("object.metadata.resourceVersion")!, System.Globalization.CultureInfo.InvariantCulture));
                if (cutAt.Remove(versions.Count)) break;
            }
        }

        return versions;
    }
}
