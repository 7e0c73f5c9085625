using Krate.E2E.Hosting;
using Microsoft.Playwright;
using Xunit;

namespace Krate.E2E.Journeys;

/// <summary>From a failed job to its diagnosis, with nothing installed, no key and no network.</summary>
public sealed class DiagnoseTests(AppFixture app) : Journey(app)
{
    [Fact]
    public async Task A_failed_job_is_diagnosed_by_an_agent_in_two_clicks_and_the_page_follows_it()
    {
        var page = await SignedInAsync("/orgs/acme/repositories/payments-api/runs/pipeline-01jv0000000000000000000001/jobs/job-01jv0000000000000000000002");
        await page.GetByRole(AriaRole.Link, new() { Name = "Diagnose with agent" }).ClickAsync();
        await Assertions.Expect(page.GetByText("May run")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Start", Exact = true }).ClickAsync();
        await page.WaitForURLAsync("**/agents/runs/adr-*");
        var diagnosis = page.GetByRole(AriaRole.Region, new() { Name = "Diagnosis" });
        await Assertions.Expect(diagnosis).ToContainTextAsync("openapi/payments.lock.yaml", new() { Timeout = 60_000 });
        await Assertions.Expect(diagnosis).ToContainTextAsync("made by rules, without a model");
        await Assertions.Expect(page.GetByLabel("Transcript")).ToContainTextAsync("Read log job-01jv0000000000000000000002");
        await Assertions.Expect(page.GetByRole(AriaRole.Button, new() { Name = "Run again", Exact = true })).ToBeVisibleAsync(new() { Timeout = 30_000 });
        await ScreenshotAsync(page, "agent-run");

        // Another one, who comes later, sees the same.
        var other = await SignedInAsync(new Uri(page.Url).PathAndQuery);
        await Assertions.Expect(other.GetByLabel("Transcript")).ToHaveAttributeAsync("data-sequence", (await page.GetByLabel("Transcript").GetAttributeAsync("data-sequence"))!);
    }
}
