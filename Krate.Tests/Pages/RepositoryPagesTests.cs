using System.Text.Json.Nodes;
using Bunit;
using Krate.Core.Gateway;
using Krate.Core.Kinds;
using Krate.Core.Repositories;
using Krate.Core.Resources;
using Krate.Tests.Testing;
using Krate.Web.Features;
using Krate.Web.Features.Repositories;
using Microsoft.AspNetCore.Components;
using Microsoft.Extensions.DependencyInjection;
using Xunit;
using ImportProgress = Krate.Web.Features.Repositories.ImportProgress;

namespace Krate.Tests.Pages;

/// <summary>The list of repositories, the form for a new one, and what the settings change, over the real gateway.</summary>
public sealed class RepositoryPagesTests(KrateCore core) : PageTest(core)
{
    private static KindDefinition Repositories => KindTable.Catalog["Repository"];

    private NavigationManager Navigation => Services.GetRequiredService<NavigationManager>();

    [Fact]
    public async Task The_list_follows_what_there_is_and_the_address_narrows_it()
    {
        var ns = await Core.NewOrgAsync();
        var place = PlaceOf(ns);
        var page = Render<RepositoryListView>(p => p.Add(l => l.Place, place));
        page.WaitForAssertion(() => Assert.Contains("No repositories yet", page.Markup, StringComparison.Ordinal));
        Assert.Contains("kubectl apply", page.Markup, StringComparison.Ordinal);

        await MakeAsync(ns, "open", "public", "For everybody");
        await MakeAsync(ns, "secret-plans", "private");
        page.WaitForAssertion(() => Assert.Equal(["open", "secret-plans"], Names(page)));
        Assert.Contains("For everybody", page.Markup, StringComparison.Ordinal);
        Assert.Equal($"{place.Home}/repositories/open", page.Find("td.k-name a").GetAttribute("href"));

        Navigation.NavigateTo($"{place.Repositories}?visibility=private");
        page.WaitForAssertion(() => Assert.Equal(["secret-plans"], Names(page)));
        Navigation.NavigateTo($"{place.Repositories}?q=everybody");
        page.WaitForAssertion(() => Assert.Equal(["open"], Names(page)));
        Navigation.NavigateTo($"{place.Repositories}?q=nothing-of-that");
        page.WaitForAssertion(() => Assert.Contains("No repository matches", page.Markup, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_new_repository_is_judged_while_one_types_and_made_as_the_manifest_says()
    {
        var ns = await Core.NewOrgAsync();
        var place = PlaceOf(ns);
        await MakeAsync(ns, "taken", "private");
        var page = Render<NewRepositoryView>(p => p.Add(n => n.Place, place));

        page.WaitForElement("#name").Input("Not A Name");
        page.WaitForAssertion(() => Assert.Contains("lower case letters", page.Find("#name-help").TextContent, StringComparison.Ordinal));
        page.Find("#name").Input("taken");
        page.WaitForAssertion(() => Assert.Contains("is taken", page.Find("#name-help").TextContent, StringComparison.Ordinal));
        page.Find("#name").Input("fresh");
        page.Find("#branch").Input("refs/heads/x");
        page.WaitForAssertion(() => Assert.Contains("without refs/heads/", page.Find("#branch-help").TextContent, StringComparison.Ordinal));
        page.Find("#branch").Input("trunk");
        page.WaitForAssertion(() => Assert.DoesNotContain("bad", page.Find("#branch-help").ClassName, StringComparison.Ordinal));
        page.Find("#description").Input("Brand new");
        page.Find("form").Submit();

        page.WaitForAssertion(() => Assert.EndsWith($"{place.Home}/repositories/fresh", Navigation.Uri, StringComparison.Ordinal));
        var made = await GetAsync(Repositories, ns, "fresh");
        Assert.Equal(("private", "trunk", "Brand new"), (made.Body.Text("spec.visibility"), made.Body.Text("spec.defaultBranch"), made.Body.Text("spec.description")));
    }

    [Fact]
    public async Task An_import_is_declared_in_the_resource_and_cancelled_by_taking_that_away()
    {
        var ns = await Core.NewOrgAsync();
        var page = Render<NewRepositoryView>(p => p.Add(n => n.Place, PlaceOf(ns)));
        page.WaitForElement("#name").Input("copied");
        page.FindAll("button").Single(b => b.TextContent == "Import from a URL").Click();
        page.Find("#import-url").Input("https://user:word@git.example.com/x.git");
        page.WaitForAssertion(() => Assert.Contains("user name or password", page.Find("#import-url-help").TextContent, StringComparison.Ordinal));
        page.Find("#import-url").Input("https://git.example.com/x.git");
        page.Find("form").Submit();
        page.WaitForAssertion(() => Assert.EndsWith("/repositories/copied", Navigation.Uri, StringComparison.Ordinal));
        var made = await GetAsync(Repositories, ns, "copied");
        Assert.Equal("https://git.example.com/x.git", made.Body.Text("spec.hosting.importFrom.url"));

        var running = made.Edit();
        running.Child("status")["import"] = new JsonObject { ["phase"] = "Running", ["percent"] = 40, ["receivedObjects"] = 400, ["totalObjects"] = 1000 };
        made = await Core.Gateway.UpdateAsync(PrivilegedAccess.Controller("test", "c1"), Repositories, ns, "copied", running, new WriteOptions { Subresource = "status" }, Ct);
        var progress = Render<ImportProgress>(p => p.Add(i => i.Repository, made));
        Assert.Contains("400 of 1,000 objects, 40 %", progress.Markup, StringComparison.Ordinal);
        await PressAsync(progress, "button.k-act:not([disabled])");
        progress.WaitForAssertion(() => Assert.Null(GetAsync(Repositories, ns, "copied").GetAwaiter().GetResult().Body.At("spec.hosting.importFrom")));
    }

    [Fact]
    public async Task Who_may_not_create_one_is_told_what_is_missing()
    {
        var ns = await Core.NewOrgAsync();
        Looker.Actor = new Actor("mira", [WellKnown.AuthenticatedGroup]);

        var page = Render<NewRepositoryView>(p => p.Add(n => n.Place, PlaceOf(ns)));

        page.WaitForAssertion(() => Assert.Contains("You cannot create Repositories here", page.Markup, StringComparison.Ordinal));
        Assert.Empty(page.FindAll("form"));
    }

    [Fact]
    public async Task Making_it_public_needs_a_yes()
    {
        var ns = await Core.NewOrgAsync();
        var repository = await MakeAsync(ns, "shy", "private");
        var page = Render<VisibilitySection>(p => p.Add(v => v.Repository, repository).Add(v => v.Decision, new AccessDecision(true, "")));

        page.Find("input[value=public]").Change("public");
        Assert.True(page.Find("button.k-act").HasAttribute("disabled"));
        page.Find("input[type=checkbox]").Change(true);
        page.Find("button.k-act").Click();

        page.WaitForAssertion(() => Assert.Equal("public", GetAsync(Repositories, ns, "shy").GetAwaiter().GetResult().Body.Text("spec.visibility")));
    }

    [Fact]
    public async Task Permissions_are_given_changed_and_taken_away()
    {
        var ns = await Core.NewOrgAsync();
        var place = PlaceOf(ns);
        var repository = await MakeAsync(ns, "shared", "private");
        await Core.CreateAsync(KindTable.Catalog["Team"], ns, new JsonObject { ["metadata"] = new JsonObject { ["name"] = "crew" }, ["spec"] = new JsonObject { ["displayName"] = "Crew" } });
        var url = place.Url(Repositories, "shared") + "/settings/permissions";
        Navigation.NavigateTo(url + "?add=1");
        var page = Render<PermissionsSection>(p => p.Add(s => s.Place, place).Add(s => s.Repository, repository).Add(s => s.Url, url));

        page.WaitForElement("#subject-name").Input("crew");
        page.Find("#permission").Change("write");
        page.Find("form").Submit();
        // The watch may tell of it before the form has heard that it is done, and goes.
        page.WaitForAssertion(() => Assert.Contains("crew", page.Find("table").TextContent, StringComparison.Ordinal));
        page.WaitForAssertion(() => Assert.EndsWith(url, Navigation.Uri, StringComparison.Ordinal));
        var made = await GetAsync(KindTable.Catalog["RepositoryPermission"], ns, "shared-team-crew");
        Assert.Equal(("shared", "team", "write"), (made.Body.Text("spec.repository"), made.Body.Text("spec.subject.kind"), made.Body.Text("spec.permission")));

        Navigation.NavigateTo(url + "?edit=shared-team-crew");
        page.WaitForElement("#permission").Change("maintain");
        page.Find("form").Submit();
        page.WaitForAssertion(() => Assert.Contains("Maintain", page.Find("table").TextContent, StringComparison.Ordinal));
        page.WaitForAssertion(() => Assert.EndsWith(url, Navigation.Uri, StringComparison.Ordinal));

        Navigation.NavigateTo(url + "?remove=shared-team-crew");
        await PressAsync(page, "button.k-btn--danger:not([disabled])");
        page.WaitForAssertion(() => Assert.Contains("No user or team has a permission", page.Markup, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Protection_is_edited_with_all_its_fields_and_that_of_the_organization_is_shown()
    {
        var ns = await Core.NewOrgAsync();
        var place = PlaceOf(ns);
        var repository = await MakeAsync(ns, "guarded", "private");
        await Core.CreateAsync(KindTable.Catalog["RefPolicy"], ns, new JsonObject
        {
            ["metadata"] = new JsonObject { ["name"] = "everywhere" },
            ["spec"] = new JsonObject { ["refs"] = new JsonArray("refs/tags/**"), ["denyDeletion"] = true, ["mode"] = "audit" },
        });
        var url = place.Url(Repositories, "guarded") + "/settings/protection";
        Navigation.NavigateTo(url + "?add=branchprotections");
        var page = Render<ProtectionSection>(p => p.Add(s => s.Place, place).Add(s => s.Repository, repository).Add(s => s.Url, url));
        page.WaitForAssertion(() => Assert.Contains("Whole organization", page.Markup, StringComparison.Ordinal));
        Assert.Contains("Audit only", page.Markup, StringComparison.Ordinal);

        page.WaitForElement("#rule-refs").Input("refs/heads/main\nrefs/heads/release/*");
        page.Find("#rule-approvals").Input("2");
        page.Find("#rule-checks").Input("build\nlint and test");
        page.Find("form").Submit();
        page.WaitForAssertion(() => Assert.Contains("2 approvals · Checks: build, lint and test · No force-push", page.Markup, StringComparison.Ordinal));
        var made = await GetAsync(KindTable.Catalog["BranchProtection"], ns, "guarded-main");
        Assert.Equal(["refs/heads/main", "refs/heads/release/*"], made.Body.Texts("spec.refs"));
        Assert.True(made.Body.Flag("spec.requirePullRequest"));

        Navigation.NavigateTo(url + "?edit=branchprotections/guarded-main");
        page.WaitForElement("#rule-approvals").Input("");
        page.Find("#rule-checks").Input("");
        page.Find("form").Submit();
        page.WaitForAssertion(() => Assert.DoesNotContain("approvals", page.Find("li.k-rule").TextContent, StringComparison.Ordinal));
        made = await GetAsync(KindTable.Catalog["BranchProtection"], ns, "guarded-main");
        Assert.Null(made.Body.At("spec.requiredApprovals"));
        Assert.Null(made.Body.At("spec.requiredChecks"));

        Navigation.NavigateTo(url + "?edit=branchprotections/guarded-main");
        page.WaitForElement("#rule-refs").Input("refs/heads/..");
        page.WaitForAssertion(() => Assert.Contains("must be a ref or pattern", page.Find("#rule-refs-help").TextContent, StringComparison.Ordinal));
    }

    [Fact]
    public void A_pattern_shows_the_branches_it_catches()
    {
        NamedRef[] refs = [new("refs/heads/main"), new("refs/heads/release/1.0"), new("refs/heads/release/1.0/fix"), new("refs/tags/v1")];

        var page = Render<RefRulePreview>(p => p.Add(r => r.Patterns, ["refs/heads/release/*"]).Add(r => r.Refs, refs));
        Assert.Equal(["release/1.0"], page.FindAll(".k-chip").Select(c => c.TextContent.Trim()));

        page.Render(p => p.Add(r => r.Patterns, ["refs/**"]).Add(r => r.Refs, refs));
        Assert.Equal(4, page.FindAll(".k-chip").Count);
    }

    /// <summary>Presses what is there at that moment: a live change may draw the page anew, and check the right anew, in between.</summary>
    private static Task PressAsync<T>(IRenderedComponent<T> page, string selector)
        where T : IComponent
    {
        page.WaitForAssertion(() => page.Find(selector).Click());
        return Task.CompletedTask;
    }

    private static IEnumerable<string> Names(IRenderedComponent<RepositoryListView> page) => page.FindAll("td.k-name a").Select(a => a.TextContent);

    private Task<Resource> MakeAsync(string ns, string name, string visibility, string? description = null)
    {
        var spec = new JsonObject { ["visibility"] = visibility };
        if (description is not null) spec["description"] = description;
        return Core.CreateAsync(Repositories, ns, new JsonObject { ["metadata"] = new JsonObject { ["name"] = name }, ["spec"] = spec });
    }

    private Task<Resource> GetAsync(KindDefinition kind, string ns, string name) => Core.Gateway.GetAsync(Core.Admin, kind, ns, name, Ct);
}
