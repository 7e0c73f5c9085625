using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Krate.Core.Resources;
using Krate.Tests.Testing;
using Xunit;

namespace Krate.Tests.Runs;

/// <summary>A real Krate is killed while a CI sends a log.</summary>
public sealed class LogKillTests
{
    private const string Api = "/apis/krate.a5c.ai/v1alpha1/namespaces/";
    private const string Log = Api + "krate-org-acme/jobs/job-1/log";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Bytes_that_were_acknowledged_survive_a_kill_and_the_sender_goes_on_where_they_end()
    {
        using var data = new TempData();
        string[] command = ["dotnet", Path.Combine(AppContext.BaseDirectory, "Krate.Web.dll")];
        var sent = new MemoryStream();
        var acknowledged = 0L;
        await using (var krate = await KrateProcess.StartAsync(command, data.Directory.Path, null, Ct))
        {
            using var client = ClientOf(krate);
            await MakeJobAsync(client);
            var killing = Task.CompletedTask;
            try
            {
                for (var line = 0; ; line++)
                {
                    var bytes = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"line {line:00000}\n"));
                    var offset = sent.Length;
                    sent.Write(bytes);
                    acknowledged = await AppendAsync(client, offset, bytes);
                    if (line == 100) killing = krate.KillAsync();
                }
            }
            catch (HttpRequestException)
            {
                await killing;
            }
        }

        await using var again = await KrateProcess.StartAsync(command, data.Directory.Path, null, Ct);
        using var survivor = ClientOf(again);
        var stored = await survivor.GetByteArrayAsync(new Uri(Log, UriKind.Relative), Ct);
        Assert.InRange(stored.Length, acknowledged, sent.Length);
        Assert.Equal(sent.ToArray()[..stored.Length], stored);
        var rest = sent.ToArray()[stored.Length..];
        Assert.Equal(sent.Length, await AppendAsync(survivor, stored.Length, rest));
        Assert.Equal(sent.ToArray(), await survivor.GetByteArrayAsync(new Uri(Log, UriKind.Relative), Ct));
    }

    private static async Task<long> AppendAsync(HttpClient client, long offset, byte[] bytes)
    {
        using var content = new ByteArrayContent(bytes);
        using var answer = await client.PostAsync(new Uri(string.Create(CultureInfo.InvariantCulture, $"{Log}?offset={offset}"), UriKind.Relative), content, Ct);
        var text = await answer.Content.ReadAsStringAsync(Ct);
        Assert.True(answer.IsSuccessStatusCode, text);
        return KrateJson.ParseObject(text).Whole("offset") ?? -1;
    }

    private static HttpClient ClientOf(KrateProcess krate) =>
        new() { BaseAddress = krate.Http, DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", krate.AdminToken()) } };

    private static async Task MakeJobAsync(HttpClient client)
    {
        await PostAsync(client, "krate-system/organizations", """{"metadata":{"name":"acme"},"spec":{"slug":"acme","displayName":"Acme"}}""");
        await UntilReadyAsync(client, "krate-system/organizations/acme");
        await PostAsync(client, "krate-org-acme/repositories", """{"metadata":{"name":"shop"},"spec":{"visibility":"private"}}""");
        await PostAsync(client, "krate-org-acme/pipelines", """{"metadata":{"name":"pipeline-1"},"spec":{"repository":"shop","ref":"refs/heads/main"}}""");
        await PostAsync(client, "krate-org-acme/jobs", """{"metadata":{"name":"job-1"},"spec":{"pipeline":"pipeline-1","step":"test"}}""");
    }

    private static async Task PostAsync(HttpClient client, string path, string document)
    {
        using var answer = await client.PostAsJsonAsync(Api + path, JsonNode.Parse(document), Ct);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(Ct));
    }

    private static async Task UntilReadyAsync(HttpClient client, string path)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (KrateJson.ParseObject(await client.GetStringAsync(new Uri(Api + path, UriKind.Relative), Ct)).Text("status.phase") != "Ready") await timer.WaitForNextTickAsync(Ct);
    }
}
