namespace Krate.Benchmarks;

/// <summary>Pull requests: how long a page of a large one takes, and a merge beside git's own in a work tree.</summary>
internal static class PullSuite
{
    private const int Files = 300;
    private const int Merges = 12;

    public static async Task RunAsync(Report report, CancellationToken ct)
    {
        await using var target = await GitTarget.StartAsync(GitSuite.App, ct);
        await PrepareAsync(target, ct);
        await PagesAsync(target, report, ct);
        await MergesAsync(target, report, ct);
    }

    /// <summary>A repository with the branches "small" and "large", and those to merge.</summary>
    public static async Task PrepareAsync(GitTarget target, CancellationToken ct)
    {
        await target.ImportAsync("review", Write, ct);
        await target.MakeRepositoryAsync("review", ct);
        await target.GitAsync("review", ct, "push", "--quiet", target.UrlOf("review"), "refs/heads/*:refs/heads/*");
    }

    private static async Task PagesAsync(GitTarget target, Report report, CancellationToken ct)
    {
        await target.OpenPullAsync("review", "small", ct);
        await target.OpenPullAsync("review", "large", ct);
        using var browser = await target.SignInAsync(ct);
        report.Section("First HTML of a pull request, ms (p50 of 20, warm)", "", "30 files, 1,000 changed lines", "300 files, 10,000 changed lines", "ratio");
        foreach (var (title, tab) in new[] { ("conversation", ""), ("commits", "/commits"), ("files changed", "/files"), ("files changed, split", "/files?view=split") })
        {
            var times = new List<double>();
            foreach (var number in new[] { 1, 2 })
                times.Add(GitSuite.Median(await Measure.TimesAsync(20, () => GitSuite.GetAsync(browser, $"/orgs/bench/repositories/review/pulls/{number}{tab}", ct))));
            report.Row(title, times[0], times[1], $"{times[1] / times[0]:N2}");
        }
    }

    private static async Task MergesAsync(GitTarget target, Report report, CancellationToken ct)
    {
        await target.GitAsync(".", ct, "clone", "--quiet", target.In("review"), target.In("clone"));
        await target.GitAsync("clone", ct, "config", "user.email", "bench@krate.test");
        await target.GitAsync("clone", ct, "config", "user.name", "Bench");
        report.Section("A merge, ms (median)", "", "git in a work tree", "Krate, gates and record included", "ratio");
        foreach (var (method, commands) in new (string, string[][])[]
        {
            ("merge", [["merge", "--quiet", "--no-edit", "--no-ff", "origin/{0}"]]),
            ("squash", [["merge", "--quiet", "--squash", "origin/{0}"], ["commit", "--quiet", "-m", "Squash"]]),
            ("rebase", [["checkout", "--quiet", "--detach", "origin/{0}"], ["rebase", "--quiet", "main"], ["checkout", "--quiet", "-B", "main"]]),
        })
        {
            var (git, krate) = (new List<double>(), new List<double>());
            for (var i = 0; i < Merges; i++)
            {
                var branch = $"{method}{i}";
                await target.OpenPullAsync("review", branch, ct);
                var seconds = 0.0;
                foreach (var command in commands) seconds += await target.GitAsync("clone", ct, [.. command.Select(c => c.Replace("{0}", branch, StringComparison.Ordinal))]);
                git.Add(seconds * 1000);
                var start = Measure.Now;
                await target.MergeAsync("review", branch, method, ct);
                krate.Add(Measure.Since(start).TotalMilliseconds);
            }

            report.Row(method, GitSuite.Median(git), GitSuite.Median(krate), $"{GitSuite.Median(krate) / GitSuite.Median(git):N2}");
        }
    }

    /// <summary>A project, a small and a large change of it, and branches that each change a file of their own.</summary>
    private static void Write(StreamWriter writer)
    {
        GitSuite.WriteCommit(writer, 1, "Begin");
        for (var f = 0; f < 2000; f++) GitSuite.WriteFile(writer, PathOf(f), Text(f, 0));
        var number = 2;
        foreach (var (branch, files) in new[] { ("small", Files / 10), ("large", Files) })
        {
            GitSuite.WriteCommit(writer, number++, $"Change {files} files", branch);
            writer.Write("from refs/heads/main\n");
            // Every sixth line of a hundred: 17 go and 17 come.
            for (var f = 0; f < files; f++) GitSuite.WriteFile(writer, PathOf(f), Text(f, 6));
        }

        foreach (var branch in new[] { "merge", "squash", "rebase" }.SelectMany(m => Enumerable.Range(0, Merges).Select(i => $"{m}{i}")))
        {
            GitSuite.WriteCommit(writer, number++, $"Change for {branch}", branch);
            writer.Write("from refs/heads/main\n");
            GitSuite.WriteFile(writer, PathOf(1000 + number), Text(1000 + number, 10));
        }
    }

    private static string PathOf(int file) => $"src/part{file % 40}/Type{file}.cs";

    private static string Text(int file, int changed) =>
        string.Concat(Enumerable.Range(0, 100).Select(l => changed > 0 && l % changed == 0 ? $"    public int Changed{l} => {file} * {l};\n" : $"    public int Member{l} => {file} + {l};\n"));
}
