using System.Text.RegularExpressions;
using Krate.E2E.Hosting;
using Krate.Tests.Testing;
using Microsoft.Playwright;
using Xunit;

namespace Krate.E2E.Journeys;

/// <summary>What is pushed with plain git is on the open page at that moment; the person finds, reads and links to it.</summary>
public sealed class PushAppearsLiveTests(AppFixture app) : Journey(app)
{
    private const string Home = "/orgs/acme/repositories/pushed";

    [Fact]
    public async Task A_push_appears_on_an_open_page_which_keeps_what_is_open_and_where_it_stands()
    {
        using var git = new GitClient();
        await MakeAsync();
        var page = await SignedInAsync(Home);
        var second = await SignedInAsync(Home);
        await Assertions.Expect(page.GetByText("Nothing was pushed yet")).ToBeVisibleAsync();

        await git.NewRepositoryAsync("work", "docs/guide.md", "# Guide\n");
        await git.CommitAsync("work", "src/main.go", string.Concat(Enumerable.Range(1, 60).Select(n => $"var x{n} = \"{n}\"\n")));
        await git.RunAsync("work", "push", "--quiet", await GitUrlAsync("pushed"), "main");
        await Assertions.Expect(InFolder(page, "docs")).ToBeVisibleAsync();
        await Assertions.Expect(InFolder(second, "docs")).ToBeVisibleAsync();

        await page.GetByRole(AriaRole.Button, new() { Name = "docs", Exact = true }).ClickAsync();
        var opened = page.Locator(".k-files").GetByText("guide.md");
        await Assertions.Expect(opened).ToBeVisibleAsync();
        await git.CommitAsync("work", "CHANGES.txt", "more\n");
        await git.RunAsync("work", "push", "--quiet", await GitUrlAsync("pushed"), "main");
        await Assertions.Expect(InFolder(page, "CHANGES.txt")).ToBeVisibleAsync();
        await Assertions.Expect(InFolder(second, "CHANGES.txt")).ToBeVisibleAsync();
        await Assertions.Expect(opened).ToBeVisibleAsync();

        await page.Keyboard.PressAsync("t");
        await page.GetByRole(AriaRole.Combobox, new() { Name = "Find a file" }).FillAsync("maingo");
        // At once: letters and Enter count even before the names are read.
        await page.Keyboard.PressAsync("Enter");
        await AtAsync(page, "/blob/main/src/main.go");

        await page.Locator("#L3").ClickAsync(new() { Position = new() { X = 8, Y = 8 } });
        await page.Locator("#L6").ClickAsync(new() { Position = new() { X = 8, Y = 8 }, Modifiers = [KeyboardModifier.Shift] });
        await AtAsync(page, "/src/main.go#L3-L6");
        await Assertions.Expect(page.Locator(".k-l--on")).ToHaveCountAsync(4);
        await page.Keyboard.PressAsync("y");
        await AtAsync(page, new Regex("/blob/[0-9a-f]{40}/src/main.go#L3-L6$"));
        await Assertions.Expect(page.Locator(".k-l--on")).ToHaveCountAsync(4);
    }

    private static ILocator InFolder(IPage page, string name) => page.Locator(".k-folder").GetByRole(AriaRole.Link, new() { Name = name, Exact = true });

    private async Task MakeAsync()
    {
        await KubectlAsync(["apply", "-f", "-"], """
            apiVersion: krate.a5c.ai/v1alpha1
            kind: Repository
            metadata: {name: pushed, namespace: krate-org-acme}
            spec: {visibility: internal}
            """);
        await KubectlAsync(["wait", "repository/pushed", "-n", "krate-org-acme", "--for=condition=Ready", "--timeout=60s"]);
    }
}
