using Krate.Core.Git;

namespace Krate.Web.Features.Code;

/// <summary>The files that differ between two commits, with the patches of those that are shown at once.</summary>
/// <param name="From">Commit or tree.</param>
/// <param name="Patches">By path; a file that is not in here is folded until somebody asks for it.</param>
public sealed record DiffContent(string From, string To, DiffSummary Summary, IReadOnlyDictionary<string, IReadOnlyList<DiffHunk>> Patches);

/// <summary>Reads what a page shows of a diff: everything of a small one, the beginning of a large one.</summary>
public static class DiffReader
{
    /// <summary>A file with more changed lines is folded at first.</summary>
    public const int MaxFileLines = 1_500;

    private const int MaxLines = 5_000;
    private const int MaxFiles = 60;

    /// <summary>Files that machines write, by name; they are folded at first.</summary>
    private static readonly string[] Generated = ["package-lock.json", "packages.lock.json", "pnpm-lock.yaml", "go.sum"];
    private static readonly string[] GeneratedEnds = [".min.js", ".min.css", ".map", ".snap", ".designer.cs", ".g.cs", ".pb.go", ".lock"];

    private static readonly string[] GeneratedFolders = ["dist/", "vendor/", "node_modules/"];

    public static bool IsGenerated(string path) =>
        Generated.Contains(path[(path.LastIndexOf('/') + 1)..], StringComparer.OrdinalIgnoreCase)
        || GeneratedEnds.Any(e => path.EndsWith(e, StringComparison.OrdinalIgnoreCase))
        || GeneratedFolders.Any(f => path.StartsWith(f, StringComparison.Ordinal) || path.Contains("/" + f, StringComparison.Ordinal));

    public static async Task<DiffContent> ReadAsync(GitRepository git, string from, string to, bool ignoreSpace, CancellationToken ct)
    {
        var summary = await git.DiffAsync(from, to, ct);
        var lines = 0;
        var shown = summary.Files.Where(f => f.Lines <= MaxFileLines && !IsGenerated(f.Path)).TakeWhile(f => (lines += f.Lines) <= MaxLines).Take(MaxFiles).ToList();
        return new(from, to, summary, await git.DiffFilesAsync(from, to, shown, ignoreSpace, ct));
    }
}

/// <summary>A line of the old file beside one of the new; either may be missing.</summary>
/// <param name="OldMark">Part of the old text that the new one has not: start and length; null for none, or for all of it.</param>
public sealed record DiffRow(DiffLine? Old, DiffLine? New, (int Start, int Length)? OldMark = null, (int Start, int Length)? NewMark = null);

/// <summary>Lines of hunks as rows of two columns.</summary>
public static class DiffRows
{
    /// <summary>Removed lines stand beside the added lines that follow them, in order. Pairs that are alike have their difference marked.</summary>
    public static IEnumerable<DiffRow> Of(DiffHunk hunk)
    {
        var lines = hunk.Lines;
        for (var i = 0; i < lines.Count;)
        {
            if (lines[i].Kind == DiffLineKind.Context)
            {
                yield return new(lines[i], lines[i]);
                i++;
                continue;
            }

            var removed = lines.Skip(i).TakeWhile(l => l.Kind == DiffLineKind.Removed).ToList();
            var added = lines.Skip(i + removed.Count).TakeWhile(l => l.Kind == DiffLineKind.Added).ToList();
            i += removed.Count + added.Count;
            for (var n = 0; n < Math.Max(removed.Count, added.Count); n++)
            {
                var (old, now) = (n < removed.Count ? removed[n] : null, n < added.Count ? added[n] : null);
                yield return old is not null && now is not null ? Marked(old, now) : new(old, now);
            }
        }
    }

    /// <summary>The rows as lines under one another, with their marks.</summary>
    public static IEnumerable<(DiffLine Line, (int Start, int Length)? Mark)> Unified(DiffHunk hunk)
    {
        var waiting = new List<(DiffLine, (int, int)?)>();
        foreach (var row in Of(hunk))
        {
            if (row.Old is { Kind: DiffLineKind.Removed } old) yield return (old, row.OldMark);
            if (row.New is { Kind: DiffLineKind.Added } now) waiting.Add((now, row.NewMark));
            if (row.Old is { Kind: DiffLineKind.Context } context)
            {
                foreach (var line in waiting) yield return line;
                waiting.Clear();
                yield return (context, null);
            }
        }

        foreach (var line in waiting) yield return line;
    }

    /// <summary>What is between the common beginning and the common end, by whole words; lines with little in common are not marked.</summary>
    private static DiffRow Marked(DiffLine old, DiffLine now)
    {
        var (a, b) = (old.Text, now.Text);
        var start = 0;
        while (start < a.Length && start < b.Length && a[start] == b[start]) start++;
        var end = 0;
        while (end < a.Length - start && end < b.Length - start && a[^(end + 1)] == b[^(end + 1)]) end++;
        while (start > 0 && char.IsLetterOrDigit(a[start - 1])) start--;
        while (end > 0 && char.IsLetterOrDigit(a[^end])) end--;
        var common = (start + end) * 2;
        if (common < Math.Max(a.Length, b.Length) / 2 || start + end == 0) return new(old, now);
        return new(old, now, (start, a.Length - start - end), (start, b.Length - start - end));
    }
}
