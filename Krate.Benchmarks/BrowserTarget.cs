using Microsoft.Playwright;

namespace Krate.Benchmarks;

/// <summary>A real browser, signed in as the local developer.</summary>
internal sealed class BrowserTarget : IAsyncDisposable
{
    private readonly IPlaywright playwright;
    private readonly IBrowser browser;
    private readonly IBrowserContext context;

    private BrowserTarget(IPlaywright playwright, IBrowser browser, IBrowserContext context) => (this.playwright, this.browser, this.context) = (playwright, browser, context);

    public static async Task<BrowserTarget> StartAsync(GitTarget target)
    {
        var playwright = await Playwright.CreateAsync();
        var browser = await playwright.Chromium.LaunchAsync(new()
        {
            ExecutablePath = File.Exists("/usr/bin/chromium") ? "/usr/bin/chromium" : "/usr/bin/chromium-headless-shell",
            Args = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
        });
        var context = await browser.NewContextAsync(new() { BaseURL = target.Client.BaseAddress!.ToString(), ViewportSize = new() { Width = 1440, Height = 900 } });
        var started = new BrowserTarget(playwright, browser, context);
        var page = await context.NewPageAsync();
        await page.GotoAsync("/signin?returnUrl=/orgs");
        await page.GetByRole(AriaRole.Button, new() { Name = "Continue as local developer" }).ClickAsync();
        await LiveAsync(page);
        await page.CloseAsync();
        return started;
    }

    public async Task<IPage> OpenAsync(string path)
    {
        var page = await context.NewPageAsync();
        await GoAsync(page, path);
        return page;
    }

    public static async Task GoAsync(IPage page, string path)
    {
        await page.GotoAsync(path);
        await LiveAsync(page);
    }

    public async ValueTask DisposeAsync()
    {
        await browser.CloseAsync();
        playwright.Dispose();
    }

    private static Task<IElementHandle?> LiveAsync(IPage page) => page.WaitForSelectorAsync("[data-testid=circuit][data-ready=true]", new() { State = WaitForSelectorState.Attached });
}
