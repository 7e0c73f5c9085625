using System.Text;
using Krate.Core.Git;
using Krate.Tests.Testing;
using Xunit;

namespace Krate.Tests.Git;

public sealed class DiffTests : IDisposable
{
    private readonly GitClient client = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private GitRepository Git => new(client.In("work", ".git"));

    public void Dispose() => client.Dispose();

    [Fact]
    public async Task Every_kind_of_change_is_told_with_its_paths_modes_and_counts()
    {
        var from = await StartAsync();
        await client.RunAsync("work", "mv", "old name.txt", "new \"name\" ü.txt");
        File.SetUnixFileMode(client.In("work", "run.sh"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        await File.WriteAllBytesAsync(client.In("work", "bin.dat"), [0, 9, 9], Ct);
        File.Delete(client.In("work", "gone.txt"));
        File.Delete(client.In("work", "to-link"));
        File.CreateSymbolicLink(client.In("work", "to-link"), "run.sh");
        await client.RunAsync("work", "update-index", "--add", "--cacheinfo", $"160000,{new string('a', 40)},sub");
        Directory.CreateDirectory(client.In("work", "sub"));
        var to = await client.CommitAsync("work", "line\nbreak.txt", "a\nb\n");

        var diff = await Git.DiffAsync(from, to, Ct);
        DiffFile Of(string path) => diff.Files.Single(f => f.Path == path);
        Assert.Equal((DiffStatus.Renamed, "old name.txt", 0, 0), (Of("new \"name\" ü.txt").Status, Of("new \"name\" ü.txt").OldPath, Of("new \"name\" ü.txt").Added, Of("new \"name\" ü.txt").Removed));
        Assert.True(Of("run.sh").ModeChanged);
        Assert.True(Of("bin.dat").IsBinary);
        Assert.Equal((DiffStatus.Deleted, 2), (Of("gone.txt").Status, Of("gone.txt").Removed));
        Assert.Equal((DiffStatus.TypeChanged, true), (Of("to-link").Status, Of("to-link").IsSymlink));
        Assert.True(Of("sub").IsSubmodule);
        Assert.Equal((DiffStatus.Added, 2), (Of("line\nbreak.txt").Status, Of("line\nbreak.txt").Added));
        Assert.Equal(["a", "b"], (await Git.DiffFileAsync(from, to, Of("line\nbreak.txt"), false, Ct))!.Single().Lines.Select(l => l.Text));
        Assert.Empty((await Git.DiffFileAsync(from, to, Of("bin.dat"), false, Ct))!);
        Assert.Equal(5, (await Git.DiffAsync(GitRepository.EmptyTree, from, Ct)).Files.Count);
        Assert.Empty((await Git.DiffAsync(from, from, Ct)).Files);
    }

    [Fact]
    public async Task Lines_that_look_like_headers_are_lines()
    {
        await client.NewRepositoryAsync("work", "a.txt", "-- old\n@@ -1 +1 @@\n\\ No newline\nend");
        var from = await client.RunAsync("work", "rev-parse", "HEAD");
        var to = await client.CommitAsync("work", "a.txt", "++ new\n@@ -1 +1 @@\n\\ No newline\nend\n");
        var hunk = (await HunksAsync(from, to)).Single();
        Assert.Equal(["-- old", "++ new", "@@ -1 +1 @@", "\\ No newline", "end", "end"], hunk.Lines.Select(l => l.Text));
        Assert.Equal([true, true, true, true, false, true], hunk.Lines.Select(l => l.HasEnd));
    }

    [Fact]
    public async Task Applying_the_hunks_to_the_old_text_gives_the_new_one()
    {
        await client.NewRepositoryAsync("work", "a.txt", "");
        var from = await client.RunAsync("work", "rev-parse", "HEAD");
        var random = new Random(3);
        var old = "";
        for (var round = 0; round < 25; round++)
        {
            var next = Edited(random, old);
            if (next == old) continue;
            var to = await client.CommitAsync("work", "a.txt", next);
            Assert.Equal(next, Apply(old, await HunksAsync(from, to)));
            (from, old) = (to, next);
        }
    }

    private static string Edited(Random random, string text)
    {
        var lines = text.Split('\n').ToList();
        for (var i = 0; i < random.Next(1, 8); i++)
        {
            var at = random.Next(lines.Count + 1);
            if (random.Next(3) == 0 && at < lines.Count) lines.RemoveAt(at);
            else lines.Insert(at, new string("ab \t+-@\\"[random.Next(8)], random.Next(4)) + (random.Next(5) == 0 ? "\r" : ""));
        }

        return string.Join('\n', lines);
    }

    /// <summary>What the old text becomes.</summary>
    internal static string Apply(string old, IReadOnlyList<DiffHunk> hunks)
    {
        var lines = old.Split('\n').Select(l => l + "\n").ToList();
        lines[^1] = lines[^1][..^1];
        if (lines[^1].Length == 0) lines.RemoveAt(lines.Count - 1);
        var result = new StringBuilder();
        var at = 0;
        foreach (var hunk in hunks)
        {
            // A hunk that removes nothing names the line before it.
            var start = hunk.OldCount == 0 ? hunk.OldStart : hunk.OldStart - 1;
            while (at < start) result.Append(lines[at++]);
            foreach (var line in hunk.Lines)
            {
                if (line.Kind != DiffLineKind.Added) Assert.Equal(lines[at++], line.Text + (line.HasEnd ? "\n" : ""));
                if (line.Kind != DiffLineKind.Removed) result.Append(line.Text).Append(line.HasEnd ? "\n" : "");
            }
        }

        while (at < lines.Count) result.Append(lines[at++]);
        return result.ToString();
    }

    private async Task<IReadOnlyList<DiffHunk>> HunksAsync(string from, string to) =>
        (await Git.DiffFileAsync(from, to, (await Git.DiffAsync(from, to, Ct)).Files.Single(), false, Ct))!;

    private async Task<string> StartAsync()
    {
        await client.NewRepositoryAsync("work", "old name.txt", "1\n2\n3\n");
        await File.WriteAllTextAsync(client.In("work", "gone.txt"), "1\n2\n", Ct);
        await File.WriteAllBytesAsync(client.In("work", "bin.dat"), [0, 1, 2], Ct);
        await File.WriteAllTextAsync(client.In("work", "to-link"), "text\n", Ct);
        return await client.CommitAsync("work", "run.sh", "#!/bin/sh\n");
    }
}
