using System.Globalization;
using System.Text.Json.Nodes;
using Krate.Core.Resources;
using Xunit;

namespace Krate.Tests.Api;

[Collection<ApiCollection>]
public sealed class WatchTests(ApiServer api)
{
    private const string Subagents = ApiServer.Org + "/agentsubagents";

    [Fact]
    public async Task A_watch_goes_on_from_the_version_of_a_list()
    {
        var from = (await api.GetAsync(Subagents)).Field("metadata.resourceVersion");
        await api.SendAsync("POST", Subagents, ApiServer.Subagent("followed"));
        await using var watch = await api.WatchAsync($"{Subagents}?watch=true&resourceVersion={from}&fieldSelector=metadata.name%3Dfollowed");
        Assert.Equal("application/json; stream=watch", watch.Response.Content.Headers.ContentType!.ToString());
        var added = await watch.NextEventAsync();
        await PatchAsync("followed", """{"metadata":{"labels":{"step":"1"}}}""");
        var modified = await watch.NextEventAsync();
        await api.SendAsync("DELETE", Subagents + "/followed", (string?)null);
        var deleted = await watch.NextEventAsync();
        Assert.Equal(["ADDED", "MODIFIED", "DELETED"], new[] { added, modified, deleted }.Select(e => e.Text("type")!));
        var versions = new[] { added, modified, deleted }.Select(e => long.Parse(e.Text("object.metadata.resourceVersion")!, CultureInfo.InvariantCulture)).ToList();
        Assert.Equal(versions.Order(), versions);
    }

    [Fact]
    public async Task A_list_of_a_version_that_is_to_come_waits_for_it()
    {
        var now = long.Parse((await api.GetAsync(Subagents)).Field("metadata.resourceVersion")!, CultureInfo.InvariantCulture);
        var list = api.GetAsync($"{Subagents}?resourceVersion={now + 1}");
        await api.SendAsync("POST", Subagents, ApiServer.Subagent("awaited"));
        Assert.True(long.Parse((await list).Field("metadata.resourceVersion")!, CultureInfo.InvariantCulture) > now);
    }

    [Fact]
    public async Task A_selector_turns_changes_into_comings_and_goings()
    {
        await api.SendAsync("POST", Subagents, ApiServer.Subagent("wanderer"));
        await using var watch = await api.WatchAsync($"{Subagents}?watch=true&labelSelector=here%3Dyes");
        await PatchAsync("wanderer", """{"metadata":{"labels":{"here":"yes"}}}""");
        Assert.Equal("ADDED", (await watch.NextEventAsync()).Text("type"));
        await PatchAsync("wanderer", """{"metadata":{"labels":{"here":"no"}}}""");
        Assert.Equal("DELETED", (await watch.NextEventAsync()).Text("type"));
    }

    [Fact]
    public async Task Initial_events_end_with_a_bookmark()
    {
        await api.SendAsync("POST", Subagents, ApiServer.Subagent("initial"));
        await using var watch = await api.WatchAsync($"{Subagents}?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&fieldSelector=metadata.name%3Dinitial");
        Assert.Equal("initial", (await watch.NextEventAsync()).Text("object.metadata.name"));
        var bookmark = await watch.NextEventAsync();
        Assert.Equal(("BOOKMARK", "AgentSubagent"), (bookmark.Text("type"), bookmark.Text("object.kind")));
        Assert.Equal("true", ((JsonObject)bookmark.At("object.metadata.annotations")!)["k8s.io/initial-events-end"]!.ToString());
    }

    [Fact]
    public async Task A_table_watch_carries_columns_once()
    {
        await using var watch = await api.WatchAsync($"{Subagents}?watch=true&labelSelector=tabled%3Dyes", "application/json;as=Table;v=v1;g=meta.k8s.io");
        await api.SendAsync("POST", Subagents, ApiServer.Subagent("tabled").Replace("\"metadata\":{", "\"metadata\":{\"labels\":{\"tabled\":\"yes\"},", StringComparison.Ordinal));
        var first = await watch.NextEventAsync();
        Assert.NotEmpty((JsonArray)first.At("object.columnDefinitions")!);
        Assert.Equal("tabled", first.At("object.rows")![0]!["cells"]![0]!.ToString());
        await PatchAsync("tabled", """{"spec":{"modelOverride":"me"}}""");
        Assert.Empty((JsonArray)(await watch.NextEventAsync()).At("object.columnDefinitions")!);
    }

    [Fact]
    public async Task A_watch_ends_when_its_time_is_up()
    {
        await using var watch = await api.WatchAsync($"{Subagents}?watch=true&timeoutSeconds=1&labelSelector=never");
        Assert.Null(await watch.NextAsync());
    }

    [Fact]
    public async Task An_org_stream_begins_with_a_sync_goes_on_with_changes_and_resumes_without_gap_or_repetition()
    {
        await api.MakeOrgAsync("streamed");
        const string Space = "/apis/krate.a5c.ai/v1alpha1/namespaces/krate-org-streamed";
        await api.SendAsync("POST", $"{Space}/agentsubagents", ApiServer.Subagent("before"));
        string last;
        await using (var stream = await api.WatchAsync("/api/watch/orgs/streamed/agentsubagents,configmaps"))
        {
            Assert.Equal("text/event-stream", stream.Response.Content.Headers.ContentType!.MediaType);
            var labels = await NextAsync(stream);
            Assert.Equal(("SYNC", "agentsubagents", ""), (labels.Data.Text("type"), labels.Data.Text("plural"), labels.Id));
            Assert.Equal("before", Assert.Single((JsonArray)labels.Data["items"]!).Text("metadata.name"));
            var maps = await NextAsync(stream);
            Assert.Equal(("SYNC", "configmaps"), (maps.Data.Text("type"), maps.Data.Text("plural")));
            Assert.NotEqual("", maps.Id);

            await api.SendAsync("POST", Subagents, ApiServer.Subagent("of-another-org"));
            await api.SendAsync("POST", "/api/v1/namespaces/krate-org-streamed/configmaps", """{"metadata":{"name":"one"}}""");
            var added = await NextAsync(stream);
            Assert.Equal(("ADDED", "configmaps", "one"), (added.Data.Text("type"), added.Data.Text("plural"), added.Data.Text("object.metadata.name")));
            Assert.Equal(added.Data.Text("resourceVersion"), added.Id);
            last = added.Id;
        }

        await api.SendAsync("DELETE", $"{Space}/agentsubagents/before", (string?)null);
        await api.SendAsync("DELETE", "/api/v1/namespaces/krate-org-streamed/configmaps/one", (string?)null);
        await using var resumed = await api.WatchAsync("/api/watch/orgs/streamed/agentsubagents,configmaps", lastEventId: last);
        Assert.Equal(["before", "one"], new[] { await NextAsync(resumed), await NextAsync(resumed) }.Select(e => $"{e.Data.Text("object.metadata.name")}"));
    }

    [Fact]
    public async Task A_stream_of_another_org_is_refused_before_it_begins()
    {
        using var nobody = api.Server.NewClient();
        var refused = await api.GetAsync("/api/watch/orgs/acme/agentstacks", client: nobody);
        Assert.Equal((401, "UNAUTHENTICATED"), (refused.Code, refused.Field("error.code")));
        using var stranger = await StrangerAsync("stranger");
        foreach (var org in new[] { "acme", "no-such-org" })
        {
            var answer = await api.GetAsync($"/api/watch/orgs/{org}/agentstacks", client: stranger);
            Assert.Equal((403, "FORBIDDEN"), (answer.Code, answer.Field("error.code")));
        }
    }

    [Fact]
    public async Task Open_streams_end_when_the_right_is_taken_away()
    {
        using var reader = await StrangerAsync("reader");
        const string Bindings = "/apis/rbac.authorization.k8s.io/v1/namespaces/krate-org-acme/rolebindings";
        var bound = await api.SendAsync("POST", Bindings, """{"metadata":{"name":"reader"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"krate-viewer"},"subjects":[{"kind":"ServiceAccount","name":"reader","namespace":"default"}]}""");
        Assert.True(bound.Code == 201, bound.ToString());
        await using var watch = await api.WatchAsync($"{Subagents}?watch=true&labelSelector=nothing%3Dhere", client: reader);
        await using var stream = await api.WatchAsync("/api/watch/orgs/acme/agentsubagents", client: reader);
        Assert.Equal((200, 200), ((int)watch.Response.StatusCode, (int)stream.Response.StatusCode));
        await NextAsync(stream);
        await api.SendAsync("DELETE", Bindings + "/reader", (string?)null);
        var error = await watch.NextEventAsync();
        Assert.Equal(("ERROR", "Expired", "410"), (error.Text("type"), error.Text("object.reason"), error.At("object.code")!.ToString()));
        Assert.Null(await watch.NextAsync());
        Assert.Equal("FORBIDDEN", (await NextAsync(stream)).Data.Text("error.code"));
        Assert.Equal(403, (await api.GetAsync($"{Subagents}?watch=true", client: reader)).Code);
    }

    [Fact]
    public async Task Audit_events_are_listed_and_watched_but_never_written()
    {
        const string Audit = ApiServer.Org + "/auditevents";
        var from = (await api.GetAsync(Audit + "?limit=1")).Field("metadata.resourceVersion");
        await using var watch = await api.WatchAsync($"{Audit}?watch=true&resourceVersion={from}");
        await api.SendAsync("POST", Subagents, ApiServer.Subagent("audited"));
        var e = await watch.UntilAsync(e => e.Text("object.spec.target.name") == "audited");
        Assert.Equal("ADDED", e.Text("type"));
        Assert.Equal(200, (await api.GetAsync($"{Audit}/{e.Text("object.metadata.name")}")).Code);
        foreach (var method in new[] { "PUT", "PATCH", "DELETE" })
            Assert.Equal(405, (await api.SendAsync(method, $"{Audit}/{e.Text("object.metadata.name")}", "{}", "application/merge-patch+json")).Code is var code && code == 415 ? 405 : code);
    }

    [Fact]
    public async Task Open_streams_do_not_hold_up_the_stop()
    {
        var server = await Krate.Tests.Testing.KrateServer.StartAsync();
        await using var watch = await api.WatchAsync("/api/v1/namespaces?watch=true", client: server.Admin);
        await watch.NextEventAsync();
        var stopping = server.DisposeAsync().AsTask();
        while (await watch.NextAsync() is not null)
        {
            // What was already on its way.
        }

        await stopping;
    }

    [Fact]
    public async Task Typed_resources_are_listed_applied_and_deleted()
    {
        const string Body = """{"kind":"AgentSubagent","metadata":{"name":"typed"},"spec":{"rolePrompt":"One.","taskKinds":["review"],"modelOverride":"me"}}""";
        Assert.Equal(201, (await api.SendAsync("POST", "/api/orgs/acme/resources", Body)).Code);
        var same = await api.SendAsync("POST", "/api/orgs/acme/resources", Body);
        var changed = await api.SendAsync("POST", "/api/controller/resources?org=acme", Body.Replace(",\"modelOverride\":\"me\"", "", StringComparison.Ordinal));
        Assert.Equal((200, 200), (same.Code, changed.Code));
        Assert.Null(changed.Field("spec.modelOverride"));
        var list = await api.GetAsync("/api/orgs/acme/resources?kind=AgentSubagent&fieldSelector=metadata.name%3Dtyped");
        Assert.Equal("typed", Assert.Single((JsonArray)list.Json["items"]!).Text("metadata.name"));
        Assert.Equal("One.", (await api.GetAsync("/api/controller/resources/AgentSubagent/typed?org=acme")).Field("spec.rolePrompt"));
        Assert.Equal("true", (await api.SendAsync("DELETE", "/api/controller/resources/AgentSubagent/typed?namespace=krate-org-acme", (string?)null)).Field("deleted"));
    }

    private static async Task<(string Id, JsonObject Data)> NextAsync(Lines stream)
    {
        var id = "";
        while (await stream.NextAsync() is { } line)
        {
            if (line.StartsWith("id: ", StringComparison.Ordinal)) id = line[4..];
            else if (line.StartsWith("data: ", StringComparison.Ordinal)) return (id, KrateJson.ParseObject(line[6..]));
        }

        throw new EndOfStreamException();
    }

    /// <summary>A ServiceAccount without any right.</summary>
    private async Task<HttpClient> StrangerAsync(string name)
    {
        await api.SendAsync("POST", "/api/v1/namespaces/default/serviceaccounts", $$"""{"metadata":{"name":"{{name}}"} }""");
        var token = await api.SendAsync("POST", $"/api/v1/namespaces/default/serviceaccounts/{name}/token", "{}");
        return api.Server.NewClient(token.Field("status.token"));
    }

    private Task<Answer> PatchAsync(string name, string patch) => api.SendAsync("PATCH", $"{Subagents}/{name}", patch, "application/merge-patch+json");
}
