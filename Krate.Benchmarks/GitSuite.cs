using System.Globalization;
using System.Text;

namespace Krate.Benchmarks;

/// <summary>
/// git through Krate beside git by path, and first HTML of the code pages of a large repository beside one of a tenth of its size. Needs the
/// published app: <c>dotnet publish Krate.Web -c Release -o artifacts/published</c>.
/// </summary>
internal static class GitSuite
{
    private const int Rounds = 5;
    internal static readonly string App = Path.GetFullPath("artifacts/published/Krate.Web.dll");

    /// <summary>Clone, shallow clone and push of a 50 MB repository.</summary>
    public static async Task TransfersAsync(Report report, CancellationToken ct)
    {
        await using var target = await GitTarget.StartAsync(App, ct);
        await target.ImportAsync("source", w => WriteNoise(w, commits: 400, bytes: 128 << 10), ct);
        await target.GitAsync("source", ct, "repack", "-adq");
        await target.MakeRepositoryAsync("source", ct);
        await target.GitAsync("source", ct, "push", "--quiet", target.UrlOf("source"), "main");
        report.Section("A repository of 50 MB, seconds (median of 5)", "", "by path (file://)", "over Krate", "ratio");
        await CompareAsync("clone", (from, to) => ["clone", "--quiet", "--bare", from, to]);
        await CompareAsync("shallow clone", (from, to) => ["clone", "--quiet", "--bare", "--depth=1", from, to]);

        List<double> local = [], over = [];
        for (var round = 0; round < Rounds; round++)
        {
            await target.GitAsync(".", ct, "init", "--quiet", "--bare", target.In($"empty{round}"));
            local.Add(await target.GitAsync("source", ct, "-c", "transfer.fsckObjects=true", "push", "--quiet", "file://" + target.In($"empty{round}"), "main"));
            await target.MakeRepositoryAsync($"empty{round}", ct);
            over.Add(await target.GitAsync("source", ct, "push", "--quiet", target.UrlOf($"empty{round}"), "main"));
        }

        Row("push", local, over);

        async Task CompareAsync(string name, Func<string, string, string[]> arguments)
        {
            List<double> byPath = [], byKrate = [];
            for (var round = 0; round < Rounds; round++)
            {
                byPath.Add(await target.GitAsync(".", ct, arguments("file://" + target.DirectoryOf("source"), target.In($"{name} local {round}"))));
                byKrate.Add(await target.GitAsync(".", ct, arguments(target.UrlOf("source"), target.In($"{name} krate {round}"))));
            }

            Row(name, byPath, byKrate);
        }

        void Row(string name, List<double> reference, List<double> own) => report.Row(name, Median(reference), Median(own), $"{Median(own) / Median(reference):N2}");
    }

    /// <summary>What the server holds while a push of 1 GB goes through it.</summary>
    public static async Task MemoryAsync(Report report, CancellationToken ct)
    {
        await using var target = await GitTarget.StartAsync(App, ct);
        await target.ImportAsync("huge", w => WriteNoise(w, commits: 1000, bytes: 1 << 20), ct);
        await target.MakeRepositoryAsync("small", ct);
        await target.ImportAsync("little", w => WriteNoise(w, commits: 10, bytes: 1 << 10), ct);
        await target.GitAsync("little", ct, "push", "--quiet", target.UrlOf("small"), "main");
        await target.MakeRepositoryAsync("huge", ct);
        var before = target.Memory();
        var seconds = await target.GitAsync("huge", ct, "push", "--quiet", target.UrlOf("huge"), "main");
        report.Section("A push of 1 GB", "", "seconds", "MiB before", "MiB peak");
        report.Row("push", seconds, before.Now, target.Memory().Peak);
    }

    /// <summary>First HTML of the code pages.</summary>
    public static async Task PagesAsync(Report report, CancellationToken ct)
    {
        await using var target = await GitTarget.StartAsync(App, ct);
        var sizes = new (string Name, int Files, int Commits)[] { ("tenth", 10_000, 5_000), ("large", 100_000, 50_000) };
        foreach (var (name, files, commits) in sizes)
        {
            await target.ImportAsync(name, w => WriteProject(w, files, commits), ct);
            await target.MakeRepositoryAsync(name, ct);
            await target.GitAsync(name, ct, "push", "--quiet", target.UrlOf(name), "main");
            await SettleAsync(target, name, ct);
        }

        using var browser = await target.SignInAsync(ct);
        var pages = new[] { ("repository home", ""), ("folder", "/tree/main/dir7"), ("file of 2,000 lines", "/blob/main/dir7/long.cs"), ("blame of it", "/blame/main/dir7/long.cs"), ("history", "/history/main"), ("history of a file", "/history/main/dir7/long.cs"), ("commit", "/commit/main") };
        report.Section("First HTML, ms (p50 of 30, warm)", "", "10k files, 5k commits", "100k files, 50k commits", "ratio");
        foreach (var (title, path) in pages)
        {
            var times = new List<double>();
            foreach (var (name, _, _) in sizes)
            {
                var address = path.Contains("/commit/", StringComparison.Ordinal) ? "/commit/" + (await HeadAsync(target, name, ct)) : path;
                times.Add(Measure.Percentiles(await Measure.TimesAsync(30, () => GetAsync(browser, $"/orgs/bench/repositories/{name}{address}", ct)), 0.5)[0]);
            }

            report.Row(title, times[0], times[1], $"{times[1] / times[0]:N2}");
        }
    }

    internal static async Task GetAsync(HttpClient browser, string address, CancellationToken ct)
    {
        using var answer = await browser.GetAsync(new Uri(address, UriKind.Relative), ct);
        answer.EnsureSuccessStatusCode();
        await answer.Content.ReadAsByteArrayAsync(ct);
    }

    private static async Task<string> HeadAsync(GitTarget target, string name, CancellationToken ct) =>
        (await File.ReadAllTextAsync(Path.Combine(target.DirectoryOf(name), "refs", "heads", "main"), ct)).Trim();

    /// <summary>Waits until the server has written its index of commits.</summary>
    private static async Task SettleAsync(GitTarget target, string name, CancellationToken ct)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(200));
        while (!Directory.Exists(Path.Combine(target.DirectoryOf(name), "objects", "info", "commit-graphs"))) await timer.WaitForNextTickAsync(ct);
    }

    /// <summary>Commits of files that do not compress.</summary>
    private static void WriteNoise(StreamWriter writer, int commits, int bytes)
    {
        var random = new Random(1);
        var noise = new byte[bytes];
        for (var i = 1; i <= commits; i++)
        {
            random.NextBytes(noise);
            WriteCommit(writer, i, $"Noise {i}");
            writer.Write(string.Create(CultureInfo.InvariantCulture, $"M 644 inline dir{i % 20}/file{i}.bin\ndata {bytes}\n"));
            writer.Flush();
            writer.BaseStream.Write(noise);
            writer.Write('\n');
        }
    }

    /// <summary>Many files in folders of a hundred, and many commits that each change one of them; one long file changes in every hundredth of the last 5,000.</summary>
    private static void WriteProject(StreamWriter writer, int files, int commits)
    {
        WriteCommit(writer, 1, "Begin");
        for (var f = 0; f < files; f++) WriteFile(writer, $"dir{f % 100}/sub{f / 100 % 100}/file{f}.cs", $"// file {f}\nclass C{f}\n{{\n}}\n");
        WriteFile(writer, "README.md", "# Large\n\nA repository for measuring.\n");
        var lines = Enumerable.Range(0, 2000).Select(i => $"    public int Member{i} => {i};").ToArray();
        WriteFile(writer, "dir7/long.cs", string.Join('\n', lines));
        var random = new Random(2);
        for (var c = 2; c <= commits; c++)
        {
            WriteCommit(writer, c, $"Change {c}");
            var f = random.Next(files);
            WriteFile(writer, $"dir{f % 100}/sub{f / 100 % 100}/file{f}.cs", $"// file {f}, change {c}\nclass C{f}\n{{\n}}\n");
            if (c <= commits - 5000 || c % 100 != 0) continue;
            lines[random.Next(lines.Length)] = $"    public int Changed{c} => {c};";
            WriteFile(writer, "dir7/long.cs", string.Join('\n', lines));
        }
    }

    internal static void WriteCommit(StreamWriter writer, int number, string message, string branch = "main") =>
        writer.Write(string.Create(CultureInfo.InvariantCulture, $"commit refs/heads/{branch}\ncommitter Bench <bench@krate.test> {1_700_000_000 + number} +0000\ndata {Encoding.UTF8.GetByteCount(message)}\n{message}\n"));

    internal static void WriteFile(StreamWriter writer, string path, string content) =>
        writer.Write(string.Create(CultureInfo.InvariantCulture, $"M 644 inline {path}\ndata {Encoding.UTF8.GetByteCount(content)}\n{content}\n"));

    internal static double Median(List<double> values) => Measure.Percentiles(values, 0.5)[0];
}
