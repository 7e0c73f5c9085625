using System.Text;
using System.Text.Json.Nodes;
using Krate.Core.Resources;
using Xunit;

namespace Krate.Tests.Api;

/// <summary>Whatever is sent: a clear 4xx as a Status (or the typed error), never a 500, never half a write.</summary>
[Collection<ApiCollection>]
public sealed class BadInputTests(ApiServer api)
{
    private const string Subagents = ApiServer.Org + "/agentsubagents";
    private const string Yaml = "application/yaml";
    private const string Json = "application/json";

    /// <summary>Method, path, content type, body, code, and a word that the message must say.</summary>
    public static TheoryData<string, string, string, string?, int, string> Requests => new()
    {
        { "POST", Subagents, Json, "", 400, "body" },
        { "POST", Subagents, Json, "{", 400, "line 1" },
        { "POST", Subagents, Json, "{\n\"kind\": \"AgentSubagent\",\n oops }", 400, "line 3" },
        { "POST", Subagents, Json, "{} {}", 400, "JSON" },
        { "POST", Subagents, Json, "[]", 400, "object" },
        { "POST", Subagents, Json, "null", 400, "body" },
        { "POST", Subagents, Json, "\"text\"", 400, "object" },
        { "POST", Subagents, Yaml, "a: [", 400, "line 2" },
        { "POST", Subagents, Yaml, "a: 1\n b: 2", 400, "line 2" },
        { "POST", Subagents, Yaml, "a: &x 1\nb: *x", 400, "anchors" },
        { "POST", Subagents, Yaml, "a: 1\n---\nb: 2", 400, "document" },
        { "POST", Subagents, Yaml, "- 1", 400, "object" },
        { "POST", Subagents, "text/plain", "hello", 415, "application/json" },
        { "POST", Subagents, "application/vnd.kubernetes.protobuf", "hello", 400, "protobuf" },
        { "POST", Subagents, "application/vnd.kubernetes.protobuf", "k8s\0\u0012\u0001", 400, "protobuf" },
        { "POST", Subagents, Json, """{"kind":"Repository","metadata":{"name":"x"}}""", 400, "kind" },
        { "POST", Subagents, Json, """{"apiVersion":"v1","metadata":{"name":"x"}}""", 400, "apiVersion" },
        { "POST", Subagents, Json, """{"kind":7,"metadata":{"name":"x"}}""", 400, "kind" },
        { "POST", Subagents, Json, """{"metadata":"x"}""", 400, "metadata" },
        { "POST", Subagents, Json, """{"metadata":{"name":"x","namespace":"default"}}""", 400, "namespace" },
        { "POST", Subagents, Json, """{"metadata":{"name":"Not A Name"},"spec":{"rolePrompt":"x","taskKinds":["review"]}}""", 422, "metadata.name" },
        { "POST", Subagents, Json, """{"metadata":{"name":"../../etc"},"spec":{"rolePrompt":"x","taskKinds":["review"]}}""", 422, "metadata.name" },
        { "POST", Subagents, Json, """{"metadata":{"name":["x"]},"spec":{"rolePrompt":"x","taskKinds":["review"]}}""", 422, "metadata.name" },
        { "POST", Subagents, Json, """{"metadata":{"name":"x","labels":{"a b":"c"}},"spec":{"rolePrompt":"x","taskKinds":["review"]}}""", 422, "labels" },
        { "POST", Subagents, Json, """{"metadata":{"name":"x","labels":{"a":7}},"spec":{"rolePrompt":"x","taskKinds":["review"]}}""", 422, "labels" },
        { "POST", Subagents, Json, """{"metadata":{"name":"x","labels":[]},"spec":{"rolePrompt":"x","taskKinds":["review"]}}""", 422, "labels" },
        { "POST", Subagents, Json, """{"metadata":{"name":"x","annotations":"a"},"spec":{"rolePrompt":"x","taskKinds":["review"]}}""", 422, "annotations" },
        { "POST", Subagents, Json, """{"metadata":{"name":"x","finalizers":{"a":1}},"spec":{"rolePrompt":"x","taskKinds":["review"]}}""", 422, "finalizers" },
        { "POST", Subagents, Json, """{"metadata":{"name":"x","ownerReferences":[7]},"spec":{"rolePrompt":"x","taskKinds":["review"]}}""", 422, "ownerReferences" },
        { "POST", Subagents, Json, """{"metadata":{"name":"x"},"spec":[]}""", 422, "spec" },
        { "POST", Subagents, Json, """{"metadata":{"name":"x"},"spec":{"rolePrompt":{"a":1},"taskKinds":["review"]}}""", 422, "spec.rolePrompt" },
        { "POST", Subagents, Json, """{"metadata":{"name":"x"},"spec":{"rolePrompt":"x","taskKinds":"review"}}""", 422, "spec.taskKinds" },
        { "POST", Subagents, Json, """{"metadata":{"name":"x"},"spec":{"rolePrompt":"x","taskKinds":["review"],"organizationRef":{"a":1}}}""", 422, "organizationRef" },
        { "POST", Subagents, Json, """{"metadata":{"name":"x"},"spec":{"rolePrompt":"x"}}""", 422, "spec.taskKinds" },
        { "POST", Subagents, Json, """{"metadata":{"name":"x","resourceVersion":"1"},"spec":{"rolePrompt":"x","taskKinds":["review"]}}""", 400, "resourceVersion" },
        { "POST", Subagents, Json, "{\"metadata\":{\"name\":\"x\"},\"spec\":{\"rolePrompt\":\"a\\u0000b\"}}", 400, "NUL" },
        { "POST", Subagents, Json, "{\"metadata\":{\"name\":\"x\"},\"spec\":{\"rolePrompt\":\"\\ud800\"}}", 400, "UTF-8" },
        { "POST", Subagents, Yaml, "metadata: {name: x}\nspec: {rolePrompt: \"a\\0b\"}", 400, "NUL" },
        { "POST", Subagents + "?fieldValidation=Strict", Json, """{"metadata":{"name":"x"},"spec":{"rolePrompt":"x","taskKinds":["review"],"colour":1}}""", 400, "unknown field \"spec.colour\"" },
        { "POST", Subagents + "?fieldValidation=Strict", Json, """{"metadata":{"name":"x","name":"y"},"spec":{}}""", 400, "duplicate field \"metadata.name\"" },
        { "POST", Subagents + "?fieldValidation=Loud", Json, "{}", 422, "fieldValidation" },
        { "POST", Subagents + "?dryRun=Some", Json, "{}", 422, "dryRun" },
        { "POST", Subagents + "?fieldManager=a%0Ab", Json, "{}", 422, "fieldManager" },
        { "POST", Subagents + "/x", Json, "{}", 405, "post" },
        { "POST", "/apis/krate.a5c.ai/v1alpha1/agentsubagents", Json, "{}", 405, "post" },
        { "PUT", Subagents, Json, "{}", 405, "put" },
        { "PUT", Subagents + "/absent", Json, "{}", 404, "absent" },
        { "PUT", Subagents + "/kept", Json, """{"metadata":{"name":"y"}}""", 400, "does not match" },
        { "PUT", Subagents + "/kept", Json, """{"metadata":{"name":"kept","resourceVersion":"new"}}""", 400, "resourceVersion" },
        { "PUT", Subagents + "/kept", Json, """{"metadata":{"name":"kept","uid":"other"},"spec":{}}""", 409, "UID" },
        { "PATCH", Subagents + "/kept", "application/merge-patch+json", "[]", 400, "object" },
        { "PATCH", Subagents + "/kept", "application/merge-patch+json", "", 400, "body" },
        { "PATCH", Subagents + "/kept", "application/merge-patch+json", """{"spec":null}""", 422, "spec" },
        { "PATCH", Subagents + "/kept", "application/merge-patch+json", """{"kind":"Other"}""", 400, "kind" },
        { "PATCH", Subagents + "/kept", "application/json-patch+json", "{}", 400, "array" },
        { "PATCH", Subagents + "/kept", "application/json-patch+json", """[{"op":"replace","path":"/metadata/labels","value":7}]""", 422, "labels" },
        { "PATCH", Subagents + "/kept", "application/json-patch+json", """[{"op":"add","path":"/metadata/managedFields","value":"x"}]""", 422, "managedFields" },
        { "PATCH", Subagents + "/kept", "application/json-patch+json", "[{}]", 400, "op" },
        { "PATCH", Subagents + "/kept", "application/strategic-merge-patch+json", """{"spec":{"$patch":"replace"}}""", 422, "$patch" },
        { "PATCH", Subagents + "/kept?fieldManager=a", "application/apply-patch+yaml", "{", 400, "line 2" },
        { "PATCH", Subagents + "/kept?fieldManager=a", "application/apply-patch+yaml", "spec: {rolePrompt: [}", 400, "line 1" },
        { "PATCH", Subagents + "/kept", "application/apply-patch+yaml", "spec: {}", 422, "fieldManager" },
        { "PATCH", Subagents + "/kept?force=true", "application/merge-patch+json", "{}", 422, "force" },
        { "PATCH", Subagents + "/kept", Json, "{}", 415, "application/merge-patch+json" },
        { "PATCH", Subagents + "/absent", "application/merge-patch+json", "{}", 404, "absent" },
        { "DELETE", Subagents + "/absent", Json, null, 404, "absent" },
        { "DELETE", Subagents + "/kept", Json, """{"propagationPolicy":"Maybe"}""", 422, "propagationPolicy" },
        { "DELETE", Subagents + "/kept", Json, """{"preconditions":{"uid":"other"}}""", 409, "UID" },
        { "DELETE", Subagents + "/kept", Json, """{"preconditions":{"resourceVersion":"x"}}""", 400, "resource version" },
        { "DELETE", Subagents + "/kept", Json, """{"kind":"Pod"}""", 400, "DeleteOptions" },
        { "DELETE", "/api/v1/namespaces/default", Json, null, 403, "may not be deleted" },
        { "GET", Subagents + "?limit=many", Json, null, 400, "limit" },
        { "GET", Subagents + "?limit=-1", Json, null, 400, "limit" },
        { "GET", Subagents + "?continue=garbage", Json, null, 400, "continue" },
        { "GET", Subagents + "?labelSelector=a%20in%20b", Json, null, 400, "selector" },
        { "GET", Subagents + "?labelSelector=%00", Json, null, 400, "" },
        { "GET", Subagents + "?labelSelector=a%3D%00", Json, null, 400, "NUL" },
        { "GET", Subagents + "?fieldSelector=metadata.name%3D%00", Json, null, 400, "NUL" },
        { "GET", Subagents + "?labelSelector=a%3D%00&watch=true", Json, null, 400, "NUL" },
        { "GET", ApiServer.Org + "/auditevents?continue=garbage", Json, null, 400, "continue" },
        { "GET", Subagents + "?limit=99999999999999999999", Json, null, 400, "limit" },
        { "OPTIONS", Subagents, Json, null, 405, "options" },
        { "GET", Subagents + "?fieldSelector=spec.modelOverride%3Dx", Json, null, 400, "field label not supported" },
        { "GET", Subagents + "?fieldSelector=metadata.name", Json, null, 400, "field selector" },
        { "GET", Subagents + "?resourceVersion=abc", Json, null, 400, "resource version" },
        { "GET", Subagents + "?resourceVersion=99999999", Json, null, 504, "Too large resource version" },
        { "GET", Subagents + "?resourceVersion=1&resourceVersionMatch=Exact", Json, null, 410, "too old" },
        { "GET", Subagents + "?resourceVersionMatch=Exact", Json, null, 422, "resourceVersionMatch" },
        { "GET", Subagents + "?watch=perhaps", Json, null, 400, "watch" },
        { "GET", Subagents + "?watch=true&timeoutSeconds=x", Json, null, 400, "timeoutSeconds" },
        { "GET", Subagents + "?watch=true&sendInitialEvents=true", Json, null, 422, "NotOlderThan" },
        { "GET", Subagents + "/..%2f..%2fetc%2fpasswd", Json, null, 400, "path" },
        { "GET", Subagents + "/%5c", Json, null, 400, "path" },
        { "GET", Subagents + "/%0a", Json, null, 400, "path" },
        { "GET", Subagents + "/a/b/c/d", Json, null, 404, "resource" },
        { "GET", Subagents + "/kept/scale", Json, null, 404, "resource" },
        { "GET", "/apis/krate.a5c.ai/v1alpha1/namespaces//agentstacks", Json, null, 404, "resource" },
        { "GET", "/apis/krate.a5c.ai/v1/agentstacks", Json, null, 404, "resource" },
        { "GET", "/apis/apps/v1/deployments", Json, null, 404, "resource" },
        { "GET", "/apis/apps", Json, null, 404, "resource" },
        { "GET", "/api/v2", Json, null, 404, "resource" },
        { "GET", "/openapi/v2", Json, null, 404, "resource" },
        { "GET", "/openapi/v3/apis/apps/v1", Json, null, 404, "resource" },
        { "GET", "/api/v1/namespaces/x/namespaces/y", Json, null, 404, "resource" },
        { "POST", "/apis", Json, "{}", 405, "POST" },
        { "POST", "/api/v1/namespaces/default/serviceaccounts/absent/token", Json, "{}", 404, "absent" },
        { "POST", Subagents + "/kept/token", Json, "{}", 404, "resource" },
        { "POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", Json, """{"spec":7}""", 422, "spec" },
        { "GET", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", Json, null, 405, "list" },
        { "POST", "/apis/krate.a5c.ai/v1alpha1/namespaces/krate-org-acme/agentsessions", Json, """{"metadata":{"name":"ses-1"}}""", 403, "Krate only" },
        { "DELETE", "/apis/krate.a5c.ai/v1alpha1/namespaces/krate-org-acme/auditevents/x", Json, null, 405, "delete" },
    };

    [Theory, MemberData(nameof(Requests))]
    public async Task A_bad_request_is_refused_with_the_reason(string method, string path, string type, string? body, int code, string says)
    {
        await api.SendAsync("POST", Subagents, ApiServer.Subagent("kept"));
        var before = (await api.GetAsync(Subagents)).Field("metadata.resourceVersion");
        var answer = await api.SendAsync(method, path, body, type);
        Assert.True(answer.Code == code, answer.ToString());
        Assert.Equal(("Status", "Failure", code.ToString(System.Globalization.CultureInfo.InvariantCulture)), (answer.Field("kind"), answer.Field("status"), answer.Field("code")));
        Assert.Contains(says, answer.Field("message")!, StringComparison.OrdinalIgnoreCase);
        Assert.False(string.IsNullOrEmpty(answer.Field("reason")));
        Assert.DoesNotContain("   at ", answer.Text, StringComparison.Ordinal);
        Assert.Equal(before, (await api.GetAsync(Subagents)).Field("metadata.resourceVersion"));
        Assert.Equal("Hello.", (await api.GetAsync(Subagents + "/kept")).Field("spec.rolePrompt"));
    }

    [Theory]
    [InlineData(3 * 1024 * 1024 + 1)]
    [InlineData(10 * 1024 * 1024)]
    public async Task A_body_of_more_than_three_megabytes_is_too_large(int size)
    {
        var answer = await api.SendAsync("POST", Subagents, ApiServer.Subagent("large", new string('x', size)));
        Assert.True(answer.Code == 413, answer.ToString());
        Assert.Equal("RequestEntityTooLarge", answer.Field("reason"));
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(Subagents, UriKind.Relative)) { Content = new StringContent(ApiServer.Subagent("large", new string('x', size))) };
        request.Content.Headers.ContentType = new(Json);
        request.Headers.TransferEncodingChunked = true;
        using var chunked = await api.Server.NewClient(api.Server.AdminToken, http: true).SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(413, (int)chunked.StatusCode);
    }

    [Theory]
    [InlineData(Json, "{\"a\":", "}")]
    [InlineData(Json, "[", "]")]
    [InlineData(Yaml, "[", "]")]
    [InlineData(Yaml, "{a: ", "}")]
    public async Task Deep_nesting_is_refused(string type, string open, string close)
    {
        var answer = await api.SendAsync("POST", Subagents, "{\"spec\": " + string.Concat(Enumerable.Repeat(open, 50_000)) + "1" + string.Concat(Enumerable.Repeat(close, 50_000)) + "}", type);
        Assert.True(answer.Code == 400, $"{answer}");
        Assert.Contains("64", answer.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Json)]
    [InlineData(Yaml)]
    public async Task Broken_utf8_is_refused(string type)
    {
        var body = Encoding.UTF8.GetBytes(ApiServer.Subagent("broken", "X"));
        body[Array.IndexOf(body, (byte)'X')] = 0xff;
        var answer = await api.SendAsync("POST", Subagents, body, type);
        Assert.True(answer.Code == 400, answer.ToString());
        Assert.Contains("UTF-8", answer.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Unknown_and_double_fields_are_warned_about_unless_somebody_asks_otherwise()
    {
        const string Body = """{"metadata":{"name":"loose"},"spec":{"rolePrompt":"x","taskKinds":["review"],"colour":"red","modelOverride":"a","modelOverride":"b"}}""";
        var warned = await api.SendAsync("POST", Subagents + "?dryRun=All", Body);
        Assert.Equal(201, warned.Code);
        Assert.Equal(["299 - \"duplicate field \\\"spec.modelOverride\\\"\"", "299 - \"unknown field \\\"spec.colour\\\"\""], warned.Warnings);
        Assert.Equal(("b", null), (warned.Field("spec.modelOverride"), warned.Field("spec.colour")));
        var ignored = await api.SendAsync("POST", Subagents + "?dryRun=All&fieldValidation=Ignore", Body);
        Assert.Equal(201, ignored.Code);
        Assert.Empty(ignored.Warnings);
        Assert.Equal(404, (await api.GetAsync(Subagents + "/loose")).Code);
    }

    [Fact]
    public async Task Huge_labels_bidi_and_long_names_are_judged_by_the_rules_of_kubernetes()
    {
        async Task Refused(string metadata) => Assert.Equal(422, (await api.SendAsync("POST", Subagents, $$"""{"metadata":{{metadata}},"spec":{"rolePrompt":"x","taskKinds":["review"]} }""")).Code);
        await Refused($$"""{"name":"{{new string('a', 300)}}"}""");
        await Refused($$"""{"name":"x","labels":{"a":"{{new string('b', 64)}}"} }""");
        await Refused($$"""{"name":"x","labels":{"{{new string('a', 400)}}":"b"} }""");
        await Refused($$"""{"name":"x","annotations":{"a":"{{new string('b', 300_000)}}"} }""");
        await Refused("""{"name":"\u202egnp.exe"}""");
        var bidi = await api.SendAsync("POST", Subagents + "?dryRun=All", ApiServer.Subagent("bidi", "\u202etext"));
        Assert.Equal("\u202etext", bidi.Field("spec.rolePrompt"));
    }

    [Fact]
    public async Task Of_many_updates_from_the_same_version_exactly_one_succeeds()
    {
        var made = (await api.SendAsync("POST", Subagents, ApiServer.Subagent("contended"))).Json;
        var answers = await Task.WhenAll(Enumerable.Range(0, 12).Select(i =>
        {
            var mine = made.Copy();
            mine.Set("spec.modelOverride", $"writer-{i}");
            return api.SendAsync("PUT", Subagents + "/contended", mine.ToJsonString());
        }));
        Assert.Equal(1, answers.Count(a => a.Code == 200));
        Assert.Equal(11, answers.Count(a => a.Code == 409 && a.Field("reason") == "Conflict"));
    }

    [Fact]
    public async Task Nobody_gets_no_further_than_the_version()
    {
        using var nobody = api.Server.NewClient();
        Assert.Equal(200, (await api.GetAsync("/version", client: nobody)).Code);
        foreach (var path in new[] { "/api", "/apis", "/apis/krate.a5c.ai/v1alpha1", "/openapi/v3", Subagents, Subagents + "?watch=true", "/api/v1/namespaces" })
            Assert.Equal((403, "Forbidden"), (await api.GetAsync(path, client: nobody)) is var a ? (a.Code, a.Field("reason")) : default);
        using var bad = api.Server.NewClient("not.a.token");
        Assert.Equal((401, "Unauthorized"), (await api.GetAsync(Subagents, client: bad)) is var b ? (b.Code, b.Field("reason")) : default);
    }

    [Theory]
    [InlineData("GET", "/api/controller/resources", null, 400, "BAD_REQUEST")]
    [InlineData("GET", "/api/controller/resources?kind=Nothing", null, 404, "NOT_FOUND")]
    [InlineData("GET", "/api/controller/resources?kind=AgentStack&org=nowhere", null, 404, "ORG_NOT_FOUND")]
    [InlineData("GET", "/api/controller/resources/AgentStack/x", null, 400, "ORG_REQUIRED")]
    [InlineData("GET", "/api/controller/resources/AgentStack/x?org=acme", null, 404, "NOT_FOUND")]
    [InlineData("GET", "/api/controller/resources/AgentStack/..%2fx?org=acme", null, 400, "BAD_REQUEST")]
    [InlineData("DELETE", "/api/controller/resources/AgentStack/x?org=acme", null, 404, "NOT_FOUND")]
    [InlineData("POST", "/api/orgs/acme/resources", "{", 400, "BAD_REQUEST")]
    [InlineData("POST", "/api/orgs/acme/resources", "{}", 400, "BAD_REQUEST")]
    [InlineData("POST", "/api/orgs/acme/resources", """{"kind":"AgentSubagent","metadata":{"name":"x","namespace":"krate-system"}}""", 422, "ORG_NAMESPACE_MISMATCH")]
    [InlineData("POST", "/api/orgs/acme/resources", """{"kind":"AgentSubagent","metadata":{"name":"x"},"spec":{"rolePrompt":1,"taskKinds":["review"]}}""", 422, "VALIDATION_FAILED")]
    [InlineData("POST", "/api/orgs/acme/resources", """{"kind":"AgentSession","metadata":{"name":"ses-1"},"spec":{}}""", 403, "POLICY_DENIED")]
    [InlineData("POST", "/api/controller/resources", """{"kind":"AgentSubagent","metadata":{"name":"x"},"spec":{}}""", 422, "ORG_REQUIRED")]
    [InlineData("GET", "/api/watch/orgs/acme/nothings", null, 404, "NOT_FOUND")]
    [InlineData("GET", "/api/watch/orgs/acme/organizations", null, 404, "NOT_FOUND")]
    [InlineData("GET", "/api/watch/orgs/nowhere/agentstacks", null, 404, "ORG_NOT_FOUND")]
    public async Task The_typed_routes_say_it_in_their_own_shape(string method, string path, string? body, int code, string error)
    {
        var answer = await api.SendAsync(method, path, body);
        Assert.True(answer.Code == code, answer.ToString());
        Assert.Equal(error, answer.Field("error.code"));
        Assert.False(string.IsNullOrEmpty(answer.Field("error.message")));
        Assert.False(string.IsNullOrEmpty(answer.Field("error.correlationId")));
        Assert.IsType<JsonArray>(answer.Json.At("error.reasons"));
    }
}
