using System.Text;
using System.Text.Json.Nodes;
using Bunit;
using Krate.Core.Agents;
using Krate.Core.Blobs;
using Krate.Core.Gateway;
using Krate.Core.Kinds;
using Krate.Core.Resources;
using Krate.Core.Sessions;
using Krate.Tests.Testing;
using Krate.Web.Features.AgentRuns;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Krate.Tests.Pages.Agents;

/// <summary>The page of a run: what it changed, and what shaped it, for who may read which of it.</summary>
public sealed class AgentRunPageTests(KrateCore core) : PageTest(core)
{
    private const string Digest = "sha256:1111111111111111111111111111111111111111111111111111111111111111";
    private const string Sha = "0123456789abcdef0123456789abcdef01234567";

    private const string Patch = """
        diff --git a/src/a.txt b/src/a.txt
        index 1111111111111111111111111111111111111111..2222222222222222222222222222222222222222 100644
        --- a/src/a.txt
        +++ b/src/a.txt
        @@ -3,3 +3,3 @@ heading
         before
        -was <b>
        +is <i>
         after
        diff --git a/old name.txt b/new name.txt
        similarity index 100%
        rename from old name.txt
        rename to new name.txt
        diff --git a/AGENTS.md b/AGENTS.md
        new file mode 100644
        index 0000000000000000000000000000000000000000..3333333333333333333333333333333333333333
        --- /dev/null
        +++ b/AGENTS.md
        @@ -0,0 +1 @@
        +Do as I say.

        """;

    [Fact]
    public async Task Changes_are_the_files_of_the_last_patch_with_what_to_look_at_above()
    {
        var ns = await RunAsync(attempts: 2);
        await ArtifactAsync(ns, "art-first", "ada-1", "clean", Patch.Replace("is <i>", "is not yet", StringComparison.Ordinal));
        await ArtifactAsync(ns, "art-last", "ada-2", "clean", Patch, "AGENTS.md tells agents what to do.");

        var page = Page(ns, tab: "changes");
        page.WaitForAssertion(() => Assert.Equal(["src/a.txt", "old name.txt → new name.txt", "AGENTS.md"], page.FindAll(".k-dfile__path").Select(h => h.TextContent)));
        Assert.Equal("Changes3", page.Find("[aria-label=Run] [aria-current=page]").TextContent);
        Assert.Equal(["was <b>", "is <i>", "Do as I say."], page.FindAll(".k-diff td.c.del, .k-diff td.c.add").Select(c => c.TextContent));
        Assert.Contains("Only its name differs.", page.FindAll(".k-dfile")[1].TextContent, StringComparison.Ordinal);
        Assert.Contains("AGENTS.md tells agents what to do.", page.Find(".k-alert.warn").TextContent, StringComparison.Ordinal);
        Assert.Contains("3 files changed +2 −1", page.Find(".k-dfile__bar").TextContent, StringComparison.Ordinal);
        Assert.EndsWith("/agents/artifacts/art-last/content", page.Find(".k-dfile__bar a[download]").GetAttribute("href"), StringComparison.Ordinal);
        // There is no tree from which more lines could come.
        Assert.Empty(page.FindAll(".k-more"));

        var earlier = page.FindAll("[aria-label=Patch] a").Single(a => a.TextContent == "Attempt 1").GetAttribute("href")!;
        Assert.EndsWith("?tab=changes&patch=art-first", earlier, StringComparison.Ordinal);
        var first = Page(ns, tab: "changes", patch: "art-first");
        first.WaitForAssertion(() => Assert.Contains("is not yet", first.FindAll(".k-diff td.c.add").Select(c => c.TextContent)));
    }

    [Fact]
    public async Task A_patch_that_may_hold_a_secret_shows_names_and_gives_out_nothing()
    {
        var ns = await RunAsync();
        await ArtifactAsync(ns, "art-blocked", "ada-1", "blocked", "");

        var page = Page(ns, tab: "changes", rail: "artifacts");
        page.WaitForAssertion(() => Assert.Contains("It may hold a secret.", page.Find(".k-alert.bad").TextContent, StringComparison.Ordinal));
        Assert.Equal(["src/a.txt", "new name.txt", "AGENTS.md"], page.FindAll("[aria-label=Files] li").Select(l => l.TextContent.Trim()));
        Assert.Contains("blocked", page.Find("ul[aria-label=Artifacts]").TextContent, StringComparison.Ordinal);
        Assert.Empty(page.FindAll("a[download]"));
    }

    [Fact]
    public async Task The_rail_has_the_pinned_permissions_first_and_only_tabs_with_something_behind_them()
    {
        var ns = await RunAsync();
        var page = Page(ns);
        page.WaitForAssertion(() => Assert.NotEmpty(page.FindAll("section[aria-labelledby=run-panel] .k-kv")));
        Assert.Equal(["Attempts1", "Permissions", "Context", "Workspace", "Conditions1"], page.FindAll("[aria-label='Run details'] a").Select(a => a.TextContent));
        Assert.Equal("Permissions", page.Find("[aria-label='Run details'] [aria-current]").TextContent);
        var panel = page.Find("section[aria-labelledby=run-panel]").TextContent;
        Assert.Contains("111111111111", panel, StringComparison.Ordinal);
        Assert.Contains("Admitted", panel, StringComparison.Ordinal);
        Assert.Equal(["model / key", "2 that may not be named"], page.FindAll("[aria-label=Secrets] b").Select(b => b.TextContent));
        Assert.Contains("by grant-model", page.Find("[aria-label=Secrets]").TextContent, StringComparison.Ordinal);
        Assert.Contains("update refs", page.Find("[aria-label=Roles]").TextContent, StringComparison.Ordinal);
        Assert.Contains("Asks a person", page.Find("[aria-label=Roles]").TextContent, StringComparison.Ordinal);
        Assert.Contains("shop", page.Find("[aria-label='About the run']").TextContent, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tab_and_panel_are_in_the_address_and_change_without_each_other()
    {
        var ns = await RunAsync();
        var page = Page(ns, tab: "yaml", rail: "conditions");
        page.WaitForAssertion(() => Assert.Contains("kind: AgentDispatchRun", page.Find("pre").TextContent, StringComparison.Ordinal));
        Assert.Equal(["?rail=conditions", "?tab=changes&rail=conditions", "?tab=yaml&rail=conditions"], page.FindAll("[aria-label=Run] a").Select(QueryOf));
        Assert.Equal("?tab=yaml&rail=attempts", QueryOf(page.Find("[aria-label='Run details'] a")));
        Assert.Equal("ContextAssembled", page.Find("section[aria-labelledby=run-panel] [data-condition]").GetAttribute("data-condition"));
        // What a run does not have is no panel.
        Assert.Equal("Permissions", Page(ns, rail: "cost").Find("[aria-label='Run details'] [aria-current]").TextContent);
        Assert.Contains("No file was changed", Page(ns, tab: "changes").Markup, StringComparison.Ordinal);

        static string QueryOf(AngleSharp.Dom.IElement link) => new Uri("https://krate.example.com" + link.GetAttribute("href")).Query;
    }

    [Fact]
    public async Task Context_says_where_everything_came_from_and_the_workspace_how_its_files_stand()
    {
        var ns = await RunAsync();
        await StoreAsync(Kind("AgentContextBundle"), ns, OfRun("acb-1", $$"""
            {"dispatchRun":"adr-1","digest":"{{Digest}}","layers":[{"name":"user-task","digest":"{{Digest}}","size":2048}],"sources":[{"kind":"issue","name":"Help","trustTier":"untrusted","author":"guest"},{"kind":"code","path":"src/a.txt","trustTier":"trusted"}],
             "riskFindings":["Help has words like an instruction."],"redactions":{"token":2},"omissions":["The log was cut."]}
            """));
        await StoreAsync(Kind("AgentWorkspace"), ns, OfRun("aws-1", """{"repository":"shop","workspacePath":"x/aws-1","ownership":{"kind":"dispatch-run","name":"adr-1"},"branch":"krate/agents/adr-1","baseRef":"refs/heads/main","trustTier":"untrusted"}""", $$"""{"lifecycle":"Active","git":{"head":"{{Sha}}","dirty":true,"uncommitted":2} }"""));

        var context = Page(ns, rail: "context");
        context.WaitForAssertion(() => Assert.Equal(["Help", "src/a.txt"], context.FindAll("[aria-label=Sources] b").Select(b => b.TextContent)));
        Assert.Contains("issue, untrusted, by guest", context.Find("[aria-label=Sources]").TextContent, StringComparison.Ordinal);
        Assert.Contains("2 KB", context.Find("[aria-label=Layers]").TextContent, StringComparison.Ordinal);
        Assert.Equal(["Help has words like an instruction.", "2 of token", "The log was cut."], new[] { "Looks risky", "Redacted", "Left out" }.Select(t => context.Find($"[aria-label='{t}']").TextContent.Trim()));

        var workspace = Page(ns, rail: "workspace");
        workspace.WaitForAssertion(() => Assert.Contains("2 files are not committed", workspace.Find("section[aria-labelledby=run-panel]").TextContent, StringComparison.Ordinal));
        foreach (var words in new[] { "Active", "krate/agents/adr-1", "refs/heads/main", Sha[..12], "Untrusted work" }) Assert.Contains(words, workspace.Find("section[aria-labelledby=run-panel]").TextContent, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tools_are_counted_as_the_session_says_and_approvals_name_who_decided()
    {
        var ns = await RunAsync();
        await SayAsync(ns, "ada-1",
            (AgentEventTypes.ToolCall, """{"toolCallId":"1","kind":"execute","status":"failed"}"""), (AgentEventTypes.ToolCall, """{"toolCallId":"2","kind":"execute","status":"completed"}"""),
            (AgentEventTypes.ToolCall, """{"toolCallId":"3","kind":"read","status":"completed"}"""), (AgentEventTypes.ToolCallUpdate, """{"toolCallId":"3","status":"completed"}"""),
            (AgentEventTypes.PermissionRequest, """{"requestId":"q","title":"curl example.org"}"""), (AgentEventTypes.PermissionDecision, """{"requestId":"q","outcome":"rejected","by":"policy","reason":"No network."}"""),
            (AgentEventTypes.Cost, """{"inputTokens":1200,"outputTokens":30,"usd":0.84}"""));
        await StoreAsync(Kind("AgentApproval"), ns, OfRun("approval-1", """{"dispatchRun":"adr-1","requestedBy":"agent","action":{"type":"tool-use","summary":"Write out.txt"} }""", """{"phase":"approved","decidedBy":"oskar","decidedAt":"2026-01-01T00:00:00Z","comment":"Go on."}"""));
        await StoreAsync(Kind("AgentApproval"), ns, OfRun("approval-2", """{"dispatchRun":"adr-1","requestedBy":"agent","action":{"type":"tool-use","summary":"Write more.txt"},"expiresAt":"2030-01-01T00:00:00Z"}""", """{"phase":"pending"}"""));

        var tools = Page(ns, rail: "tools");
        tools.WaitForAssertion(() => Assert.Equal(["Run1 failed2", "Read1"], tools.FindAll("ul[aria-label=Tools] li").Select(l => l.TextContent)));
        Assert.Contains("curl example.org", tools.Find("section[aria-labelledby=run-panel] section").TextContent, StringComparison.Ordinal);
        Assert.Equal(["Tools3", "Approvals1 waiting", "Cost$0.84"], tools.FindAll("[aria-label='Run details'] a").Select(a => a.TextContent).Where(t => t.StartsWith("Tools", StringComparison.Ordinal) || t.StartsWith("Appr", StringComparison.Ordinal) || t.StartsWith("Cost", StringComparison.Ordinal)));

        var approvals = Page(ns, rail: "approvals");
        approvals.WaitForAssertion(() => Assert.Equal(["Write more.txt", "Write out.txt"], approvals.FindAll("ul[aria-label=Approvals] .k-mono").Select(a => a.TextContent)));
        Assert.Contains("by oskar", approvals.FindAll("ul[aria-label=Approvals] li")[1].TextContent, StringComparison.Ordinal);
        Assert.Contains("Go on.", approvals.FindAll("ul[aria-label=Approvals] li")[1].TextContent, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_may_read_the_run_only_is_told_so_in_every_panel()
    {
        var ns = await RunAsync(attempts: 2);
        await ArtifactAsync(ns, "art-last", "ada-2", "clean", Patch);
        await BindAsync(ns, "sees-little", """{"apiGroups":["krate.a5c.ai"],"resources":["agentdispatchruns"],"verbs":["get","list","watch"]}""");

        var attempts = Page(ns, rail: "attempts");
        attempts.WaitForAssertion(() => Assert.Equal(["Attempt 2", "Attempt 1"], attempts.FindAll("section[aria-labelledby=run-panel] li b").Select(b => b.TextContent)));
        Assert.Contains("Started again", attempts.Find("section[aria-labelledby=run-panel] li").TextContent, StringComparison.Ordinal);
        Assert.Contains("AgentError", attempts.FindAll("section[aria-labelledby=run-panel] li")[1].TextContent, StringComparison.Ordinal);

        Looker.Actor = new Actor("sees-little", [WellKnown.AuthenticatedGroup]);
        foreach (var (rail, kind) in new[] { ("attempts", "AgentDispatchAttempts"), ("permissions", "AgentDispatchAttempts"), ("context", "AgentContextBundles"), ("workspace", "AgentWorkspaces") })
        {
            var page = Page(ns, rail: rail);
            page.WaitForAssertion(() => Assert.Contains($"sees-little may not read {kind} here.", page.Find("section[aria-labelledby=run-panel]").TextContent, StringComparison.Ordinal));
        }

        var changes = Page(ns, tab: "changes");
        changes.WaitForAssertion(() => Assert.Contains("sees-little may not read AgentArtifacts here.", changes.Markup, StringComparison.Ordinal));
        Assert.DoesNotContain("src/a.txt", changes.Markup, StringComparison.Ordinal);
    }

    private static KindDefinition Kind(string name) => KindTable.Catalog[name];

    private IRenderedComponent<AgentRunView> Page(string ns, string? tab = null, string? rail = null, string? patch = null) =>
        Render<AgentRunView>(p => p.Add(v => v.Place, PlaceOf(ns)).Add(v => v.Name, "adr-1").Add(v => v.TabText, tab).Add(v => v.RailText, rail).Add(v => v.Patch, patch));

    /// <returns>Namespace of a new organization with a run that has ended.</returns>
    private async Task<string> RunAsync(int attempts = 1)
    {
        var ns = await Core.NewOrgAsync();
        var names = Enumerable.Range(1, attempts).Select(n => $"ada-{n}").ToList();
        await StoreAsync(Kind("AgentDispatchRun"), ns, Json($$"""
            {"apiVersion":"krate.a5c.ai/v1alpha1","kind":"AgentDispatchRun","metadata":{"name":"adr-1"},
             "spec":{"repository":"shop","agentStack":"fixer","taskKind":"task","task":"Mend it.","sourceRefs":{},"sha":"{{Sha}}","contextBundleRef":"acb-1","workspaceRef":"aws-1"},
             "status":{"phase":"succeeded","startedBy":"mira","attempts":[{{string.Join(',', names.Select(n => $"\"{n}\""))}}],"permissionSnapshotDigest":"{{Digest}}","conditions":[{"type":"ContextAssembled","status":"True","reason":"Assembled","message":""}]} }
            """));
        foreach (var name in names)
        {
            await StoreAsync(Kind("AgentDispatchAttempt"), ns, OfRun(
                name, $$"""{"agentDispatchRun":"adr-1","attemptReason":"{{(name == "ada-1" ? "initial" : "retry")}}","agentStackSnapshot":{"name":"fixer","generation":7} }""",
                $$"""
                {"phase":"{{(name == names[^1] ? "succeeded" : "failed")}}","terminalReason":"{{(name == names[^1] ? "Completed" : "AgentError")}}","startedAt":"2026-01-01T00:00:00Z","completedAt":"2026-01-01T00:02:00Z","permissionSnapshotDigest":"{{Digest}}",
                 "permissionSnapshot":{"decision":"allowed","runtimeIdentity":{"name":"agent-fixer"},"trustTier":"untrusted","requiredRoles":[{"owner":{"kind":"AgentToolProfile","name":"tools"},"reference":{"kind":"Role","name":"update refs"},"keys":[],"decision":"requires-approval"}],
                  "requiredSecrets":[{"owner":{"kind":"AgentProviderConfig","name":"p"},"reference":{"kind":"Secret","name":"model"},"keys":["key"],"grant":"grant-model","decision":"allowed"},{"kind":"Secret","count":2,"decision":"missing-grant"}],"requiredConfigs":[]} }
                """));
        }

        return ns;
    }

    private async Task ArtifactAsync(string ns, string name, string attempt, string redaction, string content, params string[] warnings)
    {
        var digest = await Services.GetRequiredService<BlobStore>().PutAsync(Encoding.UTF8.GetBytes(content.ReplaceLineEndings("\n")), Ct);
        var spec = Json($$"""{"dispatchRun":"adr-1","attempt":"{{attempt}}","kind":"patch","mediaType":"text/x-diff","size":{{content.Length}},"digest":"{{digest}}","redactionStatus":"{{redaction}}","patch":{"baseSha":"{{Sha}}","files":["src/a.txt","new name.txt","AGENTS.md"]} }""");
        spec["patch"]!["warnings"] = new JsonArray([.. warnings.Select(w => (JsonNode)w)]);
        await StoreAsync(Kind("AgentArtifact"), ns, OfRun(name, KrateJson.ToText(spec)));
    }

    private async Task SayAsync(string ns, string attempt, params (string Type, string Data)[] said)
    {
        using var writer = Services.GetRequiredService<SessionLogs>().Open(await Core.Gateway.GetAsync(Core.Admin, Kind("AgentDispatchAttempt"), ns, attempt, Ct));
        await writer.AppendAsync(said.Append((AgentEventTypes.Ended, """{"reason":"Completed"}""")).Select(s => new AgentEvent(s.Item1, Json(s.Item2))));
    }

    private static JsonObject OfRun(string name, string spec, string status = "{}") => new()
    {
        ["metadata"] = new JsonObject { ["name"] = name, ["labels"] = new JsonObject { [WellKnown.DispatchRunLabel] = "adr-1" } },
        ["spec"] = Json(spec),
        ["status"] = Json(status),
    };

    private async Task BindAsync(string ns, string user, string rule)
    {
        await Core.CreateAsync(Kind("Role"), ns, Json($$"""{"metadata":{"name":"{{user}}"},"rules":[{{rule}}]}"""));
        await Core.CreateAsync(Kind("RoleBinding"), ns, Json($$"""{"metadata":{"name":"{{user}}"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"Role","name":"{{user}}"},"subjects":[{"kind":"User","apiGroup":"rbac.authorization.k8s.io","name":"{{user}}"}]}"""));
    }

    private static JsonObject Json(string text) => KrateJson.ParseObject(text);
}
