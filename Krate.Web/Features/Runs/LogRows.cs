namespace Krate.Web.Features.Runs;

/// <summary>Which lines of a log are rows on the screen: all but those in groups that are closed. Pure; lines and rows count from 0.</summary>
public sealed class LogRows
{
    /// <summary>Of each closed group: the first hidden line, the first behind it, and how many are hidden before it.</summary>
    private readonly List<(long From, long To, long Before)> hidden = [];
    private readonly long lines;

    /// <param name="closed">First line and last line of closed groups; the first line stays. In order, none in another.</param>
    public LogRows(long lines, IEnumerable<(long First, long Last)> closed)
    {
        this.lines = lines;
        long before = 0;
        foreach (var (first, last) in closed)
        {
            if (last <= first || first >= lines) continue;
            var to = Math.Min(last + 1, lines);
            hidden.Add((first + 1, to, before));
            before += to - first - 1;
        }

        Count = lines - before;
    }

    public long Count { get; }

    /// <summary>The line that a row shows.</summary>
    public long LineOf(long row)
    {
        var line = row;
        foreach (var (from, to, before) in hidden)
        {
            if (row < from - before) break;
            line = row + before + (to - from);
        }

        return Math.Clamp(line, 0, Math.Max(0, lines - 1));
    }

    /// <summary>The row of a line; of one in a closed group, the row of the group.</summary>
    public long RowOf(long line)
    {
        var row = line;
        foreach (var (from, to, before) in hidden)
        {
            if (line < from) break;
            row = line < to ? from - 1 - before : line - before - (to - from);
        }

        return Math.Max(0, row);
    }

    /// <summary>Runs of neighbouring lines that some rows show.</summary>
    public IEnumerable<(long Line, int Count)> Read(long row, int count)
    {
        var end = Math.Min(row + count, Count);
        while (row < end)
        {
            var line = LineOf(row);
            var next = hidden.FirstOrDefault(h => h.From > line, (lines, lines, 0)).From;
            var run = (int)Math.Min(end - row, next - line);
            yield return (line, run);
            row += run;
        }
    }
}
