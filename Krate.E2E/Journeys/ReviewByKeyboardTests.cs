using Krate.E2E.Hosting;
using Krate.Tests.Testing;
using Microsoft.Playwright;
using Xunit;

namespace Krate.E2E.Journeys;

/// <summary>From a pushed branch of somebody else to its merge without a mouse: thread, suggested edit, a check that turns green, approval.</summary>
public sealed class ReviewByKeyboardTests(AppFixture app) : Journey(app)
{
    private const string Home = "/orgs/acme/repositories/reviewed";

    [Fact]
    public async Task A_pull_request_is_reviewed_corrected_approved_and_merged_with_keys_alone()
    {
        using var git = new GitClient();
        await MakeAsync(git);
        var other = await SignedInAsync("/orgs/acme/inbox");
        await Assertions.Expect(other.GetByRole(AriaRole.Link, new() { Name = "Review requested on #1" })).ToBeVisibleAsync();
        var page = await SignedInAsync(Home + "/pulls/1/files");
        await Assertions.Expect(page.GetByText("Check verify must pass")).ToBeVisibleAsync();
        await Assertions.Expect(page.GetByText("1 more approval of this head, not by its author")).ToBeVisibleAsync();

        await PressAsync(page, "n", "j", "j", "c");
        await Assertions.Expect(page.GetByRole(AriaRole.Textbox, new() { Name = "Comment on line 2" })).ToBeFocusedAsync();
        await page.Keyboard.TypeAsync("Is this **two**?");
        await TabToAsync(page, "Suggest an edit");
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.GetByLabel("In place of these lines")).ToBeVisibleAsync();
        await TabToAsync(page, "In place of these lines", back: true);
        await PressAsync(page, "Control+a");
        await page.Keyboard.TypeAsync("two");
        await PressAsync(page, "Control+Enter");
        var thread = page.GetByRole(AriaRole.Group, new() { Name = "Thread on line 2" });
        await Assertions.Expect(thread.GetByText("Suggested edit")).ToBeVisibleAsync();

        await PressAsync(page, "N");
        await TabToAsync(page, "Apply edit");
        await PressAsync(page, "Enter");
        await Assertions.Expect(page.Locator("tr.add").GetByText("two", new() { Exact = true })).ToBeVisibleAsync();
        await git.RunAsync("work", "fetch", "--quiet", await GitUrlAsync("reviewed"), "change");
        Assert.Equal("one\ntwo\nthree", await git.RunAsync("work", "show", "FETCH_HEAD:list.txt"));
        // The edit changed the lines that it was about, so the thread is told with the others that stand nowhere any more.
        await GoAsync(page, Home + "/pulls/1");
        await Assertions.Expect(page.GetByText("Applied by local-developer")).ToBeVisibleAsync();
        await TabToAsync(page, "Resolve");
        await PressAsync(page, "Enter");
        await Assertions.Expect(page.GetByText("Resolved", new() { Exact = true })).ToBeVisibleAsync();

        await CheckAsync(await git.RunAsync("work", "rev-parse", "FETCH_HEAD"), "failed");
        await Assertions.Expect(page.GetByRole(AriaRole.Link, new() { Name = "1 failed" })).ToBeVisibleAsync();
        await CheckAsync(await git.RunAsync("work", "rev-parse", "FETCH_HEAD"), "succeeded");
        await Assertions.Expect(page.GetByRole(AriaRole.Link, new() { Name = "1 failed" })).ToHaveCountAsync(0);
        await PressAsync(page, "r");
        await Assertions.Expect(page.Locator("#review")).ToBeFocusedAsync();
        await page.Keyboard.TypeAsync("Reads well now.");
        await PressAsync(page, "Control+Enter");
        await Assertions.Expect(page.GetByText("Reads well now.")).ToBeVisibleAsync();
        await Assertions.Expect(other.GetByRole(AriaRole.Link, new() { Name = "Review requested on #1" })).ToHaveCountAsync(0);

        await Assertions.Expect(page.GetByRole(AriaRole.Button, new() { Name = "Merge", Exact = true })).ToBeEnabledAsync();
        await TabToAsync(page, "Merge");
        await PressAsync(page, "Enter");
        await Assertions.Expect(page.GetByText("local-developer merged it")).ToBeVisibleAsync();
        await git.RunAsync("work", "fetch", "--quiet", await GitUrlAsync("reviewed"), "main");
        Assert.Equal("one\ntwo\nthree", await git.RunAsync("work", "show", "FETCH_HEAD:list.txt"));
    }

    private static async Task PressAsync(IPage page, params string[] keys)
    {
        foreach (var key in keys) await page.Keyboard.PressAsync(key);
    }

    /// <summary>Presses Tab until the element of that name has the focus.</summary>
    private static async Task TabToAsync(IPage page, string name, bool back = false)
    {
        for (var i = 0; i < 150; i++)
        {
            await page.Keyboard.PressAsync(back ? "Shift+Tab" : "Tab");
            var at = await page.EvaluateAsync<string>("() => { const e = document.activeElement; return e.getAttribute('aria-label') ?? e.labels?.[0]?.textContent ?? e.textContent; }");
            if (at.Trim() == name) return;
        }

        Assert.Fail($"Tab does not come to {name}");
    }

    private async Task CheckAsync(string sha, string phase)
    {
        var name = "pipeline-" + phase;
        await KubectlAsync(["apply", "-f", "-"], $$"""
            apiVersion: krate.a5c.ai/v1alpha1
            kind: Pipeline
            metadata: {name: {{name}}, namespace: krate-org-acme}
            spec: {repository: reviewed, ref: refs/heads/change, sha: {{sha}}, workflow: verify}
            """);
        await KubectlAsync(["create", "--raw", $"/apis/krate.a5c.ai/v1alpha1/namespaces/krate-org-acme/pipelines/{name}/finish", "-f", "-"], $$"""{"phase":"{{phase}}"}""");
    }

    private async Task MakeAsync(GitClient git)
    {
        await KubectlAsync(["apply", "-f", "-"], """
            apiVersion: krate.a5c.ai/v1alpha1
            kind: Repository
            metadata: {name: reviewed, namespace: krate-org-acme}
            spec: {visibility: internal}
            """);
        await KubectlAsync(["wait", "repository/reviewed", "-n", "krate-org-acme", "--for=condition=Ready", "--timeout=60s"]);
        await git.NewRepositoryAsync("work", "README.md", "# Reviewed\n");
        await git.RunAsync("work", "push", "--quiet", await GitUrlAsync("reviewed"), "main");
        await KubectlAsync(["apply", "-f", "-"], """
            apiVersion: krate.a5c.ai/v1alpha1
            kind: BranchProtection
            metadata: {name: reviewed-main, namespace: krate-org-acme}
            spec: {repository: reviewed, refs: [refs/heads/main], requirePullRequest: true, requiredApprovals: 1, requiredChecks: [verify]}
            """);
        await git.RunAsync("work", "switch", "--quiet", "-c", "change");
        await git.CommitAsync("work", "list.txt", "one\ntow\nthree\n");
        await git.RunAsync("work", "push", "--quiet", await GitUrlAsync("reviewed"), "change");
        await KubectlAsync(["create", "--as", "jonas", "--as-group", "system:authenticated", "--as-group", "system:masters", "-f", "-"], """
            apiVersion: krate.a5c.ai/v1alpha1
            kind: PullRequest
            metadata: {name: reviewed-1, namespace: krate-org-acme}
            spec: {repository: reviewed, title: Count to three, sourceRef: change, targetRef: main, reviewers: [local-developer]}
            """);
        await KubectlAsync(["wait", "pullrequest/reviewed-1", "-n", "krate-org-acme", "--for=jsonpath={.status.mergeable}=true", "--timeout=60s"]);
    }
}
