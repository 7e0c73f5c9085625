using System.Text;
using Krate.Core.Git;
using Krate.Tests.Testing;
using Krate.Web.Features.Code;
using Xunit;

namespace Krate.Tests.Git;

/// <summary>Lines that are followed, edited, and shown around a change.</summary>
public sealed class LineTests : IDisposable
{
    private readonly GitClient client = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private GitRepository Git => new(client.In("work", ".git"));

    public void Dispose() => client.Dispose();

    [Fact]
    public async Task A_line_that_is_found_again_has_the_same_text_and_those_that_are_not_are_what_git_removed()
    {
        var random = new Random(5);
        var lines = Enumerable.Range(0, 60).Select(n => $"line {n}").ToList();
        await client.NewRepositoryAsync("work", "a.txt", Text(lines));
        for (var round = 0; round < 25; round++)
        {
            var (before, from) = (lines.ToList(), await client.RunAsync("work", "rev-parse", "HEAD"));
            for (var edits = random.Next(1, 8); edits > 0 && lines.Count > 3; edits--)
            {
                var at = random.Next(lines.Count);
                if (random.Next(3) == 0) lines.RemoveAt(at);
                else if (random.Next(2) == 0) lines.Insert(at, $"new {round} {edits}");
                else lines[at] = $"other {round} {edits}";
            }

            var to = await client.CommitAsync("work", "a.txt", Text(lines));
            var map = (await Git.LineMapsAsync(from, to, ["a.txt"], Ct))["a.txt"];
            var found = Enumerable.Range(1, before.Count).Select(n => (Old: n, New: map.Of(n))).ToList();
            Assert.All(found.Where(f => f.New is not null), f => Assert.Equal(before[f.Old - 1], lines[f.New!.Value - 1]));
            var removed = int.Parse((await client.RunAsync("work", "diff", "--numstat", from, to)).Split('\t')[1], null);
            Assert.Equal(removed, found.Count(f => f.New is null));
        }

        static string Text(List<string> lines) => string.Concat(lines.Select(l => l + "\n"));
    }

    [Fact]
    public async Task Lines_of_a_file_that_is_gone_renamed_binary_or_of_an_unknown_commit_are_gone_and_of_another_file_are_where_they_were()
    {
        await client.NewRepositoryAsync("work", "gone.txt", "1\n");
        await client.CommitAsync("work", "moved.txt", "1\n2\n3\n");
        await client.CommitAsync("work", "same.txt", "1\n");
        var from = await client.CommitAsync("work", "binary", "1\n");
        await client.RunAsync("work", "mv", "moved.txt", "elsewhere.txt");
        await client.RunAsync("work", "rm", "--quiet", "gone.txt");
        var to = await client.CommitAsync("work", "binary", "\0\n");
        string[] paths = ["gone.txt", "moved.txt", "binary", "same.txt"];

        var maps = await Git.LineMapsAsync(from, to, paths, Ct);
        Assert.Equal([null, null, null, 1], paths.Select(p => maps[p].Of(1)));
        Assert.All(await Git.LineMapsAsync(new string('a', 40), to, paths, Ct), m => Assert.Null(m.Value.Of(1)));
        Assert.All(await Git.LineMapsAsync(to, to, paths, Ct), m => Assert.Equal((1, 7), m.Value.Of(1, 7)));
    }

    [Theory]
    [InlineData("a\nb\nc\n", 2, 2, "B", "a\nB\nc\n")]
    [InlineData("a\nb\nc\n", 2, 3, "B\nC\nD", "a\nB\nC\nD\n")]
    [InlineData("a\nb\nc\n", 2, 2, "B\n", "a\nB\nc\n")]
    [InlineData("a\nb\nc\n", 2, 2, "", "a\nc\n")]
    [InlineData("a\r\nb\r\n", 2, 2, "x\ny", "a\r\nx\r\ny\r\n")]
    [InlineData("a\r\nb\n", 2, 2, "x\r\ny", "a\r\nx\ny\n")]
    [InlineData("a\nb", 2, 2, "B\nC", "a\nB\nC")]
    [InlineData("a\n", 1, 1, "A", "A\n")]
    [InlineData("a\n", 2, 2, "A", null)]
    [InlineData("", 1, 1, "A", null)]
    [InlineData("a\nb\n", 1, 9, "A", null)]
    public void Lines_are_replaced_with_the_line_ends_that_they_had(string file, int first, int last, string text, string? expected) =>
        Assert.Equal(expected, LineEdit.Replace(Encoding.UTF8.GetBytes(file), first, last, text) is { } edited ? Encoding.UTF8.GetString(edited) : null);

    [Fact]
    public void Bytes_that_are_no_text_stay_as_they_are() =>
        Assert.Equal([0xFF, 0x0A, (byte)'x', 0x0A, 0xFE, 0x0A], LineEdit.Replace([0xFF, 0x0A, 0xE9, 0x0A, 0xFE, 0x0A], 2, 2, "x")!);

    [Fact]
    public async Task Asking_for_more_lines_until_there_are_none_shows_both_files_whole()
    {
        var random = new Random(8);
        await client.NewRepositoryAsync("work", "a.txt", "start\n");
        for (var round = 0; round < 15; round++)
        {
            var old = Enumerable.Range(0, random.Next(30, 150)).Select(n => $"{round} {n}").ToList();
            var now = old.SelectMany(l => random.Next(30) switch { 0 => [], 1 => ["changed " + l], 2 => [l, "more"], _ => (string[])[l] }).ToList();
            var from = await client.CommitAsync("work", "a.txt", string.Concat(old.Select(l => l + "\n")));
            var to = await client.CommitAsync("work", "a.txt", string.Concat(now.Select(l => l + "\n")) + "end\n");
            now.Add("end");
            var file = (await Git.DiffAsync(from, to, Ct)).Files.Single();
            var hunks = (await Git.DiffFileAsync(from, to, file, false, Ct))!;
            for (var steps = 0; steps < 100; steps++)
            {
                var at = Enumerable.Range(0, hunks.Count).FirstOrDefault(i => DiffContext.HiddenAbove(hunks, i) > 0, hunks.Count);
                if (at == hunks.Count && hunks[^1].Lines[^1].New == now.Count) break;
                hunks = DiffContext.More(hunks, at, now);
            }

            var shown = Assert.Single(hunks);
            Assert.Equal(old, shown.Lines.Where(l => l.Kind != DiffLineKind.Added).Select(l => l.Text));
            Assert.Equal(now, shown.Lines.Where(l => l.Kind != DiffLineKind.Removed).Select(l => l.Text));
            Assert.Equal(Enumerable.Range(1, old.Count), shown.Lines.Select(l => l.Old).OfType<int>());
            Assert.Equal(Enumerable.Range(1, now.Count), shown.Lines.Select(l => l.New).OfType<int>());
            Assert.Equal((1, old.Count, 1, now.Count), (shown.OldStart, shown.OldCount, shown.NewStart, shown.NewCount));
        }
    }
}
