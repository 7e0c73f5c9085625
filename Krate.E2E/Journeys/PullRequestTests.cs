using Krate.E2E.Hosting;
using Krate.Tests.Testing;
using Microsoft.Playwright;
using Xunit;

namespace Krate.E2E.Journeys;

/// <summary>A day's work: an issue, a pushed branch, a pull request, a review, a merge; a second browser sees each of them at that moment.</summary>
public sealed class PullRequestTests(AppFixture app) : Journey(app)
{
    private const string Home = "/orgs/acme/repositories/worked";

    [Fact]
    public async Task An_issue_becomes_a_pull_request_and_a_merge_in_two_browsers()
    {
        using var git = new GitClient();
        await MakeAsync(git);
        var mine = await SignedInAsync(Home + "/issues/new");
        var other = await SignedInAsync(Home + "/issues");

        await mine.Locator("#title").FillAsync("The guide has no end");
        await mine.Locator("#body").FillAsync("It stops half-way.");
        await mine.GetByRole(AriaRole.Button, new() { Name = "Create issue" }).ClickAsync();
        await AtAsync(mine, "/issues/1");
        await Assertions.Expect(other.GetByRole(AriaRole.Link, new() { Name = "The guide has no end" })).ToBeVisibleAsync();
        await other.GetByRole(AriaRole.Link, new() { Name = "The guide has no end" }).ClickAsync();
        await mine.Locator("#comment").FillAsync("I take it.");
        await mine.GetByRole(AriaRole.Button, new() { Name = "Comment", Exact = true }).ClickAsync();
        await Assertions.Expect(other.GetByText("I take it.")).ToBeVisibleAsync();

        await git.RunAsync("work", "switch", "--quiet", "-c", "guide-end");
        await git.CommitAsync("work", "docs/guide.md", "# Guide\n\nThe end.\n");
        await git.RunAsync("work", "push", "--quiet", await GitUrlAsync("worked"), "guide-end");
        await GoAsync(mine, Home + "/pulls/new");
        await mine.Locator("#body").FillAsync("Closes #1");
        await mine.GetByRole(AriaRole.Button, new() { Name = "Create pull request" }).ClickAsync();
        await AtAsync(mine, "/pulls/2");
        await Assertions.Expect(mine.GetByText("No conflicts with main")).ToBeVisibleAsync();
        await mine.GetByRole(AriaRole.Link, new() { Name = "Files changed" }).ClickAsync();
        await Assertions.Expect(mine.Locator("tr.add").GetByText("The end.")).ToBeVisibleAsync();

        var third = await SignedInAsync(Home + "/pulls/2");
        await mine.GetByRole(AriaRole.Button, new() { Name = "Review", Exact = true }).ClickAsync();
        await mine.GetByRole(AriaRole.Button, new() { Name = "Comment", Exact = true }).ClickAsync();
        await mine.Locator("#review").FillAsync("Reads well.");
        await mine.GetByRole(AriaRole.Button, new() { Name = "Send review" }).ClickAsync();
        await Assertions.Expect(third.GetByText("Reads well.")).ToBeVisibleAsync();

        await mine.GetByLabel("How to merge").SelectOptionAsync("squash");
        await mine.GetByRole(AriaRole.Button, new() { Name = "Merge", Exact = true }).ClickAsync();
        await Assertions.Expect(mine.GetByText("local-developer merged it")).ToBeVisibleAsync();
        await Assertions.Expect(third.GetByText("local-developer merged it")).ToBeVisibleAsync();
        await Assertions.Expect(other.GetByText("closed this with worked-2")).ToBeVisibleAsync();
        await git.RunAsync("work", "fetch", "--quiet", await GitUrlAsync("worked"), "main");
        Assert.EndsWith("(#2)", await git.RunAsync("work", "log", "-1", "--format=%s", "FETCH_HEAD"), StringComparison.Ordinal);
    }

    private async Task MakeAsync(GitClient git)
    {
        await KubectlAsync(["apply", "-f", "-"], """
            apiVersion: krate.a5c.ai/v1alpha1
            kind: Repository
            metadata: {name: worked, namespace: krate-org-acme}
            spec: {visibility: internal}
            """);
        await KubectlAsync(["wait", "repository/worked", "-n", "krate-org-acme", "--for=condition=Ready", "--timeout=60s"]);
        await git.NewRepositoryAsync("work", "docs/guide.md", "# Guide\n");
        await git.RunAsync("work", "push", "--quiet", await GitUrlAsync("worked"), "main");
    }
}
