using Krate.Core.Git;
using Krate.Tests.Testing;
using Xunit;

namespace Krate.Tests.Git;

public sealed class HistoryTests : IAsyncLifetime
{
    private readonly GitClient client = new();
    private GitRepository git = null!;
    private string head = "";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await client.NewRepositoryAsync("work", "a.txt", "one\ntwo\nthree\n");
        await client.CommitAsync("work", "docs/b.txt", "b\n", "Subject <b>of</b> \u202Eb\n\nFirst body line\n\nSecond \x1b[31mred");
        await client.RunAsync("work", "checkout", "--quiet", "-b", "side");
        await client.CommitAsync("work", "docs/deep/\"c d\" ü.txt", "c\r\nd", "Add c");
        await client.RunAsync("work", "checkout", "--quiet", "main");
        await client.CommitAsync("work", "a.txt", "one\nTWO\nthree\nfour", "Change a");
        await client.RunAsync("work", "merge", "--quiet", "--no-ff", "-m", "Merge side", "side");
        await client.RunAsync("work", "mv", "a.txt", "moved.txt");
        await client.RunAsync("work", "commit", "--quiet", "-m", "Move a");
        await client.RunAsync("work", "commit", "--quiet", "--allow-empty", "-m", "Nothing");
        git = new GitRepository(client.In("work", ".git"));
        head = (await git.FindCommitAsync("main", Ct))!;
    }

    public ValueTask DisposeAsync()
    {
        client.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task History_is_told_in_pages_and_by_path()
    {
        var first = await git.HistoryAsync(head, "", 0, 3, Ct);
        var rest = await git.HistoryAsync(head, "", 3, 30, Ct);
        Assert.Equal(["Nothing", "Move a", "Merge side"], first.Commits.Select(c => c.Subject));
        Assert.True(first.HasMore);
        Assert.Equal((4, false), (rest.Commits.Count, rest.HasMore));
        Assert.Equal(["Move a"], (await git.HistoryAsync(head, "moved.txt", 0, 30, Ct)).Commits.Select(c => c.Subject));
        Assert.Equal(["Add c"], (await git.HistoryAsync(head, "docs/deep/\"c d\" ü.txt", 0, 30, Ct)).Commits.Select(c => c.Subject));
        Assert.Empty((await git.HistoryAsync(head, "--all", 0, 30, Ct)).Commits);
        Assert.Equal(2, first.Commits[2].Parents.Count);
    }

    [Fact]
    public async Task A_commit_has_its_words_as_they_are()
    {
        var id = (await git.HistoryAsync(head, "docs/b.txt", 0, 1, Ct)).Commits[0].Id;
        var commit = (await git.FindCommitDetailAsync(id, Ct))!;
        Assert.Equal("Subject <b>of</b> \u202Eb", commit.Subject);
        Assert.Equal("First body line\n\nSecond \x1b[31mred", commit.Body);
        Assert.Equal(("Tester", "tester@krate.test"), (commit.Author.Name, commit.Author.Email));
        Assert.Null(await git.FindCommitDetailAsync(new string('0', 40), Ct));
    }

    [Fact]
    public async Task Each_entry_of_a_folder_has_its_last_commit()
    {
        var root = await git.LastCommitsAsync(head, "", Ct);
        Assert.Equal(("Move a", "Merge side"), (root.ByName["moved.txt"].Subject, root.ByName["docs"].Subject));
        var docs = await git.LastCommitsAsync(head, "docs", Ct);
        Assert.Equal(2, docs.ByName.Count);
        Assert.StartsWith("Subject", docs.ByName["b.txt"].Subject, StringComparison.Ordinal);
        Assert.Equal("Merge side", (await git.LastCommitsAsync(head, "docs/deep", Ct)).ByName["\"c d\" ü.txt"].Subject);
        Assert.Empty((await git.LastCommitsAsync(head, "nothing", Ct)).ByName);
    }

    [Fact]
    public async Task Blame_names_the_commit_of_each_line_through_renames()
    {
        var blame = (await git.BlameAsync(head, "moved.txt", Ct))!;
        Assert.Equal([(1, 1, "Change a.txt"), (2, 1, "Change a"), (3, 1, "Change a.txt"), (4, 1, "Change a")], blame.Select(g => (g.First, g.Count, g.Subject)));
        Assert.Equal("a.txt", blame[1].Before!.Value.Path);
        Assert.Null(blame[0].Before);
        Assert.Null(await git.BlameAsync(head, "nothing.txt", Ct));
    }
}
