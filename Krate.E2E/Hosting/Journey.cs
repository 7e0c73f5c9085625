using System.Diagnostics;
using System.Text.RegularExpressions;
using Krate.Tests.Testing;
using Microsoft.Playwright;
using Xunit;

namespace Krate.E2E.Hosting;

/// <summary>
/// A person at a browser. Every page is watched: a console error, a failed request or a request to another host fails the
/// journey at its end.
/// </summary>
public abstract partial class Journey(AppFixture app) : IAsyncLifetime
{
    /// <summary>What a browser keeps after signing in, by address of the program.</summary>
    private static readonly System.Collections.Concurrent.ConcurrentDictionary<Uri, string> Sessions = new();
    private readonly List<string> complaints = [];
    private readonly List<IBrowserContext> contexts = [];

    protected AppFixture App { get; } = app;

    /// <summary>The program whose pages are opened.</summary>
    protected virtual KrateProcess Krate => App.Krate;

    protected static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>Answers that a journey provokes on purpose (a 404 page).</summary>
    protected List<string> Expected { get; } = [];

    public virtual ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public virtual async ValueTask DisposeAsync()
    {
        foreach (var context in contexts) await context.CloseAsync();
        GC.SuppressFinalize(this);
        Assert.DoesNotContain(complaints, c => !Expected.Any(e => c.Contains(e, StringComparison.Ordinal)));
    }

    protected Task<IPage> NewPageAsync(bool dark = false, int width = 1440, int height = 900) => NewPageAsync(dark, width, height, null);

    private async Task<IPage> NewPageAsync(bool dark, int width, int height, string? session)
    {
        var context = await App.Browser.NewContextAsync(new()
        {
            BaseURL = Krate.Http.ToString(),
            ColorScheme = dark ? ColorScheme.Dark : ColorScheme.Light,
            ReducedMotion = ReducedMotion.Reduce,
            ViewportSize = new() { Width = width, Height = height },
            StorageState = session,
        });
        contexts.Add(context);
        var page = await context.NewPageAsync();
        page.SetDefaultTimeout(20_000);
        page.Console += (_, m) =>
        {
            if (m.Type == "error") complaints.Add($"console: {m.Text} ({m.Location})");
        };
        page.RequestFailed += (_, r) =>
        {
            // A navigation cancels what the page before it still had open.
            if (r.Failure is not "net::ERR_ABORTED") complaints.Add($"failed: {r.Url} {r.Failure}");
        };
        page.Request += (_, r) =>
        {
            if (!r.Url.StartsWith("data:", StringComparison.Ordinal) && new Uri(r.Url).Authority != Krate.Http.Authority) complaints.Add($"foreign host: {r.Url}");
        };
        page.Response += (_, r) =>
        {
            if (r.Status >= 400) complaints.Add($"{r.Status}: {r.Url}");
        };
        return page;
    }

    /// <summary>Signs in as the local developer, by keyboard the first time and with that session later, and lands on <paramref name="path"/>.</summary>
    protected async Task<IPage> SignedInAsync(string path = "/", bool dark = false, int width = 1440, int height = 900)
    {
        var known = Sessions.GetValueOrDefault(Krate.Http);
        var page = await NewPageAsync(dark, width, height, known);
        if (known is not null)
        {
            await GoAsync(page, path);
            return page;
        }

        await page.GotoAsync("/signin?returnUrl=" + Uri.EscapeDataString(path));
        await page.GetByRole(AriaRole.Button, new() { Name = "Continue as local developer" }).PressAsync("Enter");
        await LiveAsync(page);
        Sessions[Krate.Http] = await page.Context.StorageStateAsync();
        return page;
    }

    /// <summary>Waits until the address ends so. Asked of the page itself: a navigation that has happened already is seen, too.</summary>
    protected static Task AtAsync(IPage page, string end) => AtAsync(page, new Regex(Regex.Escape(end) + "$"));

    protected static Task AtAsync(IPage page, Regex address) => Assertions.Expect(page).ToHaveURLAsync(address, new() { Timeout = 20_000 });

    protected static async Task GoAsync(IPage page, string path)
    {
        await page.GotoAsync(path);
        await LiveAsync(page);
    }

    /// <summary>Input before the circuit is lost; the layout says when it is there.</summary>
    protected static Task LiveAsync(IPage page) =>
        page.WaitForSelectorAsync("[data-testid=circuit][data-ready=true]", new() { State = WaitForSelectorState.Attached });

    protected async Task<string> KubectlAsync(string[] arguments, string? stdin = null)
    {
        var start = new ProcessStartInfo("kubectl") { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add("--kubeconfig");
        start.ArgumentList.Add(Krate.Kubeconfig);
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        start.Environment["KUBECACHEDIR"] = Path.Combine(Path.GetDirectoryName(Krate.Data)!, "kubecache");
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync(Ct);
        if (stdin is not null) await process.StandardInput.WriteAsync(stdin);
        process.StandardInput.Close();
        var output = await process.StandardOutput.ReadToEndAsync(Ct);
        await process.WaitForExitAsync(Ct);
        Assert.True(process.ExitCode == 0, $"kubectl {string.Join(' ', arguments)}: {await error}{output}");
        return output;
    }

    /// <summary>Clone address of a repository in the demo organization, as the administrator.</summary>
    protected async Task<string> GitUrlAsync(string repository) =>
        $"http://x:{Token().Match(await File.ReadAllTextAsync(Krate.Kubeconfig, Ct)).Groups[1].Value}@{Krate.Http.Authority}/git/acme/{repository}.git";

    [GeneratedRegex("token: \"?([A-Za-z0-9._-]+)")]
    private static partial Regex Token();

    /// <summary>A picture for people to look at, where one is asked for with <c>KRATE_SCREENS=1</c>; drawing them costs a tenth of all journeys.</summary>
    protected static Task ScreenshotAsync(IPage page, string name) =>
        Environment.GetEnvironmentVariable("KRATE_SCREENS") == "1" ? page.ScreenshotAsync(new() { Path = Path.Combine(AppFixture.Screens, name + ".png") }) : Task.CompletedTask;
}
