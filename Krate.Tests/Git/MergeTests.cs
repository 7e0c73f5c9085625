using System.Globalization;
using System.Text;
using Krate.Core.Git;
using Krate.Tests.Testing;
using Xunit;

namespace Krate.Tests.Git;

/// <summary>Merging without a work tree ends where the real git ends that has one.</summary>
public sealed class MergeTests : IDisposable
{
    private const int Histories = 200;
    private static readonly string[] Paths = ["a.txt", "b.txt", "src/c.go", "src/deep/d.go", "ünï côde.md", "bin/run.sh"];
    private readonly GitClient git = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private static GitPerson Mira => new("Mira <Holm>", "mira@acme.example", new DateTimeOffset(2026, 5, 1, 12, 0, 0, TimeSpan.FromHours(2)));

    public void Dispose() => git.Dispose();

    [Fact]
    public async Task Two_hundred_random_histories_merge_squash_and_rebase_to_what_git_makes_of_them()
    {
        await git.RunAsync(".", "init", "--quiet", "--bare", "many.git");
        await git.FeedAsync("many.git", Enumerable.Range(0, Histories).SelectMany(n => RandomHistory.Of(n, Paths)), "fast-import", "--quiet");
        var bare = new GitRepository(git.In("many.git"));
        await git.RunAsync(".", "clone", "--quiet", "--no-checkout", git.In("many.git"), "work");
        var wrong = new List<string>();
        var conflicts = 0;
        for (var n = 0; n < Histories; n++)
        {
            var (ours, theirs) = ((await bare.FindRefAsync($"refs/heads/{n}/ours", Ct))!, (await bare.FindRefAsync($"refs/heads/{n}/theirs", Ct))!);
            // Each history shows one of the methods; all three of them are shown by many.
            var method = (MergeMethod)(n % 3);
            var (tree, count) = await WithGitAsync(method, ours, theirs);
            var result = await bare.MergeAsync(new(ours, theirs, method, "Merge\n", Mira), Ct);
            if (method == MergeMethod.Merge && result.Problem is null or "there are conflicts" && (await bare.PreviewMergeAsync(ours, theirs, Ct)).IsClean != (result.Commit is not null)) wrong.Add($"{n}: the preview says other than the merge");
            if (tree is null) conflicts++;
            var made = result.Commit is null ? result.Problem!.Contains("already", StringComparison.Ordinal) ? await TreeAsync(ours) : null : await TreeAsync(result.Commit);
            if (made != tree) wrong.Add($"{n} {method}: {made ?? "conflict"}, git: {tree ?? "conflict"}");
            else if (tree is not null && result.Commit is { } commit && method == MergeMethod.Rebase && await CountAsync($"{ours}..{commit}") != count) wrong.Add($"{n}: {await CountAsync($"{ours}..{commit}")} commits, git: {count}");
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
        Assert.InRange(conflicts, 10, Histories - 60);
    }

    [Fact]
    public async Task A_preview_leaves_nothing_behind_and_names_what_conflicts()
    {
        var (bare, target, source) = await ConflictAsync();
        var before = Directory.EnumerateFiles(git.In("work", ".git", "objects"), "*", SearchOption.AllDirectories).Count();

        var preview = await bare.PreviewMergeAsync(target, source, Ct);

        Assert.False(preview.IsClean);
        Assert.Equal(["a.txt"], preview.Conflicts);
        Assert.Equal(before, Directory.EnumerateFiles(git.In("work", ".git", "objects"), "*", SearchOption.AllDirectories).Count());
        Assert.Equal(("there are conflicts", null), ((await bare.MergeAsync(new(target, source, MergeMethod.Squash, "x", Mira), Ct)).Problem, (await bare.MergeAsync(new(target, source, MergeMethod.Merge, "x", Mira), Ct)).Commit));
        Assert.Equal("the target has all of it already", (await bare.MergeAsync(new(target, target, MergeMethod.Merge, "x", Mira), Ct)).Problem);
    }

    [Fact]
    public async Task Of_eight_who_move_a_ref_from_the_same_commit_one_wins()
    {
        var (bare, target, source) = await ConflictAsync();
        var won = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(() => bare.TryUpdateRefAsync("refs/heads/main", source, target, "merge", "mira", "x@merge.krate.invalid", Ct))));
        Assert.Single(won, w => w);
        Assert.Equal(source, await bare.FindRefAsync("refs/heads/main", Ct));
    }

    [Fact]
    public async Task A_rebased_commit_keeps_its_author_and_every_byte_of_its_message()
    {
        await git.NewRepositoryAsync("work", "a.txt", "1\n");
        await git.RunAsync("work", "switch", "--quiet", "-c", "other");
        await git.CommitAsync("work", "b.txt", "b\n");
        var raw = "tree " + await git.RunAsync("work", "rev-parse", "HEAD^{tree}") + "\nparent " + await git.RunAsync("work", "rev-parse", "HEAD^") + "\nauthor J\u00f6rg <j@x> 1700000000 +0545\ncommitter C <c@x> 1700000001 -0300\nencoding ISO-8859-1\n\nGr\u00fc\u00dfe\n\n  two  \n";
        await File.WriteAllBytesAsync(git.In("work", "raw"), Encoding.Latin1.GetBytes(raw), Ct);
        var latin = await git.RunAsync("work", "hash-object", "-t", "commit", "-w", "raw");
        await git.RunAsync("work", "switch", "--quiet", "main");
        await git.CommitAsync("work", "c.txt", "c\n");
        var bare = new GitRepository(git.In("work", ".git"));

        var result = await bare.MergeAsync(new(await git.RunAsync("work", "rev-parse", "main"), latin, MergeMethod.Rebase, "", Mira), Ct);

        var text = Encoding.Latin1.GetString((await bare.RunOrThrowAsync(["cat-file", "commit", result.Commit!], Ct)).Bytes);
        Assert.Contains("author J\u00f6rg <j@x> 1700000000 +0545\n", text, StringComparison.Ordinal);
        Assert.Contains("committer Mira Holm <mira@acme.example> 1777629600 +0200\nencoding ISO-8859-1\n\nGr\u00fc\u00dfe\n\n  two  \n", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Changed_files_become_a_commit_and_keep_their_modes()
    {
        await git.NewRepositoryAsync("work", "run.sh", "#!/bin/sh\n");
        await git.RunAsync("work", "update-index", "--chmod=+x", "run.sh");
        await git.RunAsync("work", "commit", "--quiet", "-m", "Executable");
        var bare = new GitRepository(git.In("work", ".git"));
        var parent = await git.RunAsync("work", "rev-parse", "HEAD");

        var commit = await bare.CommitFilesAsync(parent, [new("run.sh", "echo 1\r\n"u8.ToArray()), new("new ü.txt", "n"u8.ToArray())], "Apply\n", Mira, Mira, Ct);

        Assert.Equal(["100644 new ü.txt", "100755 run.sh"], (await git.RunAsync("work", "-c", "core.quotePath=false", "ls-tree", "--format=%(objectmode) %(path)", commit)).Split('\n'));
        Assert.Equal("echo 1\r\n", (await bare.RunOrThrowAsync(["cat-file", "blob", commit + ":run.sh"], Ct)).Text);
        Assert.Equal(parent, await bare.FindRefAsync(commit + "^", Ct));
    }

    private async Task<(GitRepository Bare, string Target, string Source)> ConflictAsync()
    {
        await git.NewRepositoryAsync("work", "a.txt", "1\n");
        await git.RunAsync("work", "switch", "--quiet", "-c", "other");
        await git.CommitAsync("work", "a.txt", "2\n");
        await git.RunAsync("work", "switch", "--quiet", "main");
        await git.CommitAsync("work", "a.txt", "3\n");
        return (new GitRepository(git.In("work", ".git")), await git.RunAsync("work", "rev-parse", "main"), await git.RunAsync("work", "rev-parse", "other"));
    }

    /// <returns>Tree that git ends with, null for a conflict; and how many commits it put on ours.</returns>
    private async Task<(string? Tree, int Count)> WithGitAsync(MergeMethod method, string ours, string theirs)
    {
        await git.RunAsync("work", "switch", "--quiet", "--discard-changes", "--detach", method == MergeMethod.Rebase ? theirs : ours);
        await git.RunAsync("work", "clean", "-qfdx");
        string[] how = method switch
        {
            MergeMethod.Merge => ["merge", "--quiet", "--no-ff", "-m", "m", theirs],
            MergeMethod.Squash => ["merge", "--quiet", "--squash", theirs],
            _ => ["rebase", "--quiet", ours],
        };
        var result = await git.TryAsync("work", how);
        if (result.ExitCode != 0)
        {
            await git.TryAsync("work", method == MergeMethod.Rebase ? "rebase" : "merge", "--abort");
            await git.RunAsync("work", "reset", "--quiet", "--hard");
            return (null, 0);
        }

        return method == MergeMethod.Squash ? (await git.RunAsync("work", "write-tree"), 1) : (await git.RunAsync("work", "rev-parse", "HEAD^{tree}"), await CountInWorkAsync($"{ours}..HEAD"));
    }

    private Task<string> TreeAsync(string commit) => git.RunAsync("many.git", "rev-parse", commit + "^{tree}");

    private async Task<int> CountAsync(string range) => int.Parse(await git.RunAsync("many.git", "rev-list", "--count", range), CultureInfo.InvariantCulture);

    private async Task<int> CountInWorkAsync(string range) => int.Parse(await git.RunAsync("work", "rev-list", "--count", range), CultureInfo.InvariantCulture);
}

/// <summary>Two branches with a history of edits, renames, deletions, mode bits, line ends and merges of each other, as a fast-import stream.</summary>
internal static class RandomHistory
{
    public static IEnumerable<string> Of(int seed, string[] paths)
    {
        var random = new Random(seed);
        var (mark, time) = (seed * 100, 1_700_000_000L);
        var files = new Dictionary<string, Dictionary<string, string[]>> { ["base"] = [] };
        yield return Begin("base", null, null);
        foreach (var path in paths) yield return Write("base", path, [.. Enumerable.Range(0, 12).Select(i => $"{path} line {i}")]);
        var root = mark;
        var tips = new Dictionary<string, int>();
        foreach (var branch in (string[])["ours", "theirs"])
        {
            files[branch] = new(files["base"]);
            tips[branch] = root;
        }

        for (var step = 0; step < 6; step++)
        {
            var branch = random.Next(2) == 0 ? "ours" : "theirs";
            var other = branch == "ours" ? "theirs" : "ours";
            // Now and then one takes the other's side in a merge commit: criss-cross.
            var merges = random.Next(6) == 0 && tips[other] != root && tips[other] != tips[branch];
            yield return Begin(branch, tips[branch], merges ? tips[other] : null);
            tips[branch] = mark;
            if (merges)
            {
                foreach (var text in Take(branch, other, random)) yield return text;
                continue;
            }

            foreach (var text in Change(branch, random)) yield return text;
        }

        foreach (var branch in (string[])["ours", "theirs"]) yield return $"reset refs/heads/{seed}/{branch}\nfrom :{tips[branch]}\n\n";

        string Begin(string branch, int? from, int? merge)
        {
            mark++;
            time += 60;
            var message = $"{branch} {mark}";
            return $"commit refs/heads/{seed}/{branch}-work\nmark :{mark}\nauthor A <a@x> {time} +0000\ncommitter C <c@x> {time} +0000\ndata {message.Length}\n{message}\n{(from is null ? "" : $"from :{from}\n")}{(merge is null ? "" : $"merge :{merge}\n")}";
        }

        string Write(string branch, string path, string[] lines, string end = "\n")
        {
            files[branch][path] = lines;
            var data = string.Concat(lines.Select(l => l + end));
            return $"M {(path.EndsWith(".sh", StringComparison.Ordinal) ? "100755" : "100644")} inline {Quoted(path)}\ndata {Encoding.UTF8.GetByteCount(data)}\n{data}\n";
        }

        IEnumerable<string> Change(string branch, Random r)
        {
            var path = files[branch].Keys.Order(StringComparer.Ordinal).ElementAt(r.Next(files[branch].Count));
            var lines = files[branch][path];
            switch (r.Next(8))
            {
                case 0 when files[branch].Count > 2:
                    files[branch].Remove(path);
                    yield return $"D {Quoted(path)}\n";
                    break;
                case 1:
                    var moved = path + ".moved";
                    files[branch].Remove(path);
                    files[branch][moved] = lines;
                    yield return $"R {Quoted(path)} {Quoted(moved)}\n";
                    break;
                case 2:
                    yield return Write(branch, $"new{r.Next(3)}.txt", [.. Enumerable.Range(0, 4).Select(i => $"new {i} {r.Next(2)}")]);
                    break;
                case 3:
                    yield return Write(branch, path, lines, "\r\n");
                    break;
                default:
                    var changed = lines.ToArray();
                    if (changed.Length > 0) changed[r.Next(changed.Length)] += $" {branch[0]}{r.Next(2)}";
                    yield return Write(branch, path, changed);
                    break;
            }
        }

        IEnumerable<string> Take(string branch, string other, Random r)
        {
            foreach (var path in files[other].Keys.Order(StringComparer.Ordinal).ToList())
                if (r.Next(2) == 0) yield return Write(branch, path, files[other][path]);
        }
    }

    private static string Quoted(string path) => $"\"{path}\"";
}
