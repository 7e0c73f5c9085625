using System.Text.Json.Nodes;
using AngleSharp.Dom;
using Bunit;
using Krate.Core.Gateway;
using Krate.Core.Kinds;
using Krate.Core.Resources;
using Krate.Tests.Testing;
using Krate.Web.Features.Agents;
using Krate.Web.Features.Registries;
using Microsoft.AspNetCore.Components;
using Xunit;

namespace Krate.Tests.Pages.Agents;

/// <summary>The pages of what stacks are put together from: who uses it, what a change or a deletion would mean, and what a person decides about it.</summary>
public sealed class RegistryPagesTests(KrateCore core) : PageTest(core)
{
    private static readonly KindDefinition Tools = KindTable.Catalog["AgentToolProfile"];

    [Fact]
    public void Every_field_of_a_form_is_one_of_its_kind_and_all_that_are_required_are_there()
    {
        foreach (var registry in Registries.All)
        {
            var kind = KindTable.Catalog[registry.Kind];
            var fields = registry.Form.SelectMany(s => s.Fields).ToList();
            Assert.All(fields, f => Assert.NotNull(kind.Fields.At("spec." + f.Path)));
            Assert.All(fields, f => Assert.All(f.Parts, p => Assert.NotNull(kind.Fields.At($"spec.{f.Path}.{p.Path}"))));
            Assert.All(registry.Looked, f => Assert.NotNull(kind.Fields.At("spec." + f)));
            Assert.All(kind.RequiredSpec, required => Assert.Contains(fields, f => f.Path.Split('.')[0] == required));
        }
    }

    [Fact]
    public async Task Every_registry_has_a_list_and_a_form_for_a_new_one()
    {
        var place = PlaceOf(await Core.NewOrgAsync());
        foreach (var registry in Registries.All)
        {
            var list = Render<RegistryListView>(p => p.Add(l => l.Place, place).Add(l => l.Registry, registry));
            list.WaitForAssertion(() => Assert.Contains($"No {registry.Word} yet", list.Markup, StringComparison.Ordinal));
            Assert.Equal($"/orgs/{place.Org}/agents/new/{registry.Path}", list.Find(".k-actions a").GetAttribute("href"));
            if (registry.Form.Count > 0)
            {
                var form = Render<RegistryForm>(p => p.Add(f => f.Place, place).Add(f => f.Registry, registry));
                form.WaitForAssertion(() => Assert.Contains($"Create {registry.Word}", form.Markup, StringComparison.Ordinal));
            }

            await DisposeComponentsAsync();
        }
    }

    [Fact]
    public async Task Stacks_that_reach_a_part_are_counted_and_named_also_through_a_subagent_at_the_moment_that_they_do()
    {
        var ns = await Core.NewOrgAsync();
        await Core.CreateAsync(Tools, ns, Profile("narrow"));
        var list = Render<RegistryListView>(p => p.Add(l => l.Place, PlaceOf(ns)).Add(l => l.Registry, Registries.Find("tools")!));
        list.WaitForAssertion(() => Assert.Equal("0", Cell(list.Find("tbody tr"))));

        await Core.CreateAsync(KindTable.Catalog["AgentSubagent"], ns, Json("""{"metadata":{"name":"helper"},"spec":{"rolePrompt":"Help.","taskKinds":["research"],"toolRefs":["narrow"]}}"""));
        await StackAsync(ns, "through", s => s["subagentRefs"] = new JsonArray("helper"));
        await StackAsync(ns, "direct", s => s["toolProfileRef"] = "narrow");
        list.WaitForAssertion(() => Assert.Equal("2", Cell(list.Find("tbody tr"))));

        var tab = Render<UsedByTab>(p => p.Add(t => t.Place, PlaceOf(ns)).Add(t => t.Resource, Get(ns, "narrow")));
        tab.WaitForAssertion(() => Assert.Equal(["direct AgentStack|names it", "through AgentStack|through helper", "helper AgentSubagent|names it"], Uses(tab)));
        Assert.Contains(tab.FindAll(".k-impact li li"), l => l.TextContent.Contains($"AgentToolProfile {ns}/narrow does not exist", StringComparison.Ordinal));

        static string Cell(IElement row) => row.Children[^2].TextContent.Trim();
        static IEnumerable<string> Uses(IRenderedComponent<UsedByTab> tab) => tab.FindAll("tbody tr").Select(r => $"{string.Join(' ', r.QuerySelectorAll("a.k-semi, a.k-semi + span").Select(e => e.TextContent))}|{string.Join(' ', r.Children[1].TextContent.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))}");
    }

    [Fact]
    public async Task A_form_says_which_stacks_its_draft_would_break_and_sends_only_what_was_changed()
    {
        var ns = await Core.NewOrgAsync();
        await Core.CreateAsync(Tools, ns, Profile("open"));
        await StackAsync(ns, "relying", s => s["toolProfileRef"] = "open");
        var form = Render<RegistryForm>(p => p.Add(f => f.Place, PlaceOf(ns)).Add(f => f.Registry, Registries.Find("tools")!).Add(f => f.Resource, Get(ns, "open")));
        form.WaitForAssertion(() => Assert.Contains("1 stack uses it.", form.Markup, StringComparison.Ordinal));

        await form.Find("[id='field-networkPolicy.default']").ChangeAsync("allow");
        form.WaitForAssertion(() => Assert.Contains("lets the agent reach every host", form.Find(".k-impact").TextContent, StringComparison.Ordinal));
        await form.Find("[id='field-networkPolicy.default']").ChangeAsync("deny");
        await form.Find("[id='field-allowedCommands']").ChangeAsync("go\ngofmt\n");
        form.WaitForAssertion(() => Assert.Contains("no stack would stand otherwise", form.Markup, StringComparison.Ordinal));

        // Somebody else's change of another field meanwhile is neither lost nor in the way.
        var theirs = Get(ns, "open").Edit();
        theirs.Set("spec.auditLevel", "inputs");
        form.Render(p => p.Add(f => f.Resource, Core.Gateway.UpdateAsync(Core.Admin, Tools, ns, "open", theirs, new WriteOptions(), Ct).GetAwaiter().GetResult()));
        await Button(form, "Save tool profile").ClickAsync();
        form.WaitForAssertion(() => Assert.Equal(["go", "gofmt"], Get(ns, "open").Body.Texts("spec.allowedCommands")));
        Assert.Equal("inputs", Get(ns, "open").Body.Text("spec.auditLevel"));
    }

    [Fact]
    public async Task What_a_draft_would_do_to_stacks_is_not_said_to_who_may_not_save_it()
    {
        var ns = await Core.NewOrgAsync();
        await Core.CreateAsync(Tools, ns, Profile("kept"));
        await StackAsync(ns, "relying", s => s["toolProfileRef"] = "kept");
        await Core.CreateAsync(KindTable.Catalog["RoleBinding"], ns, Json("""{"metadata":{"name":"vera-looks"},"subjects":[{"kind":"User","apiGroup":"rbac.authorization.k8s.io","name":"vera"}],"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"krate-viewer"}}"""));
        Looker.Actor = new Actor("vera", [WellKnown.AuthenticatedGroup]);
        var form = Render<RegistryForm>(p => p.Add(f => f.Place, PlaceOf(ns)).Add(f => f.Registry, Registries.Find("tools")!).Add(f => f.Resource, Get(ns, "kept")));
        form.WaitForAssertion(() => Assert.Contains("You may not patch agenttoolprofiles", Button(form, "Save tool profile").GetAttribute("title"), StringComparison.Ordinal));
        await form.Find("[id='field-networkPolicy.default']").ChangeAsync("allow");
        Assert.Empty(form.FindAll("#impact"));
        var tab = Render<UsedByTab>(p => p.Add(t => t.Place, PlaceOf(ns)).Add(t => t.Resource, Get(ns, "kept")));
        tab.WaitForAssertion(() => Assert.Single(tab.FindAll("tbody tr")));
        Assert.Empty(tab.FindAll("#without"));
    }

    [Fact]
    public void A_draft_that_would_be_looked_at_anew_counts_as_not_looked_at()
    {
        var server = Mcp("""{"health":"Ready","phase":"Ready","conditions":[{"type":"Ready","status":"True","reason":"Ready","message":"It answers."}]}""");
        var registry = Registries.Find("mcp")!;
        var other = Changed(server, s => s["command"] = "another-server");
        Assert.Null(LaunchImpact.AsSaved(other, server, registry).FindCondition(Condition.Ready));
        var wider = Changed(server, s => s["scope"] = "org");
        Assert.NotNull(LaunchImpact.AsSaved(wider, server, registry).FindCondition(Condition.Ready));
    }

    [Fact]
    public void Tools_that_are_not_as_they_were_reviewed_show_both_digests()
    {
        var server = Mcp($$"""
            {"health":"Degraded","toolsDigest":"sha256:{{new string('9', 64)}}","reviewedBy":"mira",
             "discoveredTools":[{"name":"find","description":"Finds.","schemaDigest":"sha256:{{new string('a', 64)}}"},{"name":"drop","description":"Drops it all.","schemaDigest":"sha256:{{new string('b', 64)}}"},{"name":"read","schemaDigest":"sha256:{{new string('c', 64)}}"}],
             "reviewed":[{"name":"find","schemaDigest":"sha256:{{new string('1', 64)}}"},{"name":"read","schemaDigest":"sha256:{{new string('c', 64)}}"},{"name":"write","schemaDigest":"sha256:{{new string('d', 64)}}"}]}
            """);
        var panel = Render<McpPanel>(p => p.Add(m => m.Place, PlaceOf("krate-org-acme")).Add(m => m.Resource, server));
        var rows = panel.FindAll("tbody tr").Select(r => string.Join('|', r.QuerySelectorAll(".k-first, .k-status, .k-digest").Select(e => e.TextContent.Trim()))).ToList();
        Assert.Equal(["drop|Not reviewed|bbbbbbbbbbbb", "find|Changed|111111111111|aaaaaaaaaaaa", "read|As reviewed|cccccccccccc|cccccccccccc", "write|Gone|dddddddddddd"], rows);
        panel.WaitForAssertion(() => Assert.False(Button(panel, "Mark as reviewed").HasAttribute("disabled")));
    }

    [Fact]
    public void An_author_is_told_that_the_review_of_their_text_is_for_somebody_else()
    {
        var label = new Resource(KindTable.Catalog["AgentContextLabel"], Json($$"""{"metadata":{"name":"own","namespace":"krate-org-acme","uid":"u1"},"spec":{"promptFragment":"Take care.","requiresReview":true},"status":{"phase":"Draft","author":"{{Core.Admin.User}}","digest":"sha256:{{new string('a', 64)}}"} }"""));
        var panel = Render<LabelPanel>(p => p.Add(l => l.Place, PlaceOf("krate-org-acme")).Add(l => l.Resource, label));
        panel.WaitForAssertion(() => Assert.Contains("you wrote this text", Button(panel, "Mark as reviewed").GetAttribute("title"), StringComparison.Ordinal));
        Assert.False(Button(panel, "Reject").HasAttribute("aria-disabled"));
    }

    [Fact]
    public async Task The_overview_says_once_what_keeps_many_stacks_from_running_and_where_it_is_mended()
    {
        var ns = await Core.NewOrgAsync();
        foreach (var name in new[] { "one", "two" }) await StackAsync(ns, name, s => s["toolProfileRef"] = "nowhere");
        var page = Render<AgentsOverview>(p => p.Add(a => a.Place, PlaceOf(ns)));
        page.WaitForAssertion(() => Assert.Single(page.FindAll("[data-reason=ToolProfileMissing]")));
        var reason = page.Find("[data-reason=ToolProfileMissing]");
        Assert.Contains("Blocks one, two", reason.TextContent, StringComparison.Ordinal);
        Assert.Equal($"/orgs/{PlaceOf(ns).Org}/agents/new/tools?name=nowhere", reason.QuerySelector("a.k-btn")!.GetAttribute("href"));
    }

    private Resource Get(string ns, string name) => Core.Gateway.GetAsync(Core.Admin, Tools, ns, name, Ct).GetAwaiter().GetResult();

    private Task<Resource> StackAsync(string ns, string name, Action<JsonObject> with)
    {
        var stack = StackNamed(name);
        with(stack.Child("spec"));
        return Core.CreateAsync(Stack, ns, stack);
    }

    private static IElement Button<T>(IRenderedComponent<T> of, string text)
        where T : IComponent => of.FindAll("button").First(b => b.TextContent.Trim() == text);

    private static JsonObject Profile(string name) => Json($$"""{"metadata":{"name":"{{name}}"},"spec":{"filesystemPolicy":"read-only","approvalPolicyByTool":{"shell":"prompt"} } }""");

    private static Resource Mcp(string status) => new(KindTable.Catalog["AgentMcpServer"], Json($$"""{"metadata":{"name":"search","namespace":"krate-org-acme","uid":"u1"},"spec":{"transport":"stdio","command":"search","scope":"stack"},"status":{{status}} }"""));

    private static Resource Changed(Resource resource, Action<JsonObject> spec)
    {
        var document = resource.Edit();
        spec(document.Child("spec"));
        return new Resource(resource.Kind, document);
    }

    private static JsonObject Json(string text) => KrateJson.ParseObject(text).Copy();
}
