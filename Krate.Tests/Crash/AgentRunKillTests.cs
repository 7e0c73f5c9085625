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
        var agent = Path.Combine(data.Directory.Path, "..", $"{marker}.sh");
        await File.WriteAllTextAsync(agent, Agent(marker), Ct);
        File.SetUnixFileMode(agent, UnixFileMode.UserRead | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        agent = Path.GetFullPath(agent);
        string[] command = ["dotnet", Path.Combine(AppContext.BaseDirectory, "Krate.Web.dll"), $"--Krate:Agents:AllowedCommands={agent}"];
        string run;
        await using (var krate = await KrateProcess.StartAsync(command, data.Directory.Path, null, Ct))
        {
            using var client = Client(krate);
            await MakeAsync(client, agent);
            run = (await PostAsync(client, "agentdispatchruns", """{"spec":{"repository":"shop","agentStack":"hangs","taskKind":"task","sourceRefs":{},"task":"Wait."}}""")).Text("metadata.name")!;
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

    private static string Agent(string marker) => """
        #!/bin/bash
        while read -r line; do
          id=${line#*\"id\":}; id=${id%%,*}
          case $line in
            *'"method":"initialize"'*) printf '{"jsonrpc":"2.0","id":%s,"result":{"protocolVersion":1}}\n' "$id" ;;
            *'"method":"session/new"'*) printf '{"jsonrpc":"2.0","id":%s,"result":{"sessionId":"s"}}\n' "$id" ;;
            *'"method":"session/prompt"'*)
              printf '%s\n' '{"jsonrpc":"2.0","method":"session/update","params":{"sessionId":"s","update":{"sessionUpdate":"agent_message_chunk","content":{"type":"text","text":"I begin. "}}}}'
              setsid bash -c 'exec -a MARKER sleep 600' < /dev/null > /dev/null 2>&1 & ;;
          esac
        done
        """.Replace("MARKER", marker, StringComparison.Ordinal);

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

    private static async Task UntilAsync(Func<Task<bool>> holds)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        patience.CancelAfter(TimeSpan.FromSeconds(60));
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        while (!await holds()) await tick.WaitForNextTickAsync(patience.Token);
    }
}
