using System.Text;
using Krate.Core.Git;
using Krate.Core.Repositories;
using Krate.Tests.Testing;
using Xunit;

namespace Krate.Tests.Git;

public sealed class MergeTests : IDisposable
{
    private static readonly DateTimeOffset Noon = new(2026, 5, 4, 12, 0, 0, TimeSpan.FromHours(-3.5));
    private static readonly GitPerson Ann = new("Ann Author", "ann@krate.test", Noon);
    private static readonly GitPerson Cora = new("Cora Committer", "cora@krate.test", Noon.AddMinutes(1));
    private readonly GitClient client = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => client.Dispose();

    [Fact]
    public async Task Merge_squash_and_rebase_come_to_what_git_comes_to_in_a_work_tree()
    {
        const int histories = 200;
        var seen = new List<string>();
        await client.RunAsync(".", "init", "--quiet", "--bare", "many.git");
        await client.FeedAsync("many.git", Enumerable.Range(0, histories).Select(seed => new RandomHistory(seed).Script), "fast-import", "--quiet");
        var heads = (await client.RunAsync("many.git", "for-each-ref", "--format=%(refname:lstrip=2) %(objectname) %(tree)")).Split('\n').Select(l => l.Split(' ')).ToDictionary(l => l[0], l => (Id: l[1], Tree: l[2]), StringComparer.Ordinal);
        await Parallel.ForEachAsync(Enumerable.Range(0, 2), new ParallelOptions { MaxDegreeOfParallelism = 2, CancellationToken = Ct }, async (worker, ct) =>
        {
            await using var work = await RealGit.CloneAsync(client, "many.git", $"work{worker}");
            for (var seed = worker; seed < histories; seed += 2)
            {
                var (target, source) = (heads[$"{seed}/target"], heads[$"{seed}/source"]);
                var (real, ours) = (await work.AllAsync(target.Id, target.Tree, source.Id), await AllAsync("many.git", target.Id, source.Id));
                Assert.True(real == ours, $"history {seed} ({target.Id} {source.Id}):\ngit   {real}\nKrate {ours}");
                lock (seen) seen.Add(real);
            }
        });
        // The histories are of all sorts.
        foreach (var what in (string[])["merge tree", "merge conflict", "squash tree", "squash conflict", "rebase tree", "rebase conflict"]) Assert.True(seen.Count(s => s.Contains(what, StringComparison.Ordinal)) > 50, what);
        foreach (var what in (string[])["merge unrelated", "rebase nothing", "merge nothing"]) Assert.Contains(seen, s => s.Contains(what, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_merge_has_both_parents_and_says_who_made_it_and_a_squash_has_one()
    {
        var (git, target, source) = await TwoBranchesAsync();
        var merged = await git.MergeAsync(new(target, source, MergeMethod.Merge, "Merge side\r\n\r\nBecause.\r\n\n", Ann, Cora), Ct);
        var squashed = await git.MergeAsync(new(target, source, MergeMethod.Squash, "Squash side", Ann, Cora), Ct);

        Assert.Equal(
            $"tree {await client.RunAsync("work", "rev-parse", merged.Commit + "^{tree}")}\nparent {target}\nparent {source}\n" +
            "author Ann Author <ann@krate.test> 1777908600 -0330\ncommitter Cora Committer <cora@krate.test> 1777908660 -0330\n\nMerge side\n\nBecause.",
            await client.RunAsync("work", "cat-file", "commit", merged.Commit!));
        Assert.Equal([target], (await git.FindCommitDetailAsync(squashed.Commit!, Ct))!.Parents);
        Assert.Equal("", await client.RunAsync("work", "diff", merged.Commit!, squashed.Commit!));
        Assert.Equal(target, await client.RunAsync("work", "rev-parse", "main"));
        await client.RunAsync("work", "fsck", "--strict", "--no-dangling");
    }

    [Fact]
    public async Task A_preview_names_the_files_in_conflict_and_leaves_the_object_store_as_it_was()
    {
        var (git, target, source) = await TwoBranchesAsync();
        var other = await ConflictingAsync(target);
        var before = Objects("work");

        Assert.Equal((true, 0), ((await git.PreviewMergeAsync(target, source, Ct)).IsClean, (await git.PreviewMergeAsync(target, source, Ct)).Conflicts.Count));
        var preview = await git.PreviewMergeAsync(other, source, Ct);
        Assert.False(preview.IsClean);
        Assert.Equal(["ü side.txt"], preview.Conflicts);
        Assert.Equal(before, Objects("work"));
        Assert.Equal(preview.Conflicts, (await git.MergeAsync(new(other, source, MergeMethod.Merge, "m", Ann, Cora), Ct)).Conflicts);
    }

    [Fact]
    public async Task No_more_than_a_hundred_conflicts_are_named()
    {
        await client.RunAsync(".", "init", "--quiet", "--bare", "many.git");
        await client.FeedAsync("many.git", [Commit("base", "0"), Commit("one", "1", "refs/heads/base"), Commit("two", "2", "refs/heads/base")], "fast-import", "--quiet");
        var git = new GitRepository(client.In("many.git"));
        Assert.Equal(100, (await git.PreviewMergeAsync(await IdAsync("many.git", "one"), await IdAsync("many.git", "two"), Ct)).Conflicts.Count);

        static string Commit(string branch, string content, string? from = null) =>
            $"commit refs/heads/{branch}\ncommitter T <t@t> 1700000000 +0000\ndata 1\nm\n{(from is null ? "" : $"from {from}\n")}" + string.Concat(Enumerable.Range(0, 150).Select(i => $"M 100644 inline f{i}\ndata 1\n{content}\n")) + "\n";
    }

    [Fact]
    public async Task Histories_that_have_nothing_in_common_can_only_be_rebased_their_first_commit_included()
    {
        await client.NewRepositoryAsync("work", "a.txt", "a\n");
        var target = await IdAsync("work", "main");
        await client.RunAsync("work", "checkout", "--quiet", "--orphan", "other");
        await client.RunAsync("work", "rm", "--quiet", "-rf", ".");
        await client.CommitAsync("work", "b.txt", "b\n", "First b");
        var source = await client.CommitAsync("work", "b.txt", "b\nb\n", "Second b");
        await client.RunAsync("work", "checkout", "--quiet", "--orphan", "third");
        var clashing = await client.CommitAsync("work", "a.txt", "no\n", "Clash");
        var git = new GitRepository(client.In("work", ".git"));

        Assert.Equal((false, true), ((await git.PreviewMergeAsync(target, source, Ct)).IsClean, (await git.PreviewMergeAsync(target, source, Ct)).IsUnrelated));
        Assert.Equal(MergeOutcome.Unrelated, (await git.MergeAsync(new(target, source, MergeMethod.Merge, "m", Ann, Cora), Ct)).Outcome);
        var rebased = await git.MergeAsync(new(target, source, MergeMethod.Rebase, "", Ann, Cora), Ct);
        Assert.Equal(["Second b", "First b", "Change a.txt"], (await git.HistoryAsync(rebased.Commit!, "", 0, 9, Ct)).Commits.Select(c => c.Subject));
        Assert.Equal(["a.txt", "b.txt"], (await git.ListPathsAsync(rebased.Commit!, Ct)).Paths);
        var conflict = await git.MergeAsync(new(target, clashing, MergeMethod.Rebase, "", Ann, Cora), Ct);
        Assert.Equal((MergeOutcome.Conflict, clashing), (conflict.Outcome, conflict.ConflictingCommit));
        Assert.Equal(["a.txt"], conflict.Conflicts);
    }

    [Fact]
    public async Task A_rebased_commit_keeps_author_message_and_encoding_byte_for_byte_but_no_signature()
    {
        var (git, target, _) = await TwoBranchesAsync();
        var tree = await client.RunAsync("work", "rev-parse", "side^{tree}");
        var parent = await client.RunAsync("work", "rev-parse", "side~1");
        byte[] author = [.. "author J"u8, 0xFC, .. "rgen <j@krate.test> 1234567890 +0945\n"u8];
        byte[] end = [.. "encoding ISO-8859-1\n"u8];
        byte[] message = [.. "\n\n  Gr"u8, 0xFC, 0xDF, .. "e  \r\n\n# no comment\n\n\n"u8];
        byte[] commit = [.. Encoding.ASCII.GetBytes($"tree {tree}\nparent {parent}\n"), .. author, .. "committer C <c@c> 1700000000 +0000\n"u8, .. end, .. "gpgsig -----BEGIN\n author X\n -----END\nextra yes\n"u8, .. message];
        await File.WriteAllBytesAsync(client.In("work", "raw"), commit, Ct);
        var source = await client.RunAsync("work", "hash-object", "--literally", "-t", "commit", "-w", "raw");

        var rebased = (await git.MergeAsync(new(target, source, MergeMethod.Rebase, "", Ann, Cora), Ct)).Commit!;
        var raw = (await git.RunAsync(["cat-file", "commit", rebased], Ct)).Bytes;
        byte[] expected = [.. Encoding.ASCII.GetBytes($"tree {await client.RunAsync("work", "rev-parse", rebased + "^{tree}")}\nparent {target}\n"), .. author, .. "committer Cora Committer <cora@krate.test> 1777908660 -0330\n"u8, .. end, .. message];
        Assert.Equal(expected, raw);
    }

    [Fact]
    public async Task A_rebase_leaves_out_what_the_target_has_but_no_commit_that_was_meant_to_be_empty()
    {
        var (git, target, source) = await TwoBranchesAsync();
        await client.RunAsync("work", "cherry-pick", source);
        await client.RunAsync("work", "commit", "--quiet", "--allow-empty", "-m", "Nothing on main");
        var main = await client.CommitAsync("work", "new.txt", "1\n2\n", "All of new");
        Assert.Equal(MergeOutcome.NothingToMerge, (await git.MergeAsync(new(main, source, MergeMethod.Rebase, "", Ann, Cora), Ct)).Outcome);
        Assert.Equal(MergeOutcome.NothingToMerge, (await git.MergeAsync(new(main, source, MergeMethod.Squash, "m", Ann, Cora), Ct)).Outcome);
        Assert.Equal(MergeOutcome.NothingToMerge, (await git.MergeAsync(new(main, target, MergeMethod.Merge, "m", Ann, Cora), Ct)).Outcome);

        await client.RunAsync("work", "checkout", "--quiet", "side");
        await client.RunAsync("work", "commit", "--quiet", "--allow-empty", "-m", "Nothing on side");
        await client.CommitAsync("work", "new.txt", "1\n", "Half of new");
        await client.CommitAsync("work", "new.txt", "1\n2\n", "Other half of new");
        var side = await client.CommitAsync("work", "last.txt", "last\n", "Last");
        Assert.Equal(MergeOutcome.Conflict, (await git.MergeAsync(new(main, side, MergeMethod.Rebase, "", Ann, Cora), Ct)).Outcome);
        await client.RunAsync("work", "rebase", "--quiet", "--onto", "side~3", "side~1", "side");
        await client.RunAsync("work", "cherry-pick", "--strategy-option=theirs", main);
        await client.RunAsync("work", "commit", "--quiet", "--amend", "-m", "Same as new");
        var rebased = await git.MergeAsync(new(main, await IdAsync("work", "side"), MergeMethod.Rebase, "", Ann, Cora), Ct);
        Assert.Equal(["Last", "Nothing on side"], (await git.CommitsBetweenAsync(main, rebased.Commit!, 9, Ct)).Commits.Select(c => c.Subject));
    }

    [Theory]
    [InlineData("* merge=union", "")]
    [InlineData("", "* merge=union")]
    [InlineData("* -merge", "ü.txt merge=union")]
    [InlineData("[attr]both merge=union\n*.txt both", "")]
    public async Task The_attributes_of_the_target_say_how_files_are_merged(string root, string folder)
    {
        await client.NewRepositoryAsync("work", "in/ü.txt", "1\n");
        await client.RunAsync("work", "branch", "side");
        await client.CommitAsync("work", ".gitattributes", root + "\n");
        await client.CommitAsync("work", "in/.gitattributes", folder + "\n");
        var target = await client.CommitAsync("work", "in/ü.txt", "1\nmain\n");
        await client.RunAsync("work", "checkout", "--quiet", "side");
        var source = await client.CommitAsync("work", "in/ü.txt", "1\nside\n");
        var git = new GitRepository(client.In("work", ".git"));
        foreach (var method in Enum.GetValues<MergeMethod>())
        {
            var made = (await git.MergeAsync(new(target, source, method, "m", Ann, Cora), Ct)).Commit!;
            Assert.Equal("1\nmain\nside", await client.RunAsync("work", "show", made + ":in/ü.txt"));
        }

        Assert.True((await git.PreviewMergeAsync(target, source, Ct)).IsClean);
        Assert.False((await git.PreviewMergeAsync(source, target, Ct)).IsClean);
    }

    [Fact]
    public async Task A_rebase_of_more_than_a_thousand_commits_is_refused()
    {
        await client.RunAsync(".", "init", "--quiet", "--bare", "long.git");
        await client.FeedAsync("long.git", Enumerable.Range(0, 1_002).Select(i => $"commit refs/heads/main\ncommitter T <t@t> 1700000000 +0000\ndata 1\nm\nM 100644 inline a\ndata 5\n{i,4}\n\n"), "fast-import", "--quiet");
        var (first, last) = (await IdAsync("long.git", "main~1001"), await IdAsync("long.git", "main"));
        var refusal = await Assert.ThrowsAsync<ArgumentException>(() => new GitRepository(client.In("long.git")).MergeAsync(new(first, last, MergeMethod.Rebase, "", Ann, Cora), Ct));
        Assert.Contains("at most 1000 commits, and this one has 1001", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Only_full_ids_of_commits_are_merged()
    {
        var (git, target, source) = await TwoBranchesAsync();
        await client.RunAsync("work", "tag", "-a", "-m", "t", "v1");
        foreach (var wrong in (string[])["main", "--all", target[..10], await IdAsync("work", "v1^{tag}"), await IdAsync("work", "main^{tree}"), new string('1', 40)])
        {
            await Assert.ThrowsAsync<ArgumentException>(() => git.PreviewMergeAsync(target, wrong, Ct));
            foreach (var method in Enum.GetValues<MergeMethod>()) await Assert.ThrowsAsync<ArgumentException>(() => git.MergeAsync(new(wrong, source, method, "m", Ann, Cora), Ct));
            await Assert.ThrowsAsync<ArgumentException>(() => git.CommitFilesAsync(wrong, [], "m", Ann, Cora, Noon, Ct));
        }
    }

    [Theory]
    [InlineData("Ann <Admin> O'Neil")]
    [InlineData(" .,:;<>\"\\' Ann ü 日本. ,:;<>\"\\'\t")]
    [InlineData("A\nnn\ncommitter Eve <eve@eve> 1 +0000")]
    [InlineData("a")]
    public async Task Names_are_cleaned_as_git_cleans_them(string name)
    {
        var (git, target, source) = await TwoBranchesAsync();
        var ours = (await git.MergeAsync(new(target, source, MergeMethod.Squash, "m", Ann with { Name = name, Email = name }, Cora), Ct)).Commit!;
        // git takes the name from its configuration just as it does from anywhere else.
        var tree = await client.RunAsync("work", "rev-parse", ours + "^{tree}");
        var real = await client.RunAsync("work", "-c", "user.name=" + name, "-c", "user.email=" + name, "commit-tree", tree, "-m", "m");
        Assert.Equal(await client.RunAsync("work", "log", "-1", "--format=%an|%ae", real), await client.RunAsync("work", "log", "-1", "--format=%an|%ae", ours));
        await client.RunAsync("work", "fsck", "--strict", "--no-dangling");
    }

    [Fact]
    public async Task Changed_files_keep_their_modes_and_new_ones_are_ordinary()
    {
        await client.NewRepositoryAsync("work", "run.sh", "#!/bin/sh\n");
        File.CreateSymbolicLink(client.In("work", "link"), "run.sh");
        await client.RunAsync("work", "update-index", "--chmod=+x", "run.sh");
        File.SetUnixFileMode(client.In("work", "run.sh"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var parent = await client.CommitAsync("work", "src/keep.txt", "keep\n");
        var git = new GitRepository(client.In("work", ".git"));

        byte[] odd = [.. "\r\n"u8, 0xFF, 0];
        var id = await git.CommitFilesAsync(parent, [new("run.sh", "echo\n"u8.ToArray()), new("link", "src"u8.ToArray()), new("src/new/ü \"file\".txt", odd)], "Apply\r\n\r\nfrom review", Ann, Cora, Noon.AddDays(1), Ct);
        var commit = (await git.FindCommitDetailAsync(id, Ct))!;
        Assert.Equal((parent, "Apply", "from review", Noon.AddDays(1), Noon.AddDays(1)), (Assert.Single(commit.Parents), commit.Subject, commit.Body, commit.Author.Time, commit.Committer.Time));
        Assert.Equal(["120000 link", "100755 run.sh", "100644 src/keep.txt", "100644 src/new/ü \"file\".txt"], (await client.RunAsync("work", "ls-tree", "-r", "-z", id)).Split('\0', StringSplitOptions.RemoveEmptyEntries).Select(l => l[..7] + l.Split('\t')[1]).OrderBy(l => l[7..], StringComparer.Ordinal));
        Assert.Equal(odd, await git.ReadBlobAsync((await git.FindEntryAsync(id, "src/new/ü \"file\".txt", Ct))!.Id, 100, Ct));
        Assert.Equal("", await client.RunAsync("work", "status", "--porcelain"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("/a")]
    [InlineData("a//b")]
    [InlineData("../a")]
    [InlineData(".git/config")]
    [InlineData("a\nb")]
    [InlineData("a\0b")]
    [InlineData("src")]
    [InlineData("README.md/below")]
    [InlineData("src/a.txt/below/that")]
    public async Task A_path_that_cannot_be_a_file_is_refused(string path)
    {
        await client.NewRepositoryAsync("work");
        var parent = await client.CommitAsync("work", "src/a.txt", "a\n");
        var git = new GitRepository(client.In("work", ".git"));
        await Assert.ThrowsAsync<ArgumentException>(() => git.CommitFilesAsync(parent, [new(path, [])], "m", Ann, Cora, Noon, Ct));
        await Assert.ThrowsAsync<ArgumentException>(() => git.CommitFilesAsync(parent, [new("x", []), new("x/y", [])], "m", Ann, Cora, Noon, Ct));
        await Assert.ThrowsAsync<ArgumentException>(() => git.CommitFilesAsync(parent, [new("x", []), new("x", [])], "m", Ann, Cora, Noon, Ct));
    }

    [Fact]
    public async Task Of_eight_who_move_a_ref_at_once_one_does_and_the_log_names_them()
    {
        var (git, target, source) = await TwoBranchesAsync();
        RefLedger.Prepare(git.Directory);
        var ledger = new RefLedger(git);
        var (_, page) = await ledger.SinceAsync(new Dictionary<string, KnownRef>(), Ct);
        var news = new string[8];
        for (var i = 0; i < news.Length; i++) news[i] = await git.CommitFilesAsync(target, [new("n", [(byte)i])], $"n{i}", Ann, Cora, Noon, Ct);

        var moved = await Task.WhenAll(news.Select((id, i) => Task.Run(() => git.TryUpdateRefAsync("refs/heads/main", id, target, $"merge: n{i}\nand more", new($"user{i}", $"01h{i}{RefLedger.PushMailDomain}", Noon), Ct))));
        var winner = Assert.Single(Enumerable.Range(0, 8), i => moved[i]);
        Assert.Equal(news[winner], await IdAsync("work", "main"));
        var update = Assert.Single((await ledger.SinceAsync(page, Ct)).Updates);
        Assert.Equal((new RefUpdate("refs/heads/main", target, news[winner]), $"user{winner}", $"01h{winner}"), (update.Update, update.User, update.PushId));
        Assert.EndsWith($"> 1777908600 -0330\tmerge: n{winner} and more", (await File.ReadAllLinesAsync(client.In("work", ".git", "logs", "refs", "heads", "main"), Ct))[^1], StringComparison.Ordinal);
        Assert.False(await git.TryUpdateRefAsync("refs/heads/gone", source, target, "m", Ann, Ct));
        Assert.True(await git.TryUpdateRefAsync("refs/heads/new", source, RefUpdate.None, "m", Ann, Ct));
        Assert.False(await git.TryUpdateRefAsync("refs/heads/new", target, RefUpdate.None, "m", Ann, Ct));
    }

    [Fact]
    public async Task A_ref_that_is_where_it_was_and_cannot_be_moved_is_an_error()
    {
        var (git, target, source) = await TwoBranchesAsync();
        await Assert.ThrowsAsync<GitException>(() => git.TryUpdateRefAsync("refs/heads/main", new string('1', 40), target, "m", Ann, Ct));
        await Assert.ThrowsAsync<GitException>(() => git.TryUpdateRefAsync("refs/heads/main/below", source, RefUpdate.None, "m", Ann, Ct));
        await File.WriteAllTextAsync(client.In("work", ".git", "refs", "heads", "main.lock"), "", Ct);
        await Assert.ThrowsAsync<GitException>(() => git.TryUpdateRefAsync("refs/heads/main", source, target, "m", Ann, Ct));
        foreach (var name in (string[])["main", "HEAD", "--stdin", "refs/heads/a\nb", "refs/heads/a\0b"])
            await Assert.ThrowsAsync<ArgumentException>(() => git.TryUpdateRefAsync(name, source, target, "m", Ann, Ct));
        await Assert.ThrowsAsync<ArgumentException>(() => git.TryUpdateRefAsync("refs/heads/main", RefUpdate.None, target, "m", Ann, Ct));
        await Assert.ThrowsAsync<ArgumentException>(() => git.TryUpdateRefAsync("refs/heads/main", source, target, "m", Ann with { Name = " <>." }, Ct));
        Assert.Equal(target, await IdAsync("work", "main"));
    }

    /// <summary>All methods on the bare repository, in the words of <see cref="RealGit.AllAsync"/>.</summary>
    private async Task<string> AllAsync(string folder, string target, string source)
    {
        var git = new GitRepository(client.In(folder));
        var (merge, squash, rebase) = (await MergeAsync(MergeMethod.Merge), await MergeAsync(MergeMethod.Squash), await MergeAsync(MergeMethod.Rebase));
        var trees = (await client.RunAsync(folder, ["rev-parse", .. new[] { merge.Commit, squash.Commit }.OfType<string>().Select(c => c + "^{tree}")])).Split('\n');
        var commits = rebase.Commit is null ? "" : await client.RunAsync(folder, "log", "--format=%T %s", $"{target}..{rebase.Commit}");
        return $"merge {Words(merge, trees[0])}\nsquash {Words(squash, trees[^1])}\nrebase {Words(rebase, commits.Trim())}";

        Task<MergeResult> MergeAsync(MergeMethod method) => git.MergeAsync(new(target, source, method, "m", Ann, Cora), Ct);
    }

    private static string Words(MergeResult result, string trees) => result.Outcome switch
    {
        MergeOutcome.Merged => "tree " + trees,
        MergeOutcome.Conflict => $"conflict {result.ConflictingCommit}".Trim(),
        MergeOutcome.NothingToMerge => "nothing",
        _ => "unrelated",
    };

    /// <summary>Two branches that both changed one file, at different places, and a name that is no ASCII.</summary>
    private async Task<(GitRepository Git, string Target, string Source)> TwoBranchesAsync()
    {
        await client.NewRepositoryAsync("work", "ü side.txt", "1\n2\n3\n4\n5\n6\n7\n");
        await client.RunAsync("work", "branch", "side");
        var target = await client.CommitAsync("work", "ü side.txt", "one\n2\n3\n4\n5\n6\n7\n");
        await client.RunAsync("work", "checkout", "--quiet", "side");
        var source = await client.CommitAsync("work", "ü side.txt", "1\n2\n3\n4\n5\n6\nseven\n");
        await client.RunAsync("work", "checkout", "--quiet", "main");
        return (new(client.In("work", ".git")), target, source);
    }

    private async Task<string> ConflictingAsync(string target)
    {
        await client.RunAsync("work", "checkout", "--quiet", "--detach", target);
        var other = await client.CommitAsync("work", "ü side.txt", "one\n2\n3\n4\n5\n6\nSIEBEN\n");
        await client.RunAsync("work", "checkout", "--quiet", "main");
        return other;
    }

    private Task<string> IdAsync(string folder, string revision) => client.RunAsync(folder, "rev-parse", revision);

    private string[] Objects(string folder) => [.. Directory.EnumerateFiles(client.In(folder, ".git", "objects"), "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];
}
