using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Krate.Core.Runs;

/// <summary>A line of a log.</summary>
/// <param name="Number">The first is 1.</param>
/// <param name="At">When it came; null when that is not known.</param>
/// <param name="CutBytes">How many bytes of it were left out.</param>
public sealed record LogLine(long Number, string Text, DateTimeOffset? At, long CutBytes);

/// <summary>Lines that a log folds under a name (<c>::group::</c>, <c>##[group]</c>).</summary>
/// <param name="Line">Number of the line that begins it.</param>
/// <param name="Last">Number of its last line; null while it is open.</param>
public sealed record LogGroup(long Line, string Name, long? Last);

/// <summary>Where a text is in a log.</summary>
/// <param name="Lines">Numbers of lines, rising.</param>
/// <param name="Count">How many lines of the whole log have it, at most <see cref="JobLog.MostCounted"/>.</param>
/// <param name="IsComplete">False when time ran out first.</param>
public sealed record LogMatches(IReadOnlyList<long> Lines, long Count, bool IsComplete);

/// <summary>
/// An index over one log file, which finds lines without reading what is before them. Shared by all readers; grows with the file
/// and takes memory for some thousand entries at most. Thread-safe.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "A semaphore whose wait handle nobody asks for holds nothing to dispose of.")]
public sealed class JobLog
{
    /// <summary>Matching lines beyond this many are not counted.</summary>
    public const long MostCounted = 10_000;

    /// <summary>Of a longer line only so many bytes are read.</summary>
    public const int LongestLine = 8 << 10;

    private const long LookedForFailure = 64 << 20;
    private const int LinesAtOnce = 1000;

    private readonly string path;
    private readonly LineIndex index = new();
    private readonly SemaphoreSlim extending = new(1);

    internal JobLog(string path) => this.path = path;

    /// <summary>Bytes that have been looked at.</summary>
    public long Length => index.Length;

    /// <summary>Complete lines, and a last one that is not.</summary>
    public long LineCount => index.LineCount;

    /// <summary>Groups in their order; the first some thousand.</summary>
    public IReadOnlyList<LogGroup> Groups => index.Groups;

    /// <summary>Reads lines; fewer at the end. A longer line is cut, invalid UTF-8 is replaced.</summary>
    /// <param name="first">0 for the first line.</param>
    public async Task<IReadOnlyList<LogLine>> ReadLinesAsync(long first, int count, CancellationToken ct)
    {
        await ExtendAsync(ct);
        var (from, total) = (Math.Max(0, first), LineCount);
        var wanted = (int)Math.Clamp(total - from, 0, Math.Max(0, count));
        if (wanted == 0) return [];
        using var reader = new LineReader(path, Length, index);
        await reader.GoToAsync(from, ct);
        var lines = new List<(long Offset, string Text, long Cut)>(wanted);
        while (lines.Count < wanted) lines.Add(await reader.NextAsync(ct));
        var times = LogTimes.Of(path, [.. lines.Select(l => l.Offset)]);
        return [.. lines.Select((l, i) => new LogLine(from + i + 1, l.Text, times[i], l.Cut))];
    }

    /// <summary>Where a line begins; 0 for lines before the first (0), the end for those behind the last.</summary>
    public async Task<long> OffsetOfAsync(long line, CancellationToken ct)
    {
        await ExtendAsync(ct);
        if (line >= LineCount) return Length;
        using var reader = new LineReader(path, Length, index);
        await reader.GoToAsync(Math.Max(0, line), ct);
        return reader.Position;
    }

    /// <summary>Finds lines that have a text; upper and lower case of ASCII are the same.</summary>
    /// <param name="fromLine">Lines before this one (0 for the first) are counted, not returned.</param>
    public async Task<LogMatches> SearchAsync(string text, long fromLine, int limit, CancellationToken ct)
    {
        await ExtendAsync(ct);
        var needle = Encoding.UTF8.GetBytes(text);
        // No line has a line end in it.
        if (needle.Length is 0 or > LongestLine || needle.AsSpan().Contains((byte)'\n')) return new([], 0, true);
        return await new LogSearch(needle, fromLine, limit).RunAsync(path, Length, ct);
    }

    /// <summary>The first error of the log, looked for in its first bytes only.</summary>
    public async Task<(string Text, long Line)?> FindFailureAsync(CancellationToken ct)
    {
        var search = new FailureSearch();
        var looked = 0L;
        for (long first = 0; looked < LookedForFailure;)
        {
            var lines = await ReadLinesAsync(first, LinesAtOnce, ct);
            foreach (var line in lines)
            {
                if (search.Take(line.Text)) return search.Found;
                looked += line.Text.Length + line.CutBytes;
            }

            if (lines.Count < LinesAtOnce) break;
            first += lines.Count;
        }

        return search.Found;
    }

    /// <summary>Brings the index up to the end of the file.</summary>
    internal async Task ExtendAsync(CancellationToken ct)
    {
        if (LogFiles.VisibleLengthOf(path) <= Length) return;
        await extending.WaitAsync(ct);
        try
        {
            var end = LogFiles.VisibleLengthOf(path);
            if (end <= Length) return;
            using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            await index.ExtendAsync(file, end, ct);
        }
        finally
        {
            extending.Release();
        }
    }
}
