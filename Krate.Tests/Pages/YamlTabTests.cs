using Bunit;
using Krate.Core.Gateway;
using Krate.Core.Resources;
using Krate.Tests.Testing;
using Krate.Web.Features.Resources;
using Xunit;

namespace Krate.Tests.Pages;

public sealed class YamlTabTests(KrateCore core) : PageTest(core)
{
    [Fact]
    public async Task A_conflict_shows_their_change_keeps_every_typed_word_and_can_be_combined()
    {
        var ns = await Core.NewOrgAsync();
        var began = await Core.CreateAsync(Stack, ns, StackNamed("shared", "m1"));
        var tab = Editor(began, ns);
        await tab.Find("textarea").ChangeAsync(Typed(tab).Replace("baseAgent: claude-code", "baseAgent: codex", StringComparison.Ordinal));

        var theirs = began.Edit();
        theirs.Set("spec.model", "m2");
        var newer = await Core.Gateway.UpdateAsync(Core.Admin, Stack, ns, "shared", theirs, new WriteOptions(), Ct);
        await SaveAsync(tab);
        tab.Render(p => p.Add(t => t.Resource, newer));

        tab.WaitForAssertion(() => Assert.Contains("Somebody else changed it.", tab.Markup, StringComparison.Ordinal));
        Assert.Contains("model: m2", tab.Find(".k-linediff .add").TextContent, StringComparison.Ordinal);
        Assert.Contains("baseAgent: codex", Typed(tab), StringComparison.Ordinal);
        Assert.Equal("claude-code", (await Core.Gateway.GetAsync(Core.Admin, Stack, ns, "shared", Ct)).Body.Text("spec.baseAgent"));

        await tab.FindAll("button").Single(b => b.TextContent.Contains("on top of theirs", StringComparison.Ordinal)).ClickAsync();
        await SaveAsync(tab);

        var saved = await Core.Gateway.GetAsync(Core.Admin, Stack, ns, "shared", Ct);
        Assert.Equal(("codex", "m2"), (saved.Body.Text("spec.baseAgent"), saved.Body.Text("spec.model")));
    }

    [Fact]
    public async Task A_status_that_a_controller_wrote_meanwhile_is_no_conflict()
    {
        var ns = await Core.NewOrgAsync();
        var began = await Core.CreateAsync(Stack, ns, StackNamed("busy"));
        var tab = Editor(began, ns);
        await tab.Find("textarea").ChangeAsync(Typed(tab).Replace("model: m1", "model: m3", StringComparison.Ordinal));

        var status = began.Edit();
        status.Set("status.phase", "Blocked");
        var newer = await Core.Gateway.UpdateAsync(PrivilegedAccess.Controller("test", "c1"), Stack, ns, "busy", status, new WriteOptions { Subresource = "status" }, Ct);
        tab.Render(p => p.Add(t => t.Resource, newer));
        await SaveAsync(tab);

        Assert.Equal("m3", (await Core.Gateway.GetAsync(Core.Admin, Stack, ns, "busy", Ct)).Body.Text("spec.model"));
    }

    [Theory]
    [InlineData("spec: [", "error parsing YAML")]
    [InlineData("spec:\n  colour: blue\n", "spec.colour")]
    public async Task A_refused_text_stays_with_the_reason(string added, string reason)
    {
        var ns = await Core.NewOrgAsync();
        var tab = Editor(await Core.CreateAsync(Stack, ns, StackNamed("strict")), ns);
        var text = Typed(tab).Replace("spec:\n", added.StartsWith("spec: [", StringComparison.Ordinal) ? "spec: [\n" : added, StringComparison.Ordinal);
        await tab.Find("textarea").ChangeAsync(text);
        await SaveAsync(tab);

        tab.WaitForAssertion(() => Assert.Contains("It was not saved.", tab.Markup, StringComparison.Ordinal));
        Assert.Contains(reason, tab.Find("[role=alert]").TextContent, StringComparison.Ordinal);
        Assert.Equal(text, Typed(tab));
    }

    [Fact]
    public async Task Managed_fields_are_folded_until_asked_for()
    {
        var ns = await Core.NewOrgAsync();
        var stack = await Core.CreateAsync(Stack, ns, StackNamed("folded"));
        var tab = Render<YamlTab>(p => p.Add(t => t.Resource, stack).Add(t => t.Namespace, ns).Add(t => t.Editable, true).Add(t => t.CanEdit, new AccessDecision(true, "")));
        Assert.DoesNotContain("managedFields", tab.Find("pre").TextContent, StringComparison.Ordinal);

        await tab.FindAll("button").Single(b => b.TextContent.Contains("Show managed fields", StringComparison.Ordinal)).ClickAsync();

        Assert.Contains("managedFields", tab.Find("pre").TextContent, StringComparison.Ordinal);
    }

    private static string Typed(IRenderedComponent<YamlTab> tab) => tab.Find("textarea").GetAttribute("value")!;

    private static Task SaveAsync(IRenderedComponent<YamlTab> tab) => tab.Find("button.k-btn--primary").ClickAsync();

    private IRenderedComponent<YamlTab> Editor(Resource resource, string ns) => Render<YamlTab>(p => p
        .Add(t => t.Resource, resource)
        .Add(t => t.Namespace, ns)
        .Add(t => t.Editable, true)
        .Add(t => t.Editing, true)
        .Add(t => t.CanEdit, new AccessDecision(true, "")));
}
