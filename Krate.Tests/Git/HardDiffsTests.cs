using System.Text;
using Krate.Core.Git;
using Krate.Tests.Testing;
using Xunit;

namespace Krate.Tests.Git;

/// <summary>Contents and names that are written to break readers of git's patches.</summary>
public sealed class HardDiffsTests(HardDiffsTests.World world) : IClassFixture<HardDiffsTests.World>
{
    private GitRepository Git => world.Repository;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Names_like_options_and_with_line_ends_are_names()
    {
        var (file, hunks) = await DiffAsync("new\nname \"\u00FC\".txt");
        Assert.Equal((DiffStatus.Renamed, "old name.txt", 1, 1), (file.Status, file.OldPath, file.Added, file.Removed));
        Assert.Equal(["5", "five"], hunks!.Single().Lines.Where(l => l.Kind != DiffLineKind.Context).Select(l => l.Text));
        Assert.Equal(["was", "is"], (await DiffAsync("--output=x")).Hunks!.Single().Lines.Select(l => l.Text));
    }

    [Fact]
    public async Task A_file_that_became_a_folder_has_its_own_lines_only()
    {
        Assert.Equal(["I am a file"], (await DiffAsync("both")).Hunks!.Single().Lines.Select(l => l.Text));
        Assert.Equal(["I am below it"], (await DiffAsync("both/a.txt")).Hunks!.Single().Lines.Select(l => l.Text));
    }

    [Fact]
    public async Task A_file_that_became_a_link_shows_both()
    {
        var (file, hunks) = await DiffAsync("turns");
        Assert.Equal(DiffStatus.TypeChanged, file.Status);
        Assert.Equal([(DiffLineKind.Removed, "text", true), (DiffLineKind.Added, "added.txt", false)], hunks!.SelectMany(h => h.Lines).Select(l => (l.Kind, l.Text, l.HasEnd)));
    }

    [Fact]
    public async Task Text_that_is_not_UTF_8_is_read_as_the_file_page_reads_it()
    {
        Assert.Equal(["caf\u00E9", "th\u00E9"], (await DiffAsync("latin1.txt")).Hunks!.Single().Lines.Where(l => l.Kind != DiffLineKind.Context).Select(l => l.Text));
    }

    [Fact]
    public async Task A_text_of_many_megabytes_costs_no_time_and_is_not_shown()
    {
        var (file, hunks) = await DiffAsync("huge.txt");
        Assert.True(file.IsBinary);
        Assert.Empty(hunks!);
    }

    [Fact]
    public async Task A_name_that_is_not_UTF_8_cannot_be_asked_for_and_says_so()
    {
        Assert.False((await DiffAsync("bad\uFFFD.txt")).File.IsNamed);
        Assert.True((await DiffAsync("latin1.txt")).File.IsNamed);
    }

    [Fact]
    public async Task White_space_can_be_left_out()
    {
        var file = (await Git.DiffAsync(world.First, world.Second, Ct)).Files.Single(f => f.Path == "crlf.txt");
        Assert.Equal(["one\r", "two\r", "one", "two"], (await Git.DiffFileAsync(world.First, world.Second, file, false, Ct))!.Single().Lines.Select(l => l.Text));
        Assert.Empty((await Git.DiffFileAsync(world.First, world.Second, file, true, Ct))!);
    }

    [Fact]
    public async Task Ten_thousand_files_are_counted_and_the_first_of_them_listed()
    {
        var summary = await Git.DiffAsync(GitRepository.EmptyTree, world.Many, Ct);
        Assert.Equal((true, 10_000, 10_000), (summary.IsCut, summary.Total, summary.Added));
    }

    [Fact]
    public async Task Many_random_edits_turn_what_was_into_what_is()
    {
        var summary = await Git.DiffAsync(world.Before, world.After, Ct);
        Assert.True(summary.Files.Count > 150, $"{summary.Files.Count} files");
        var patches = await Git.DiffFilesAsync(world.Before, world.After, summary.Files, false, Ct);
        foreach (var file in summary.Files) Assert.Equal(world.Texts[file.Path].After, DiffTests.Apply(world.Texts[file.OldPath].Before, patches[file.Path]));
    }

    [Fact]
    public async Task A_patch_that_was_kept_says_what_the_repository_says()
    {
        foreach (var (from, to) in new[] { (world.First, world.Second), (world.Before, world.After) })
        {
            var (summary, patch) = (await Git.DiffAsync(from, to, Ct), GitPatch.Read(await KeptAsync(from, to), int.MaxValue, int.MaxValue));
            Assert.Equal(summary.Total, patch.Total);
            var hunks = await Git.DiffFilesAsync(from, to, summary.Files, false, Ct);
            // A patch has the lines of files of any size.
            foreach (var file in summary.Files.Where(f => f.Path != "huge.txt"))
            {
                var kept = patch.Files.Single(f => f.File.Path == file.Path);
                // Of what was moved as it was, a patch has the names only.
                Assert.Equal(file, file.OldId == file.Id && !file.ModeChanged ? kept.File with { OldId = file.OldId, Id = file.Id, OldMode = file.OldMode, Mode = file.Mode } : kept.File);
                if (file.IsNamed) Assert.Equal(hunks[file.Path].SelectMany(h => h.Lines), kept.Hunks!.SelectMany(h => h.Lines));
            }
        }
    }

    [Fact]
    public async Task Of_a_large_patch_the_first_files_are_read_and_all_are_counted()
    {
        var (all, patch) = (await Git.DiffAsync(world.Before, world.After, Ct), GitPatch.Read(await KeptAsync(world.Before, world.After), 20, 100));
        Assert.Equal((20, all.Total, all.Added, all.Removed), (patch.Files.Count, patch.Total, patch.Added, patch.Removed));
        Assert.InRange(patch.Files.Sum(f => f.Hunks?.Sum(h => h.Lines.Count) ?? 0), 1, 100);
        Assert.Contains(patch.Files, f => f is { Hunks: null, File.Lines: > 0 });
        Assert.Empty(GitPatch.Read([], 20, 100).Files);
    }

    /// <summary>As what was changed in a workspace is kept.</summary>
    private async Task<byte[]> KeptAsync(string from, string to) =>
        (await Git.RunAsync(["diff-tree", "-r", "-p", "-M", "--binary", "--full-index", "--no-color", "--no-ext-diff", "--no-textconv", from, to], Ct, 64 << 20)).Bytes;

    private async Task<(DiffFile File, IReadOnlyList<DiffHunk>? Hunks)> DiffAsync(string path)
    {
        var file = (await Git.DiffAsync(world.First, world.Second, Ct)).Files.Single(f => f.Path == path);
        return (file, await Git.DiffFileAsync(world.First, world.Second, file, false, Ct));
    }

    public sealed class World : IAsyncLifetime
    {
        private readonly GitClient git = new();
        private readonly MemoryStream script = new();

        public GitRepository Repository { get; private set; } = null!;

        public string First { get; private set; } = "";

        public string Second { get; private set; } = "";

        public string Many { get; private set; } = "";

        public string Before { get; private set; } = "";

        public string After { get; private set; } = "";

        public Dictionary<string, (string Before, string After)> Texts { get; } = [];

        public async ValueTask InitializeAsync()
        {
            WriteHardChange();
            WriteRandomEdits();
            Commit("many");
            for (var i = 0; i < 10_000; i++) File("100644", $"d{i % 100}/f{i}.txt", $"{i}\n");
            await git.RunAsync(".", "init", "--quiet", "--bare", "-b", "main", "hard.git");
            Repository = new GitRepository(git.In("hard.git"));
            var import = await Repository.RunAsync(["fast-import", "--quiet"], Ct, input: script.ToArray());
            Assert.True(import.ExitCode == 0, import.Errors);
            (First, Second, Many) = (await IdAsync("main~1"), await IdAsync("main"), await IdAsync("many"));
            (Before, After) = (await IdAsync("edits~1"), await IdAsync("edits"));
        }

        public ValueTask DisposeAsync()
        {
            git.Dispose();
            return ValueTask.CompletedTask;
        }

        private void WriteHardChange()
        {
            var ten = string.Concat(Enumerable.Range(1, 10).Select(i => i + "\n"));
            Commit("main");
            foreach (var (path, text) in new[] { ("\"old name.txt\"", ten), ("--output=x", "was\n"), ("turns", "text\n"), ("both", "I am a file\n"), ("crlf.txt", "one\r\ntwo\r\n"), ("huge.txt", Huge('x')), ("\"bad\\377.txt\"", "bad\n") }) File("100644", path, text);
            File("100644", "latin1.txt", Encoding.Latin1.GetBytes("caf\u00E9\nx\n"));
            Commit("main");
            Write("R \"old name.txt\" \"new\\nname \\\"\u00FC\\\".txt\"\nD turns\nD both\n");
            foreach (var (path, text) in new[] { ("\"new\\nname \\\"\u00FC\\\".txt\"", ten.Replace("5", "five", StringComparison.Ordinal)), ("--output=x", "is\n"), ("both/a.txt", "I am below it\n"), ("crlf.txt", "one\ntwo\n"), ("huge.txt", Huge('y')), ("\"bad\\377.txt\"", "worse\n"), ("added.txt", "added\n") }) File("100644", path, text);
            File("100644", "latin1.txt", Encoding.Latin1.GetBytes("th\u00E9\nx\n"));
            File("120000", "turns", "added.txt");
        }

        private static string Huge(char letter) => string.Concat(Enumerable.Repeat(new string(letter, 63) + "\n", 6 << 14));

        /// <summary>Lines of few kinds, so that they repeat, some like heads of patches; edits of all sizes; line ends of all kinds.</summary>
        private void WriteRandomEdits()
        {
            var random = new Random(20260101);
            string Line() => random.Next(9) switch { 0 => "", 1 => " ", 2 => "-- a", 3 => "++ b", 4 => "\\ No newline at end of file", 5 => "diff --git a/x b/x", _ => "line " + random.Next(6) } + (random.Next(6) == 0 ? "\r" : "");
            string Join(List<string> lines) => string.Join('\n', lines) + (random.Next(3) == 0 || lines.Count == 0 ? "" : "\n");
            Commit("edits");
            for (var i = 0; i < 200; i++)
            {
                List<string> lines = [.. Enumerable.Range(0, random.Next(40)).Select(_ => Line())];
                var before = Join(lines);
                for (var n = random.Next(6); n >= 0; n--)
                {
                    if (random.Next(2) == 0 && lines.Count > 0) lines.RemoveAt(random.Next(lines.Count));
                    else lines.Insert(random.Next(lines.Count + 1), Line());
                }

                Texts[$"{i}.txt"] = (before, Join(lines));
                File("100644", $"{i}.txt", before);
            }

            Commit("edits");
            foreach (var (path, text) in Texts) File("100644", path, text.After);
        }

        private void Commit(string branch) => Write($"commit refs/heads/{branch}\ncommitter T <t@t> 1700000000 +0000\ndata 1\nc\n");

        private void File(string mode, string path, string text) => File(mode, path, Encoding.UTF8.GetBytes(text));

        private void File(string mode, string path, byte[] content)
        {
            Write($"M {mode} inline {path}\ndata {content.Length}\n");
            script.Write(content);
            Write("\n");
        }

        private void Write(string text) => script.Write(Encoding.UTF8.GetBytes(text));

        private Task<string> IdAsync(string revision) => git.RunAsync("hard.git", "rev-parse", revision);
    }
}
