using Krate.E2E.Hosting;
using Microsoft.Playwright;
using Xunit;

namespace Krate.E2E.Journeys;

/// <summary>From the palette to a repository that can be pushed to, without a mouse.</summary>
public sealed class NewRepositoryTests(AppFixture app) : Journey(app)
{
    [Fact]
    public async Task A_repository_is_made_by_keyboard_from_the_palette_and_is_found_there_afterwards()
    {
        var page = await SignedInAsync("/orgs/acme");
        // Typed at once: what comes before the field is there is not lost.
        await page.Keyboard.PressAsync("Control+k");
        await page.Keyboard.TypeAsync("new repo");
        await Assertions.Expect(page.GetByRole(AriaRole.Option, new() { Name = "New repository" })).ToBeVisibleAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Combobox)).ToHaveValueAsync("new repo");
        await page.Keyboard.PressAsync("Enter");

        var name = page.GetByLabel("Name required");
        await Assertions.Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("New repository");
        await name.FocusAsync();
        await page.Keyboard.TypeAsync("made-by-keyboard");
        await Assertions.Expect(page.GetByLabel("Repository as YAML")).ToContainTextAsync("name: made-by-keyboard");
        await page.Keyboard.PressAsync("Control+Enter");
        await AtAsync(page, "/orgs/acme/repositories/made-by-keyboard");
        await Assertions.Expect(page.GetByText("Nothing was pushed yet")).ToBeVisibleAsync();

        await page.Keyboard.PressAsync("g");
        await page.Keyboard.PressAsync("r");
        await AtAsync(page, "/orgs/acme/repositories");
        await Assertions.Expect(page.GetByRole(AriaRole.Link, new() { Name = "made-by-keyboard" })).ToBeVisibleAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Row).Filter(new() { HasText = "made-by-keyboard" })).ToContainTextAsync("Ready");

        await page.Keyboard.PressAsync("Control+k");
        await page.Keyboard.TypeAsync("by-keyb");
        await Assertions.Expect(page.GetByRole(AriaRole.Option, new() { Name = "made-by-keyboard settings" })).ToBeVisibleAsync();
        await page.Keyboard.PressAsync("Escape");
        await KubectlAsync(["delete", "repository", "made-by-keyboard", "-n", "krate-org-acme"]);
    }
}
