using Microsoft.Playwright;

namespace Krate.Benchmarks;

/// <summary>What a person feels in a review of 300 files and 10,000 changed lines: in a real browser, beside a page of an idle list.</summary>
internal static class ReviewSuite
{
    private const int Tabs = 10;

    public static async Task RunAsync(Report report, CancellationToken ct)
    {
        await using var target = await GitTarget.StartAsync(GitSuite.App, ct);
        await PullSuite.PrepareAsync(target, ct);
        await target.OpenPullAsync("review", "large", ct);
        await using var browser = await BrowserTarget.StartAsync(target);
        var files = "/orgs/bench/repositories/review/pulls/1/files";

        report.Section("In the browser, ms", "", "p50", "p95", "of");
        var page = await browser.OpenAsync("/orgs/bench/repositories");
        report.Row(["a frame of an idle page (reference)", .. await FramesAsync(page, 0)]);
        await BrowserTarget.GoAsync(page, files);
        report.Row(["a frame while its diff is scrolled from end to end", .. await FramesAsync(page, 400)]);
        report.Row(["a click on a line number to the open composer", .. await ComposersAsync(page)]);
        report.Row(["a letter typed into the composer to its paint", .. await TypingAsync(page)]);
        report.Row(["sending a comment to reading it in the diff", .. await CommentsAsync(page)]);
        await page.CloseAsync();
        await MemoryAsync(target, browser, files, report);
    }

    /// <summary>Times between frames, while the page is scrolled by so many steps of a wheel.</summary>
    private static async Task<object[]> FramesAsync(IPage page, int steps)
    {
        var times = await page.EvaluateAsync<double[]>(
            """
            async steps => {
              const pane = document.querySelector(".k-review__diff") ?? document.scrollingElement;
              const times = [];
              let last = await new Promise(requestAnimationFrame);
              for (let i = 0; i < Math.max(steps, 100); i++) {
                if (steps > 0) pane.scrollTop = (pane.scrollHeight - pane.clientHeight) * (i + 1) / steps;
                const now = await new Promise(requestAnimationFrame);
                times.push(now - last);
                last = now;
              }
              return times;
            }
            """,
            steps);
        return Row([.. times]);
    }

    /// <summary>Timed in the browser, from the click until what came of it is painted.</summary>
    private static async Task<object[]> ComposersAsync(IPage page)
    {
        var times = new List<double>();
        for (var i = 0; i < 20; i++)
        {
            times.Add(await PaintedAsync(page, Line(i), "() => document.querySelector('.k-thread--new textarea')"));
            await page.Locator("[data-k-cancel]").First.ClickAsync();
            await page.Locator(".k-thread--new").First.WaitForAsync(new() { State = WaitForSelectorState.Detached });
        }

        return Row(times);
    }

    /// <summary>An expression for the number cell of a line that can be commented on.</summary>
    private static string Line(int i) => $"() => [...document.querySelectorAll('[data-k-file] .k-diff td.n')].filter(n => n.parentElement.querySelector(':scope > td.c'))[{20 + (i * 9)}]";

    private static Task<double> PaintedAsync(IPage page, string click, string expect) => page.EvaluateAsync<double>(
        $$"""
        async () => {
          const [target, done] = [({{click}})(), {{expect}}];
          target.scrollIntoView({ block: "center" });
          await new Promise(r => setTimeout(r, 200));
          const start = performance.now();
          const seen = new Promise(r => {
            const watch = new MutationObserver(() => { if (done()) { watch.disconnect(); r(); } });
            watch.observe(document, { childList: true, subtree: true, characterData: true });
          });
          target.click();
          await seen;
          await new Promise(r => requestAnimationFrame(() => setTimeout(r)));
          return performance.now() - start;
        }
        """);

    private static async Task<object[]> TypingAsync(IPage page)
    {
        await page.EvaluateAsync($"() => ({Line(1)})().click()");
        await page.Locator(".k-thread textarea").First.FocusAsync();
        await page.EvaluateAsync(
            """
            () => {
              window.painted = [];
              document.activeElement.addEventListener("keydown", () => {
                const start = performance.now();
                requestAnimationFrame(() => setTimeout(() => window.painted.push(performance.now() - start)));
              });
            }
            """);
        for (var i = 0; i < 60; i++) await page.Keyboard.PressAsync("abcdefgh ij"[i % 11].ToString());
        var times = await page.EvaluateAsync<double[]>("() => window.painted");
        await page.Locator(".k-thread textarea").First.FillAsync("");
        await page.Locator("[data-k-cancel]").First.ClickAsync();
        return Row([.. times]);
    }

    private static async Task<object[]> CommentsAsync(IPage page)
    {
        var times = new List<double>();
        for (var i = 0; i < 10; i++)
        {
            await page.EvaluateAsync($"() => ({Line(i)})().click()");
            await page.Locator(".k-thread--new textarea").FillAsync($"Remark number {i} of the measurement.");
            await page.Locator(".k-thread--new [data-k-submit]:enabled").WaitForAsync();
            times.Add(await PaintedAsync(
                page,
                "() => document.querySelector('.k-thread--new [data-k-submit]')",
                $"() => [...document.querySelectorAll('.k-thread__said')].some(s => s.textContent.includes('Remark number {i} of'))"));
        }

        return Row(times);
    }

    /// <summary>What the server holds for each open page, beside a page of a short list.</summary>
    private static async Task MemoryAsync(GitTarget target, BrowserTarget browser, string files, Report report)
    {
        report.Section($"Memory of the server for each of {Tabs} open pages, MiB", "", "resident, each");
        foreach (var (title, path) in new[] { ("a list of one repository (reference)", "/orgs/bench/repositories"), ("the review", files) })
        {
            var before = target.Memory().Now;
            var pages = new List<IPage>();
            for (var i = 0; i < Tabs; i++) pages.Add(await browser.OpenAsync(path));
            report.Row(title, (target.Memory().Now - before) / Tabs);
            foreach (var page in pages) await page.CloseAsync();
        }
    }

    private static object[] Row(List<double> times)
    {
        var (count, at) = (times.Count, Measure.Percentiles(times, 0.5, 0.95));
        return [at[0], at[1], count];
    }
}
