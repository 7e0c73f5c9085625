namespace Krate.Core.Git;

/// <summary>Where the lines of a file are in a later version of it. Pure.</summary>
/// <param name="hunks">Of the file, from the earlier version to the later one, in order; null when the later one has no such file.</param>
public sealed class LineMap(IReadOnlyList<DiffHunk>? hunks)
{
    /// <summary>Of a file that did not change.</summary>
    public static LineMap Same { get; } = new([]);

    /// <returns>The number that the line has now; null when it was changed or taken out.</returns>
    public int? Of(int line)
    {
        if (hunks is null) return null;
        var moved = 0;
        foreach (var change in hunks.SelectMany(h => h.Lines))
        {
            if (change.Old > line || (change.Old is null && change.New - moved > line)) break;
            if (change.Old == line) return change.New;
            moved += change.Kind switch { DiffLineKind.Added => 1, DiffLineKind.Removed => -1, _ => 0 };
        }

        return line + moved;
    }

    /// <summary>Of several lines: all of them must be there, side by side as before.</summary>
    public (int First, int Last)? Of(int first, int last)
    {
        if (Of(first) is not { } from || Of(last) is not { } to || to - from != last - first) return null;
        for (var line = first + 1; line < last; line++)
            if (Of(line) != from + line - first) return null;
        return (from, to);
    }
}

public sealed partial class GitRepository
{
    /// <summary>Where lines of some files of one commit are in another. Renames are not followed.</summary>
    /// <returns>One map for each path; every line is gone for files of a commit that is not here, or that cannot be compared.</returns>
    public async Task<IReadOnlyDictionary<string, LineMap>> LineMapsAsync(string from, string to, IReadOnlyCollection<string> paths, CancellationToken ct)
    {
        if (from == to) return paths.ToDictionary(p => p, _ => LineMap.Same, StringComparer.Ordinal);
        var known = await RunAsync(["cat-file", "-e", from + "^{commit}"], ct, maxBytes: 1024);
        if (known.ExitCode != 0) return paths.ToDictionary(p => p, _ => new LineMap(null), StringComparer.Ordinal);
        var changed = await DiffAsync(["--no-renames", "--raw", from, to, "--", .. paths], isCounted: false, DefaultLimit, ct);
        var files = changed.Files.Where(f => f.Status == DiffStatus.Modified && paths.Contains(f.Path)).Select(f => f with { Added = f.Added ?? 0 }).ToList();
        var hunks = await DiffFilesAsync(from, to, files, ignoreSpace: false, ct);
        return paths.ToDictionary(
            p => p,
            p => changed.Files.All(f => f.Path != p) ? LineMap.Same : new LineMap(hunks.TryGetValue(p, out var found) && found.Count > 0 ? found : null),
            StringComparer.Ordinal);
    }
}
