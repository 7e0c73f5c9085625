using System.Globalization;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Krate.Core.Resources;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.Playwright;

namespace Krate.Benchmarks;

/// <summary>Logs of jobs in a real browser: a fast one that is followed, alone and beside many other followers, and a long one.</summary>
internal static class RunSuite
{
    private const string Api = "/apis/krate.a5c.ai/v1alpha1/namespaces/krate-org-bench/";
    private const int LinesPerSecond = 1000;
    private const int LongLog = 1_000_000;

    /// <summary>Tells for each line that is the last on the screen how long ago it was sent.</summary>
    private const string Watch =
        """
        () => {
          window.late = [];
          let last = -1;
          new MutationObserver(() => {
            const lines = document.querySelectorAll(".k-log li code");
            const found = lines.length && /line (\d+) at (\d+)/.exec(lines[lines.length - 1].textContent);
            if (!found || Number(found[1]) <= last) return;
            last = Number(found[1]);
            window.late.push(Date.now() - Number(found[2]));
          }).observe(document.body, { childList: true, subtree: true, characterData: true });
        }
        """;

    public static async Task RunAsync(Report report, CancellationToken ct)
    {
        await using var target = await GitTarget.StartAsync(GitSuite.App, ct);
        await target.MakeRepositoryAsync("runs", ct);
        await using var browser = await BrowserTarget.StartAsync(target);
        report.Section($"{LinesPerSecond} lines a second for 20 s, from the append to the screen, ms", "other followers over the hub", "p50", "p95", "updates", "lines on the screen at the end", "MiB before", "MiB at most");
        foreach (var followers in new[] { 0, 99 }) await FollowAsync(target, browser, report, followers, ct);
        await LongAsync(target, browser, report, ct);
    }

    private static async Task FollowAsync(GitTarget target, BrowserTarget browser, Report report, int followers, CancellationToken ct)
    {
        var (pipeline, job) = await MakeAsync(target, ct);
        await AppendAsync(target, job, 0, "begin\n", ct);
        var page = await browser.OpenAsync($"/orgs/bench/repositories/runs/runs/{pipeline}/jobs/{job}");
        await page.EvaluateAsync(Watch);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var following = await Task.WhenAll(Enumerable.Range(0, followers).Select(_ => FollowerAsync(target, job, end.Token)));
        var before = target.Memory().Now;
        var sent = await SendAsync(target, job, ct);
        await page.GetByText($"line {sent - 1} at").WaitForAsync(new() { Timeout = 10_000 });
        var late = (await page.EvaluateAsync<double[]>("() => window.late")).ToList();
        var (count, at) = (late.Count, Measure.Percentiles(late, 0.5, 0.95));
        report.Row(followers.ToString(CultureInfo.InvariantCulture), at[0], at[1], count, sent, before, target.Memory().Peak);
        await PostAsync(target, $"jobs/{job}/finish", """{"exitCode":0}""", ct);
        var whole = await Task.WhenAll(following);
        if (whole.Any(w => w != whole.FirstOrDefault())) throw new InvalidOperationException("not every follower has read all of it");
        await page.CloseAsync();
    }

    /// <returns>Ends with the number of bytes that came.</returns>
    private static async Task<Task<long>> FollowerAsync(GitTarget target, string job, CancellationToken ct)
    {
        var connection = new HubConnectionBuilder().WithUrl(new Uri(target.Client.BaseAddress!, "/hubs/runs"), o => o.AccessTokenProvider = () => Task.FromResult<string?>(target.Client.DefaultRequestHeaders.Authorization!.Parameter)).Build();
        await connection.StartAsync(ct);
        return ReadAsync();

        async Task<long> ReadAsync()
        {
            long bytes = 0;
            await foreach (var chunk in connection.StreamAsync<JsonElement>("FollowLog", "bench", job, 0L, ct)) bytes = chunk.GetProperty("offset").GetInt64() + chunk.GetProperty("bytes").GetBytesFromBase64().Length;
            await connection.DisposeAsync();
            return bytes;
        }
    }

    private static async Task<int> SendAsync(GitTarget target, string job, CancellationToken ct)
    {
        var (sent, offset, start) = (0, 6L, Measure.Now);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (Measure.Since(start).TotalSeconds < 20)
        {
            await timer.WaitForNextTickAsync(ct);
            var due = (int)(Measure.Since(start).TotalSeconds * LinesPerSecond);
            var text = new StringBuilder();
            for (; sent < due; sent++) text.Append(CultureInfo.InvariantCulture, $"line {sent} at {TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds()} with some words of a usual length behind it\n");
            offset = await AppendAsync(target, job, offset, text.ToString(), ct);
        }

        return sent;
    }

    private static async Task LongAsync(GitTarget target, BrowserTarget browser, Report report, CancellationToken ct)
    {
        var (pipeline, job) = await MakeAsync(target, ct);
        long offset = 0;
        for (var part = 0; part < LongLog / 50_000; part++)
        {
            var text = new StringBuilder();
            for (var i = 0; i < 50_000; i++) text.Append(CultureInfo.InvariantCulture, $"line {(part * 50_000) + i} of a long log, with some words behind it so that it is about as long as lines are\n");
            offset = await AppendAsync(target, job, offset, text.ToString(), ct);
        }

        await PostAsync(target, $"jobs/{job}/finish", """{"exitCode":0}""", ct);
        var address = $"/orgs/bench/repositories/runs/runs/{pipeline}/jobs/{job}";
        using var client = await target.SignInAsync(ct);
        report.Section($"A log of {LongLog:N0} lines ({offset >> 20} MiB), ms", "", "p50");
        report.Row("first HTML", GitSuite.Median(await Measure.TimesAsync(20, () => GitSuite.GetAsync(client, address, ct))));
        report.Row("first HTML at a line in the middle", GitSuite.Median(await Measure.TimesAsync(20, () => GitSuite.GetAsync(client, address + "?line=500000", ct))));
        var page = await browser.OpenAsync(address);
        var times = new List<double>();
        for (var i = 1; i <= 10; i++)
        {
            var line = i * 90_001;
            var start = Measure.Now;
            await page.Locator("[name=find]").FillAsync($"line {line} of");
            await page.Keyboard.PressAsync("Enter");
            await page.Locator("li.is-found").GetByText($"line {line} of").WaitForAsync();
            times.Add(Measure.Since(start).TotalMilliseconds);
        }

        report.Row("typing a search to seeing what it found", GitSuite.Median(times));
        times.Clear();
        for (var i = 1; i <= 10; i++)
        {
            var start = Measure.Now;
            await page.EvaluateAsync("part => { const log = document.querySelector('[data-k-log]'); log.dispatchEvent(new WheelEvent('wheel')); log.scrollTop = log.scrollHeight * part; }", i / 11.0);
            await page.WaitForFunctionAsync("part => { const log = document.querySelector('[data-k-log]'); return Math.abs(Number(log.dataset.first) / Number(log.dataset.count) - part) < 0.01; }", i / 11.0);
            times.Add(Measure.Since(start).TotalMilliseconds);
        }

        report.Row("dragging the scroll bar to seeing the lines there", GitSuite.Median(times));
        report.Row("server, MiB", target.Memory().Now);
    }

    private static async Task<(string Pipeline, string Job)> MakeAsync(GitTarget target, CancellationToken ct)
    {
        var pipeline = (await PostAsync(target, "pipelines", """{"metadata":{},"spec":{"repository":"runs","ref":"refs/heads/main","workflow":"bench"}}""", ct)).Text("metadata.name")!;
        var job = (await PostAsync(target, "jobs", $$$"""{"metadata":{},"spec":{"pipeline":"{{{pipeline}}}","step":"log"}}""", ct)).Text("metadata.name")!;
        return (pipeline, job);
    }

    private static async Task<long> AppendAsync(GitTarget target, string job, long offset, string text, CancellationToken ct)
    {
        using var answer = await target.Client.PostAsync(new Uri(string.Create(CultureInfo.InvariantCulture, $"{Api}jobs/{job}/log?offset={offset}"), UriKind.Relative), new ByteArrayContent(Encoding.UTF8.GetBytes(text)), ct);
        answer.EnsureSuccessStatusCode();
        return (await answer.Content.ReadFromJsonAsync<JsonObject>(ct)).Whole("offset")!.Value;
    }

    private static async Task<JsonObject> PostAsync(GitTarget target, string path, string document, CancellationToken ct)
    {
        using var answer = await target.Client.PostAsJsonAsync(Api + path, JsonNode.Parse(document), ct);
        if (!answer.IsSuccessStatusCode) throw new InvalidOperationException(await answer.Content.ReadAsStringAsync(ct));
        return (await answer.Content.ReadFromJsonAsync<JsonObject>(ct))!;
    }
}
