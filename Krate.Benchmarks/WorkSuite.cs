using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace Krate.Benchmarks;

/// <summary>The list of issues of a repository with many, beside the same list of one with few, in the published app.</summary>
internal static class WorkSuite
{
    private const int Few = 500, Many = 50_000;
    private static readonly string App = Path.GetFullPath("artifacts/published/Krate.Web.dll");

    public static async Task RunAsync(Report report, CancellationToken ct)
    {
        await using var target = await GitTarget.StartAsync(App, ct);
        foreach (var (name, count) in new[] { ("few", Few), ("many", Many) })
        {
            await target.MakeRepositoryAsync(name, ct);
            await Parallel.ForAsync(1, count + 1, new ParallelOptions { MaxDegreeOfParallelism = 32, CancellationToken = ct }, async (i, t) => await OpenAsync(target, name, i, t));
        }

        using var browser = await target.SignInAsync(ct);
        // The runtime compiles what is warm anew; the first row would pay for it.
        foreach (var name in new[] { "few", "many" }) await Measure.TimesAsync(200, () => GetAsync(browser, name, "", ct));
        report.Section("Issues, first HTML, ms (p50 of 60, warm)", "", "500 issues", "50,000 issues", "ratio");
        foreach (var (title, query) in new (string, Func<int, string>)[]
        {
            ("open, first page", _ => ""), ("open, second page", n => $"?before={n - 49}"), ("a page in the middle", n => $"?before={n / 2}"), ("a label that one in ten has", _ => "?q=label:bug"),
            ("a label that five have", _ => "?q=label:rare"), ("a word of the newest", _ => "?q=number"), ("a word that nobody wrote", _ => "?q=unheard-of"), ("board by state", _ => "?layout=board&by=state"),
        })
        {
            var (few, many) = (new List<double>(), new List<double>());
            // In turn, so that what else the machine does falls on both.
            for (var i = 0; i < 6; i++)
            {
                few.AddRange(await Measure.TimesAsync(10, () => GetAsync(browser, "few", query(Few), ct)));
                many.AddRange(await Measure.TimesAsync(10, () => GetAsync(browser, "many", query(Many), ct)));
            }

            var (a, b) = (Measure.Percentiles(few, 0.5)[0], Measure.Percentiles(many, 0.5)[0]);
            report.Row(title, a, b, $"{b / a:N2}");
        }
    }

    private static async Task OpenAsync(GitTarget target, string repository, int i, CancellationToken ct)
    {
        var spec = new JsonObject { ["repository"] = repository, ["title"] = string.Create(CultureInfo.InvariantCulture, $"Issue number {i}"), ["body"] = new string('x', 300) };
        if (i % 10 == 0) spec["labels"] = new JsonArray("bug");
        else if (i % 100 == 1 && i < 500) spec["labels"] = new JsonArray("rare");
        var issue = new JsonObject { ["apiVersion"] = "krate.a5c.ai/v1alpha1", ["kind"] = "Issue", ["metadata"] = new JsonObject(), ["spec"] = spec };
        using var answer = await target.Client.PostAsJsonAsync("/apis/krate.a5c.ai/v1alpha1/namespaces/krate-org-bench/issues", issue, ct);
        answer.EnsureSuccessStatusCode();
    }

    private static async Task GetAsync(HttpClient browser, string repository, string query, CancellationToken ct)
    {
        using var answer = await browser.GetAsync(new Uri($"/orgs/bench/repositories/{repository}/issues{query}", UriKind.Relative), ct);
        answer.EnsureSuccessStatusCode();
        await answer.Content.ReadAsByteArrayAsync(ct);
    }
}
