using System.Buffers;
using System.Diagnostics;

namespace Krate.Core.Runs;

/// <summary>One search through a log: looks for the rarest byte of the text, and compares where it is.</summary>
internal sealed class LogSearch
{
    private const int BufferBytes = 1 << 20;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>What logs have most of, from the most frequent on.</summary>
    private static readonly byte[] Frequent = " etaoinsrldc0h1m2pu.3-:/4fg56789bw_,yvEkT=SAIRNO\"'()[]CDLxPMFBUz\tHGj"u8.ToArray();

    private readonly byte[] needle;
    private readonly int anchor;
    private readonly byte lower;
    private readonly byte upper;
    private readonly long fromLine;
    private readonly int limit;
    private readonly List<long> found = [];
    private long count;
    private long line;
    private bool skips;

    public LogSearch(byte[] needle, long fromLine, int limit)
    {
        (this.needle, this.fromLine, this.limit) = (needle, fromLine, limit);
        anchor = Enumerable.Range(0, needle.Length).MaxBy(i => Rarity(needle[i]));
        (lower, upper) = (Lower(needle[anchor]), Upper(needle[anchor]));
    }

    private bool IsDone => count >= JobLog.MostCounted && found.Count >= limit;

    public async Task<LogMatches> RunAsync(string path, long end, CancellationToken ct)
    {
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.SequentialScan);
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        var since = Stopwatch.GetTimestamp();
        try
        {
            for (long start = 0; start < end && !IsDone;)
            {
                if (Stopwatch.GetElapsedTime(since) > Patience) return Answer(false);
                var read = 0;
                while (read < BufferBytes && await RandomAccess.ReadAsync(file, buffer.AsMemory(read, (int)Math.Min(BufferBytes - read, end - start - read)), start + read, ct) is > 0 and var more) read += more;
                if (read == 0) break;
                var isLast = start + read >= end;
                // A match that goes beyond the buffer is looked for in the next one.
                var searched = isLast ? read : Math.Max(1, read - needle.Length + 1);
                Look(buffer.AsSpan(0, read), searched);
                start += searched;
            }

            return Answer(true);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private LogMatches Answer(bool complete) => new(found, Math.Min(count, JobLog.MostCounted), complete);

    /// <summary>Matches that begin before <paramref name="searched"/>; counts the line ends up to there.</summary>
    private void Look(ReadOnlySpan<byte> bytes, int searched)
    {
        var at = 0;
        while (at < searched && !IsDone)
        {
            if (skips)
            {
                var newline = bytes[at..searched].IndexOf((byte)'\n');
                if (newline < 0) return;
                (at, line, skips) = (at + newline + 1, line + 1, false);
                continue;
            }

            var match = Next(bytes, at, searched);
            if (match < 0) break;
            line += bytes[at..match].Count((byte)'\n');
            count++;
            if (line >= fromLine && found.Count < limit) found.Add(line + 1);
            (at, skips) = (match, true);
        }

        if (at < searched) line += bytes[at..searched].Count((byte)'\n');
    }

    /// <summary>Begin of the first match in [from, searched); -1 for none.</summary>
    private int Next(ReadOnlySpan<byte> bytes, int from, int searched)
    {
        for (var at = from + anchor; at < bytes.Length && at - anchor < searched; at++)
        {
            var hit = bytes[at..].IndexOfAny(lower, upper);
            if (hit < 0) return -1;
            at += hit;
            var start = at - anchor;
            if (start >= searched || start + needle.Length > bytes.Length) return -1;
            if (Equal(bytes.Slice(start, needle.Length))) return start;
        }

        return -1;
    }

    private bool Equal(ReadOnlySpan<byte> bytes)
    {
        for (var i = 0; i < bytes.Length; i++)
            if (bytes[i] != needle[i] && Lower(bytes[i]) != Lower(needle[i])) return false;
        return true;
    }

    private static int Rarity(byte b) => Math.Min(Rank(Lower(b)), Rank(Upper(b)));

    private static int Rank(byte b) => Array.IndexOf(Frequent, b) is >= 0 and var rank ? rank : 1000;

    private static byte Lower(byte b) => b is >= (byte)'A' and <= (byte)'Z' ? (byte)(b | 0x20) : b;

    private static byte Upper(byte b) => b is >= (byte)'a' and <= (byte)'z' ? (byte)(b & ~0x20) : b;
}
