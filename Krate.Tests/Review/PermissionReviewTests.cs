using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Kinds;
using Krate.Core.Kinds.Review;
using Krate.Core.Resources;
using Krate.Core.Resources.Patching;
using Krate.Tests.Repositories;
using Xunit;

namespace Krate.Tests.Review;

/// <summary>Before an agent runs, Krate says what it may do, what is missing and the smallest manifest that would give it.</summary>
[Collection(typeof(GitCollection))]
public sealed class PermissionReviewTests(GitWorld world)
{
    private const string Url = "/api/orgs/acme/agents/permissions/review";
    private const string Database = "host=db password=not-to-be-seen-anywhere";
    private static int made;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_is_missing_is_named_with_the_manifest_that_mends_it_and_applied_it_does()
    {
        var stack = await NewStackAsync();
        var review = await ReviewAsync("mira", stack);
        Assert.Equal("denied", review.Text("decision"));
        var missing = Reasons(review).Single(r => r.Text("code") == "MissingSecretGrant" && r.Text("condition") != "McpHealthy");
        Assert.Equal(("SecretsAdmitted", "missing-grant", "whoever may write grants"), (missing.Text("condition"), missing.Text("decision"), missing.Text("fixer")));
        Assert.Empty((JsonArray)review["yamlPreview"]!);

        // Whoever may write grants sees the manifest as they would apply it.
        var shown = await ReviewAsync(GitWorld.Admin.User, stack);
        var grant = ((JsonArray)shown["missingGrants"]!).Single(g => g.Text("kind") == "AgentSecretGrant");
        Assert.Contains(((JsonArray)shown["yamlPreview"]!).Select(y => y!.ToString()), y => y.Contains($"name: {grant.Text("suggestedName")}", StringComparison.Ordinal));
        await ApplyAsync(grant!["manifest"]!);
        review = await ReviewAsync("mira", stack);
        Assert.DoesNotContain(Reasons(review), r => r.Text("condition") == "SecretsAdmitted");
        Assert.Equal("allowed", ((JsonArray)review["requiredSecrets"]!).Single().Text("decision"));
        Assert.DoesNotContain("not-to-be-seen-anywhere", review.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_same_question_has_the_same_digest_and_a_new_value_of_a_secret_another()
    {
        var stack = await NewStackAsync();
        var first = await ReviewAsync("mira", stack);
        Assert.Equal(first.ToJsonString(), (await ReviewAsync("mira", stack)).ToJsonString());
        var secret = KrateJson.ParseObject("""{"stringData":{"dsn":"host=db password=another-one-entirely"}}""");
        await world.Gateway.PatchAsync(GitWorld.Admin, KindTable.Catalog["Secret"], GitWorld.Namespace, stack + "-database", new Patch(PatchType.Merge, secret, "test"), new WriteOptions(), Ct);
        var rotated = await ReviewAsync("mira", stack);
        Assert.NotEqual(first.Text("digest"), rotated.Text("digest"));
        rotated["digest"] = first.Text("digest");
        Assert.Equal(first.ToJsonString(), rotated.ToJsonString());
    }

    [Fact]
    public async Task Work_for_somebody_who_may_not_push_is_untrusted()
    {
        var stack = await NewStackAsync();
        var repository = await world.NewRepositoryAsync("internal");
        await world.PermitAsync(repository, "lumi", "write");
        Assert.Equal("untrusted", (await ReviewAsync("mira", stack, $$""","repository":"{{repository.Name}}","ref":"refs/heads/main","triggerSource":"manual" """)).Text("trustTier"));
        Assert.Equal("trusted", (await ReviewAsync("lumi", stack, $$""","repository":"{{repository.Name}}","ref":"refs/heads/main","triggerSource":"manual" """)).Text("trustTier"));
        Assert.Equal("untrusted", (await ReviewAsync("lumi", stack, $$""","repository":"{{repository.Name}}","ref":"refs/pull/77/head" """)).Text("trustTier"));
    }

    [Fact]
    public async Task Overrides_are_reviewed_in_place_of_the_stacks()
    {
        var stack = await NewStackAsync();
        var review = await ReviewAsync("mira", stack, ""","overrides":{"mcpServerRefs":[]},"runnerPool":"nowhere" """);
        Assert.Empty((JsonArray)review["requiredSecrets"]!);
        Assert.Contains(Reasons(review), r => r.Text("code") == "RunnerPoolMissing" && r.Text("message")!.Contains("nowhere", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("mira", """{"agentStack":"nowhere"}""", 404)]
    [InlineData("oskar", """{"agentStack":"STACK"}""", 403)]
    [InlineData("mira", """{}""", 422)]
    [InlineData("mira", """{"agentStack":7}""", 422)]
    [InlineData("mira", """{"agentStack":"STACK","wrong":1}""", 422)]
    [InlineData("mira", """{"agentStack":"STACK","overrides":{"secretPolicy":{}}}""", 422)]
    [InlineData("mira", """{"agentStack":"STACK","repository":"hidden"}""", 403)]
    [InlineData("mira", """{"agentStack":"STACK","actor":"lumi"}""", 403)]
    public async Task What_may_not_be_asked_is_refused_in_words(string user, string body, int code)
    {
        var stack = await NewStackAsync();
        var (status, text) = await PostAsync(user, body.Replace("STACK", stack, StringComparison.Ordinal));
        Assert.True((int)status == code, text);
        Assert.NotEmpty(KrateJson.ParseObject(text).Text("error.message")!);
        Assert.DoesNotContain("   at ", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_may_impersonate_reviews_for_another_and_the_missing_right_to_dispatch_is_suggested_for_them()
    {
        var stack = await NewStackAsync();
        var review = await ReviewAsync(GitWorld.Admin.User, stack, ""","actor":"oskar" """);
        Assert.Contains(Reasons(review), r => r.Text("code") == "DispatchForbidden" && r.Text("message")!.StartsWith("oskar ", StringComparison.Ordinal));
        var suggested = ((JsonArray)review["missingGrants"]!).Single(g => g.Text("reason") == "DispatchForbidden")!["manifest"]!;
        Assert.Equal(("user", "oskar"), (suggested.Text("spec.subject.kind"), suggested.Text("spec.subject.name")));
        Assert.Equal([stack], suggested["spec"]!["resourceRules"]![0].Texts("resourceNames"));
    }

    [Fact]
    public async Task A_draft_is_reviewed_as_if_it_were_saved_and_so_is_a_deletion()
    {
        var reviews = world.Server.Service<PermissionReviews>();
        var stack = (await world.FindAsync("AgentStack", GitWorld.Namespace, await NewStackAsync()))!;
        var missing = Assert.Single(Secrets(reviews));
        Assert.Equal("MissingSecretGrant", missing.Reason);
        var grant = new Resource(KindTable.Catalog["AgentSecretGrant"], missing.Suggestion!.Manifest.Copy());
        Assert.Equal("Granted", Assert.Single(Secrets(reviews.With(ReviewDrafts.Writing(grant)))).Reason);
        Assert.Equal("MissingSecretGrant", Assert.Single(Secrets(reviews)).Reason);

        var saved = await ApplyAsync(missing.Suggestion.Manifest);
        Assert.Equal("Granted", Assert.Single(Secrets(reviews)).Reason);
        Assert.Equal("MissingSecretGrant", Assert.Single(Secrets(reviews.With(ReviewDrafts.Deleting(saved.Key)))).Reason);
        var denied = saved.Edit();
        denied.Child("spec")["effect"] = "Deny";
        Assert.Equal("GrantDenied", Assert.Single(Secrets(reviews.With(ReviewDrafts.Writing(new Resource(saved.Kind, denied))))).Reason);

        IEnumerable<Finding> Secrets(PermissionReviews by) => by.Readiness(stack).Findings.Where(f => f.Condition == "SecretsAdmitted");
    }

    /// <summary>A stack with one MCP server, which needs a key of a Secret that nobody has granted.</summary>
    private async Task<string> NewStackAsync()
    {
        var name = $"stack-{Interlocked.Increment(ref made)}";
        await world.Gateway.CreateAsync(GitWorld.Admin, KindTable.Catalog["Secret"], GitWorld.Namespace, new() { ["metadata"] = new JsonObject { ["name"] = name + "-database" }, ["stringData"] = new JsonObject { ["dsn"] = Database } }, new(), Ct);
        await world.CreateAsync("AgentMcpServer", GitWorld.Namespace, name, new() { ["transport"] = "stdio", ["command"] = "mcp-database", ["scope"] = "stack", ["secretRefs"] = new JsonArray(new JsonObject { ["name"] = name + "-database", ["key"] = "dsn" }) });
        await world.CreateAsync("AgentStack", GitWorld.Namespace, name, new() { ["baseAgent"] = "claude-code", ["adapter"] = "agent-mux.claude-code", ["runtimeIdentity"] = new JsonObject { ["serviceAccountRef"] = "agent-default" }, ["mcpServerRefs"] = new JsonArray(name) });
        return name;
    }

    private static IEnumerable<JsonNode> Reasons(JsonObject review) => ((JsonArray)review["reasons"]!).OfType<JsonNode>();

    private Task<Resource> ApplyAsync(JsonNode manifest) =>
        world.Gateway.CreateAsync(GitWorld.Admin, KindTable.Catalog[manifest.Text("kind")!], manifest.Text("metadata.namespace")!, (JsonObject)manifest.DeepClone(), new(), Ct);

    private async Task<JsonObject> ReviewAsync(string user, string stack, string more = "")
    {
        var (status, text) = await PostAsync(user, $$"""{"agentStack":"{{stack}}"{{more}}}""");
        Assert.True(status == HttpStatusCode.OK, text);
        return KrateJson.ParseObject(text).Copy();
    }

    private async Task<(HttpStatusCode Status, string Text)> PostAsync(string user, string body)
    {
        using var client = world.Server.NewClient(world.TokenOf(user));
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var answer = await client.PostAsync(new Uri(Url, UriKind.Relative), content, Ct);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(Ct));
    }
}
