using Deque.AxeCore.Commons;
using Krate.E2E.Hosting;
using Microsoft.Playwright;
using Xunit;

namespace Krate.E2E.Journeys;

/// <summary>One page of each sort in both themes and on a phone: axe, no sideways scrolling, a picture to look at.</summary>
public sealed class EveryPageTests(AppFixture app) : Journey(app)
{
    private static readonly BundledAxeScriptProvider Axe = new();

    private static readonly (string Name, string Path)[] Pages =
    [
        ("orgs", "/orgs"),
        ("dashboard", "/orgs/acme"),
        ("repositories", "/orgs/acme/repositories"),
        ("repository-new", "/orgs/acme/repositories/new"),
        ("repository-permissions", "/orgs/acme/repositories/payments-api/settings/permissions?add=1"),
        ("connect", "/orgs/acme/connect"),
        ("stacks", "/orgs/acme/agents/stacks"),
        ("stack-overview", "/orgs/acme/resources/agentstacks/claude-code-ci-repair"),
        ("stack-yaml", "/orgs/acme/resources/agentstacks/claude-code-ci-repair?tab=yaml"),
        ("stack-permissions", "/orgs/acme/agents/stacks/claude-code-ci-repair?tab=permissions&repository=payments-api&ref=refs/heads/main"),
        ("stack-builder", "/orgs/acme/agents/stacks/claude-code-ci-repair?tab=builder"),
        ("agents", "/orgs/acme/agents"),
        ("tools-form", "/orgs/acme/agents/tools/repo-write-safe?tab=form"),
        ("mcp-server", "/orgs/acme/agents/mcp/code-search"),
        ("context-label", "/orgs/acme/agents/context-labels/no-migrations"),
        ("secrets", "/orgs/acme/agents/secrets"),
        ("secret-grant", "/orgs/acme/agents/secret-grants/ci-repair-anthropic"),
        ("permissions", "/orgs/acme/agents/permissions"),
        ("agent-run-new", "/orgs/acme/agents/new-run?repository=payments-api&job=job-01jv0000000000000000000002"),
        ("identity", "/orgs/acme/agents/identities/agent-claude-code-review"),
        ("role-binding-new", "/orgs/acme/agents/new/role-bindings?serviceaccount=agent-claude-code-review"),
        ("empty-list", "/orgs/acme/resources/agenttriggerrules"),
        ("code-home", "/orgs/acme/repositories/payments-api"),
        ("code-file", "/orgs/acme/repositories/payments-api/blob/main/internal/settlement/backoff.go#L3-L5"),
        ("code-blame", "/orgs/acme/repositories/payments-api/blame/main/internal/settlement/backoff.go"),
        ("code-branches", "/orgs/acme/repositories/payments-api/branches"),
        ("code-search", "/orgs/acme/repositories/payments-api/search?q=settle"),
        ("issues", "/orgs/acme/repositories/payments-api/issues"),
        ("issues-board", "/orgs/acme/repositories/payments-api/issues?layout=board&by=state"),
        ("issue-new", "/orgs/acme/repositories/payments-api/issues/new"),
        ("issue", "/orgs/acme/repositories/payments-api/issues/1"),
        ("pulls", "/orgs/acme/repositories/payments-api/pulls"),
        ("pull-new", "/orgs/acme/repositories/payments-api/pulls/new?head=lumi/ledger-cursor"),
        ("pull", "/orgs/acme/repositories/payments-api/pulls/3"),
        ("pull-files", "/orgs/acme/repositories/payments-api/pulls/3/files?view=split"),
        ("pull-checks", "/orgs/acme/repositories/payments-api/pulls/3/checks"),
        ("inbox", "/orgs/acme/inbox"),
        ("runs", "/orgs/acme/repositories/payments-api/runs"),
        ("org-runs", "/orgs/acme/runs?q=status:failed"),
        ("run", "/orgs/acme/repositories/payments-api/runs/pipeline-01jv0000000000000000000001"),
        ("run-log", "/orgs/acme/repositories/payments-api/runs/pipeline-01jv0000000000000000000001/jobs/job-01jv0000000000000000000002"),
        ("hooks", "/orgs/acme/repositories/payments-api/hooks?form=new"),
        ("people", "/orgs/acme/people"),
        ("invites", "/orgs/acme/people/invites/new"),
        ("team", "/orgs/acme/teams/payments?form=add"),
        ("org-settings", "/orgs/acme/settings"),
        ("org-settings-sharing", "/orgs/acme/settings/sharing?add=1"),
        ("runners", "/orgs/acme/runners"),
        ("runner", "/orgs/acme/runners/trusted-linux"),
        ("repository-agents", "/orgs/acme/repositories/payments-api/settings/agents?stack=claude-code-ci-repair&ref=refs/heads/main"),
        ("sign-in-providers", "/admin/sign-in"),
        ("sign-in-provider-new", "/admin/sign-in/new"),
        ("all-resources", "/orgs/acme/resources"),
        ("admin-organizations", "/admin/organizations"),
    ];

    /// <summary>All in one tab, as a person has them: a new one for each would load everything but the page anew.</summary>
    [Fact]
    public async Task No_page_has_a_serious_accessibility_finding_in_either_theme_and_each_fits_a_phone()
    {
        var page = await SignedInAsync();
        var problems = new List<string>();
        foreach (var (name, path) in Pages) problems.AddRange((await LookAtAsync(page, name, path)).Select(p => $"{name} ({path}): {p}"));
        Assert.True(problems.Count == 0, string.Join('\n', problems));
    }

    [Fact]
    public async Task The_sign_in_page_is_accessible_in_both_themes()
    {
        foreach (var dark in new[] { false, true })
        {
            var page = await NewPageAsync(dark);
            await page.GotoAsync("/signin");
            await ScreenshotAsync(page, dark ? "signin-dark" : "signin-light");
            Assert.Empty(await FindingsAsync(page));
        }
    }

    [Fact]
    public async Task A_page_that_does_not_exist_says_so_and_offers_a_way_back()
    {
        Expected.Add("404");
        var page = await SignedInAsync("/orgs");
        await page.GotoAsync("/orgs/no-such-org");
        await Assertions.Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToBeVisibleAsync();
        await Assertions.Expect(page.GetByText("No organization named no-such-org")).ToBeVisibleAsync();
        await ScreenshotAsync(page, "org-not-found");
    }

    private static async Task<IEnumerable<string>> LookAtAsync(IPage page, string name, string path)
    {
        await page.SetViewportSizeAsync(1440, 900);
        await page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Light });
        await GoAsync(page, path);
        await ScreenshotAsync(page, name + "-light");
        var light = await FindingsAsync(page);

        // Theme and width follow the browser without loading the page anew.
        await page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Dark });
        await page.WaitForFunctionAsync("() => getComputedStyle(document.documentElement).colorScheme.includes('dark')");
        await ScreenshotAsync(page, name + "-dark");
        var dark = await FindingsAsync(page, "color-contrast");

        await page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Light });
        await page.SetViewportSizeAsync(390, 844);
        await ScreenshotAsync(page, name + "-phone");
        var fits = await page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= 390");
        return [.. light, .. dark, .. fits ? Array.Empty<string>() : ["scrolls sideways at 390 px"]];
    }

    /// <summary>axe, put into the page once; only what is serious is asked for.</summary>
    private static async Task<string[]> FindingsAsync(IPage page, string? rule = null)
    {
        if (await page.EvaluateAsync<bool>("() => !window.axe")) await page.EvaluateAsync(Axe.GetScript());
        return await page.EvaluateAsync<string[]>(
            """
            async rule => {
              const found = await axe.run(document, { resultTypes: ['violations'], ...(rule ? { runOnly: [rule] } : {}) });
              return found.violations.filter(v => v.impact === 'serious' || v.impact === 'critical')
                .map(v => `${v.id}: ${v.help}: ${v.nodes.slice(0, 3).map(n => n.html).join(' | ')}`);
            }
            """,
            rule);
    }
}
