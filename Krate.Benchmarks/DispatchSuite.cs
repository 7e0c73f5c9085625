using System.Globalization;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Krate.Core.Resources;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.Playwright;

namespace Krate.Benchmarks;

/// <summary>Runs of agents: many at once, from a click to the first words, words on a page beside many followers, a long session, and a large context.</summary>
internal static class DispatchSuite
{
    private const string Api = "/apis/krate.a5c.ai/v1alpha1/namespaces/krate-org-bench/";
    private const int Runs = 100, Clicks = 10, LongSession = 20_000, Files = 7, FileBytes = 100_000, Previews = 20;

    /// <summary>Speaks the Agent Client Protocol; what it does in its turn is its argument.</summary>
    private const string Agent = """
        #!/bin/bash
        text() { printf '{"jsonrpc":"2.0","method":"session/update","params":{"sessionId":"s","update":{"sessionUpdate":"agent_message_chunk","messageId":"%s","content":{"type":"text","text":"%s"}}}}\n' "$1" "$2"; }
        while read -r line; do
          id=${line#*\"id\":}; id=${id%%,*}
          case $line in
            *'"method":"initialize"'*) printf '{"jsonrpc":"2.0","id":%s,"result":{"protocolVersion":1}}\n' "$id" ;;
            *'"method":"session/new"'*) printf '{"jsonrpc":"2.0","id":%s,"result":{"sessionId":"s"}}\n' "$id" ;;
            *'"method":"session/prompt"'*)
              case $1 in
                beats) sleep 4; for ((i = 0; i < 200; i++)); do now=${EPOCHREALTIME/./}; text "m$i" "beat $i at ${now:0:13}"; sleep 0.05; done ;;
                many) for ((i = 0; i < 20000; i += 2)); do text "m$i" "message $i with some words behind it"; printf '{"jsonrpc":"2.0","method":"session/update","params":{"sessionId":"s","update":{"sessionUpdate":"tool_call","toolCallId":"t%s","title":"Read file %s","kind":"read","status":"completed"}}}\n' "$i" "$i"; done ;;
                *) text m 'I begin.' ;;
              esac
              printf '{"jsonrpc":"2.0","id":%s,"result":{"stopReason":"end_turn"}}\n' "$id" ;;
          esac
        done
        """;

    /// <summary>Tells for each beat that is the last on the screen how long ago it was said.</summary>
    private const string Watch =
        """
        () => {
          window.late = [];
          let last = -1;
          new MutationObserver(() => {
            const all = document.querySelectorAll(".k-transcript__said");
            const found = all.length && /beat (\d+) at (\d+)/.exec(all[all.length - 1].textContent);
            if (!found || Number(found[1]) <= last) return;
            last = Number(found[1]);
            window.late.push(Date.now() - Number(found[2]));
          }).observe(document.body, { childList: true, subtree: true, characterData: true });
        }
        """;

    public static async Task RunAsync(Report report, CancellationToken ct)
    {
        var folder = Directory.CreateTempSubdirectory("krate-bench-agent-");
        var agent = Path.Combine(folder.FullName, "agent.sh");
        await File.WriteAllTextAsync(agent, Agent, ct);
        File.SetUnixFileMode(agent, UnixFileMode.UserRead | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        await using var target = await GitTarget.StartAsync(GitSuite.App, ct, $"--Krate:Agents:AllowedCommands={agent}");
        await PrepareAsync(target, agent, ct);
        await ManyAsync(target, report, ct);
        await using var browser = await BrowserTarget.StartAsync(target);
        await ClicksAsync(target, browser, report);
        report.Section("20 messages a second for 10 s, from the agent's output to the page, ms", "other followers over the hub", "p50", "p95", "messages seen", "MiB at most");
        foreach (var followers in new[] { 0, 49, 199 }) await FollowAsync(target, browser, report, followers, ct);
        await LongAsync(target, browser, report, ct);
        await ContextAsync(target, report, ct);
        folder.Delete(recursive: true);
    }

    private static async Task PrepareAsync(GitTarget target, string agent, CancellationToken ct)
    {
        await target.MakeRepositoryAsync("work", ct);
        await target.ImportAsync("work", writer =>
        {
            var (mark, tree) = (1, new StringBuilder());
            var line = string.Concat(Enumerable.Repeat("some words of a file that people wrote\n", 10));
            for (var i = 0; i < Files; i++, mark++)
            {
                var text = new StringBuilder();
                while (text.Length < FileBytes) text.Append(CultureInfo.InvariantCulture, $"{i} {text.Length} ").Append(line);
                writer.Write(string.Create(CultureInfo.InvariantCulture, $"blob\nmark :{mark}\ndata {text.Length}\n{text}\n"));
                tree.Append(CultureInfo.InvariantCulture, $"M 100644 :{mark} files/{i}.txt\n");
            }

            writer.Write($"commit refs/heads/main\ncommitter Bench <bench@example.com> 1700000000 +0000\ndata 5\nfirst\n{tree}\n");
        }, ct);
        await target.GitAsync("work", ct, "push", "--quiet", target.UrlOf("work"), "main");
        await MakeAsync(target, "agentadapters", "diagnoser", """{"adapterType":"krate-diagnoser","transport":"acp-stdio"}""", ct);
        foreach (var mode in new[] { "quick", "beats", "many" }) await MakeAsync(target, "agentadapters", mode, $$$"""{"adapterType":"custom","transport":"acp-stdio","command":"{{{agent}}}","args":["{{{mode}}}"]}""", ct);
        foreach (var stack in new[] { "diagnoser", "quick", "beats", "many" })
        {
            using (var account = await target.Client.PostAsJsonAsync("/api/v1/namespaces/krate-org-bench/serviceaccounts", new { metadata = new { name = stack } }, ct)) account.EnsureSuccessStatusCode();
            await MakeAsync(target, "agentstacks", stack, $$$"""{"baseAgent":"custom","adapter":"{{{stack}}}","runtimeIdentity":{"serviceAccountRef":"{{{stack}}}"} }""", ct);
            await UntilAsync(target, "agentstacks/" + stack, r => r.Text("status.phase") == "Ready", ct);
        }
    }

    private static async Task ManyAsync(GitTarget target, Report report, CancellationToken ct)
    {
        var pipeline = (await PostAsync(target, "pipelines", """{"metadata":{},"spec":{"repository":"work","ref":"refs/heads/main","workflow":"bench"}}""", ct)).Text("metadata.name")!;
        var job = (await PostAsync(target, "jobs", $$$"""{"metadata":{},"spec":{"pipeline":"{{{pipeline}}}","step":"build"}}""", ct)).Text("metadata.name")!;
        using (var log = await target.Client.PostAsync(new Uri($"{Api}jobs/{job}/log?offset=0", UriKind.Relative), new StringContent("$ gcc files/0.txt\nfiles/0.txt:3:1: error: unknown type name 'some'\n"), ct)) log.EnsureSuccessStatusCode();
        await PostAsync(target, $"jobs/{job}/finish", """{"exitCode":1}""", ct);
        var spec = $$$"""{"spec":{"repository":"work","agentStack":"diagnoser","taskKind":"diagnosis","sourceRefs":{"job":"{{{job}}}"},"task":"Find out why."}}""";
        var alone = GitSuite.Median(await Measure.TimesAsync(5, () => OneAsync(target, spec, ct))) / 1000;
        var start = Measure.Now;
        var names = new List<string>();
        for (var i = 0; i < Runs; i++) names.Add((await PostAsync(target, "agentdispatchruns", spec, ct)).Text("metadata.name")!);
        var made = Measure.Since(start).TotalSeconds;
        foreach (var name in names) await UntilAsync(target, "agentdispatchruns/" + name, r => RunPhase.IsTerminal(r.Text("status.phase")), ct);
        var all = Measure.Since(start).TotalSeconds;
        report.Section($"{Runs} runs of krate-diagnoser through 8 places, s", "", "s", "ratio to as many one after the other");
        report.Row("one alone, from the request to its end (reference, p50 of 5)", alone, "1.00");
        report.Row($"{Runs} requests, one after the other", made, "");
        report.Row($"{Runs} runs, from the first request to the last end", all, (all / (Runs * alone)).ToString("N2", CultureInfo.InvariantCulture));
    }

    private static async Task OneAsync(GitTarget target, string spec, CancellationToken ct)
    {
        var name = (await PostAsync(target, "agentdispatchruns", spec, ct)).Text("metadata.name")!;
        await UntilAsync(target, "agentdispatchruns/" + name, r => RunPhase.IsTerminal(r.Text("status.phase")), ct);
    }

    private static async Task ClicksAsync(GitTarget target, BrowserTarget browser, Report report)
    {
        var times = new List<double>();
        for (var i = 0; i < Clicks; i++)
        {
            var page = await browser.OpenAsync("/orgs/bench/agents/new-run?repository=work&stack=quick");
            await page.GetByLabel("Task").FillAsync("Begin.");
            await page.GetByLabel("Task").BlurAsync();
            await page.GetByRole(AriaRole.Heading, new() { Name = "May run" }).WaitForAsync();
            var start = Measure.Now;
            await page.GetByRole(AriaRole.Button, new() { Name = "Start", Exact = true }).ClickAsync();
            await page.Locator(".k-transcript__item").First.WaitForAsync();
            times.Add(Measure.Since(start).TotalMilliseconds);
            await page.CloseAsync();
        }

        var at = Measure.Percentiles(times, 0.5, 0.95);
        report.Section($"From the click on Start to the agent's first event on the page, ms (of {Clicks})", "p50", "p95", "server, MiB");
        report.Row(at[0], at[1], target.Memory().Now);
    }

    private static async Task FollowAsync(GitTarget target, BrowserTarget browser, Report report, int followers, CancellationToken ct)
    {
        var run = (await PostAsync(target, "agentdispatchruns", Task("beats"), ct)).Text("metadata.name")!;
        await UntilAsync(target, "agentdispatchruns/" + run, r => r.Text("status.agentMuxSessionId") is not null, ct);
        var page = await browser.OpenAsync($"/orgs/bench/agents/runs/{run}");
        await page.EvaluateAsync(Watch);
        var following = await System.Threading.Tasks.Task.WhenAll(Enumerable.Range(0, followers).Select(_ => FollowerAsync(target, run, ct)));
        await UntilAsync(target, "agentdispatchruns/" + run, r => RunPhase.IsTerminal(r.Text("status.phase")), ct);
        await page.GetByText("beat 199 at").WaitForAsync(new() { Timeout = 10_000 });
        var late = (await page.EvaluateAsync<double[]>("() => window.late")).ToList();
        var (count, at) = (late.Count, Measure.Percentiles(late, 0.5, 0.95));
        report.Row(followers.ToString(CultureInfo.InvariantCulture), at[0], at[1], count, target.Memory().Peak);
        var seen = await System.Threading.Tasks.Task.WhenAll(following);
        if (seen.Distinct().Count() > 1) throw new InvalidOperationException("not every follower has seen all of it");
        await page.CloseAsync();
    }

    /// <returns>Ends with the last number that came.</returns>
    private static async Task<Task<long>> FollowerAsync(GitTarget target, string run, CancellationToken ct)
    {
        var connection = new HubConnectionBuilder().WithUrl(new Uri(target.Client.BaseAddress!, "/hubs/agent-sessions"), o => o.AccessTokenProvider = () => System.Threading.Tasks.Task.FromResult<string?>(target.Client.DefaultRequestHeaders.Authorization!.Parameter)).Build();
        await connection.StartAsync(ct);
        return ReadAsync();

        async Task<long> ReadAsync()
        {
            long last = 0;
            await foreach (var batch in connection.StreamAsync<JsonElement>("Subscribe", "bench", run, 0L, ct))
                foreach (var said in batch.EnumerateArray()) last = said.GetProperty("sequence").GetInt64();
            await connection.DisposeAsync();
            return last;
        }
    }

    private static async Task LongAsync(GitTarget target, BrowserTarget browser, Report report, CancellationToken ct)
    {
        var start = Measure.Now;
        var run = (await PostAsync(target, "agentdispatchruns", Task("many"), ct)).Text("metadata.name")!;
        await UntilAsync(target, "agentdispatchruns/" + run, r => RunPhase.IsTerminal(r.Text("status.phase")), ct);
        var took = Measure.Since(start).TotalSeconds;
        report.Section($"A session of {LongSession:N0} events", "", "");
        report.Row("from the request to its end, s", took);
        using var client = await target.SignInAsync(ct);
        var address = $"/orgs/bench/agents/runs/{run}";
        report.Row("first HTML, ms (p50 of 10)", GitSuite.Median(await Measure.TimesAsync(10, () => GitSuite.GetAsync(client, address, ct))));
        var before = target.Memory().Now;
        start = Measure.Now;
        var page = await browser.OpenAsync(address);
        await page.GetByText("message 19998 with").WaitForAsync();
        report.Row("page live with the last events, ms", Measure.Since(start).TotalMilliseconds);
        var times = new List<double>();
        for (var i = 0; i < 5; i++)
        {
            var count = await page.Locator(".k-transcript__item").CountAsync();
            start = Measure.Now;
            await page.Locator(".k-transcript > button").ClickAsync();
            await page.WaitForFunctionAsync("n => document.querySelectorAll('.k-transcript__item').length > n", count);
            times.Add(Measure.Since(start).TotalMilliseconds);
        }

        report.Row("200 earlier ones, ms (p50 of 5)", GitSuite.Median(times));
        report.Row("server before and with the page open, MiB", $"{before:N0}, {target.Memory().Now:N0}");
    }

    private static async Task ContextAsync(GitTarget target, Report report, CancellationToken ct)
    {
        var paths = Enumerable.Range(0, Files).Select(i => string.Create(CultureInfo.InvariantCulture, $"files/{i}.txt")).ToArray();
        long bytes = 0;
        var preview = GitSuite.Median(await Measure.TimesAsync(Previews, async () =>
        {
            using var answer = await target.Client.PostAsJsonAsync("/api/orgs/bench/agents/context/preview", new { agentStack = "quick", repository = "work", task = "Read.", paths }, ct);
            answer.EnsureSuccessStatusCode();
            bytes = (await answer.Content.ReadFromJsonAsync<JsonObject>(ct)).Whole("bytes") ?? 0;
        }));
        var raw = GitSuite.Median(await Measure.TimesAsync(Previews, async () =>
        {
            foreach (var path in paths) await target.Client.GetByteArrayAsync(new Uri($"/orgs/bench/repositories/work/raw/main/{path}", UriKind.Relative), ct);
        }));
        report.Section($"A context of {bytes / 1024:N0} KiB from {Files} files, ms (p50 of {Previews}, over HTTP)", "", "p50", "ratio");
        report.Row("the same files, raw, one after the other (reference)", raw, "1.00");
        report.Row("preview: read, redacted, searched for risks, fenced, digested", preview, (preview / raw).ToString("N2", CultureInfo.InvariantCulture));
    }

    private static string Task(string stack) => $$$"""{"spec":{"repository":"work","agentStack":"{{{stack}}}","taskKind":"task","sourceRefs":{},"task":"Begin."}}""";

    private static async Task UntilAsync(GitTarget target, string path, Func<JsonObject, bool> holds, CancellationToken ct)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!holds(KrateJson.ParseObject(await target.Client.GetStringAsync(new Uri(Api + path, UriKind.Relative), ct)))) await timer.WaitForNextTickAsync(ct);
    }

    private static async Task MakeAsync(GitTarget target, string plural, string name, string spec, CancellationToken ct) =>
        await PostAsync(target, plural, $$$"""{"metadata":{"name":"{{{name}}}"},"spec":{{{spec}}}}""", ct);

    private static async Task<JsonObject> PostAsync(GitTarget target, string path, string document, CancellationToken ct)
    {
        using var answer = await target.Client.PostAsJsonAsync(Api + path, JsonNode.Parse(document), ct);
        if (!answer.IsSuccessStatusCode) throw new InvalidOperationException(await answer.Content.ReadAsStringAsync(ct));
        return (await answer.Content.ReadFromJsonAsync<JsonObject>(ct))!;
    }
}
