using System.Globalization;
using System.Text.Json.Nodes;
using Bunit;
using Krate.Core.Gateway;
using Krate.Core.Git;
using Krate.Core.Kinds;
using Krate.Core.Repositories;
using Krate.Core.Resources;
using Krate.Tests.Testing;
using Krate.Web.Features.Code;
using Krate.Web.Features.Work;
using Xunit;

namespace Krate.Tests.Pages;

/// <summary>The list of issues: pages by number, filters of the store, words, and what happens while one looks.</summary>
public sealed class WorkListTests(KrateCore core) : PageTest(core)
{
    private static KindDefinition Issues => KindTable.Catalog["Issue"];

    [Fact]
    public async Task A_page_has_the_fifty_newest_and_addresses_lead_to_older_ones_and_back()
    {
        var place = await MakeAsync(120);
        var page = Show(place);
        page.WaitForAssertion(() => Assert.Equal(Numbers(120, 71), NumbersOf(page)));
        Assert.Contains("120 issues", page.Markup, StringComparison.Ordinal);
        Assert.Equal($"{place.Urls.Issues}?before=71", LinkOf(page, "Older"));

        page = Show(place, before: "71");
        page.WaitForAssertion(() => Assert.Equal(Numbers(70, 21), NumbersOf(page)));
        Assert.Equal($"{place.Urls.Issues}?before=21", LinkOf(page, "Older"));
        Assert.Equal($"{place.Urls.Issues}?after=70", LinkOf(page, "Newer"));

        Assert.Equal(Numbers(20, 1), NumbersOf(Show(place, before: "21")));
        Assert.Equal(Numbers(70, 21), NumbersOf(Show(place, after: "20")));
        page = Show(place, after: "100");
        Assert.Equal(Numbers(120, 71), NumbersOf(page));
        Assert.Null(LinkOf(page, "Newer"));
    }

    [Fact]
    public async Task What_is_opened_shows_at_the_top_and_what_is_closed_leaves_and_the_page_stays_a_page()
    {
        var place = await MakeAsync(120);
        var (first, second) = (Show(place), Show(place, before: "71"));
        first.WaitForAssertion(() => Assert.Equal(50, NumbersOf(first).Count));

        await StoreAsync(Issues, place.Place.Namespace, IssueNumbered(place, 121));
        first.WaitForAssertion(() => Assert.Equal(Numbers(121, 72), NumbersOf(first)));
        first.WaitForAssertion(() => Assert.Contains("121 issues", first.Markup, StringComparison.Ordinal));
        Assert.Equal($"{place.Urls.Issues}?before=72", LinkOf(first, "Older"));
        Assert.Equal(Numbers(70, 21), NumbersOf(second));

        await SetAsync(place, 100, b => b.Child("status")["phase"] = "Closed", "status");
        first.WaitForAssertion(() => Assert.Equal(Numbers(121, 72).Where(n => n != 100), NumbersOf(first)));
        first.WaitForAssertion(() => Assert.Contains("120 issues", first.Markup, StringComparison.Ordinal));

        // Half of a page has gone: it is filled again from what is older.
        for (var n = 121; n > 90; n--)
            if (n != 100) await SetAsync(place, n, b => b.Child("status")["phase"] = "Closed", "status");
        first.WaitForAssertion(() => Assert.InRange(NumbersOf(first).Count, 26, 50));
        first.WaitForAssertion(() => Assert.Equal(90, NumbersOf(first)[0]));
    }

    [Fact]
    public async Task A_filter_is_answered_by_the_store_and_followed()
    {
        var place = await MakeAsync(60);
        await SetAsync(place, 3, b => b.Set("spec.labels", new JsonArray("bug", "money path")));
        await SetAsync(place, 7, b => b.Set("spec.labels", new JsonArray("bug")));
        await SetAsync(place, 7, b => b.Set("spec.assignees", new JsonArray("jonas")));
        var bugs = Show(place, "label:bug");
        bugs.WaitForAssertion(() => Assert.Equal([7L, 3L], NumbersOf(bugs)));
        Assert.Equal([3L], NumbersOf(Show(place, "label:bug label:\"money path\"")));
        Assert.Equal([7L], NumbersOf(Show(place, "assignee:jonas author:mira")));
        Assert.Contains("No issue matches", Show(place, "author:nobody").Markup, StringComparison.Ordinal);

        await SetAsync(place, 50, b => b.Set("spec.labels", new JsonArray("bug")));
        await SetAsync(place, 3, b => b.Set("spec.labels", new JsonArray()));
        bugs.WaitForAssertion(() => Assert.Equal([50L, 7L], NumbersOf(bugs)));
        bugs.WaitForAssertion(() => Assert.Contains("2 issues", bugs.Markup, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Words_are_looked_for_in_five_thousand_and_the_search_goes_on_from_there()
    {
        var place = await MakeAsync(5200);
        await SetAsync(place, 5100, b => b.Set("spec.title", "A needle"));
        await SetAsync(place, 150, b => b.Set("spec.body", "Another needle"));
        var page = Show(place, "needle");
        page.WaitForAssertion(() => Assert.Equal([5100L], NumbersOf(page)));
        Assert.Contains("5,000 looked through", page.Markup, StringComparison.Ordinal);
        Assert.Equal($"{place.Urls.Issues}?q=needle&before=201", LinkOf(page, "Search on"));
        Assert.Equal([150L], NumbersOf(Show(place, "needle", before: "201")));
    }

    [Fact]
    public async Task A_view_is_saved_under_a_name_shows_up_in_every_open_list_and_goes_when_it_is_deleted()
    {
        var place = await MakeAsync(3);
        var (mine, other) = (Show(place, "label:bug state:all"), Show(place));
        var pulls = Render<WorkListView>(p => p.Add(l => l.Repository, place).Add(l => l.Kind, "PullRequest"));
        mine.WaitForElement(".k-views button").Click();
        mine.WaitForElement("#view-title").Input("All the bugs");
        mine.Find("form.k-views__form").Submit();

        other.WaitForAssertion(() => Assert.Equal($"{place.Urls.Issues}?q=state%3Aall%20label%3Abug", other.Find(".k-views a").GetAttribute("href")));
        Assert.Contains("All the bugs", other.Find(".k-views a").TextContent, StringComparison.Ordinal);
        mine.WaitForAssertion(() => Assert.Equal("true", mine.Find(".k-views a").GetAttribute("aria-current")));
        Assert.Empty(pulls.FindAll(".k-views a"));
        var selector = await Core.Gateway.GetAsync(Core.Admin, KindTable.Catalog["Selector"], place.Place.Namespace, "shop-issues-all-the-bugs", Ct);
        Assert.Equal("state:all label:bug", selector.Body.Text("spec.query"));

        mine.WaitForElement(".k-views button:not([disabled])").Click();
        mine.WaitForElement(".k-views__form button.k-btn--danger:not([disabled])").Click();
        other.WaitForAssertion(() => Assert.Empty(other.FindAll(".k-views a")));
        mine.WaitForAssertion(() => Assert.Empty(mine.FindAll(".k-alert")));
        mine.WaitForAssertion(() => Assert.Equal(404, Assert.ThrowsAsync<ApiException>(() => Core.Gateway.GetAsync(Core.Admin, KindTable.Catalog["Selector"], place.Place.Namespace, selector.Name, Ct)).GetAwaiter().GetResult().Code));
    }

    [Fact]
    public async Task Who_may_not_save_a_view_is_told_so()
    {
        var place = await MakeAsync(3);
        Looker.Actor = new Actor("mira", [WellKnown.AuthenticatedGroup]);
        await Core.CreateAsync(KindTable.Catalog["RoleBinding"], place.Place.Namespace, new JsonObject
        {
            ["metadata"] = new JsonObject { ["name"] = "mira-views" },
            ["roleRef"] = new JsonObject { ["apiGroup"] = "rbac.authorization.k8s.io", ["kind"] = "ClusterRole", ["name"] = "krate-viewer" },
            ["subjects"] = new JsonArray(new JsonObject { ["apiGroup"] = "rbac.authorization.k8s.io", ["kind"] = "User", ["name"] = "mira" }),
        });
        var page = Show(place, "label:bug");
        page.WaitForAssertion(() => Assert.Contains("You may not create views", page.Find(".k-views button").GetAttribute("title"), StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_card_goes_from_label_to_label_by_menu_and_by_drag_and_not_over_somebody_elses_change()
    {
        var place = await MakeAsync(3);
        await SetAsync(place, 1, b => b.Set("spec.labels", new JsonArray("bug", "ui")));
        await SetAsync(place, 2, b => b.Set("spec.labels", new JsonArray("later")));
        var page = Render<WorkListView>(p => p.Add(l => l.Repository, place).Add(l => l.Kind, "Issue").Add(l => l.Layout, "board").Add(l => l.By, "label"));
        page.WaitForAssertion(() => Assert.Equal(["No label: 3", "bug: 1", "later: 2", "ui: 1"], ColumnsOf(page)));

        page.FindAll("section[aria-label='No label'] .k-menu button").Single(b => b.TextContent == "bug").Click();
        page.WaitForAssertion(() => Assert.Equal(["No label: ", "bug: 3 1", "later: 2", "ui: 1"], ColumnsOf(page)));
        page.Find("section[aria-label=bug] li[data-k-card='#1']").DragStart();
        page.Find("section[aria-label=later]").Drop();
        page.WaitForAssertion(() => Assert.Equal(["No label: ", "bug: 3", "later: 2 1", "ui: 1"], ColumnsOf(page)));
        page.FindAll("section[aria-label=ui] .k-menu button").Single(b => b.TextContent == "No label").Click();
        page.WaitForAssertion(() => Assert.Equal(["No label: ", "bug: 3", "later: 2 1", "ui: "], ColumnsOf(page)));

        page.Find("section[aria-label=bug] li[data-k-card='#3']").DragStart();
        await SetAsync(place, 3, b => b.Set("spec.title", "Renamed meanwhile"));
        page.WaitForAssertion(() => Assert.Contains("Renamed meanwhile", page.Markup, StringComparison.Ordinal));
        page.Find("section[aria-label=ui]").Drop();
        page.WaitForAssertion(() => Assert.Contains("Somebody else has changed #3 meanwhile", page.Find(".k-alert").TextContent, StringComparison.Ordinal));
        Assert.Equal(["No label: ", "bug: 3", "later: 2 1", "ui: "], ColumnsOf(page));
    }

    private static IEnumerable<string> ColumnsOf(IRenderedComponent<WorkListView> page) =>
        page.FindAll(".k-board__column").Select(c => $"{c.GetAttribute("aria-label")}: {string.Join(' ', c.QuerySelectorAll("li[data-k-card]").Select(l => l.GetAttribute("data-k-card")!.TrimStart('#')))}");

    private static IEnumerable<long> Numbers(int from, int to) => Enumerable.Range(to, from - to + 1).Reverse().Select(n => (long)n);

    private static List<long> NumbersOf(IRenderedComponent<WorkListView> page) =>
        [.. page.FindAll(".k-work li a.k-semi").Select(a => long.Parse(a.GetAttribute("href")!.Split('/')[^1], CultureInfo.InvariantCulture))];

    private static string? LinkOf(IRenderedComponent<WorkListView> page, string text) => page.FindAll(".k-pager a").FirstOrDefault(a => a.TextContent == text)?.GetAttribute("href");

    private IRenderedComponent<WorkListView> Show(RepositoryPlace place, string text = "", string? before = null, string? after = null)
    {
        var page = Render<WorkListView>(p => p.Add(l => l.Repository, place).Add(l => l.Kind, "Issue").Add(l => l.Text, text).Add(l => l.Before, before).Add(l => l.After, after));
        page.WaitForAssertion(() => Assert.Empty(page.FindAll(".k-skeleton")));
        return page;
    }

    private async Task<RepositoryPlace> MakeAsync(int count)
    {
        var ns = await Core.NewOrgAsync();
        var repository = await Core.CreateAsync(KindTable.Catalog["Repository"], ns, new JsonObject { ["metadata"] = new JsonObject { ["name"] = "shop" }, ["spec"] = new JsonObject { ["visibility"] = "internal" } });
        var (place, org) = (PlaceOf(ns), ns["krate-org-".Length..]);
        var hosted = new HostedRepository(org, repository, new GitRepository("/nowhere"));
        var made = new RepositoryPlace(place, hosted, new CodeUrls(org, "shop"), _ => Task.FromResult(hosted));
        foreach (var chunk in Enumerable.Range(1, count).Chunk(500))
            await Task.WhenAll(chunk.Select(n => StoreAsync(Issues, ns, IssueNumbered(made, n))));
        return made;
    }

    private static JsonObject IssueNumbered(RepositoryPlace place, int number) => new()
    {
        ["apiVersion"] = Issues.ApiVersion,
        ["kind"] = "Issue",
        ["metadata"] = new JsonObject { ["name"] = $"shop-{number}", ["labels"] = new JsonObject { [WellKnown.RepositoryLabel] = "shop", [WellKnown.OrgLabel] = place.Place.Org } },
        ["spec"] = new JsonObject { ["organizationRef"] = place.Place.Org, ["repository"] = "shop", ["number"] = number, ["title"] = $"Issue {number}", ["author"] = "mira" },
        ["status"] = new JsonObject { ["phase"] = "Open" },
    };

    private async Task SetAsync(RepositoryPlace place, int number, Action<JsonObject> change, string subresource = "")
    {
        var (ns, name) = (place.Place.Namespace, $"shop-{number}");
        var body = (await Core.Gateway.GetAsync(Core.Admin, Issues, ns, name, Ct)).Edit();
        change(body);
        var actor = subresource.Length > 0 ? PrivilegedAccess.Controller("test", "c1") : Core.Admin;
        await Core.Gateway.UpdateAsync(actor, Issues, ns, name, body, new WriteOptions { Subresource = subresource }, Ct);
    }
}
