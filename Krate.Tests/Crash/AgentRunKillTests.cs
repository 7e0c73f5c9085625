using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Krate.Core.Resources;
using Krate.Tests.Testing;
using Xunit;

namespace Krate.Tests.Crash;

/// <summary>Krate killed while an agent works: nothing of the agent is left, and the run says so instead of running for ever.</summary>
public sealed class AgentRunKillTests
{
    private const string Api = "/apis/krate.a5c.ai/v1alpha1/namespaces/krate-org-acme/";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_run_whose_Krate_was_killed_is_lost_with_what_was_said_kept_no_process_is_left_and_it_can_be_started_again()
    {
        using var data = new TempData();
        var marker = $"krate-kill-{Guid.NewGuid():N}";
        var agent = await AgentAsync(data, marker, asks: false);
        var command = Command(agent);
        string run;
        await using (var krate = await KrateProcess.StartAsync(command, data.Directory.Path, null, Ct))
        {
            using var client = Client(krate);
            await MakeAsync(client, agent);
            run = await StartAsync(client);
            await UntilAsync(async () => HostProcesses.IsAlive(marker) && (await EventsAsync(client, run)).Any(e => e.Text("type") == "message"));
            await krate.KillAsync();
        }

        await UntilAsync(() => Task.FromResult(!HostProcesses.IsAlive(marker)));
        await using var again = await KrateProcess.StartAsync(command, data.Directory.Path, null, Ct);
        using var survivor = Client(again);
        JsonObject lost = [];
        await UntilAsync(async () => (lost = (await survivor.GetFromJsonAsync<JsonObject>(Api + "agentdispatchruns/" + run, Ct))!).Text("status.phase") == "failed");
        Assert.Equal("Lost", lost.Text("status.terminalReason"));
        Assert.Contains(await EventsAsync(survivor, run), e => e.Text("data.text")?.Contains("I begin", StringComparison.Ordinal) == true);
        await PostAsync(survivor, $"agentdispatchruns/{run}/retry", "{}");
        await UntilAsync(() => Task.FromResult(HostProcesses.IsAlive(marker)));
        await PostAsync(survivor, $"agentdispatchruns/{run}/cancel", "{}");
        await UntilAsync(() => Task.FromResult(!HostProcesses.IsAlive(marker)));
        File.Delete(agent);
    }

    /// <summary>One data directory, and Krate killed in it at each step of a run.</summary>
    [Fact]
    public async Task Whenever_Krate_is_killed_a_run_that_had_not_begun_goes_on_and_one_that_had_is_lost_and_can_be_started_again()
    {
        using var data = new TempData();
        var marker = $"krate-step-{Guid.NewGuid():N}";
        var agent = await AgentAsync(data, marker, asks: true);
        var command = Command(agent);
        var lost = new List<string>();
        var krate = await KrateProcess.StartAsync(command, data.Directory.Path, null, Ct);
        try
        {
            using (var client = Client(krate)) await MakeAsync(client, agent);
            using (var git = new GitClient())
            {
                await git.NewRepositoryAsync("work", "a.txt", "a\n");
                await git.RunAsync("work", "push", "--quiet", $"http://x:{krate.AdminToken()}@127.0.0.1:{krate.Http.Port}/git/acme/shop.git", "main");
            }

            foreach (var (step, reached) in Steps)
            {
                string run;
                using (var client = Client(krate))
                {
                    run = await StartAsync(client);
                    JsonObject seen = [];
                    await UntilAsync(async () => reached(seen = await RunAsync(client, run)), () => $"{step}: {seen.At("status")?.ToJsonString()}");
                    if (step == "told") await PostAsync(client, $"agentdispatchruns/{run}/continue", """{"message":"And then?"}""");
                    if (step == "decided") await DecideAsync(client, run);
                    await krate.KillAsync();
                }

                await UntilAsync(() => Task.FromResult(!HostProcesses.IsAlive(marker)));
                await krate.DisposeAsync();
                krate = await KrateProcess.StartAsync(command, data.Directory.Path, null, Ct);
                using var survivor = Client(krate);
                var ended = await EndAsync(survivor, run);
                if (ended.Text("status.terminalReason") == "Lost") lost.Add(step);
                else Assert.Equal((step, "Completed"), (step, ended.Text("status.terminalReason")));
                if (step == "told") Assert.Equal(["And then?"], FieldPath.Find(ended, "status.messages[].text").Select(m => m.Value.Text()));
                Assert.DoesNotContain(await ApprovalsAsync(survivor, run), p => p.Text("status.phase") == "pending");
                if (ended.Text("status.terminalReason") == "Lost") await PostAsync(survivor, $"agentdispatchruns/{run}/retry", "{}");
                Assert.Equal("Completed", (await EndAsync(survivor, run)).Text("status.terminalReason"));
                Assert.False(HostProcesses.IsAlive(marker), step);
            }
        }
        finally
        {
            await krate.DisposeAsync();
            File.Delete(agent);
        }

        // What came before the start of an agent is done again by who comes next; all that came after it has nothing behind it any more.
        Assert.Contains("bound", lost);
        Assert.Contains("waiting", lost);
        Assert.Contains("told", lost);
        Assert.DoesNotContain("posted", lost);
    }

    private static IEnumerable<(string Step, Func<JsonObject, bool> IsReached)> Steps =>
    [
        ("posted", _ => true),
        ("queued", r => r.Text("status.phase") != "pending"),
        ("provisioned", r => Has(r, "WorkspaceResolved")),
        ("bound", r => Has(r, "AgentMuxSessionBound")),
        ("waiting", r => r.Text("status.phase") == "waiting-for-approval"),
        ("told", r => r.Text("status.phase") == "waiting-for-approval"),
        ("decided", r => r.Text("status.phase") == "waiting-for-approval"),
    ];

    private static bool Has(JsonObject run, string condition) => (run.At("status.conditions") as JsonArray ?? []).Any(c => c.Text("type") == condition && c.Text("status") == "True");

    private static Task<JsonObject> RunAsync(HttpClient client, string run) => client.GetFromJsonAsync<JsonObject>(Api + "agentdispatchruns/" + run, Ct)!;

    private static async Task<IReadOnlyList<JsonNode>> ApprovalsAsync(HttpClient client, string run) =>
        [.. (await client.GetFromJsonAsync<JsonObject>($"{Api}agentapprovals?labelSelector=krate.a5c.ai/dispatch-run={run}", Ct))!["items"]!.AsArray().OfType<JsonNode>()];

    private static async Task DecideAsync(HttpClient client, string run)
    {
        foreach (var approval in (await ApprovalsAsync(client, run)).Where(a => a.Text("status.phase") == "pending"))
            await PostAsync(client, $"agentapprovals/{approval.Text("metadata.name")}/decision", """{"decision":"approved"}""");
    }

    /// <summary>Lets it do what it asks for, until it has ended.</summary>
    private static async Task<JsonObject> EndAsync(HttpClient client, string run)
    {
        JsonObject seen = [];
        await UntilAsync(async () =>
        {
            seen = await RunAsync(client, run);
            if (seen.Text("status.phase") == "waiting-for-approval") await DecideAsync(client, run);
            return RunPhase.IsTerminal(seen.Text("status.phase"));
        });
        return seen;
    }

    private static async Task<string> StartAsync(HttpClient client) =>
        (await PostAsync(client, "agentdispatchruns", """{"spec":{"repository":"shop","agentStack":"hangs","taskKind":"task","sourceRefs":{},"task":"Wait."}}""")).Text("metadata.name")!;

    private static string[] Command(string agent) => ["dotnet", Path.Combine(AppContext.BaseDirectory, "Krate.Web.dll"), $"--Krate:Agents:AllowedCommands={agent}"];

    private static async Task<string> AgentAsync(TempData data, string marker, bool asks)
    {
        var agent = Path.GetFullPath(Path.Combine(data.Directory.Path, "..", $"{marker}.sh"));
        await File.WriteAllTextAsync(agent, Agent(marker, asks), Ct);
        File.SetUnixFileMode(agent, UnixFileMode.UserRead | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        return agent;
    }

    private static string Agent(string marker, bool asks) => """
        #!/bin/bash
        while read -r line; do
          id=${line#*\"id\":}; id=${id%%,*}
          case $line in
            *'"method":"initialize"'*) printf '{"jsonrpc":"2.0","id":%s,"result":{"protocolVersion":1}}\n' "$id" ;;
            *'"method":"session/new"'*) printf '{"jsonrpc":"2.0","id":%s,"result":{"sessionId":"s"}}\n' "$id" ;;
            *'"method":"session/prompt"'*)
              printf '%s\n' '{"jsonrpc":"2.0","method":"session/update","params":{"sessionId":"s","update":{"sessionUpdate":"agent_message_chunk","content":{"type":"text","text":"I begin. "}}}}'
              setsid bash -c 'exec -a MARKER sleep 600' < /dev/null > /dev/null 2>&1 &
              prompt=$id
              [[ ASKS == True ]] && printf '%s\n' '{"jsonrpc":"2.0","id":77,"method":"session/request_permission","params":{"sessionId":"s","toolCall":{"toolCallId":"t","title":"Go on","kind":"other"},"options":[{"optionId":"no","kind":"reject_once","name":"No"},{"optionId":"yes","kind":"allow_once","name":"Yes"}]}}' ;;
            *'"id":77,'*) printf '{"jsonrpc":"2.0","id":%s,"result":{"stopReason":"end_turn"}}\n' "$prompt" ;;
          esac
        done
        """.Replace("MARKER", marker, StringComparison.Ordinal).Replace("ASKS", asks.ToString(), StringComparison.Ordinal);

    private static async Task MakeAsync(HttpClient client, string agent)
    {
        await PostAsync(client, "../krate-system/organizations", """{"metadata":{"name":"acme"},"spec":{"slug":"acme","displayName":"Acme"}}""");
        await UntilAsync(async () => (await client.GetFromJsonAsync<JsonObject>(Api + "../krate-system/organizations/acme", Ct))!.Text("status.phase") == "Ready");
        await PostAsync(client, "repositories", """{"metadata":{"name":"shop"},"spec":{"visibility":"private"}}""");
        using var account = await client.PostAsJsonAsync("/api/v1/namespaces/krate-org-acme/serviceaccounts", new { metadata = new { name = "hangs" } }, Ct);
        await PostAsync(client, "agentadapters", $$"""{"metadata":{"name":"hangs"},"spec":{"adapterType":"custom","transport":"acp-stdio","command":"{{agent}}"} }""");
        await PostAsync(client, "agentstacks", """{"metadata":{"name":"hangs"},"spec":{"baseAgent":"custom","adapter":"hangs","runtimeIdentity":{"serviceAccountRef":"hangs"} } }""");
        await UntilAsync(async () => (await client.GetFromJsonAsync<JsonObject>(Api + "agentstacks/hangs", Ct))!.Text("status.phase") == "Ready");
    }

    private static async Task<IReadOnlyList<JsonNode>> EventsAsync(HttpClient client, string run) =>
        [.. (await client.GetFromJsonAsync<JsonObject>($"/api/orgs/acme/agents/runs/{run}/events", Ct))!["events"]!.AsArray().OfType<JsonNode>()];

    private static async Task<JsonObject> PostAsync(HttpClient client, string path, string document)
    {
        using var answer = await client.PostAsync(new Uri(Api + path, UriKind.Relative), new StringContent(document, new MediaTypeHeaderValue("application/json")), Ct);
        var text = await answer.Content.ReadAsStringAsync(Ct);
        Assert.True(answer.IsSuccessStatusCode, text);
        return KrateJson.ParseObject(text).Copy();
    }

    private static HttpClient Client(KrateProcess krate) => new() { BaseAddress = krate.Http, DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", krate.AdminToken()) } };

    /// <param name="what">What there was instead.</param>
    private static async Task UntilAsync(Func<Task<bool>> holds, Func<string>? what = null)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        patience.CancelAfter(TimeSpan.FromSeconds(60));
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        try
        {
            while (!await holds()) await tick.WaitForNextTickAsync(patience.Token);
        }
        catch (OperationCanceledException e) when (!Ct.IsCancellationRequested)
        {
            throw new TimeoutException(what?.Invoke(), e);
        }
    }
}
