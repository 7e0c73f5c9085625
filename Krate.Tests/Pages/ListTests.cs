using System.Text.Json.Nodes;
using Bunit;
using Krate.Core.Gateway;
using Krate.Core.Kinds;
using Krate.Core.Resources;
using Krate.Tests.Kinds;
using Krate.Tests.Testing;
using Krate.Web.Components;
using Krate.Web.Features;
using Krate.Web.Features.Agents;
using Krate.Web.Features.Resources;
using Microsoft.AspNetCore.Components;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Krate.Tests.Pages;

public sealed class ListTests(KrateCore core) : PageTest(core)
{
    public static TheoryData<string> Kinds => [.. KindTable.All.Where(k => !k.CreateOnly && !k.ReadOnly).Select(k => k.Kind)];

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Every_kind_of_the_table_has_a_list_with_its_columns(string name)
    {
        var kind = KindTable.Catalog[name];
        var place = Place.IsOrgKind(kind) ? PlaceOf(await Core.NewOrgAsync()) : Place.Platform;
        var document = Samples.Of(kind, everything: true);
        document.Child("metadata")["name"] = "a-sample-of-all";
        await StoreAsync(kind, place.Namespace, document);

        var page = Render<ResourceListView>(p => p.Add(l => l.Place, place).Add(l => l.Kind, kind));

        var link = page.WaitForElement($"td a[href='{place.Url(kind, "a-sample-of-all")}']");
        Assert.Equal("a-sample-of-all", link.TextContent);
        var heads = page.FindAll("thead th").Select(h => h.TextContent.Trim()).ToList();
        Assert.Equal("Name", heads[0]);
        Assert.Equal("Age", heads[^1]);
        Assert.All(page.FindAll("tbody tr"), row => Assert.Equal(heads.Count, row.Children.Length));
        Assert.Contains(KindWords.Plural(kind), page.Find("h1").TextContent, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Every_kind_of_the_table_has_a_detail_page(string name)
    {
        var kind = KindTable.Catalog[name];
        var place = Place.IsOrgKind(kind) ? PlaceOf(await Core.NewOrgAsync()) : Place.Platform;
        var document = Samples.Of(kind, everything: true);
        document.Child("metadata")["name"] = "sample-in-detail";
        await StoreAsync(kind, place.Namespace, document);

        foreach (var tab in new[] { "overview", "conditions", "events", "yaml" })
        {
            Services.GetRequiredService<NavigationManager>().NavigateTo($"{place.Url(kind, "sample-in-detail")}?tab={tab}");
            var page = Render<ResourceDetailView>(p => p.Add(d => d.Place, place).Add(d => d.Kind, kind).Add(d => d.Name, "sample-in-detail"));
            page.WaitForAssertion(() => Assert.Equal("sample-in-detail", page.Find("h1").TextContent));
            await DisposeComponentsAsync();
        }
    }

    [Fact]
    public async Task A_stack_appears_the_moment_it_is_created_with_the_reasons_and_goes_when_it_is_deleted()
    {
        var ns = await Core.NewOrgAsync();
        var page = Render<StackListView>(p => p.Add(l => l.Place, PlaceOf(ns)));
        page.WaitForAssertion(() => Assert.Contains("No stacks yet", page.Markup, StringComparison.Ordinal));

        var made = await Core.CreateAsync(Stack, ns, StackNamed("fresh"));
        page.WaitForAssertion(() => Assert.Contains("Not checked yet", page.Find("tbody tr").TextContent, StringComparison.Ordinal));
        Assert.Equal("fresh was added", page.Find("[data-testid=announce]").TextContent);

        var status = made.Edit();
        status["status"] = new JsonObject
        {
            ["conditions"] = Condition.Merge(
                [],
                [
                    new("RuntimeIdentityReady", Condition.False, "MissingServiceAccount", "ServiceAccount ghost does not exist."),
                    new("McpHealthy", Condition.Unknown, "NotEvaluated", "Not evaluated."),
                    new(Condition.Ready, Condition.False, "MissingServiceAccount", "ServiceAccount ghost does not exist."),
                ],
                1,
                Core.Now),
        };
        await Core.Gateway.UpdateAsync(PrivilegedAccess.Controller("test", "c1"), Stack, ns, "fresh", status, new WriteOptions { Subresource = "status" }, Ct);
        page.WaitForAssertion(() => Assert.Contains("Not ready, 1 missing", page.Find("tbody tr").TextContent, StringComparison.Ordinal));
        Assert.Contains("ServiceAccount ghost does not exist.", page.Find("tbody tr").TextContent, StringComparison.Ordinal);

        await Core.Gateway.DeleteAsync(Core.Admin, Stack, ns, "fresh", new DeleteOptions(), Ct);
        page.WaitForAssertion(() => Assert.Contains("No stacks yet", page.Markup, StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_filter_and_the_label_selector_of_the_address_narrow_the_list()
    {
        var ns = await Core.NewOrgAsync();
        foreach (var (name, tier) in new[] { ("alpha", "one"), ("beta", "two"), ("gamma", "two") })
        {
            var document = StackNamed(name);
            document["metadata"]!["labels"] = new JsonObject { ["tier"] = tier };
            await Core.CreateAsync(Stack, ns, document);
        }

        Services.GetRequiredService<NavigationManager>().NavigateTo($"{PlaceOf(ns).ListUrl(Stack)}?labels=tier%3Dtwo&q=GAM");
        var page = Render<StackListView>(p => p.Add(l => l.Place, PlaceOf(ns)));
        page.WaitForAssertion(() => Assert.Equal(["gamma"], page.FindAll("td.k-name a").Select(a => a.TextContent)));

        await Core.CreateAsync(Stack, ns, StackNamed("gamma-without-label"));
        var labelled = StackNamed("gamma-two");
        labelled["metadata"]!["labels"] = new JsonObject { ["tier"] = "two" };
        await Core.CreateAsync(Stack, ns, labelled);
        page.WaitForAssertion(() => Assert.Equal(["gamma", "gamma-two"], page.FindAll("td.k-name a").Select(a => a.TextContent)));
    }

    [Fact]
    public async Task Who_may_not_list_is_told_what_is_missing_and_loses_the_page_with_the_right()
    {
        var ns = await Core.NewOrgAsync();
        await Core.CreateAsync(Stack, ns, StackNamed("hidden"));
        await Core.CreateAsync(KindTable.Catalog["RoleBinding"], ns, new JsonObject
        {
            ["metadata"] = new JsonObject { ["name"] = "mira" },
            ["roleRef"] = new JsonObject { ["apiGroup"] = "rbac.authorization.k8s.io", ["kind"] = "ClusterRole", ["name"] = "krate-viewer" },
            ["subjects"] = new JsonArray(new JsonObject { ["apiGroup"] = "rbac.authorization.k8s.io", ["kind"] = "User", ["name"] = "mira" }),
        });
        Looker.Actor = new Actor("mira", [WellKnown.AuthenticatedGroup]);
        var page = Render<StackListView>(p => p.Add(l => l.Place, PlaceOf(ns)));
        page.WaitForElement("a[href$='/hidden']");
        Assert.DoesNotContain("New stack", page.Markup, StringComparison.Ordinal);

        await Core.Gateway.DeleteAsync(Core.Admin, KindTable.Catalog["RoleBinding"], ns, "mira", new DeleteOptions(), Ct);

        page.WaitForAssertion(() => Assert.Contains("You cannot list AgentStacks here", page.Markup, StringComparison.Ordinal));
        Assert.Empty(page.FindAll("tbody tr"));
        var facts = page.Find(".k-denied").TextContent;
        Assert.All(new[] { "list agentstacks", ns, "mira", "krate-viewer", "team owners" }, f => Assert.Contains(f, facts, StringComparison.Ordinal));
    }
}
