using System.Globalization;
using System.Text;

namespace Krate.Core.Git;

/// <summary>How a pull request becomes part of its target.</summary>
public enum MergeMethod
{
    /// <summary>A commit with two parents.</summary>
    Merge,

    /// <summary>One commit with everything.</summary>
    Squash,

    /// <summary>Its commits, one by one, on top of the target.</summary>
    Rebase,
}

/// <param name="Conflicts">Paths, at most a hundred; none when the two have no history in common.</param>
public sealed record MergePreview(bool IsClean, IReadOnlyList<string> Conflicts);

/// <param name="Message">Of the commit; not used for a rebase, whose commits keep theirs.</param>
/// <param name="By">Committer; and author, except of rebased commits.</param>
public sealed record MergeRequest(string Target, string Source, MergeMethod Method, string Message, GitPerson By);

/// <param name="Commit">What the target may be moved to; null when it did not work out.</param>
/// <param name="Problem">Why not, for people.</param>
public sealed record MergeResult(string? Commit, string? Problem = null, IReadOnlyList<string>? Conflicts = null);

/// <summary>New contents of a file.</summary>
public sealed record FileChange(string Path, ReadOnlyMemory<byte> Content);

// Merging without a work tree. Nothing here moves a ref but TryUpdateRefAsync; objects that no ref leads to are cleared away by upkeep.
public sealed partial class GitRepository
{
    /// <summary>More commits are not rebased.</summary>
    public const int MaxRebased = 1_000;

    private const int MaxConflicts = 100;
    private static readonly TimeSpan MergeLimit = TimeSpan.FromSeconds(60);

    /// <summary>Whether two commits merge. Leaves no object behind.</summary>
    public async Task<MergePreview> PreviewMergeAsync(string target, string source, CancellationToken ct)
    {
        var objects = System.IO.Directory.CreateTempSubdirectory("krate-merge-");
        try
        {
            var apart = new Dictionary<string, string> { ["GIT_OBJECT_DIRECTORY"] = objects.FullName, ["GIT_ALTERNATE_OBJECT_DIRECTORIES"] = Path.Combine(Directory, "objects") };
            var (tree, conflicts) = await MergeTreeAsync(target, source, apart, ct);
            return new(tree is not null, conflicts);
        }
        finally
        {
            objects.Delete(recursive: true);
        }
    }

    /// <summary>Makes the commit that a merge ends with.</summary>
    public async Task<MergeResult> MergeAsync(MergeRequest request, CancellationToken ct)
    {
        if (await IsAncestorAsync(request.Source, request.Target, ct)) return new(null, "the target has all of it already");
        if (request.Method == MergeMethod.Rebase) return await RebaseAsync(request, ct);
        var (tree, conflicts) = await MergeTreeAsync(request.Target, request.Source, null, ct);
        if (tree is null) return new(null, conflicts.Count == 0 ? "the two have no history in common" : "there are conflicts", conflicts);
        string[] parents = request.Method == MergeMethod.Merge ? [request.Target, request.Source] : [request.Target];
        return new(await CommitTreeAsync(tree, parents, request.Message, request.By, request.By, ct));
    }

    public async Task<bool> IsAncestorAsync(string commit, string of, CancellationToken ct) =>
        (await RunAsync(["merge-base", "--is-ancestor", commit, of], ct, maxBytes: 1024)).ExitCode == 0;

    /// <summary>The commit that a ref leads to; null when there is no such ref.</summary>
    public async Task<string?> FindRefAsync(string fullRef, CancellationToken ct)
    {
        var output = await RunAsync(["rev-parse", "--verify", "--quiet", "--end-of-options", fullRef + "^{commit}"], ct, maxBytes: 1024);
        return output.ExitCode == 0 ? output.Text.Trim() : null;
    }

    /// <summary>Brings a commit of another repository on this disk here, under a ref.</summary>
    public async Task FetchAsync(string directory, string commit, string fullRef, CancellationToken ct)
    {
        if (await FindRefAsync(fullRef, ct) == commit) return;
        // From a folder that Krate keeps itself; nothing else may be fetched from disk.
        var local = new Dictionary<string, string> { ["GIT_ALLOW_PROTOCOL"] = "file" };
        await OrThrowAsync(RunAsync(["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", directory, $"+{commit}:{fullRef}"], ct, limit: MergeLimit, environment: local), "fetch");
    }

    /// <summary>A commit that changes files of its parent. A file keeps its mode; a new one is a plain file.</summary>
    public async Task<string> CommitFilesAsync(string parent, IReadOnlyList<FileChange> changes, string message, GitPerson author, GitPerson committer, CancellationToken ct)
    {
        var folder = System.IO.Directory.CreateTempSubdirectory("krate-index-");
        try
        {
            var index = new Dictionary<string, string> { ["GIT_INDEX_FILE"] = Path.Combine(folder.FullName, "index") };
            await OrThrowAsync(RunAsync(["read-tree", parent], ct, environment: index), "read-tree");
            foreach (var change in changes)
            {
                var mode = await FindEntryAsync(parent, change.Path, ct) is { Kind: TreeEntryKind.Executable } ? "100755" : "100644";
                var blob = (await OrThrowAsync(RunAsync(["hash-object", "-w", "--stdin"], ct, input: change.Content), "hash-object")).Text.Trim();
                await OrThrowAsync(RunAsync(["update-index", "--add", "--cacheinfo", $"{mode},{blob},{change.Path}"], ct, environment: index), "update-index");
            }

            var tree = (await OrThrowAsync(RunAsync(["write-tree"], ct, environment: index), "write-tree")).Text.Trim();
            return await CommitTreeAsync(tree, [parent], message, author, committer, ct);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>Moves a ref from exactly <paramref name="expected"/>, and says in its log who did.</summary>
    /// <param name="logEmail">Address in the log; see the ledger of refs.</param>
    /// <returns>False when the ref is elsewhere by then.</returns>
    /// <exception cref="GitException">It could not be moved although it is where it was expected.</exception>
    public async Task<bool> TryUpdateRefAsync(string fullRef, string commit, string expected, string message, string user, string logEmail, CancellationToken ct)
    {
        var by = new Dictionary<string, string> { ["GIT_COMMITTER_NAME"] = user, ["GIT_COMMITTER_EMAIL"] = logEmail };
        var output = await RunAsync(["update-ref", "-m", message, "--create-reflog", fullRef, commit, expected], ct, environment: by);
        if (output.ExitCode == 0) return true;
        return await FindRefAsync(fullRef, ct) == expected ? throw output.ToException("update-ref") : false;
    }

    private async Task<MergeResult> RebaseAsync(MergeRequest request, CancellationToken ct)
    {
        var listed = await RunOrThrowAsync(["rev-list", "--cherry-pick", "--right-only", "--no-merges", "--reverse", "--topo-order", string.Create(CultureInfo.InvariantCulture, $"--max-count={MaxRebased + 1}"), $"{request.Target}...{request.Source}"], ct);
        var commits = listed.Lines.ToList();
        if (commits.Count > MaxRebased) return new(null, $"more than {MaxRebased} commits are not rebased here");
        var at = request.Target;
        foreach (var commit in commits)
        {
            var (next, conflicts) = await PickAsync(commit, at, request.By, ct);
            if (next is null) return new(null, $"commit {commit[..12]} does not apply", conflicts);
            at = next;
        }

        return at == request.Target ? new(null, "the target has all of it already") : new(at);
    }

    /// <summary>A commit on top of another one; that one itself when nothing is left of it.</summary>
    private async Task<(string? Commit, IReadOnlyList<string> Conflicts)> PickAsync(string commit, string onto, GitPerson by, CancellationToken ct)
    {
        var parent = await FindRefAsync(commit + "^", ct);
        if (parent == onto) return (commit, []);
        var current = await TreeOfAsync(onto, ct);
        // merge-tree finds the base itself: with this one as its parent it can only be the commit's own parent.
        var synthetic = await CommitTreeAsync(current, parent is null ? [] : [parent], "", by, by, ct);
        var (tree, conflicts) = await MergeTreeAsync(synthetic, commit, null, ct, unrelated: parent is null);
        if (tree is null) return (null, conflicts);
        var wasEmpty = parent is not null && await TreeOfAsync(commit, ct) == await TreeOfAsync(parent, ct);
        return tree == current && !wasEmpty ? (onto, []) : (await RewriteAsync(commit, tree, onto, by, ct), []);
    }

    /// <summary>The commit with another tree, parent and committer; author, encoding and message stay byte for byte. A signature would be wrong, and goes.</summary>
    private async Task<string> RewriteAsync(string commit, string tree, string parent, GitPerson by, CancellationToken ct)
    {
        var bytes = (await RunOrThrowAsync(["cat-file", "commit", commit], ct)).Bytes;
        var end = bytes.AsSpan().IndexOf("\n\n"u8);
        var kept = Encoding.Latin1.GetString(bytes, 0, end).Split('\n').Where(l => l.StartsWith("author ", StringComparison.Ordinal) || l.StartsWith("encoding ", StringComparison.Ordinal)).ToList();
        var zone = $"{(by.Time.Offset < TimeSpan.Zero ? '-' : '+')}{by.Time.Offset:hhmm}";
        var committer = string.Create(CultureInfo.InvariantCulture, $"committer {Plain(by.Name)} <{Plain(by.Email)}> {by.Time.ToUnixTimeSeconds()} {zone}");
        byte[] head = [.. Encoding.Latin1.GetBytes($"tree {tree}\nparent {parent}\n{kept.First(l => l[0] == 'a')}\n"), .. Encoding.UTF8.GetBytes(committer + "\n"), .. Encoding.Latin1.GetBytes(string.Concat(kept.Where(l => l[0] == 'e').Select(l => l + "\n")))];
        byte[] whole = [.. head, .. bytes.AsSpan(end + 1)];
        return (await OrThrowAsync(RunAsync(["hash-object", "-t", "commit", "-w", "--stdin"], ct, input: whole), "hash-object")).Text.Trim();
    }

    private async Task<(string? Tree, IReadOnlyList<string> Conflicts)> MergeTreeAsync(string ours, string theirs, IReadOnlyDictionary<string, string>? environment, CancellationToken ct, bool unrelated = false)
    {
        string[] allow = unrelated ? ["--allow-unrelated-histories"] : [];
        var output = await RunAsync(["merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", .. allow, ours, theirs], ct, limit: MergeLimit, environment: environment);
        if (output.ExitCode == 0) return (output.Fields[0], []);
        if (output.ExitCode == 1) return (null, [.. output.Fields.Skip(1).Where(f => f.Length > 0).Distinct(StringComparer.Ordinal).Take(MaxConflicts)]);
        return output.Errors.Contains("unrelated histories", StringComparison.Ordinal) ? (null, []) : throw output.ToException("merge-tree");
    }

    private async Task<string> CommitTreeAsync(string tree, string[] parents, string message, GitPerson author, GitPerson committer, CancellationToken ct)
    {
        var people = new Dictionary<string, string>
        {
            ["GIT_AUTHOR_NAME"] = Plain(author.Name), ["GIT_AUTHOR_EMAIL"] = Plain(author.Email), ["GIT_AUTHOR_DATE"] = Date(author),
            ["GIT_COMMITTER_NAME"] = Plain(committer.Name), ["GIT_COMMITTER_EMAIL"] = Plain(committer.Email), ["GIT_COMMITTER_DATE"] = Date(committer),
        };
        var output = await OrThrowAsync(RunAsync(["commit-tree", tree, .. parents.SelectMany(p => (string[])["-p", p]), "-F", "-"], ct, input: Encoding.UTF8.GetBytes(message), environment: people), "commit-tree");
        return output.Text.Trim();

        static string Date(GitPerson p) => p.Time.ToString("yyyy-MM-ddTHH:mm:sszzz", CultureInfo.InvariantCulture);
    }

    private async Task<string> TreeOfAsync(string commit, CancellationToken ct) => (await RunOrThrowAsync(["rev-parse", commit + "^{tree}"], ct)).Text.Trim();

    private static async Task<GitOutput> OrThrowAsync(Task<GitOutput> running, string what) => await running is { ExitCode: 0 } output ? output : throw (await running).ToException(what);

    /// <summary>A name as a commit can hold it.</summary>
    private static string Plain(string name) => new string([.. name.Where(c => !char.IsControl(c) && c is not ('<' or '>'))]).Trim() is { Length: > 0 } plain ? plain : "unknown";
}
