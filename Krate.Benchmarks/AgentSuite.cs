using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Krate.Core.Resources;
using Microsoft.Playwright;

namespace Krate.Benchmarks;

/// <summary>Permission review of a large stack in a small and in a large organization, and many stacks that follow what they depend on.</summary>
internal static class AgentSuite
{
    private const int Servers = 20, Skills = 30, Subagents = 10, Grants = 200, Small = 1000, Large = 10_000, Stacks = 1000, Reviews = 300, Flips = 40;
    private const string Root = "/apis/krate.a5c.ai/v1alpha1/namespaces/krate-org-bench/";

    public static async Task RunAsync(Report report, CancellationToken ct)
    {
        await using var target = await GitTarget.StartAsync(GitSuite.App, ct);
        await MakeLargeStackAsync(target, ct);
        report.Section($"Review of a stack with {Servers} MCP servers, {Skills} skills, {Subagents} subagents and {Grants} grants, ms (of {Reviews}, over HTTP)", "", "p50", "p99", "ratio of p50");
        await FillAsync(target, 0, Small, ct);
        var reference = Measure.Percentiles(await Measure.TimesAsync(Reviews, () => target.Client.GetStringAsync(new Uri(Root + "agentstacks/large", UriKind.Relative), ct)), 0.5, 0.99);
        report.Row("the stack itself is read (reference)", reference[0], reference[1], "1.00");
        await ReviewAsync($"reviewed, among {Small:N0} resources");
        await FillAsync(target, Small, Large, ct);
        await ReviewAsync($"reviewed, among {Large:N0} resources");

        report.Section($"{Stacks:N0} stacks that depend on one grant, s", "", "s");
        var start = Measure.Now;
        await Parallel.ForAsync(0, Stacks, new ParallelOptions { MaxDegreeOfParallelism = 16, CancellationToken = ct }, async (i, t) => await MakeAsync(target, "agentstacks", $"many-{i}", Stack("[\"shared\"]", "[]", "[]"), t));
        report.Row("created by 16 at once, to all having their conditions", await UntilAsync(target, start, "MissingSecretGrant", ct));
        start = Measure.Now;
        await MakeAsync(target, "agentsecretgrants", "shared", """{"subject":{"kind":"mcp-server","name":"shared"},"secretRef":{"name":"shared","keys":["key"]},"purpose":"mcp-server"}""", ct);
        report.Row("the grant is made, to the last of them showing it", await UntilAsync(target, start, "Granted", ct));
        start = Measure.Now;
        await target.RestartAsync(ct);
        await DeleteAsync(target, "agentsecretgrants/shared", ct);
        report.Row("Krate is started anew and the grant deleted, from the start to the last of them showing it", await UntilAsync(target, start, "MissingSecretGrant", ct));
        await FlipsAsync(report, target, ct);

        async Task ReviewAsync(string title)
        {
            var times = Measure.Percentiles(await Measure.TimesAsync(Reviews, () => AskAsync(target, ct)), 0.5, 0.99);
            report.Row(title, times[0], times[1], $"{times[0] / reference[0]:N2}");
        }
    }

    /// <summary>A grant of one stack comes and goes while its page is open.</summary>
    private static async Task FlipsAsync(Report report, GitTarget target, CancellationToken ct)
    {
        await MakeAsync(target, "agentmcpservers", "own", Server("own"), ct);
        await SecretAsync(target, "own", ct);
        await MakeAsync(target, "agentstacks", "watched", Stack("[\"own\"]", "[]", "[]"), ct);
        await using var browser = await BrowserTarget.StartAsync(target);
        var page = await browser.OpenAsync("/orgs/bench/agents/stacks/watched?tab=conditions");
        var times = new List<double>();
        for (var i = 0; i < Flips; i++)
        {
            var (isOn, wanted) = (i % 2 == 0, i % 2 == 0 ? "Granted" : "MissingSecretGrant");
            var seen = page.WaitForFunctionAsync("reason => document.querySelector('[data-condition=SecretsAdmitted]')?.textContent.includes(reason)", wanted, new() { PollingInterval = 5 });
            var start = Measure.Now;
            if (isOn) await MakeAsync(target, "agentsecretgrants", "own", """{"subject":{"kind":"mcp-server","name":"own"},"secretRef":{"name":"own","keys":["key"]},"purpose":"mcp-server"}""", ct);
            else await DeleteAsync(target, "agentsecretgrants/own", ct);
            await seen;
            times.Add(Measure.Since(start).TotalMilliseconds);
        }

        var found = Measure.Percentiles(times, 0.5, 0.95);
        report.Section($"A grant is made or deleted, to the condition on an open page, among {Stacks:N0} stacks, ms (of {Flips})", "p50", "p95");
        report.Row(found[0], found[1]);
    }

    private static async Task MakeLargeStackAsync(GitTarget target, CancellationToken ct)
    {
        await SecretAsync(target, "shared", ct);
        await MakeAsync(target, "agentmcpservers", "shared", Server("shared"), ct);
        for (var i = 0; i < Servers; i++) await MakeAsync(target, "agentmcpservers", $"mcp-{i}", Server("shared"), ct);
        for (var i = 0; i < Skills; i++) await MakeAsync(target, "agentskills", $"skill-{i}", """{"format":"inline","sourceRef":{},"promptFragment":"Be brief."}""", ct);
        for (var i = 0; i < Subagents; i++) await MakeAsync(target, "agentsubagents", $"sub-{i}", """{"rolePrompt":"Look around.","taskKinds":["research"],"mcpServerRefs":["mcp-0"]}""", ct);
        for (var i = 0; i < Grants; i++) await MakeAsync(target, "agentsecretgrants", $"grant-{i}", $$$"""{"subject":{"kind":"mcp-server","name":"mcp-{{{i % Servers}}}","stackRef":"{{{(i < Servers ? "large" : "other-" + i)}}}"},"secretRef":{"name":"shared","keys":["key"]},"purpose":"mcp-server"}""", ct);
        await MakeAsync(target, "agentstacks", "large", Stack(Names("mcp", Servers), Names("skill", Skills), Names("sub", Subagents)), ct);

        static string Names(string prefix, int count) => "[" + string.Join(',', Enumerable.Range(0, count).Select(i => $"\"{prefix}-{i}\"")) + "]";
    }

    private static Task FillAsync(GitTarget target, int from, int to, CancellationToken ct) =>
        Parallel.ForAsync(from, to, new ParallelOptions { MaxDegreeOfParallelism = 16, CancellationToken = ct }, async (i, t) => await MakeAsync(target, "agentconfiggrants", $"fill-{i}", $$$"""{"subject":{"kind":"skill","name":"fill"},"configMapRef":{"name":"fill-{{{i}}}"},"purpose":"skill-config"}""", t));

    private static async Task AskAsync(GitTarget target, CancellationToken ct)
    {
        using var answer = await target.Client.PostAsJsonAsync("/api/orgs/bench/agents/permissions/review", new { agentStack = "large" }, ct);
        answer.EnsureSuccessStatusCode();
        await answer.Content.ReadAsByteArrayAsync(ct);
    }

    /// <returns>Seconds since the start until every one of the many says so.</returns>
    private static async Task<double> UntilAsync(GitTarget target, long start, string reason, CancellationToken ct)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        while (true)
        {
            var list = KrateJson.ParseObject(await target.Client.GetStringAsync(new Uri(Root + "agentstacks", UriKind.Relative), ct));
            var done = ((JsonArray)list["items"]!).OfType<JsonObject>().Count(s => s.Text("metadata.name")!.StartsWith("many-", StringComparison.Ordinal) && Condition.ReadAll(s).Any(c => c.Type == "SecretsAdmitted" && c.Reason == reason));
            if (done == Stacks) return Measure.Since(start).TotalSeconds;
            await timer.WaitForNextTickAsync(ct);
        }
    }

    private static string Server(string secret) => $$$"""{"transport":"stdio","command":"mcp-nowhere","scope":"stack","secretRefs":[{"name":"{{{secret}}}","key":"key"}]}""";

    private static string Stack(string servers, string skills, string subagents) =>
        $$$"""{"baseAgent":"claude-code","adapter":"agent-mux.claude-code","runtimeIdentity":{"serviceAccountRef":"agent-default"},"mcpServerRefs":{{{servers}}},"skillRefs":{{{skills}}},"subagentRefs":{{{subagents}}}}""";

    private static async Task SecretAsync(GitTarget target, string name, CancellationToken ct)
    {
        using var answer = await target.Client.PostAsJsonAsync("/api/v1/namespaces/krate-org-bench/secrets", new { metadata = new { name }, stringData = new { key = "a value for the benchmark" } }, ct);
        answer.EnsureSuccessStatusCode();
    }

    private static async Task MakeAsync(GitTarget target, string plural, string name, string spec, CancellationToken ct)
    {
        using var content = new StringContent($$$"""{"metadata":{"name":"{{{name}}}"},"spec":{{{spec}}}}""", Encoding.UTF8, "application/json");
        using var answer = await target.Client.PostAsync(new Uri(Root + plural, UriKind.Relative), content, ct);
        if (!answer.IsSuccessStatusCode) throw new InvalidOperationException($"{plural}/{name}: {await answer.Content.ReadAsStringAsync(ct)}");
    }

    private static async Task DeleteAsync(GitTarget target, string path, CancellationToken ct)
    {
        using var answer = await target.Client.DeleteAsync(new Uri(Root + path, UriKind.Relative), ct);
        answer.EnsureSuccessStatusCode();
    }
}
