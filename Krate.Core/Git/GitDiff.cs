using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

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
/// <param name="Added">Lines; null for binary files, and for those that are too large to be compared.</param>
/// <param name="Removed">As <paramref name="Added"/>.</param>
public sealed record DiffFile(DiffStatus Status, string OldPath, string Path, string OldMode, string Mode, string OldId, string Id, int? Added, int? Removed)
{
    private const string Link = "160000";
    private const string Symlink = "120000";

    public bool IsBinary => Added is null;

    public bool IsSubmodule => Mode == Link || OldMode == Link;

    public bool IsSymlink => Mode == Symlink || OldMode == Symlink;

    public bool ModeChanged => Status is DiffStatus.Modified or DiffStatus.Renamed or DiffStatus.Copied && OldMode != Mode;

    public int Lines => (Added ?? 0) + (Removed ?? 0);

    /// <summary>False when the name is not UTF-8: it is shown with replacement characters and cannot be asked for.</summary>
    public bool IsNamed => !OldPath.Contains('\uFFFD', StringComparison.Ordinal) && !Path.Contains('\uFFFD', StringComparison.Ordinal);
}

/// <summary>Everything that differs between two trees, file by file.</summary>
/// <param name="Total">How many files differ, those included that are not listed.</param>
/// <param name="Added">Lines of all of them.</param>
/// <param name="IsCut">There are more files than are listed.</param>
/// <param name="IsCounted">False when counting lines took too long: then no file has any, and what was renamed is told as removed and added.</param>
public sealed record DiffSummary(IReadOnlyList<DiffFile> Files, int Total, int Added, int Removed, bool IsCut, bool IsCounted);

public sealed partial class GitRepository
{
    /// <summary>What the first commit of a repository is compared with.</summary>
    public const string EmptyTree = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

    private const int MaxDiffFiles = 3_000;
    private const int MaxPatchBytes = 8 << 20;
    private static readonly TimeSpan CountLimit = TimeSpan.FromSeconds(8);

    /// <summary>git takes larger files for binary: it neither compares nor counts them.</summary>
    private static readonly Dictionary<string, string> LargeIsBinary = new()
    {
        ["GIT_CONFIG_COUNT"] = "1",
        ["GIT_CONFIG_KEY_0"] = "core.bigFileThreshold",
        ["GIT_CONFIG_VALUE_0"] = "4m",
    };

    /// <summary>The files that differ, with counts. Renames are found among up to 1,000 files.</summary>
    /// <param name="from">Commit or tree.</param>
    public async Task<DiffSummary> DiffAsync(string from, string to, CancellationToken ct)
    {
        try
        {
            return await DiffAsync(["-M", "-l1000", "--raw", "--numstat", from, to], isCounted: true, CountLimit, ct);
        }
        catch (TimeoutException)
        {
            return await DiffAsync(["--no-renames", "--raw", from, to], isCounted: false, DefaultLimit, ct);
        }
    }

    private async Task<DiffSummary> DiffAsync(string[] how, bool isCounted, TimeSpan limit, CancellationToken ct)
    {
        var output = await RunAsync(["diff-tree", "-r", "-z", "--no-abbrev", .. how], ct, maxBytes: 32 << 20, limit, environment: LargeIsBinary);
        if (output.ExitCode != 0) throw output.ToException("diff-tree");
        var files = DiffParser.Files(output.Fields);
        return new([.. files.Take(MaxDiffFiles)], files.Count, files.Sum(f => f.Added ?? 0), files.Sum(f => f.Removed ?? 0), files.Count > MaxDiffFiles || output.IsCut, isCounted);
    }

    /// <summary>What differs in one file.</summary>
    /// <param name="file">From <see cref="DiffAsync(string, string, CancellationToken)"/> of the same trees.</param>
    /// <param name="ignoreSpace">Leaves out lines that differ in white space only.</param>
    /// <returns>Null when it is too large to be shown.</returns>
    public async Task<IReadOnlyList<DiffHunk>?> DiffFileAsync(string from, string to, DiffFile file, bool ignoreSpace, CancellationToken ct) =>
        (await DiffFilesAsync(from, to, [file], ignoreSpace, ct)).GetValueOrDefault(file.Path);

    /// <summary>What differs in each of some files, by path, from one run of git. Files beyond 8 MiB of patches are left out: ask for them one by one.</summary>
    /// <param name="files">From <see cref="DiffAsync(string, string, CancellationToken)"/> of the same trees.</param>
    /// <param name="ignoreSpace">Leaves out lines that differ in white space only.</param>
    public async Task<IReadOnlyDictionary<string, IReadOnlyList<DiffHunk>>> DiffFilesAsync(string from, string to, IReadOnlyList<DiffFile> files, bool ignoreSpace, CancellationToken ct)
    {
        var read = new Dictionary<string, IReadOnlyList<DiffHunk>>(StringComparer.Ordinal);
        foreach (var file in files.Where(f => f.IsBinary || f.IsSubmodule || !f.IsNamed || f.OldId == f.Id)) read[file.Path] = [];
        var asked = files.Where(f => !read.ContainsKey(f.Path)).ToList();
        if (asked.Count == 0) return read;
        string[] paths = [.. asked.SelectMany(f => (string[])[f.OldPath, f.Path]).Distinct(StringComparer.Ordinal)];
        string[] space = ignoreSpace ? ["-w"] : [];
        var output = await RunAsync(
            ["diff-tree", "-r", "-M", "-l1000", "-p", "--full-index", "--no-color", "--no-ext-diff", "--no-textconv", .. space, from, to, "--", .. paths], ct, maxBytes: MaxPatchBytes, environment: LargeIsBinary);
        if (output.ExitCode != 0) throw output.ToException("diff-tree");
        var patches = DiffParser.Patches(output.Bytes, output.IsCut);
        foreach (var file in asked)
        {
            if (DiffParser.HunksOf(file, patches) is { } hunks) read[file.Path] = hunks;
            // What git does not tell although it told everything differs in white space only.
            else if (!output.IsCut) read[file.Path] = [];
        }

        return read;
    }

    /// <summary>The newest commit that both sides have; null for unrelated histories.</summary>
    public async Task<string?> MergeBaseAsync(string one, string other, CancellationToken ct)
    {
        var output = await RunAsync(["merge-base", one, other], ct, maxBytes: 1024);
        return output.ExitCode == 0 ? output.Text.Trim() : null;
    }
}

/// <summary>Reads git's raw and patch formats.</summary>
internal static partial class DiffParser
{
    private static ReadOnlySpan<byte> NextFile => "\ndiff --git "u8;

    /// <summary>Raw entries (<c>:modes ids status</c>, path or two), then counts (<c>added TAB removed TAB path</c>, or two paths after an empty one).</summary>
    public static IReadOnlyList<DiffFile> Files(string[] fields)
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

        return [.. files.Select(f => counts.TryGetValue(f.Path, out var c) ? f with { Added = c.Item1, Removed = c.Item2 } : f)];
    }

    /// <summary>
    /// The hunks of every file of a patch with full ids. Files are told by the ids of their blobs: a path also asks for what is below
    /// it, and git writes names in more than one way.
    /// </summary>
    /// <param name="isCut">The output ends too early: its last file is left out.</param>
    public static IReadOnlyDictionary<(string Old, string New), IReadOnlyList<DiffHunk>> Patches(ReadOnlySpan<byte> output, bool isCut)
    {
        var patches = new Dictionary<(string, string), IReadOnlyList<DiffHunk>>();
        while (NextPatch(ref output, isCut) is { IsEmpty: false } patch)
        {
            var text = TextOf(patch);
            if (Index().Match(text) is { Success: true } ids) patches[(ids.Groups[1].Value, ids.Groups[2].Value)] = Hunks(text);
        }

        return patches;
    }

    /// <summary>Takes the patch of one file off the front.</summary>
    /// <param name="isCut">The output ends too early: its last file is left out.</param>
    /// <returns>Nothing at the end.</returns>
    public static ReadOnlySpan<byte> NextPatch(ref ReadOnlySpan<byte> output, bool isCut = false)
    {
        // A line of a file has a mark before it, so this begins the next file.
        var next = output.IndexOf(NextFile);
        if (next < 0 && isCut) return [];
        var patch = next < 0 ? output : output[..(next + 1)];
        output = output[patch.Length..];
        return patch;
    }

    /// <summary>What is not UTF-8 is read as Latin-1, as files are.</summary>
    public static string TextOf(ReadOnlySpan<byte> patch) => System.Text.Unicode.Utf8.IsValid(patch) ? Encoding.UTF8.GetString(patch) : Encoding.Latin1.GetString(patch);

    /// <returns>Null when they are not there.</returns>
    public static IReadOnlyList<DiffHunk>? HunksOf(DiffFile file, IReadOnlyDictionary<(string Old, string New), IReadOnlyList<DiffHunk>> patches)
    {
        if (file.Status != DiffStatus.TypeChanged) return patches.GetValueOrDefault((file.OldId, file.Id));
        // git tells it as one that goes and one that comes.
        var none = new string('0', file.Id.Length);
        return patches.GetValueOrDefault((file.OldId, none)) is { } gone && patches.GetValueOrDefault((none, file.Id)) is { } come ? [.. gone, .. come] : null;
    }

    /// <summary>The hunks of the patch of one file; none of a binary one.</summary>
    public static List<DiffHunk> Hunks(string patch)
    {
        var hunks = new List<DiffHunk>();
        var lines = new List<DiffLine>();
        var (old, now, oldLeft, nowLeft) = (0, 0, 0, 0);
        foreach (var line in patch.Split('\n'))
        {
            if (oldLeft + nowLeft > 0 && line is [' ' or '+' or '-', ..])
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

    [GeneratedRegex("^index ([0-9a-f]{40,64})\\.\\.([0-9a-f]{40,64})", RegexOptions.Multiline)]
    private static partial Regex Index();
}
