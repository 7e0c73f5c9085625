namespace Krate.Web.Components;

public enum DiffKind
{
    Same,
    Added,
    Removed,
    Skipped,
}

public sealed record TextDiffLine(DiffKind Kind, string Text);

/// <summary>What changed between two short texts, line by line, with a little around it.</summary>
public static class LineDiff
{
    private const int Context = 2;
    private const int MaxCells = 4_000_000;

    public static IReadOnlyList<TextDiffLine> Between(string before, string after)
    {
        var a = before.TrimEnd('\n').Split('\n');
        var b = after.TrimEnd('\n').Split('\n');
        var head = 0;
        while (head < a.Length && head < b.Length && a[head] == b[head]) head++;
        var tail = 0;
        while (tail < a.Length - head && tail < b.Length - head && a[^(tail + 1)] == b[^(tail + 1)]) tail++;
        var lines = new List<TextDiffLine>();
        lines.AddRange(a[..head].Select(l => new TextDiffLine(DiffKind.Same, l)));
        lines.AddRange(Middle(a[head..^tail], b[head..^tail]));
        lines.AddRange(a[^tail..].Select(l => new TextDiffLine(DiffKind.Same, l)));
        return Fold(lines);
    }

    private static IEnumerable<TextDiffLine> Middle(string[] a, string[] b)
    {
        // Two texts that share nothing but are long: naming both is better than minutes of arithmetic.
        if ((long)a.Length * b.Length > MaxCells) return [.. a.Select(l => new TextDiffLine(DiffKind.Removed, l)), .. b.Select(l => new TextDiffLine(DiffKind.Added, l))];
        var common = new int[a.Length + 1, b.Length + 1];
        for (var i = a.Length - 1; i >= 0; i--)
            for (var j = b.Length - 1; j >= 0; j--)
                common[i, j] = a[i] == b[j] ? common[i + 1, j + 1] + 1 : Math.Max(common[i + 1, j], common[i, j + 1]);
        return Walk(a, b, common);
    }

    private static IEnumerable<TextDiffLine> Walk(string[] a, string[] b, int[,] common)
    {
        int x = 0, y = 0;
        while (x < a.Length || y < b.Length)
        {
            if (x < a.Length && y < b.Length && a[x] == b[y])
            {
                yield return new(DiffKind.Same, a[x]);
                x++;
                y++;
            }
            else if (x < a.Length && (y == b.Length || common[x + 1, y] >= common[x, y + 1]))
            {
                yield return new(DiffKind.Removed, a[x++]);
            }
            else
            {
                yield return new(DiffKind.Added, b[y++]);
            }
        }
    }

    private static List<TextDiffLine> Fold(List<TextDiffLine> lines)
    {
        var near = new bool[lines.Count];
        for (var i = 0; i < lines.Count; i++)
        {
            if (lines[i].Kind == DiffKind.Same) continue;
            for (var j = Math.Max(0, i - Context); j <= Math.Min(lines.Count - 1, i + Context); j++) near[j] = true;
        }

        var folded = new List<TextDiffLine>();
        for (var i = 0; i < lines.Count; i++)
        {
            if (near[i]) folded.Add(lines[i]);
            else if (folded.Count == 0 || folded[^1].Kind != DiffKind.Skipped) folded.Add(new(DiffKind.Skipped, "…"));
        }

        return folded;
    }
}
