using System.Globalization;

namespace Krate.Core.Git;

public enum DiffStatus
{
    Added,
    Deleted,
    Modified,
    Renamed,
    Copied,
    TypeChanged,
}

public enum DiffLineKind
{
    Context,
    Added,
    Removed,
}

/// <summary>A line of a hunk. Line ends other than the line feed are part of the text.</summary>
/// <param name="Old">Number in the old file, from 1; null for an added line.</param>
/// <param name="New">Number in the new file, from 1; null for a removed line.</param>
/// <param name="HasEnd">False: the file ends with this line, without a line feed.</param>
public sealed record DiffLine(DiffLineKind Kind, int? Old, int? New, string Text, bool HasEnd = true);

/// <param name="Heading">What git found to name the place (a function).</param>
public sealed record DiffHunk(int OldStart, int OldCount, int NewStart, int NewCount, string Heading, IReadOnlyList<DiffLine> Lines);

/// <summary>A file that differs.</summary>
/// <param name="OldPath">Path before; the same as <paramref name="Path"/> unless renamed or copied.</param>
/// <param name="Added">Lines; null for binary files.</param>
/// <param name="Removed">Lines; null for binary files.</param>
public sealed record DiffFile(DiffStatus Status, string OldPath, string Path, string OldMode, string Mode, string OldId, string Id, int? Added, int? Removed)
{
    private const string Link = "160000";
    private const string Symlink = "120000";

    public bool IsBinary => Added is null;

    public bool IsSubmodule => Mode == Link || OldMode == Link;

    public bool IsSymlink => Mode == Symlink || OldMode == Symlink;

    public bool ModeChanged => Status is DiffStatus.Modified or DiffStatus.Renamed or DiffStatus.Copied && OldMode != Mode;

    public int Lines => (Added ?? 0) + (Removed ?? 0);
}

/// <summary>Everything that differs between two trees, file by file.</summary>
/// <param name="IsCut">There are more files than are listed.</param>
public sealed record DiffSummary(IReadOnlyList<DiffFile> Files, bool IsCut)
{
    public int Added => Files.Sum(f => f.Added ?? 0);

    public int Removed => Files.Sum(f => f.Removed ?? 0);
}

public sealed partial class GitRepository
{
    /// <summary>What the first commit of a repository is compared with.</summary>
    public const string EmptyTree = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

    private const int MaxDiffFiles = 3_000;
    private const int MaxPatchBytes = 8 << 20;

    /// <summary>The files that differ, with counts. Renames are found among up to 1,000 files.</summary>
    /// <param name="from">Commit or tree.</param>
    public async Task<DiffSummary> DiffAsync(string from, string to, CancellationToken ct)
    {
        var output = await RunAsync(["diff-tree", "-r", "-M", "-l1000", "--raw", "--numstat", "-z", "--no-abbrev", from, to], ct, maxBytes: 32 << 20);
        if (output.ExitCode != 0) throw output.ToException("diff-tree");
        var (files, isCut) = DiffParser.Files(output.Fields, MaxDiffFiles);
        return new(files, isCut || output.IsCut);
    }

    /// <summary>What differs in one file.</summary>
    /// <param name="file">From <see cref="DiffAsync"/> of the same trees.</param>
    /// <param name="ignoreSpace">Leaves out lines that differ in white space only.</param>
    /// <returns>Null when it is too large to be shown.</returns>
    public async Task<IReadOnlyList<DiffHunk>?> DiffFileAsync(string from, string to, DiffFile file, bool ignoreSpace, CancellationToken ct)
    {
        if (file.IsBinary || file.IsSubmodule) return [];
        string[] paths = file.OldPath == file.Path ? [file.Path] : [file.OldPath, file.Path];
        string[] space = ignoreSpace ? ["-w"] : [];
        var output = await RunAsync(["diff-tree", "-r", "-M", "-l1000", "-p", "--no-color", "--no-ext-diff", "--no-textconv", .. space, from, to, "--", .. paths], ct, maxBytes: MaxPatchBytes);
        if (output.IsCut) return null;
        return output.ExitCode == 0 ? DiffParser.Hunks(output.Text) : throw output.ToException("diff-tree");
    }

    /// <summary>The newest commit that both sides have; null for unrelated histories.</summary>
    public async Task<string?> MergeBaseAsync(string one, string other, CancellationToken ct)
    {
        var output = await RunAsync(["merge-base", one, other], ct, maxBytes: 1024);
        return output.ExitCode == 0 ? output.Text.Trim() : null;
    }
}

/// <summary>Reads git's raw and patch formats.</summary>
internal static class DiffParser
{
    /// <summary>Raw entries (<c>:modes ids status</c>, path or two), then counts (<c>added TAB removed TAB path</c>, or two paths after an empty one).</summary>
    public static (IReadOnlyList<DiffFile> Files, bool IsCut) Files(string[] fields, int most)
    {
        var files = new List<DiffFile>();
        var counts = new Dictionary<string, (int?, int?)>(StringComparer.Ordinal);
        for (var i = 0; i < fields.Length; i++)
        {
            if (fields[i].StartsWith(':') && fields[i][1..].Split(' ') is [var oldMode, var mode, var oldId, var id, { Length: > 0 } status] && i + 1 < fields.Length)
            {
                var old = fields[++i];
                var path = status[0] is 'R' or 'C' && i + 1 < fields.Length ? fields[++i] : old;
                files.Add(new(StatusOf(status[0]), old, path, oldMode, mode, oldId, id, 0, 0));
            }
            else if (fields[i].Split('\t', 3) is [var added, var removed, var counted])
            {
                if (counted.Length == 0 && i + 2 < fields.Length) counted = fields[i += 2];
                counts[counted] = (Number(added), Number(removed));
            }
        }

        var shown = files.Take(most).Select(f => counts.TryGetValue(f.Path, out var c) ? f with { Added = c.Item1, Removed = c.Item2 } : f).ToList();
        return (shown, files.Count > most);
    }

    /// <summary>The hunks of a patch of one file.</summary>
    public static IReadOnlyList<DiffHunk> Hunks(string patch)
    {
        var hunks = new List<DiffHunk>();
        var lines = new List<DiffLine>();
        var (old, now, oldLeft, nowLeft) = (0, 0, 0, 0);
        foreach (var line in patch.Split('\n'))
        {
            if (oldLeft + nowLeft > 0 && line.Length > 0 && line[0] is ' ' or '+' or '-' && oldLeft + nowLeft > 0)
            {
                var kind = line[0] switch { '+' => DiffLineKind.Added, '-' => DiffLineKind.Removed, _ => DiffLineKind.Context };
                lines.Add(new(kind, kind == DiffLineKind.Added ? null : old++, kind == DiffLineKind.Removed ? null : now++, line[1..]));
                if (kind != DiffLineKind.Added) oldLeft--;
                if (kind != DiffLineKind.Removed) nowLeft--;
            }
            else if (line.StartsWith("\\ ", StringComparison.Ordinal) && lines.Count > 0)
            {
                lines[^1] = lines[^1] with { HasEnd = false };
            }
            else if (line.StartsWith("@@ -", StringComparison.Ordinal) && line.IndexOf(" @@", 4, StringComparison.Ordinal) is var end and > 0)
            {
                var ranges = line[4..end].Split(" +");
                ((old, oldLeft), (now, nowLeft)) = (Range(ranges[0]), Range(ranges[1]));
                lines = [];
                hunks.Add(new(old, oldLeft, now, nowLeft, line[(end + 3)..].Trim(), lines));
            }
        }

        return hunks;
    }

    private static (int Start, int Count) Range(string text) =>
        text.Split(',') is [var start, var count] ? (int.Parse(start, CultureInfo.InvariantCulture), int.Parse(count, CultureInfo.InvariantCulture)) : (int.Parse(text, CultureInfo.InvariantCulture), 1);

    private static int? Number(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : null;

    private static DiffStatus StatusOf(char letter) => letter switch
    {
        'A' => DiffStatus.Added,
        'D' => DiffStatus.Deleted,
        'R' => DiffStatus.Renamed,
        'C' => DiffStatus.Copied,
        'T' => DiffStatus.TypeChanged,
        _ => DiffStatus.Modified,
    };
}
