using Krate.E2E.Hosting;
using Microsoft.Playwright;
using Xunit;

namespace Krate.E2E.Journeys;

/// <summary>Issues as a board and as saved views, with a second browser that looks on.</summary>
public sealed class WorkBoardTests(AppFixture app) : Journey(app)
{
    private const string Issues = "/orgs/acme/repositories/planned/issues";

    [Fact]
    public async Task Cards_move_by_drag_and_by_keyboard_and_a_view_is_saved_while_another_browser_looks_on()
    {
        await MakeAsync();
        var mine = await SignedInAsync(Issues + "?layout=board&by=state");
        var other = await SignedInAsync(Issues);
        await Assertions.Expect(other.Locator(".k-work > li")).ToHaveCountAsync(3);

        await Card(mine, "Open", 1).DragToAsync(Column(mine, "Closed"));
        await Assertions.Expect(Card(mine, "Closed", 1)).ToBeVisibleAsync();
        await Assertions.Expect(other.Locator(".k-work > li")).ToHaveCountAsync(2);
        await ScreenshotAsync(mine, "board-state");

        await Card(mine, "Open", 2).Locator("summary").FocusAsync();
        await mine.Keyboard.PressAsync("Enter");
        await mine.Keyboard.PressAsync("Tab");
        await ScreenshotAsync(mine, "board-menu");
        await mine.Keyboard.PressAsync("Enter");
        await Assertions.Expect(Card(mine, "Closed", 2)).ToBeVisibleAsync();
        await Assertions.Expect(other.Locator(".k-work > li")).ToHaveCountAsync(1);

        await GoAsync(mine, Issues + "?layout=board&by=label&q=state:all");
        await Card(mine, "No label", 3).DragToAsync(Column(mine, "bug"));
        await Assertions.Expect(Card(mine, "bug", 3)).ToBeVisibleAsync();
        await Assertions.Expect(other.Locator(".k-work > li .k-chip")).ToHaveTextAsync("bug");

        await GoAsync(mine, Issues + "?q=label:bug");
        await mine.GetByRole(AriaRole.Button, new() { Name = "Save view" }).ClickAsync();
        await mine.Locator("#view-title").FillAsync("Bugs");
        await mine.Locator(".k-views__form").GetByRole(AriaRole.Button, new() { Name = "Save view" }).ClickAsync();
        await other.GetByRole(AriaRole.Navigation, new() { Name = "Saved views" }).GetByRole(AriaRole.Link, new() { Name = "Bugs" }).ClickAsync();
        await AtAsync(other, "/issues?q=label%3Abug");
        await ScreenshotAsync(other, "saved-view");
    }

    private static ILocator Column(IPage page, string name) => page.GetByRole(AriaRole.Region, new() { Name = name, Exact = true });

    private static ILocator Card(IPage page, string column, int number) => Column(page, column).Locator($"[data-k-card='#{number}']");

    private async Task MakeAsync()
    {
        await KubectlAsync(["apply", "-f", "-"], """
            apiVersion: krate.a5c.ai/v1alpha1
            kind: Repository
            metadata: {name: planned, namespace: krate-org-acme}
            spec: {visibility: internal}
            """);
        await KubectlAsync(["wait", "repository/planned", "-n", "krate-org-acme", "--for=condition=Ready", "--timeout=60s"]);
        for (var i = 1; i <= 3; i++)
        {
            await KubectlAsync(["create", "-f", "-"], $$"""
                apiVersion: krate.a5c.ai/v1alpha1
                kind: Issue
                metadata: {name: planned-{{i}}, namespace: krate-org-acme}
                spec: {repository: planned, title: Plan number {{i}}, labels: [{{(i == 1 ? "bug, money path" : i == 2 ? "docs" : "")}}]}
                """);
        }
    }
}
