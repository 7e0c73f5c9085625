using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Krate.Core.Resources;
using Krate.Tests.Hooks;
using Krate.Tests.Testing;
using Xunit;

namespace Krate.Tests.Crash;

/// <summary>Krate killed between changes and their deliveries, and between answers and their records: what happened is told, under one name, and nothing else is.</summary>
public sealed class WebhookKillTests
{
    private const int Kills = 2;
    private const int Writers = 4;
    private const string Api = "/apis/krate.a5c.ai/v1alpha1/namespaces";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_acknowledged_change_is_told_under_one_name_however_often_Krate_is_killed()
    {
        using var data = new TempData();
        await using var receiver = await Receiver.StartAsync();
        string[] command = ["dotnet", Path.Combine(AppContext.BaseDirectory, "Krate.Web.dll"), "--Krate:Outbound:AllowedHosts=localhost"];
        var acknowledged = new System.Collections.Concurrent.ConcurrentDictionary<string, bool>(StringComparer.Ordinal);
        for (var kill = 0; kill < Kills; kill++)
        {
            await using var krate = await KrateProcess.StartAsync(command, data.Directory.Path, null, Ct);
            using var client = Client(krate);
            if (kill == 0) await SubscribeAsync(client, receiver.UrlOf("hook"));
            // The first are answered and may not have been recorded; the others wait until nobody is there any more.
            var answered = 0;
            receiver.Answers["hook"] = async c =>
            {
                if (Interlocked.Increment(ref answered) > 3) await Task.Delay(Timeout.Infinite, c.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
                c.Response.StatusCode = 204;
            };
            var writing = Enumerable.Range(0, Writers).Select(w => WriteAsync(client, $"{kill}-{w}", acknowledged)).ToList();
            await UntilAsync(() => Volatile.Read(ref answered) > 5 && acknowledged.Count > (kill + 1) * 10);
            await krate.KillAsync();
            await Task.WhenAll(writing);
        }

        receiver.Answers.Clear();
        await using var last = await KrateProcess.StartAsync(command, data.Directory.Path, null, Ct);
        using var reader = Client(last);
        JsonArray deliveries = [];
        await UntilAsync(async () => (deliveries = await DeliveriesAsync(reader)).All(d => d.Text("status.phase") == "succeeded"));

        var told = new Dictionary<string, string>(StringComparer.Ordinal);
        while (receiver.Waiting("hook") > 0)
        {
            var got = await receiver.NextAsync("hook", Ct);
            told[got.Delivery] = got.Json.Text("resource.metadata.name")!;
        }

        var issues = (await reader.GetFromJsonAsync<JsonObject>($"{Api}/krate-org-acme/issues", Ct))!["items"]!.AsArray().Select(i => i.Text("metadata.name")!).Order(StringComparer.Ordinal).ToList();
        Assert.Subset(issues.ToHashSet(), acknowledged.Keys.ToHashSet());
        Assert.Equal(issues, told.Values.Order(StringComparer.Ordinal));
        Assert.Equal(deliveries.Select(d => d.Text("metadata.name")).Order(StringComparer.Ordinal), told.Keys.Order(StringComparer.Ordinal));
    }

    private static HttpClient Client(KrateProcess krate) =>
        new() { BaseAddress = krate.Http, DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", krate.AdminToken()) } };

    private static async Task SubscribeAsync(HttpClient client, string url)
    {
        await PostAsync("krate-system/organizations", """{"metadata":{"name":"acme"},"spec":{"slug":"acme","displayName":"Acme"}}""");
        await UntilAsync(async () => (await client.GetAsync(new Uri($"{Api}/krate-system/organizations/acme", UriKind.Relative), Ct)) is { IsSuccessStatusCode: true } answer && (await answer.Content.ReadFromJsonAsync<JsonObject>(Ct)).Text("status.phase") == "Ready");
        await PostAsync("krate-org-acme/repositories", """{"metadata":{"name":"shop"},"spec":{"visibility":"private"}}""");
        await PostAsync("krate-org-acme/webhooksubscriptions", $$$"""{"metadata":{"name":"hook"},"spec":{"repository":"shop","url":"{{{url}}}","events":["issue"],"retryPolicy":{"initialDelay":"100ms","maxAttempts":50} } }""");

        async Task PostAsync(string path, string document) => (await client.PostAsJsonAsync($"{Api}/{path}", JsonNode.Parse(document), Ct)).EnsureSuccessStatusCode();
    }

    private static async Task WriteAsync(HttpClient client, string prefix, System.Collections.Concurrent.ConcurrentDictionary<string, bool> acknowledged)
    {
        try
        {
            for (var i = 0; ; i++)
            {
                using var answer = await client.PostAsJsonAsync($"{Api}/krate-org-acme/issues", JsonNode.Parse($$$"""{"metadata":{},"spec":{"repository":"shop","title":"{{{prefix}}}-{{{i}}}" } }"""), Ct);
                Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
                acknowledged[(await answer.Content.ReadFromJsonAsync<JsonObject>(Ct)).Text("metadata.name")!] = true;
            }
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            // Killed in the middle: what was on the way may or may not have happened.
        }
    }

    private static async Task<JsonArray> DeliveriesAsync(HttpClient client) => (await client.GetFromJsonAsync<JsonObject>($"{Api}/krate-org-acme/webhookdeliveries", Ct))!["items"]!.AsArray();

    private static Task UntilAsync(Func<bool> isSo) => UntilAsync(() => Task.FromResult(isSo()));

    /// <summary>For half a minute at most.</summary>
    private static async Task UntilAsync(Func<Task<bool>> isSo)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        for (var attempt = 0; !await isSo(); attempt++)
        {
            Assert.True(attempt < 600, "it did not come to be within 30 s");
            await timer.WaitForNextTickAsync(Ct);
        }
    }
}
