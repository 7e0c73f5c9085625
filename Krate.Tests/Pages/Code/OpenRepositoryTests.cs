using System.Text.Json.Nodes;
using Bunit;
using Krate.Core.Gateway;
using Krate.Core.Kinds;
using Krate.Core.Repositories;
using Krate.Core.Resources;
using Krate.Core.Resources.Patching;
using Krate.Tests.Testing;
using Krate.Web.Features.Code;
using Microsoft.AspNetCore.Components;
using Microsoft.Extensions.DependencyInjection;
using Xunit;
using RepositoryScope = Krate.Web.Features.Code.RepositoryScope;

namespace Krate.Tests.Pages.Code;

/// <summary>A page of a repository that is open while the repository, or the right to see it, changes.</summary>
public sealed class OpenRepositoryTests(KrateCore core) : PageTest(core)
{
    private readonly GitClient git = new();

    private static KindDefinition Repositories => KindTable.Catalog["Repository"];

    [Fact]
    public async Task It_follows_the_default_branch()
    {
        var ns = await Core.NewOrgAsync();
        var page = await OpenAsync(ns);
        page.WaitForAssertion(() => Assert.Contains("old.txt", page.Markup, StringComparison.Ordinal));
        await Core.Gateway.PatchAsync(Core.Admin, Repositories, ns, "shop", new Patch(PatchType.Merge, new JsonObject { ["spec"] = new JsonObject { ["defaultBranch"] = "next" } }, "test"), new(), Ct);
        page.WaitForAssertion(() => Assert.Contains("new.txt", page.Markup, StringComparison.Ordinal));
        await Core.Gateway.PatchAsync(Core.Admin, Repositories, ns, "shop", new Patch(PatchType.Merge, new JsonObject { ["spec"] = new JsonObject { ["defaultBranch"] = "not-there" } }, "test"), new(), Ct);
        page.WaitForAssertion(() => Assert.Contains("No branch, tag or commit not-there", page.Markup, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Nothing_of_it_is_left_when_the_right_to_see_it_is_taken_away()
    {
        var ns = await Core.NewOrgAsync();
        Looker.Actor = new Actor("mira", [WellKnown.AuthenticatedGroup]);
        await BindAsync(ns, "mira");
        var page = await OpenAsync(ns);
        page.WaitForAssertion(() => Assert.Contains("old.txt", page.Markup, StringComparison.Ordinal));
        await Core.Gateway.DeleteAsync(Core.Admin, KindTable.Catalog["RoleBinding"], ns, "mira", new DeleteOptions(), Ct);
        page.WaitForAssertion(() => Assert.Contains("you may not see it any more", page.Markup, StringComparison.Ordinal));
        Assert.DoesNotContain("old.txt", page.Markup, StringComparison.Ordinal);
    }

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing) git.Dispose();
    }

    private async Task<IRenderedComponent<RepositoryScope>> OpenAsync(string ns)
    {
        var org = ns["krate-org-".Length..];
        await Core.CreateAsync(Repositories, ns, new JsonObject { ["metadata"] = new JsonObject { ["name"] = "shop" }, ["spec"] = new JsonObject { ["visibility"] = "private" } });
        await git.NewRepositoryAsync("work", "old.txt");
        await git.RunAsync("work", "checkout", "--quiet", "-b", "next");
        await git.CommitAsync("work", "new.txt", "new");
        await git.RunAsync(".", "clone", "--quiet", "--bare", "work", Services.GetRequiredService<RepositoryFiles>().DirectoryOf(org, "shop"));
        Services.GetRequiredService<NavigationManager>().NavigateTo(new CodeUrls(org, "shop").Home);
        return Render<RepositoryScope>(p => p.Add(s => s.Org, org).Add(s => s.Name, "shop").Add(s => s.ChildContent, Code));
    }

    private static RenderFragment Code(RepositoryPlace repository) => builder =>
    {
        builder.OpenComponent<CodeView>(0);
        builder.AddAttribute(1, nameof(CodeView.Repository), repository);
        builder.CloseComponent();
    };

    /// <summary>As the reconciler of repositories does for a reader.</summary>
    private async Task BindAsync(string ns, string user)
    {
        await Core.CreateAsync(KindTable.Catalog["Role"], ns, KrateJson.ParseObject("""{"metadata":{"name":"reader"},"rules":[{"apiGroups":["krate.a5c.ai"],"resources":["repositories"],"resourceNames":["shop"],"verbs":["get","list","watch"]}]}"""));
        await Core.CreateAsync(KindTable.Catalog["RoleBinding"], ns, KrateJson.ParseObject($$"""{"metadata":{"name":"{{user}}"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"Role","name":"reader"},"subjects":[{"apiGroup":"rbac.authorization.k8s.io","kind":"User","name":"{{user}}"}]}"""));
    }
}
