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
