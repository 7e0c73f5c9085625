using System.Text.Json.Nodes;
using Krate.E2E.Hosting;
using Microsoft.Playwright;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace Krate.E2E.Journeys;

/// <summary>A CI reports with kubectl alone, and an open page follows it to the line that failed.</summary>
public sealed class RunLogTests(AppFixture app) : Journey(app)
{
    private const string Api = "/apis/krate.a5c.ai/v1alpha1/namespaces/krate-org-acme/";

    [Fact]
    public async Task A_run_is_followed_live_from_its_first_line_to_the_one_that_failed()
    {
        var page = await SignedInAsync("/orgs/acme/repositories/payments-api/runs");
        var pipeline = await PostAsync("pipelines", """{"metadata":{},"spec":{"repository":"payments-api","ref":"refs/heads/main","workflow":"nightly","startedBy":"local-developer"}}""");
        var job = await PostAsync("jobs", $$$"""{"metadata":{},"spec":{"pipeline":"{{{pipeline}}}","step":"test","command":"./test.sh"}}""");
        await page.GetByRole(AriaRole.Link, new() { Name = "nightly" }).ClickAsync();
        await page.GetByRole(AriaRole.Navigation, new() { Name = "Jobs" }).GetByRole(AriaRole.Link, new() { Name = "test" }).ClickAsync();
        await Expect(page.GetByText("No log yet")).ToBeVisibleAsync();

        var first = string.Concat(Enumerable.Range(1, 300).Select(i => $"\u001b[32mok\u001b[0m test number {i}\n"));
        await AppendAsync(job, 0, first);
        await Expect(page.GetByText("ok test number 300")).ToBeInViewportAsync();
        await Expect(page.Locator(".k-ansi-2").First).ToHaveTextAsync("ok");
        var second = "::group::The last one\nlooking\n::endgroup::\nlib/sum.c:7:12: error: expected ';' before 'return'\n";
        await AppendAsync(job, first.Length, second);
        await PostAsync($"jobs/{job}/finish", """{"exitCode":2}""");
        await PostAsync($"pipelines/{pipeline}/finish", "{}");

        await Expect(page.GetByText("Failed", new() { Exact = true }).First).ToBeVisibleAsync();
        await Expect(page.Locator("li.is-bad")).ToContainTextAsync("expected ';' before 'return'");
        await page.GetByLabel("Find in the log").FillAsync("number 42");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator("li.is-found mark")).ToHaveTextAsync("number 42");
        await page.GetByRole(AriaRole.Link, new() { Name = "Failure" }).ClickAsync();
        await Expect(page.Locator("li.is-on")).ToBeInViewportAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "The last one" }).ClickAsync();
        await Expect(page.GetByText("looking", new() { Exact = true })).ToHaveCountAsync(0);
        await ScreenshotAsync(page, "run-log-failed");

        await page.GotoAsync("/orgs/acme/inbox");
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = "nightly failed on main" })).ToBeVisibleAsync();
    }

    private async Task<string> PostAsync(string path, string document) =>
        JsonNode.Parse(await KubectlAsync(["create", "--raw", Api + path, "-f", "-"], document))!["metadata"]!["name"]!.GetValue<string>();

    private async Task AppendAsync(string job, int offset, string text) =>
        await KubectlAsync(["create", "--raw", $"{Api}jobs/{job}/log?offset={offset}", "-f", "-"], text);
}
