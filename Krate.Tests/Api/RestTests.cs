using System.Text.Json.Nodes;
using Krate.Core.Resources;
using Xunit;

namespace Krate.Tests.Api;

/// <summary>Details of Kubernetes' REST that clients rely on.</summary>
[Collection<ApiCollection>]
public sealed class RestTests(ApiServer api)
{
    private const string Subagents = ApiServer.Org + "/agentsubagents";
    private const string Table = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
    private const string Partial = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
    private const string Aggregated = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";

    [Fact]
    public async Task Discovery_says_the_same_in_both_forms()
    {
        var aggregated = (await api.GetAsync("/apis", Aggregated)).Json;
        Assert.Equal("apidiscovery.k8s.io/v2", aggregated.Text("apiVersion"));
        foreach (var group in (JsonArray)aggregated["items"]!)
        {
            var name = group.Text("metadata.name")!;
            var version = group!["versions"]![0]!;
            var plain = await api.GetAsync($"/apis/{name}/{version.Text("version")}");
            var resources = ((JsonArray)plain.Json["resources"]!).Select(r => r.Text("name")!).Where(r => !r.Contains('/', StringComparison.Ordinal));
            Assert.Equal(((JsonArray)version["resources"]!).Select(r => r.Text("resource")!), resources);
            Assert.Equal(name, (await api.GetAsync($"/apis/{name}")).Field("name"));
        }

        Assert.Equal("APIGroupList", (await api.GetAsync("/apis")).Field("kind"));
        Assert.Equal("APIVersions", (await api.GetAsync("/api")).Field("kind"));
        Assert.Contains("serviceaccounts/token", (await api.GetAsync("/api/v1")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_group_has_an_openapi_document_that_may_be_kept_for_ever()
    {
        var paths = (JsonObject)(await api.GetAsync("/openapi/v3")).Json["paths"]!;
        Assert.Contains("apis/krate.a5c.ai/v1alpha1", paths.Select(p => p.Key));
        foreach (var (path, entry) in paths)
        {
            var document = await api.GetAsync(entry.Text("serverRelativeURL")!);
            Assert.True(document.Code == 200, path);
            Assert.NotEmpty((JsonObject)document.Json.At("components.schemas")!);
        }
    }

    [Fact]
    public async Task A_table_has_the_name_first_and_the_age_last()
    {
        await api.SendAsync("POST", Subagents, ApiServer.Subagent("printed"));
        var table = await api.GetAsync(Subagents + "?fieldSelector=metadata.name%3Dprinted", Table);
        Assert.Equal("application/json;as=Table;v=v1;g=meta.k8s.io", table.Type.Replace(" ", "", StringComparison.Ordinal));
        var columns = ((JsonArray)table.Json["columnDefinitions"]!).Select(c => c.Text("name")!).ToList();
        Assert.Equal(("Name", "Age"), (columns[0], columns[^1]));
        var row = table.Json["rows"]![0]!;
        Assert.Equal(columns.Count, ((JsonArray)row["cells"]!).Count);
        Assert.Equal("printed", row["cells"]![0]!.ToString());
        Assert.Matches("^[0-9]+s$", row["cells"]!.AsArray()[^1]!.ToString());
        Assert.Equal(("PartialObjectMetadata", null), (row.Text("object.kind"), row!["object"]!["spec"]));
        Assert.Equal("Hello.", (await api.GetAsync(Subagents + "/printed?includeObject=Object", Table)).Json["rows"]![0].Text("object.spec.rolePrompt"));
        Assert.Null((await api.GetAsync(Subagents + "/printed?includeObject=None", Table)).Json["rows"]![0]!["object"]);
        var partial = await api.GetAsync(Subagents, Partial);
        Assert.Equal("PartialObjectMetadataList", partial.Field("kind"));
        Assert.Equal(406, (await api.GetAsync(Subagents, "application/xml")).Code);
    }

    [Fact]
    public async Task A_list_is_paged_over_one_snapshot()
    {
        for (var i = 0; i < 5; i++) await api.SendAsync("POST", Subagents, ApiServer.Subagent($"page-{i}").Replace("\"metadata\":{", "\"metadata\":{\"labels\":{\"page\":\"yes\"},", StringComparison.Ordinal));
        var first = await api.GetAsync(Subagents + "?labelSelector=page%3Dyes&limit=2");
        await api.SendAsync("DELETE", Subagents + "/page-4", (string?)null);
        var names = Names(first);
        var token = first.Field("metadata.continue");
        while (token is not null)
        {
            var next = await api.GetAsync($"{Subagents}?labelSelector=page%3Dyes&limit=2&continue={Uri.EscapeDataString(token)}");
            Assert.Equal(first.Field("metadata.resourceVersion"), next.Field("metadata.resourceVersion"));
            names.AddRange(Names(next));
            token = next.Field("metadata.continue");
        }

        Assert.Equal(["page-0", "page-1", "page-2", "page-3", "page-4"], names);
    }

    [Fact]
    public async Task The_status_is_written_through_its_own_door_only()
    {
        await api.SendAsync("POST", Subagents, ApiServer.Subagent("doors").Replace("\"spec\":", "\"status\":{\"phase\":\"Rejected\"},\"spec\":", StringComparison.Ordinal));
        Assert.NotEqual("Rejected", (await api.GetAsync(Subagents + "/doors")).Field("status.phase"));
        var status = await api.SendAsync("PATCH", Subagents + "/doors/status", """{"status":{"phase":"Reviewed"},"metadata":{"labels":{"a":"b"}}}""", "application/merge-patch+json");
        Assert.True(status.Code == 200, status.ToString());
        Assert.Equal(("Reviewed", null), (status.Field("status.phase"), status.Field("metadata.labels.a")));
        var main = await api.SendAsync("PATCH", Subagents + "/doors", """{"status":{"phase":"Rejected"},"metadata":{"labels":{"a":"b"}}}""", "application/merge-patch+json");
        Assert.Equal(("Reviewed", "b"), (main.Field("status.phase"), main.Field("metadata.labels.a")));
        var applied = await api.SendAsync("PATCH", Subagents + "/doors/status?fieldManager=judge&force=true", """{"metadata":{"name":"doors"},"status":{"phase":"Draft"},"spec":{"modelOverride":"nobody"}}""", "application/apply-patch+yaml");
        Assert.Equal(("Draft", null), (applied.Field("status.phase"), applied.Field("spec.modelOverride")));
        Assert.Contains(((JsonArray)applied.Json.At("metadata.managedFields")!), e => e.Text("manager") == "judge" && e.Text("subresource") == "status");
    }

    [Fact]
    public async Task A_collection_is_deleted_by_selector()
    {
        for (var i = 0; i < 3; i++) await api.SendAsync("POST", Subagents, ApiServer.Subagent($"swept-{i}").Replace("\"metadata\":{", "\"metadata\":{\"labels\":{\"swept\":\"" + (i < 2) + "\"},", StringComparison.Ordinal));
        var answer = await api.SendAsync("DELETE", Subagents + "?labelSelector=swept%3DTrue", (string?)null);
        Assert.Equal((200, "Success"), (answer.Code, answer.Field("status")));
        Assert.Equal(["swept-2"], Names(await api.GetAsync(Subagents + "?labelSelector=swept")));
    }

    [Fact]
    public async Task A_dry_run_says_what_would_be_and_leaves_no_trace()
    {
        var before = (await api.GetAsync(Subagents)).Field("metadata.resourceVersion");
        Assert.Equal(201, (await api.SendAsync("POST", Subagents + "?dryRun=All", ApiServer.Subagent("dry"))).Code);
        Assert.Equal(201, (await api.SendAsync("PATCH", Subagents + "/dry?dryRun=All&fieldManager=me", ApiServer.Subagent("dry"), "application/apply-patch+yaml")).Code);
        Assert.Equal(before, (await api.GetAsync(Subagents)).Field("metadata.resourceVersion"));
    }

    [Fact]
    public async Task Yaml_is_taken_wherever_json_is()
    {
        var made = await api.SendAsync("POST", Subagents, "kind: AgentSubagent\nmetadata:\n  name: from-yaml\nspec:\n  rolePrompt: \"yes\"\n  taskKinds: [review]\n  modelOverride: on\n", "application/yaml; charset=utf-8");
        Assert.True(made.Code == 201, made.ToString());
        Assert.Equal("on", made.Field("spec.modelOverride"));
    }

    [Fact]
    public async Task The_field_manager_is_the_program_unless_it_says_otherwise()
    {
        using var program = api.Server.NewClient(api.Server.AdminToken);
        program.DefaultRequestHeaders.Add("User-Agent", "my-tool/1.2 (linux)");
        var made = await api.SendAsync("POST", Subagents, ApiServer.Subagent("managed"), client: program);
        Assert.Equal("my-tool", made.Json.At("metadata.managedFields")![0].Text("manager"));
    }

    private static List<string> Names(Answer list) => [.. ((JsonArray)list.Json["items"]!).Select(i => i.Text("metadata.name")!)];
}
