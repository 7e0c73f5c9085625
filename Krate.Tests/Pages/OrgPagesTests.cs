using System.Text.Json.Nodes;
using Bunit;
using Krate.Core.Gateway;
using Krate.Core.Kinds;
using Krate.Core.Resources;
using Krate.Core.Resources.Patching;
using Krate.Tests.Testing;
using Krate.Web.Features;
using Krate.Web.Features.Orgs;
using Krate.Web.Features.People;
using Krate.Web.Features.Providers;
using Krate.Web.Features.Repositories;
using Krate.Web.Features.Runners;
using Microsoft.AspNetCore.Components;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Krate.Tests.Pages;

/// <summary>People, teams, invites, settings, sign-in providers, runners, and agents of a repository, over the real gateway.</summary>
public sealed class OrgPagesTests(KrateCore core) : PageTest(core)
{
    private NavigationManager Navigation => Services.GetRequiredService<NavigationManager>();

    [Fact]
    public async Task People_are_told_once_with_role_and_teams_and_how_they_sign_in_to_whom_may_see_it()
    {
        var (ns, place) = await NewOrgAsync();
        await CreateAsync("User", WellKnown.PlatformNamespace, $"okta.{place.Org}", new() { ["displayName"] = "Ada Lovelace", ["email"] = "ada@acme.example", ["username"] = $"okta:{place.Org}" });
        await CreateAsync("IdentityMapping", WellKnown.PlatformNamespace, $"okta.{place.Org}", new() { ["user"] = $"okta.{place.Org}", ["provider"] = "okta", ["subject"] = "1" });
        await TeamAsync(ns, "owners", maintainers: [$"okta:{place.Org}"]);
        await TeamAsync(ns, "crew", members: [$"okta.{place.Org}", "ben"]);
        await TeamAsync((await NewOrgAsync()).Namespace, "crew", members: ["stranger"]);

        var page = Render<PeopleView>(p => p.Add(v => v.Place, place));

        page.WaitForAssertion(() => Assert.Equal(2, page.FindAll("tbody tr").Count));
        var ada = page.Find("tbody tr").TextContent;
        Assert.All(new[] { "Ada Lovelace", "Owner", "crew", "owners · maintainer", "okta" }, text => Assert.Contains(text, ada, StringComparison.Ordinal));

        Looker.Actor = await ReaderAsync(ns, "teams");
        page = Render<PeopleView>(p => p.Add(v => v.Place, place));
        page.WaitForAssertion(() => Assert.Contains("shown to administrators of the platform", page.Markup, StringComparison.Ordinal));
        Assert.DoesNotContain("Ada Lovelace", page.Markup, StringComparison.Ordinal);
        Assert.Contains("You may not create invites", page.Markup, StringComparison.Ordinal);
    }

    [Fact]
    public async Task People_are_put_into_a_team_change_their_role_and_leave_but_for_the_last_owner()
    {
        var (ns, place) = await NewOrgAsync();
        await TeamAsync(ns, "owners", maintainers: ["ada"]);
        var page = Open("add");
        page.WaitForElement("#person");
        await page.InvokeAsync(() => page.Find("#person").Input("ben"));
        await page.InvokeAsync(() => page.Find("form").Submit());
        page.WaitForAssertion(() => Assert.Equal(2, page.FindAll("tbody tr").Count));

        page = await PressAsync("role&who=ben");
        page.WaitForAssertion(() => Assert.Equal(("", "ada ben"), Lists()));
        page = await PressAsync("remove&who=ben");
        page.WaitForAssertion(() => Assert.Equal(("", "ada"), Lists()));
        page = await PressAsync("remove&who=ada");
        page.WaitForAssertion(() => Assert.Contains("an organization needs an owner", page.Markup, StringComparison.Ordinal));

        async Task<IRenderedComponent<TeamView>> PressAsync(string form)
        {
            var opened = Open(form);
            opened.WaitForElement("td button.k-act:not([disabled])");
            await opened.InvokeAsync(() => opened.Find("td button.k-act:not([disabled])").Click());
            return opened;
        }

        (string Members, string Maintainers) Lists() => GetAsync("Team", ns, "owners").GetAwaiter().GetResult().Body is var team ? (string.Join(' ', team.Texts("spec.members")), string.Join(' ', team.Texts("spec.maintainers"))) : default;

        IRenderedComponent<TeamView> Open(string form)
        {
            Navigation.NavigateTo($"{place.Team("owners")}?form={form}");
            return Render<TeamView>(p => p.Add(v => v.Place, place).Add(v => v.Name, "owners"));
        }
    }

    [Fact]
    public async Task What_others_changed_of_a_team_meanwhile_is_not_undone()
    {
        var (ns, _) = await NewOrgAsync();
        var seen = await TeamAsync(ns, "crew", members: ["ada"]);
        await TeamMembers.Put(seen, "ben", maintains: false).SendAsync(Core.Gateway, Core.Admin, dryRun: false, Ct);

        var late = await Assert.ThrowsAsync<ApiException>(() => TeamMembers.Put(seen, "cem", maintains: true).SendAsync(Core.Gateway, Core.Admin, dryRun: false, Ct));

        Assert.Equal(409, late.Code);
        Assert.Equal(["ada", "ben"], (await GetAsync("Team", ns, "crew")).Body.Texts("spec.members"));
    }

    [Fact]
    public async Task An_invite_is_made_for_a_time_its_link_told_and_revoked()
    {
        var (ns, place) = await NewOrgAsync();
        var page = Render<PeopleView>(p => p.Add(v => v.Place, place).Add(v => v.Tab, "invites").Add(v => v.IsNew, true));

        page.WaitForElement("#invite-email");
        await page.InvokeAsync(() => page.Find("#invite-email").Input("no address"));
        page.WaitForAssertion(() => Assert.Contains("must be an e-mail address", page.Find("#invite-email-help").TextContent, StringComparison.Ordinal));
        await page.InvokeAsync(() => page.Find("#invite-email").Input("ada@acme.example"));
        await page.InvokeAsync(() => page.Find("#invite-role").Change("maintainer"));
        await page.InvokeAsync(() => page.Find("form[aria-label=Invite]").Submit());

        page.WaitForAssertion(() => Assert.Contains("ada@acme.example is invited.", page.Markup, StringComparison.Ordinal));
        Assert.Contains($"/signin?returnUrl=%2Forgs%2F{place.Org}", page.Find("[role=status] .k-cmd").TextContent, StringComparison.Ordinal);
        Assert.Contains("No sign-in provider is ready", page.Markup, StringComparison.Ordinal);
        var invite = Assert.Single((await Core.Gateway.ListAsync(Core.Admin, KindTable.Catalog["Invite"], ns, new ListOptions(), Ct)).Items);
        Assert.Equal("maintainer", invite.Body.Text("spec.role"));
        Assert.InRange(DateTimeOffset.Parse(invite.Body.Text("spec.expiresAt")!, System.Globalization.CultureInfo.InvariantCulture), Core.Now.AddDays(13), Core.Now.AddDays(14));

        await PatchAsync(Core.Admin, invite, new() { ["expiresAt"] = "2026-01-01T00:00:00Z" });
        page.WaitForAssertion(() => Assert.Contains("Expired", page.Markup, StringComparison.Ordinal));
        Navigation.NavigateTo($"{place.People}/invites?revoke={invite.Name}");
        page.WaitForElement("button.k-btn--danger:not([disabled])");
        await page.InvokeAsync(() => page.Find("button.k-btn--danger:not([disabled])").Click());
        page.WaitForAssertion(() => Assert.Contains("No invites", page.Markup, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Settings_keep_what_one_types_follow_what_others_save_and_say_what_is_wrong_beside_its_field()
    {
        var (_, place) = await NewOrgAsync();
        const string Runs = "[id='field-agentLimits.maxConcurrentRuns']";
        var page = Render<OrgSettingsView>(p => p.Add(v => v.Place, place).Add(v => v.Section, "agents"));

        page.WaitForElement(Runs);
        await page.InvokeAsync(() => page.Find(Runs).Change("-1"));
        page.WaitForAssertion(() => Assert.Contains("bad", page.Find("[id='field-agentLimits.maxConcurrentRuns-help']").ClassName, StringComparison.Ordinal));
        await page.InvokeAsync(() => page.Find(Runs).Change("6"));
        await page.InvokeAsync(() => page.Find("[id='field-policyProfileRef']").Change("strict"));
        await PatchAsync(Core.Admin, await OrganizationAsync(place), new() { ["agentLimits"] = new JsonObject { ["maxConcurrentRuns"] = 2 }, ["memoryRepositoryRef"] = "brain" });
        page.WaitForAssertion(() => Assert.Contains("Somebody else changed agentLimits", page.Markup, StringComparison.Ordinal));
        Assert.Equal("brain", page.Find("[id='field-memoryRepositoryRef']").GetAttribute("value"));
        await page.InvokeAsync(() => page.FindAll("button").Single(b => b.TextContent == "Keep mine").Click());
        page.WaitForElement("button.k-act:not([disabled])");
        await page.InvokeAsync(() => page.Find("button.k-act:not([disabled])").Click());

        page.WaitForAssertion(() => Assert.Equal(("6", "strict", "brain"), (OrganizationAsync(place).GetAwaiter().GetResult().Body is var saved ? saved.At("spec.agentLimits.maxConcurrentRuns")?.ToString() : null, saved.Text("spec.policyProfileRef"), saved.Text("spec.memoryRepositoryRef"))));
    }

    [Fact]
    public async Task Only_members_agree_to_what_their_organization_shares_and_administrators_see_why_not()
    {
        var (_, place) = await NewOrgAsync();
        var organization = await OrganizationAsync(place);
        var asked = organization.Edit();
        asked.Child("status")["sharing"] = new JsonArray(new JsonObject { ["sourceOrg"] = place.Org, ["targetOrg"] = "beta", ["kind"] = "AgentSkill", ["name"] = "triage", ["policy"] = "to-beta", ["state"] = "AwaitsConsent" });
        await Core.Gateway.UpdateAsync(PrivilegedAccess.Controller("test", "c1"), organization.Kind, organization.Namespace, organization.Name, asked, new WriteOptions { Subresource = "status" }, Ct);
        Navigation.NavigateTo($"{place.Settings("sharing")}?change=beta/AgentSkill/triage");

        var page = Render<OrgSettingsView>(p => p.Add(v => v.Place, place).Add(v => v.Section, "sharing"));
        page.WaitForAssertion(() => Assert.Contains("Asks for your consent", page.Markup, StringComparison.Ordinal));
        Assert.Contains($"only members of {place.Org} who may change it", page.Markup, StringComparison.Ordinal);

        Looker.Actor = Core.Admin with { Groups = [.. Core.Admin.Groups, WellKnown.OrgGroup(place.Org!)] };
        page = Render<OrgSettingsView>(p => p.Add(v => v.Place, place).Add(v => v.Section, "sharing"));
        page.WaitForElement("button.k-act:not([disabled]):not([aria-disabled])");
        await page.InvokeAsync(() => page.Find("button.k-act:not([disabled]):not([aria-disabled])").Click());
        page.WaitForAssertion(() => Assert.Equal("""[{"targetOrg":"beta","kind":"AgentSkill","name":"triage"}]""", OrganizationAsync(place).GetAwaiter().GetResult().Body.At("spec.shares")?.ToJsonString()));
    }

    [Fact]
    public async Task An_organization_with_repositories_goes_when_its_name_is_typed()
    {
        var (ns, place) = await NewOrgAsync();
        await CreateAsync("Repository", ns, "code", new() { ["visibility"] = "private" });
        var page = Render<OrgSettingsView>(p => p.Add(v => v.Place, place).Add(v => v.Section, "danger"));

        page.WaitForAssertion(() => Assert.Contains("1 Repository", page.Markup, StringComparison.Ordinal));
        page.WaitForElement("button.k-act:not([disabled])");
        await page.InvokeAsync(() => page.Find("button.k-act:not([disabled])").Click());
        page.WaitForElement("dialog input");
        await page.InvokeAsync(() => page.Find("dialog input").Input(place.Org));
        await page.InvokeAsync(() => page.Find("dialog form").Submit());

        page.WaitForAssertion(() => Assert.True(OrganizationAsync(place).GetAwaiter().GetResult().IsDeleting));
    }

    [Fact]
    public async Task A_sign_in_provider_is_made_by_a_form_that_tells_what_to_register()
    {
        var page = Render<NewProvider>();
        page.WaitForElement("#provider-name");
        await page.InvokeAsync(() => page.Find("#provider-name").Input("okta"));
        await page.InvokeAsync(() => page.Find("#field-issuer").Change("https://login.acme.example"));
        await page.InvokeAsync(() => page.Find("#field-clientId").Change("krate"));
        await page.InvokeAsync(() => page.Find("#field-scopes").Change("profile\ngroups"));
        await page.InvokeAsync(() => page.Find("[id='field-clientSecretRef.name']").Change("okta"));
        page.WaitForAssertion(() => Assert.Contains("kubectl create secret generic okta -n krate-system", page.Markup, StringComparison.Ordinal));
        Assert.Contains("https://krate.example.com/signin/with/okta/callback", page.Markup, StringComparison.Ordinal);
        await page.InvokeAsync(() => page.Find("form").Submit());

        page.WaitForAssertion(() => Assert.EndsWith("/admin/sign-in/okta", Navigation.Uri, StringComparison.Ordinal));
        var made = await GetAsync("AuthProvider", WellKnown.PlatformNamespace, "okta");
        Assert.Equal(("oidc", "okta"), (made.Body.Text("spec.type"), made.Body.Text("spec.clientSecretRef.name")));
        Assert.Equal(["profile", "groups"], made.Body.Texts("spec.scopes"));
        var list = Render<ProviderList>();
        list.WaitForAssertion(() => Assert.Contains("OpenID Connect", list.Find("tbody").TextContent, StringComparison.Ordinal));
        await Core.Gateway.DeleteAsync(Core.Admin, made.Kind, made.Namespace, made.Name, new DeleteOptions(), Ct);
    }

    [Fact]
    public async Task A_pool_says_who_relies_on_it_and_is_changed_by_its_form()
    {
        var (ns, place) = await NewOrgAsync();
        await CreateAsync("Repository", ns, "code", new() { ["visibility"] = "private" });
        await CreateAsync("RunnerPool", ns, "fast", new() { ["warmReplicas"] = 1, ["maxReplicas"] = 2, ["trustTier"] = "trusted" });
        var stack = StackNamed("helper");
        stack.Set("spec.runnerPool", "fast");
        await Core.CreateAsync(Stack, ns, stack);
        var page = Render<RunnerView>(p => p.Add(v => v.Place, place).Add(v => v.Name, "fast"));

        page.WaitForAssertion(() => Assert.Contains("helper", page.Find("table").TextContent, StringComparison.Ordinal));
        page.WaitForElement("#field-maxReplicas");
        await page.InvokeAsync(() => page.Find("#field-maxReplicas").Change("0"));
        page.WaitForAssertion(() => Assert.Contains("must not exceed", page.Find("form").TextContent, StringComparison.Ordinal));
        await page.InvokeAsync(() => page.Find("#field-maxReplicas").Change("8"));
        await page.InvokeAsync(() => page.FindAll("label.k-chip").Single(l => l.TextContent.Trim() == "code").QuerySelector("input")!.Change(true));
        page.WaitForAssertion(() => Assert.Contains("- code", page.Find("textarea.k-builder__yaml").GetAttribute("value"), StringComparison.Ordinal));
        await page.InvokeAsync(() => page.Find("form").Submit());

        page.WaitForAssertion(() => Assert.Equal((8, "code"), (GetAsync("RunnerPool", ns, "fast").GetAwaiter().GetResult() is var p ? p.Body.Whole("spec.maxReplicas") : null, string.Join(' ', GetAsync("RunnerPool", ns, "fast").GetAwaiter().GetResult().Body.Texts("spec.allowedRepositories")))));
    }

    [Fact]
    public async Task A_repository_says_which_stacks_may_run_in_it_what_names_it_and_its_rules()
    {
        var (ns, place) = await NewOrgAsync();
        var repository = await CreateAsync("Repository", ns, "code", new() { ["visibility"] = "private" });
        await Core.CreateAsync(Stack, ns, StackNamed("helper"));
        await CreateAsync("RunnerPool", ns, "here", new() { ["warmReplicas"] = 0, ["maxReplicas"] = 2, ["allowedRepositories"] = new JsonArray("code") });
        await CreateAsync("RunnerPool", ns, "elsewhere", new() { ["warmReplicas"] = 0, ["maxReplicas"] = 2, ["allowedRepositories"] = new JsonArray("docs") });
        Navigation.NavigateTo($"{place.Repositories}/code/settings/agents?stack=helper");
        var page = Render<AgentsSection>(p => p.Add(s => s.Place, place).Add(s => s.Repository, repository).Add(s => s.Decision, new AccessDecision(true, "")));

        page.WaitForAssertion(() => Assert.Contains("May not run", page.Find("table[aria-label='Stacks in this repository']").TextContent, StringComparison.Ordinal));
        page.WaitForAssertion(() => Assert.Contains("here", page.Find("table[aria-label='What names this repository']").TextContent, StringComparison.Ordinal));
        Assert.DoesNotContain("elsewhere", page.Markup, StringComparison.Ordinal);
        page.WaitForAssertion(() => Assert.Contains("ServiceAccount", page.Find("#review").TextContent, StringComparison.Ordinal));
        await page.InvokeAsync(() => page.Find("[id='field-agentPolicy.highRiskSecondPerson']").Change(true));
        await page.InvokeAsync(() => page.Find("[id='field-agentPolicy.trustedBots']").Change("renovate"));
        await page.InvokeAsync(() => page.Find("form[aria-label='Rules for agents']").Submit());

        page.WaitForAssertion(() => Assert.Equal("""{"allowSelfApproval":false,"highRiskSecondPerson":true,"trustedBots":["renovate"]}""", GetAsync("Repository", ns, "code").GetAwaiter().GetResult().Body.At("spec.agentPolicy")!.ToJsonString()));
    }

    private async Task<(string Namespace, Place Place)> NewOrgAsync()
    {
        var ns = await Core.NewOrgAsync();
        return (ns, PlaceOf(ns));
    }

    private Task<Resource> CreateAsync(string kind, string ns, string name, JsonObject spec) =>
        Core.CreateAsync(KindTable.Catalog[kind], ns, new JsonObject { ["metadata"] = new JsonObject { ["name"] = name }, ["spec"] = spec });

    private Task<Resource> TeamAsync(string ns, string name, string[]? members = null, string[]? maintainers = null) => CreateAsync("Team", ns, name, new()
    {
        ["displayName"] = name, ["members"] = new JsonArray([.. (members ?? []).Select(m => (JsonNode)m)]), ["maintainers"] = new JsonArray([.. (maintainers ?? []).Select(m => (JsonNode)m)]),
    });

    private Task<Resource> GetAsync(string kind, string ns, string name) => Core.Gateway.GetAsync(Core.Admin, KindTable.Catalog[kind], ns, name, Ct);

    private Task<Resource> OrganizationAsync(Place place) => GetAsync("Organization", WellKnown.PlatformNamespace, place.Org!);

    private Task<(Resource Resource, bool Created)> PatchAsync(Actor actor, Resource resource, JsonObject spec) =>
        Core.Gateway.PatchAsync(actor, resource.Kind, resource.Namespace, resource.Name, new Patch(PatchType.Merge, new JsonObject { ["spec"] = spec }, "test"), new WriteOptions(), Ct);

    /// <summary>Somebody who may read one kind in a namespace, and nothing else.</summary>
    private async Task<Actor> ReaderAsync(string ns, string plural)
    {
        var name = $"reader-{ns}";
        await Core.CreateAsync(KindTable.Catalog["Role"], ns, new JsonObject { ["metadata"] = new JsonObject { ["name"] = name }, ["rules"] = new JsonArray(new JsonObject { ["apiGroups"] = new JsonArray(WellKnown.ApiGroup), ["resources"] = new JsonArray(plural), ["verbs"] = new JsonArray("get", "list", "watch") }) });
        await Core.CreateAsync(KindTable.Catalog["RoleBinding"], ns, new JsonObject
        {
            ["metadata"] = new JsonObject { ["name"] = name },
            ["roleRef"] = new JsonObject { ["apiGroup"] = "rbac.authorization.k8s.io", ["kind"] = "Role", ["name"] = name },
            ["subjects"] = new JsonArray(new JsonObject { ["apiGroup"] = "rbac.authorization.k8s.io", ["kind"] = "User", ["name"] = name }),
        });
        return new Actor(name, [WellKnown.AuthenticatedGroup]);
    }
}
