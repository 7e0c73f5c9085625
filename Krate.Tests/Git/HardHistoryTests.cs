using System.Text;
using Krate.Core.Git;
using Krate.Tests.Testing;
using Xunit;

namespace Krate.Tests.Git;

/// <summary>Histories that people make to hide something, and those that just happen.</summary>
public sealed class HardHistoryTests : IDisposable
{
    private readonly GitClient client = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => client.Dispose();

    [Fact]
    public async Task Control_characters_in_a_message_hide_no_commit()
    {
        await client.NewRepositoryAsync("work");
        var hidden = await client.CommitAsync("work", "a.txt", "a\n", "Looks\x1e harmless\x1d\x1f\x01\n\nbody\x1e\x1d end");
        await client.CommitAsync("work", "b.txt", "b\n", "After");
        var git = Of("work");
        var head = (await git.FindCommitAsync("main", Ct))!;

        Assert.Equal(["After", "Looks\x1e harmless\x1d\x1f\x01", "Change README.md"], (await git.HistoryAsync(head, "", 0, 30, Ct)).Commits.Select(c => c.Subject));
        Assert.Equal(hidden, (await git.LastCommitsAsync(head, "", Ct)).ByName["a.txt"].Id);
        Assert.Equal("body\x1e\x1d end", (await git.FindCommitDetailAsync(hidden, Ct))!.Body);
    }

    [Theory]
    [InlineData("new\nline.txt")]
    [InlineData("quote\" \\back\\ \t tab.txt")]
    [InlineData("日本\u0001語 ü.txt")]
    [InlineData("-dash.txt")]
    [InlineData(":(glob)*.txt")]
    public async Task A_file_of_any_name_has_its_history_its_last_commit_and_its_blame(string name)
    {
        await client.NewRepositoryAsync("work");
        await client.CommitAsync("work", "d/" + name, "one\ntwo\nthree\n", "Add it");
        await client.RunAsync("work", "mv", "d/" + name, "d/moved.txt");
        await client.CommitAsync("work", "d/moved.txt", "one\nTWO\nthree\n", "Move and change it");
        var git = Of("work");
        var head = (await git.FindCommitAsync("main", Ct))!;
        var before = (await git.FindCommitAsync("main~1", Ct))!;

        Assert.Equal(["Add it"], (await git.HistoryAsync(before, "d/" + name, 0, 30, Ct)).Commits.Select(c => c.Subject));
        Assert.Equal(["Move and change it", "Add it"], (await git.HistoryAsync(head, "d/" + name, 0, 30, Ct)).Commits.Select(c => c.Subject));
        Assert.Equal("Add it", (await git.LastCommitsAsync(before, "d", Ct)).ByName[name].Subject);
        var changed = (await git.BlameAsync(head, "d/moved.txt", Ct))!.Single(g => g.First == 2);
        Assert.Equal((before, "d/" + name), changed.Before);
    }

    [Fact]
    public async Task Of_a_file_that_two_branches_changed_the_commit_that_won_is_the_last()
    {
        await client.NewRepositoryAsync("work", "a.txt", "base\n");
        await client.RunAsync("work", "checkout", "--quiet", "-b", "side");
        await client.RunAsync("work", "checkout", "--quiet", "main");
        var won = await CommitAtAsync("a.txt", "main\n", 1_700_000_000);
        await client.RunAsync("work", "checkout", "--quiet", "side");
        await CommitAtAsync("a.txt", "side, and later\n", 1_700_001_000);
        await client.RunAsync("work", "checkout", "--quiet", "main");
        await client.RunAsync("work", "merge", "--quiet", "--strategy=ours", "-m", "Keep ours", "side");
        var git = Of("work");

        Assert.Equal(won, (await git.LastCommitsAsync((await git.FindCommitAsync("main", Ct))!, "", Ct)).ByName["a.txt"].Id);
    }

    [Fact]
    public async Task Blame_counts_the_lines_of_a_file_without_a_last_line_end_and_with_carriage_returns()
    {
        await client.NewRepositoryAsync("work", "a.txt", "one\r\ntwo\r\n\r\nfour");
        await client.CommitAsync("work", "a.txt", "one\r\nTWO\r\n\r\nfour\r\nfive", "Change two and five");
        await client.CommitAsync("work", "empty.txt", "");
        var git = Of("work");
        var head = (await git.FindCommitAsync("main", Ct))!;

        Assert.Equal([(1, 1), (2, 1), (3, 1), (4, 2)], (await git.BlameAsync(head, "a.txt", Ct))!.Select(g => (g.First, g.Count)));
        Assert.Empty((await git.BlameAsync(head, "empty.txt", Ct))!);
    }

    [Fact]
    public async Task Bytes_that_are_no_text_and_times_that_are_no_times_are_still_a_commit()
    {
        await client.NewRepositoryAsync("work");
        var tree = await client.RunAsync("work", "rev-parse", "HEAD^{tree}");
        byte[] commit = [.. Encoding.ASCII.GetBytes($"tree {tree}\nauthor A"), 0xFF, .. Encoding.ASCII.GetBytes("B <x> 99999999999999 +9999\ncommitter C <c> 1700000000 +0000\n\nsub"), 0xFE, .. "ject\n"u8];
        await File.WriteAllBytesAsync(client.In("work", "raw"), commit, Ct);
        var id = await client.RunAsync("work", "hash-object", "--literally", "-t", "commit", "-w", "raw");

        var read = Assert.Single((await Of("work").HistoryAsync(id, "", 0, 30, Ct)).Commits);
        Assert.Equal(("A\uFFFDB", "sub\uFFFDject"), (read.Author.Name, read.Subject));
        Assert.Equal(DateTimeOffset.UnixEpoch, read.Author.Time);
        Assert.Equal(2023, read.Committer.Time.Year);
    }

    [Fact]
    public async Task A_repository_without_commits_and_a_path_out_of_the_tree_have_no_history()
    {
        await client.RunAsync(".", "init", "--quiet", "--bare", "-b", "main", "none.git");
        Assert.Null(await Of("none.git").ResolveAsync("main", Ct));
        Assert.Null(await Of("none.git").FindCommitDetailAsync("main", Ct));
        await client.NewRepositoryAsync("work");
        var git = Of("work");
        var head = (await git.FindCommitAsync("main", Ct))!;
        Assert.Empty((await git.HistoryAsync(head, "../x", 0, 30, Ct)).Commits);
        Assert.Empty((await git.HistoryAsync(head, "", 5, 30, Ct)).Commits);
        Assert.Empty((await git.LastCommitsAsync(head, "..", Ct)).ByName);
    }

    private GitRepository Of(string folder) => new(folder.EndsWith(".git", StringComparison.Ordinal) ? client.In(folder) : client.In(folder, ".git"));

    private async Task<string> CommitAtAsync(string file, string content, long time)
    {
        await File.WriteAllTextAsync(client.In("work", file), content, Ct);
        await client.RunAsync("work", "add", "--all");
        var tree = await client.RunAsync("work", "write-tree");
        var parent = await client.RunAsync("work", "rev-parse", "HEAD");
        await File.WriteAllTextAsync(client.In("work", ".git", "raw"), $"tree {tree}\nparent {parent}\nauthor T <t> {time} +0000\ncommitter T <t> {time} +0000\n\nChange it\n", Ct);
        var id = await client.RunAsync("work", "hash-object", "-t", "commit", "-w", ".git/raw");
        await client.RunAsync("work", "reset", "--quiet", "--hard", id);
        return id;
    }
}
