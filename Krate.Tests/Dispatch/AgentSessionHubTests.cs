using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Kinds;
using Krate.Core.Resources;
using Krate.Core.Sessions;
using Krate.Tests.Repositories;
using Krate.Tests.Runs;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Client;
using Xunit;

namespace Krate.Tests.Dispatch;

/// <summary>A program starts the agent that ships with Krate, follows it with the real client, and reads what it left.</summary>
[Collection(typeof(GitCollection))]
public sealed class AgentSessionHubTests(GitWorld world) : CiWork(world)
{
    [Fact]
    public async Task What_was_previewed_is_sent_the_session_is_followed_to_its_end_and_its_diagnosis_is_there()
    {
        var (ci, _, job) = await NewRunAsync();
        await AppendedAsync(ci, job, 0, "cc -c money.c\nmoney.c:6:5: error: 'summ' undeclared\nmake: *** [Makefile:3: money.o] Error 1\n");
        await OkAsync(ci, $"jobs/{job.Name}/finish", """{"exitCode":2}""");
        await BindAsync(NameOf(ci) + "-develops", "ClusterRole", "krate-developer", NameOf(ci));
        var stack = await NewStackAsync();
        var body = $$"""{"agentStack":"{{stack}}","repository":"{{RepositoryOf(job)}}","task":"Why?","sourceRefs":{"job":"{{job.Name}}"} }""";
        var preview = await SendAsync(ci, "/api/orgs/acme/agents/context/preview", body, HttpStatusCode.OK);

        var key = Guid.NewGuid().ToString();
        var run = await SendAsync(ci, "/api/orgs/acme/agents/runs", body, HttpStatusCode.Created, key);
        var name = run.Text("metadata.name")!;
        Assert.Equal(name, (await SendAsync(ci, "/api/orgs/acme/agents/runs", body, HttpStatusCode.OK, key)).Text("metadata.name"));
        await SendAsync(ci, "/api/orgs/acme/agents/runs", body.Replace("Why?", "How?", StringComparison.Ordinal), HttpStatusCode.Conflict, key);
        var bundle = await World.FindAsync("AgentContextBundle", GitWorld.Namespace, run.Text("spec.contextBundleRef")!);
        Assert.Equal(preview.Text("digest"), bundle!.Body.Text("spec.digest"));
        var sent = await World.Server.Service<Krate.Core.Blobs.BlobStore>().ReadAsync(bundle.Body.Text("spec.promptDigest")!, Ct);
        Assert.Equal(preview.Texts("blocks"), JsonNode.Parse(sent)!.AsArray().Select(b => b!.GetValue<string>()));

        await using var hub = await ConnectAsync(ci.DefaultRequestHeaders.Authorization!.Parameter!);
        var said = new List<SessionEvent>();
        await foreach (var batch in hub.StreamAsync<IReadOnlyList<SessionEvent>>("Subscribe", "acme", name, 0L, Ct)) said.AddRange(batch);
        Assert.Equal(Enumerable.Range(1, said.Count).Select(n => (long)n), said.Select(e => e.Sequence));
        Assert.Equal(("session-started", "ended", "Completed"), (said[0].Type, said[^1].Type, said[^1].Data.Text("reason")));
        var ended = (await World.UntilAsync("AgentDispatchRun", GitWorld.Namespace, name, r => RunPhase.IsTerminal(r?.Body.Text("status.phase"))))!;
        var contents = await Task.WhenAll(ended.Body.Texts("status.artifacts").Select(a => ci.GetStringAsync(new Uri($"/api/orgs/acme/agents/artifacts/{a}/content", UriKind.Relative), Ct)));
        Assert.Contains(contents, c => c.Contains("'summ' undeclared", StringComparison.Ordinal));

        var other = await NewCiAsync(await World.NewRepositoryAsync());
        await using var outside = await ConnectAsync(other.DefaultRequestHeaders.Authorization!.Parameter!);
        await Assert.ThrowsAsync<HubException>(() => outside.StreamAsync<IReadOnlyList<SessionEvent>>("Subscribe", "acme", name, 0L, Ct).GetAsyncEnumerator(Ct).MoveNextAsync().AsTask());
    }

    private async Task<string> NewStackAsync()
    {
        const string Name = "hub-diagnoser";
        await World.CreateAsync("AgentAdapter", GitWorld.Namespace, Name, new() { ["adapterType"] = "krate-diagnoser", ["transport"] = "acp-stdio" });
        await World.Gateway.CreateAsync(GitWorld.Admin, KindTable.Catalog["ServiceAccount"], GitWorld.Namespace, new JsonObject { ["metadata"] = new JsonObject { ["name"] = Name } }, new(), Ct);
        await World.CreateAsync("AgentStack", GitWorld.Namespace, Name, new() { ["baseAgent"] = "krate-diagnoser", ["adapter"] = Name, ["runtimeIdentity"] = new JsonObject { ["serviceAccountRef"] = Name } });
        await World.UntilAsync("AgentStack", GitWorld.Namespace, Name, s => s?.FindCondition(Condition.Ready)?.Status == Condition.True);
        return Name;
    }

    private static string RepositoryOf(Resource job) => job.Label(WellKnown.RepositoryLabel)!;

    private static async Task<JsonObject> SendAsync(HttpClient client, string path, string body, HttpStatusCode code, string? key = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body, new MediaTypeHeaderValue("application/json")) };
        if (key is not null) request.Headers.Add("Idempotency-Key", key);
        using var answer = await client.SendAsync(request, Ct);
        var text = await answer.Content.ReadAsStringAsync(Ct);
        Assert.True(answer.StatusCode == code, $"{answer.StatusCode}: {text}");
        return KrateJson.ParseObject(text).Copy();
    }

    private async Task<HubConnection> ConnectAsync(string token)
    {
        var hub = new HubConnectionBuilder().WithUrl(new Uri(World.Server.Http, "/hubs/agent-sessions"), o =>
        {
            o.Transports = Microsoft.AspNetCore.Http.Connections.HttpTransportType.WebSockets;
            o.AccessTokenProvider = () => Task.FromResult<string?>(token);
        }).Build();
        await hub.StartAsync(Ct);
        return hub;
    }
}
