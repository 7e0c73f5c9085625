using System.Globalization;
using System.Text;

namespace Krate.Core.Git;

/// <summary>How the commits of one side come to the other.</summary>
public enum MergeMethod
{
    /// <summary>A commit with two parents, even where the target could just be moved.</summary>
    Merge,

    /// <summary>One commit on the target with everything in it.</summary>
    Squash,

    /// <summary>Each commit anew on the target, without merges.</summary>
    Rebase,
}

public enum MergeOutcome
{
    Merged,

    /// <summary>The target has everything already.</summary>
    NothingToMerge,

    Conflict,

    /// <summary>The two have no commit in common; a rebase can be done all the same.</summary>
    Unrelated,
}

/// <summary>What would come of a merge.</summary>
/// <param name="Conflicts">The first 100 paths in conflict. A conflict of whole folders may have none.</param>
/// <param name="IsUnrelated">Not clean because the two have no commit in common.</param>
public sealed record MergePreview(bool IsClean, IReadOnlyList<string> Conflicts, bool IsUnrelated = false);

/// <summary>What to merge into what.</summary>
/// <param name="Target">Full id of the commit that the new one follows.</param>
/// <param name="Source">Full id of the last commit to bring in.</param>
/// <param name="Message">Of a merge or squash; a rebase keeps each commit's own.</param>
/// <param name="Author">Of a merge or squash; a rebase keeps each commit's own.</param>
/// <param name="Committer">Of every new commit, with the time.</param>
public sealed record MergeRequest(string Target, string Source, MergeMethod Method, string Message, GitPerson Author, GitPerson Committer);

/// <param name="Commit">Full id of the new commit; null unless merged. No ref leads to it yet.</param>
/// <param name="Conflicts">The first 100 paths in conflict.</param>
/// <param name="ConflictingCommit">The commit of a rebase that does not fit; null for other methods.</param>
public sealed record MergeResult(MergeOutcome Outcome, string? Commit, IReadOnlyList<string> Conflicts, string? ConflictingCommit = null);

public sealed partial class GitRepository
{
    /// <summary>Most commits that one rebase looks at.</summary>
    public const int MaxRebasedCommits = 1_000;

    private const int MaxConflicts = 100;
    private const int MaxAttributeFiles = 500;
    private const int MaxAttributeBytes = 1 << 20;
    private static readonly TimeSpan MergeLimit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan RebaseLimit = TimeSpan.FromMinutes(2);

    /// <summary>Whether a commit merges into another. Leaves no object behind.</summary>
    /// <exception cref="ArgumentException">One of them is no full id of a commit here.</exception>
    public async Task<MergePreview> PreviewMergeAsync(string target, string source, CancellationToken ct)
    {
        await TreesOfAsync([target, source], ct);
        var bases = await MergeBasesAsync(target, source, ct);
        if (bases.Count == 0) return new(false, [], IsUnrelated: true);
        if (bases.Contains(source)) return new(true, []);
        using var scratch = new ScratchObjects(Directory);
        var merged = await MergeTreesAsync(target, source, target, bases.Count > 1, scratch.Writing, ct);
        return new(merged.IsClean, merged.Conflicts);
    }

    /// <summary>
    /// Makes the commits of a merge as git would make them in a work tree, and moves no ref. What a merge that fails has written is
    /// cleared away by git's own upkeep.
    /// </summary>
    /// <exception cref="ArgumentException">A commit is not here, a name is empty, or a rebase has more than 1,000 commits.</exception>
    /// <exception cref="TimeoutException">A merge took longer than 30 seconds, or a rebase longer than 2 minutes.</exception>
    public async Task<MergeResult> MergeAsync(MergeRequest request, CancellationToken ct)
    {
        var trees = await TreesOfAsync([request.Target, request.Source], ct);
        if (request.Method == MergeMethod.Rebase) return await RebaseAsync(request, trees[0], ct);
        var bases = await MergeBasesAsync(request.Target, request.Source, ct);
        if (bases.Count == 0) return new(MergeOutcome.Unrelated, null, []);
        if (bases.Contains(request.Source)) return new(MergeOutcome.NothingToMerge, null, []);
        var merged = await MergeTreesAsync(request.Target, request.Source, request.Target, bases.Count > 1, null, ct);
        if (!merged.IsClean) return new(MergeOutcome.Conflict, null, merged.Conflicts);
        var isSquash = request.Method == MergeMethod.Squash;
        // Nobody wants a commit that says and changes nothing; a merge at least says that it was made.
        if (isSquash && merged.Tree == trees[0]) return new(MergeOutcome.NothingToMerge, null, []);
        var commit = new CommitDraft(merged.Tree, isSquash ? [request.Target] : [request.Target, request.Source], Signature(request.Author), Signature(request.Committer), MessageBytes(request.Message));
        return new(MergeOutcome.Merged, await WriteCommitAsync(commit, null, ct), []);
    }

    private async Task<MergeResult> RebaseAsync(MergeRequest request, string tree, CancellationToken ct)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(ct);
        patience.CancelAfter(RebaseLimit);
        try
        {
            using var scratch = new ScratchObjects(Directory);
            var (tip, committer) = (request.Target, Signature(request.Committer));
            foreach (var picked in await ListPicksAsync(request.Target, request.Source, patience.Token))
            {
                var merged = await PickAsync(picked, tree, scratch, patience.Token);
                if (!merged.IsClean) return new(MergeOutcome.Conflict, null, merged.Conflicts, picked.Id);
                // The target has come to have it in another way. One that was empty from the start was meant to be.
                if (merged.Tree == tree && !picked.IsEmpty) continue;
                tree = merged.Tree;
                tip = await WriteCommitAsync(new(tree, [tip], picked.Author, committer, picked.Message, picked.Encoding), null, patience.Token);
            }

            return tip == request.Target ? new(MergeOutcome.NothingToMerge, null, []) : new(MergeOutcome.Merged, tip, []);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw new TimeoutException("the rebase took too long");
        }
    }

    /// <summary>A commit's change applied to a tree.</summary>
    private async Task<MergedTrees> PickAsync(PickedCommit picked, string tree, ScratchObjects scratch, CancellationToken ct)
    {
        if (picked.IsEmpty) return new(true, tree, [], []);
        if (picked.ParentTree == tree) return new(true, picked.Tree, [], []);
        // merge-tree finds the base by itself, so it is shown a history in which that is the parent of the picked commit.
        var (before, theirs) = (picked.Parent, picked.Id);
        if (before is null)
        {
            before = await ScratchCommitAsync(picked.ParentTree, []);
            theirs = await ScratchCommitAsync(picked.Tree, [before]);
        }

        return await MergeTreesAsync(await ScratchCommitAsync(tree, [before]), theirs, tree, false, scratch.Reading, ct);

        Task<string> ScratchCommitAsync(string of, string[] parents) =>
            WriteCommitAsync(new(of, parents, ScratchSignature, ScratchSignature, Array.Empty<byte>()), scratch.Writing, ct);
    }

    /// <summary>The commits that a rebase applies, in order: those without a patch that the target has, and without merges.</summary>
    private async Task<IReadOnlyList<PickedCommit>> ListPicksAsync(string target, string source, CancellationToken ct)
    {
        var output = await RunAsync(["rev-list", "--cherry-mark", "--right-only", "--no-merges", "--reverse", "--topo-order", $"{target}...{source}", "--"], ct, limit: RebaseLimit);
        if (output.ExitCode != 0) throw output.ToException("rev-list");
        var marked = output.Lines.ToList();
        if (output.IsCut || marked.Count > MaxRebasedCommits) throw new ArgumentException($"a rebase takes at most {MaxRebasedCommits} commits, and this one has {(output.IsCut ? "many more" : marked.Count)}; merge or squash them");
        var commits = await ReadPicksAsync([.. marked.Select(m => m[1..])], ct);
        // Two empty commits have the same patch, but they are no copies of each other.
        return [.. commits.Where((c, i) => marked[i][0] != '=' || c.IsEmpty)];
    }

    /// <returns>None when the two are unrelated, more than one after merges in both directions.</returns>
    private async Task<IReadOnlyList<string>> MergeBasesAsync(string target, string source, CancellationToken ct)
    {
        var output = await RunAsync(["merge-base", "--all", target, source], ct, limit: MergeLimit);
        return output.ExitCode is 0 or 1 ? [.. output.Lines] : throw output.ToException("merge-base");
    }

    /// <summary>
    /// Merges two commits. Where files had to be merged line by line, the attributes that "ours" has for them count, as in a work tree;
    /// git 2.39 reads none in a bare repository, so it is given a work tree that has only these.
    /// </summary>
    /// <param name="oursTree">Where the attributes are.</param>
    /// <param name="isCrissCross">The bases are merged with each other first, and git does not tell which files that takes.</param>
    private async Task<MergedTrees> MergeTreesAsync(string ours, string theirs, string oursTree, bool isCrissCross, IReadOnlyDictionary<string, string>? environment, CancellationToken ct)
    {
        string[] command = ["merge-tree", "--write-tree", "-z", "--name-only", "--messages", ours, theirs];
        // gits from 2.41 on take the attributes from there, and would otherwise take those of HEAD; older ones do not know the variable.
        var places = new Dictionary<string, string>(environment ?? new Dictionary<string, string>()) { ["GIT_ATTR_SOURCE"] = oursTree };
        var merged = MergedTrees.Parse(await RunAsync(command, ct, limit: MergeLimit, environment: places));
        if (!isCrissCross && merged.LineByLine.Count == 0) return merged;
        var attributes = await AttributeFilesAsync(oursTree, isCrissCross ? null : merged.LineByLine, ct);
        if (attributes.Count == 0) return merged;
        using var folder = new TempFolder();
        foreach (var (path, bytes) in attributes) await folder.WriteAsync(path, bytes, ct);
        places["GIT_WORK_TREE"] = folder.Path;
        return MergedTrees.Parse(await RunAsync(["-C", folder.Path, .. command], ct, limit: MergeLimit, environment: places));
    }

    /// <summary>The <c>.gitattributes</c> that may say how to merge; none when nothing in them is about that.</summary>
    /// <param name="paths">Files to merge; null for those of all folders.</param>
    private async Task<IReadOnlyList<(string Path, byte[] Bytes)>> AttributeFilesAsync(string tree, IReadOnlyList<string>? paths, CancellationToken ct)
    {
        const string name = ".gitattributes";
        var wanted = paths?.SelectMany(FoldersOf).Distinct(StringComparer.Ordinal).Select(f => f + name).ToList();
        if (wanted is null || wanted.Count > MaxAttributeFiles)
            wanted = [.. (await ListPathsAsync(tree, ct)).Paths.Where(p => p == name || p.EndsWith("/" + name, StringComparison.Ordinal)).Take(MaxAttributeFiles)];
        wanted.RemoveAll(p => !TempFolder.Takes(p));
        var files = new List<(string, byte[])>();
        foreach (var entry in (await EntriesAsync(tree, wanted, ct)).Where(e => e.Kind is TreeEntryKind.File or TreeEntryKind.Executable))
            files.Add((entry.Name, await ReadBlobStartAsync(entry.Id, MaxAttributeBytes, ct)));
        return files.Any(f => f.Item2.AsSpan().IndexOf("merge"u8) >= 0 || f.Item2.AsSpan().IndexOf("binary"u8) >= 0) ? files : [];
    }

    /// <summary>The folders that a path is in, each with a slash at its end; the root is empty.</summary>
    private static IEnumerable<string> FoldersOf(string path)
    {
        for (var end = path.LastIndexOf('/'); end > 0; end = path.LastIndexOf('/', end - 1)) yield return path[..(end + 1)];
        yield return "";
    }

    /// <param name="Tree">With marks of the conflicts in its files, if it is not clean.</param>
    /// <param name="LineByLine">Files that both sides had changed.</param>
    private sealed record MergedTrees(bool IsClean, string Tree, IReadOnlyList<string> Conflicts, IReadOnlyList<string> LineByLine)
    {
        /// <summary>Output of <c>merge-tree -z --name-only --messages</c>: tree, conflicts, an empty field, and messages: count, paths, kind, words.</summary>
        public static MergedTrees Parse(GitOutput output)
        {
            if (output.ExitCode is not (0 or 1)) throw output.ToException("merge-tree");
            var fields = output.Fields;
            if (!IsFullId(fields[0])) throw output.ToException("merge-tree");
            var end = Array.IndexOf(fields, "", 1);
            // The exit code of an output that was cut says nothing; the paths in conflict come first.
            if (output.IsCut && (end < 0 || end > 1)) return new(false, fields[0], [.. fields[1..].Take(MaxConflicts)], []);
            if (output.IsCut) throw new GitException("git merge-tree has more to say than can be read", 0);
            if (end < 0) end = fields.Length;
            var merged = new List<string>();
            for (var at = end + 1; at + 2 < fields.Length && int.TryParse(fields[at], NumberStyles.None, CultureInfo.InvariantCulture, out var count) && at + count + 2 < fields.Length; at += count + 3)
                if (fields[at + count + 1] == "Auto-merging") merged.AddRange(fields[(at + 1)..(at + 1 + count)]);
            return new(output.ExitCode == 0, fields[0], [.. fields[1..end].Take(MaxConflicts)], merged);
        }
    }

    /// <summary>Objects that are gone when this is: a place beside a repository's own. Not thread-safe.</summary>
    private sealed class ScratchObjects(string directory) : IDisposable
    {
        private readonly TempFolder folder = new();

        /// <summary>For a git that writes here and reads both.</summary>
        public IReadOnlyDictionary<string, string> Writing => new Dictionary<string, string>
        {
            ["GIT_OBJECT_DIRECTORY"] = folder.Path,
            ["GIT_ALTERNATE_OBJECT_DIRECTORIES"] = Borrowed(System.IO.Path.GetFullPath(System.IO.Path.Combine(directory, "objects"))),
        };

        /// <summary>For a git that writes to the repository and reads both.</summary>
        public IReadOnlyDictionary<string, string> Reading => new Dictionary<string, string> { ["GIT_ALTERNATE_OBJECT_DIRECTORIES"] = Borrowed(folder.Path) };

        public void Dispose() => folder.Dispose();
    }

    /// <summary>A folder outside of every repository that is gone when this is.</summary>
    private sealed class TempFolder : IDisposable
    {
        private readonly DirectoryInfo folder = System.IO.Directory.CreateTempSubdirectory("krate-git-");

        public string Path => folder.FullName;

        /// <summary>Whether a path of a tree can be one here.</summary>
        public static bool Takes(string path) =>
            path.Length is > 0 and < 3_000 && IsTreePath(path) && path.Split('/').All(s => Encoding.UTF8.GetByteCount(s) <= 255 && !s.Equals(".git", StringComparison.OrdinalIgnoreCase));

        public Task WriteAsync(string path, byte[] bytes, CancellationToken ct)
        {
            var file = System.IO.Path.Combine(Path, path);
            System.IO.Directory.CreateDirectory(System.IO.Path.GetDirectoryName(file)!);
            return System.IO.File.WriteAllBytesAsync(file, bytes, ct);
        }

        public void Dispose() => folder.Delete(recursive: true);
    }
}
