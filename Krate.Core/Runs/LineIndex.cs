using System.Buffers;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Krate.Core.Runs;

/// <summary>
/// Where lines begin: one entry for some hundred lines or a megabyte, whichever comes first; twice as rare when there are many.
/// One extends it at a time; any number may ask meanwhile.
/// </summary>
internal sealed class LineIndex
{
    private const int MostEntries = 1 << 16;
    private const int MostGroups = 5000;
    private const int LongestName = 256;
    private const int BufferBytes = 1 << 20;
    private readonly Lock gate = new();
    private readonly List<(long Line, long Offset)> entries = [(0, 0)];
    private readonly List<LogGroup> groups = [];
    private readonly byte[] head = new byte[LongestName];
    private long strideLines = 256;
    private long strideBytes = 1 << 20;
    private int headLength;
    private bool isMarker;
    private long length;
    private long lines;
    private long lineStart;

    public long Length => Volatile.Read(ref length);

    public long LineCount
    {
        get
        {
            lock (gate) return lines + (length > lineStart ? 1 : 0);
        }
    }

    public IReadOnlyList<LogGroup> Groups
    {
        get
        {
            lock (gate) return [.. groups];
        }
    }

    /// <summary>The nearest known begin of a line at or before this one.</summary>
    public (long Line, long Offset) Before(long line)
    {
        lock (gate) return entries[Find(line)];
    }

    /// <summary>Where a line begins, when just that is known: what is behind a very long line is then found without reading it.</summary>
    public long? StartOf(long line)
    {
        lock (gate) return entries[Find(line)] is var entry && entry.Line == line ? entry.Offset : null;
    }

    public async Task ExtendAsync(SafeFileHandle file, long end, CancellationToken ct)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            while (length < end)
            {
                var read = await RandomAccess.ReadAsync(file, buffer.AsMemory(0, (int)Math.Min(BufferBytes, end - length)), length, ct);
                if (read == 0) return;
                lock (gate) Take(buffer.AsSpan(0, read));
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private void Take(ReadOnlySpan<byte> bytes)
    {
        var start = length;
        for (var at = 0; at < bytes.Length;)
        {
            var rest = bytes[at..];
            var newline = rest.IndexOf((byte)'\n');
            var line = newline < 0 ? rest : rest[..newline];
            if (start + at == lineStart) (headLength, isMarker) = (0, line is [(byte)':' or (byte)'#', ..]);
            if (isMarker) Keep(line);
            if (newline < 0) break;
            if (isMarker) Mark(lines + 1);
            at += newline + 1;
            EndLine(start + at);
        }

        Volatile.Write(ref length, start + bytes.Length);
    }

    private void EndLine(long next)
    {
        lines++;
        lineStart = next;
        var (line, offset) = entries[^1];
        if (lines - line < strideLines && next - offset < strideBytes) return;
        entries.Add((lines, next));
        if (entries.Count < MostEntries) return;
        var kept = entries.Where((_, i) => i % 2 == 0).ToList();
        entries.Clear();
        entries.AddRange(kept);
        (strideLines, strideBytes) = (strideLines * 2, strideBytes * 2);
    }

    private void Keep(ReadOnlySpan<byte> part)
    {
        var more = part[..Math.Min(part.Length, head.Length - headLength)];
        more.CopyTo(head.AsSpan(headLength));
        headLength += more.Length;
    }

    private void Mark(long number)
    {
        var text = head.AsSpan(0, headLength).TrimEnd((byte)'\r');
        if (Behind(text, "::group::"u8) is { } name || (name = Behind(text, "##[group]"u8)) is not null)
        {
            Close(number - 1);
            if (groups.Count < MostGroups) groups.Add(new(number, name, null));
        }
        else if (text.StartsWith("::endgroup::"u8) || text.StartsWith("##[endgroup]"u8))
        {
            Close(number);
        }
    }

    private void Close(long last)
    {
        if (groups is [.., { Last: null } open]) groups[^1] = open with { Last = last };
    }

    private static string? Behind(ReadOnlySpan<byte> text, ReadOnlySpan<byte> mark) => text.StartsWith(mark) ? Encoding.UTF8.GetString(text[mark.Length..]).Trim() : null;

    private int Find(long line)
    {
        var (low, high) = (0, entries.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (entries[middle].Line <= line) low = middle + 1;
            else high = middle;
        }

        return Math.Max(0, low - 1);
    }
}
