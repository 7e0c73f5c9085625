using System.Text;

namespace Krate.Core.Git;

public enum TreeEntryKind
{
    File,
    Executable,
    Symlink,
    Folder,
    Submodule,
}

/// <param name="Name">Last part of the path.</param>
/// <param name="Id">Of the blob or tree; of the commit for a submodule.</param>
/// <param name="Size">Bytes; null unless asked for.</param>
/// <param name="Target">Where a symlink points to, as it is written; null for all others and for very long ones.</param>
/// <param name="IsNamed">False when the name is not UTF-8: it is shown with replacement characters and cannot be asked for.</param>
public sealed record TreeEntry(string Name, TreeEntryKind Kind, string Id, long? Size = null, string? Target = null, bool IsNamed = true)
{
    public bool IsFolder => Kind == TreeEntryKind.Folder;

    /// <summary>Has bytes of its own.</summary>
    public bool IsBlob => Kind is TreeEntryKind.File or TreeEntryKind.Executable or TreeEntryKind.Symlink;
}

/// <param name="IsCut">There are more than were read.</param>
public sealed record TreeListing(IReadOnlyList<TreeEntry> Entries, bool IsCut);

/// <param name="IsCut">There are more than were read.</param>
public sealed record PathListing(IReadOnlyList<string> Paths, bool IsCut);

public sealed partial class GitRepository
{
    private const int MaxListingBytes = 4 << 20;
    private const int MaxPathBytes = 24 << 20;
    private const int MaxSymlinks = 200;
    private const int MaxTargetBytes = 4096;

    /// <summary>What is in one folder, folders first; reads nothing below it.</summary>
    /// <param name="path">Without slashes at its ends; empty for the root.</param>
    /// <returns>Null when there is no such folder.</returns>
    public async Task<TreeListing?> ListFolderAsync(string commit, string path, CancellationToken ct)
    {
        if (!IsTreePath(path)) return null;
        var output = await RunAsync(["ls-tree", "-z", "--end-of-options", $"{commit}:{path}"], ct, MaxListingBytes);
        if (output.ExitCode != 0) return null;
        var entries = ParseTree(output).OrderByDescending(e => e.IsFolder).ThenBy(e => e.Name, StringComparer.OrdinalIgnoreCase).ThenBy(e => e.Name, StringComparer.Ordinal).ToList();
        return new(await WithTargetsAsync(entries, ct), output.IsCut);
    }

    /// <summary>What a path names, with its size; the root is a folder without a name.</summary>
    /// <returns>Null when it names nothing in this commit.</returns>
    public async Task<TreeEntry?> FindEntryAsync(string commit, string path, CancellationToken ct)
    {
        if (!IsTreePath(path)) return null;
        if (path.Length == 0)
            return await RunAsync(["rev-parse", "--verify", "--quiet", "--end-of-options", commit + "^{tree}"], ct, maxBytes: 1024) is { ExitCode: 0 } root
                ? new TreeEntry("", TreeEntryKind.Folder, root.Text.Trim())
                : null;
        var output = await RunAsync(["ls-tree", "-z", "-l", "--end-of-options", commit, path], ct, MaxListingBytes);
        if (output.ExitCode != 0 || ParseTree(output).FirstOrDefault(e => e.Name == path) is not { } found) return null;
        return (await WithTargetsAsync([found with { Name = path[(path.LastIndexOf('/') + 1)..] }], ct))[0];
    }

    /// <summary>Paths of all files of a commit, for finding one. Reads every tree: keep the answer.</summary>
    public async Task<PathListing> ListPathsAsync(string commit, CancellationToken ct)
    {
        var output = await RunAsync(["ls-tree", "-r", "-z", "--name-only", "--end-of-options", commit], ct, MaxPathBytes);
        if (output.ExitCode != 0) throw output.ToException("ls-tree");
        var fields = output.Fields;
        return new(output.IsCut ? fields[..^1] : fields is [""] ? [] : fields, output.IsCut);
    }

    /// <summary>git would read "." and ".." as places beside the folder; no tree has such names.</summary>
    private static bool IsTreePath(string path) =>
        path.Length == 0 || (!path.Contains('\0', StringComparison.Ordinal) && !path.Split('/').Any(s => s is "" or "." or ".."));

    /// <summary>Lines of ls-tree: mode, type, id, perhaps a size, a tab and the name.</summary>
    private static IEnumerable<TreeEntry> ParseTree(GitOutput output)
    {
        for (var at = 0; at < output.Bytes.Length;)
        {
            var end = Array.IndexOf(output.Bytes, (byte)0, at);
            if (end < 0) yield break;
            var line = output.Bytes.AsMemory(at, end - at);
            at = end + 1;
            var tab = line.Span.IndexOf((byte)'\t');
            var head = Encoding.ASCII.GetString(line.Span[..tab]).Split(' ', StringSplitOptions.RemoveEmptyEntries);
            var bytes = line[(tab + 1)..];
            var name = Encoding.UTF8.GetString(bytes.Span);
            var size = head.Length > 3 && long.TryParse(head[3], out var parsed) ? parsed : (long?)null;
            yield return new TreeEntry(name, KindOf(head[0]), head[2], size, IsNamed: Encoding.UTF8.GetBytes(name).AsSpan().SequenceEqual(bytes.Span));
        }
    }

    private static TreeEntryKind KindOf(string mode) => mode switch
    {
        "040000" => TreeEntryKind.Folder,
        "120000" => TreeEntryKind.Symlink,
        "160000" => TreeEntryKind.Submodule,
        "100755" => TreeEntryKind.Executable,
        _ => TreeEntryKind.File,
    };

    private async Task<IReadOnlyList<TreeEntry>> WithTargetsAsync(List<TreeEntry> entries, CancellationToken ct)
    {
        var links = entries.Where(e => e.Kind == TreeEntryKind.Symlink).Take(MaxSymlinks).Select(e => e.Id).ToHashSet(StringComparer.Ordinal);
        if (links.Count == 0) return entries;
        var targets = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var id in links)
            if (await ReadBlobAsync(id, MaxTargetBytes, ct) is { } bytes) targets[id] = Encoding.UTF8.GetString(bytes);
        return [.. entries.Select(e => e.Kind == TreeEntryKind.Symlink ? e with { Target = targets.GetValueOrDefault(e.Id) } : e)];
    }
}
