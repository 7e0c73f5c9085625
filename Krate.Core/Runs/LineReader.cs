using System.Buffers;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Krate.Core.Runs;

/// <summary>Reads a log line by line, of each line no more than is shown. One reader, one caller.</summary>
internal sealed class LineReader(string path, long end, LineIndex index) : IDisposable
{
    private const int BufferBytes = 64 << 10;
    private readonly SafeFileHandle file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
    private readonly byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
    private long line;
    private long position;
    private long bufferStart;
    private int bufferLength;

    public long Position => position;

    public async Task GoToAsync(long wanted, CancellationToken ct)
    {
        (line, position) = index.Before(wanted);
        while (line < wanted) await SkipLineAsync(ct);
    }

    /// <summary>The line at which the reader is; then it is at the next one.</summary>
    public async Task<(long Offset, string Text, long Cut)> NextAsync(CancellationToken ct)
    {
        var start = position;
        await FillAsync(Math.Min(JobLog.LongestLine + 1, end - position), ct);
        var newline = Ahead.IndexOf((byte)'\n');
        if (newline is >= 0 and <= JobLog.LongestLine)
        {
            var text = Decode(Ahead[..newline]);
            (line, position) = (line + 1, position + newline + 1);
            return (start, text, 0);
        }

        var shown = Ahead.Length <= JobLog.LongestLine ? Ahead.Length : WholeCharacters(Ahead[..JobLog.LongestLine]);
        var head = Decode(Ahead[..shown]);
        var last = await SkipLineAsync(ct);
        return (start, head, last - start - shown);
    }

    public void Dispose()
    {
        file.Dispose();
        ArrayPool<byte>.Shared.Return(buffer);
    }

    private ReadOnlySpan<byte> Ahead => buffer.AsSpan((int)(position - bufferStart), (int)(bufferStart + bufferLength - position));

    private static string Decode(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes is [.., (byte)'\r'] ? bytes[..^1] : bytes);

    /// <summary>The cut may lie within a character.</summary>
    private static int WholeCharacters(ReadOnlySpan<byte> bytes)
    {
        var cut = bytes.Length;
        while (cut > bytes.Length - 4 && (bytes[cut - 1] & 0xC0) == 0x80) cut--;
        return (bytes[cut - 1] & 0xC0) == 0xC0 ? cut - 1 : bytes.Length;
    }

    /// <returns>Where the line ends, without its line end.</returns>
    private async Task<long> SkipLineAsync(CancellationToken ct)
    {
        line++;
        if (index.StartOf(line) is { } next && next <= end)
        {
            position = next;
            return next - 1;
        }

        while (true)
        {
            await FillAsync(1, ct);
            if (Ahead.Length == 0) return position;
            var newline = Ahead.IndexOf((byte)'\n');
            position += newline < 0 ? Ahead.Length : newline + 1;
            if (newline >= 0) return position - 1;
        }
    }

    /// <summary>Has at least so many bytes ahead, unless the end is nearer.</summary>
    private async Task FillAsync(long wanted, CancellationToken ct)
    {
        if (position >= bufferStart && position + wanted <= bufferStart + bufferLength) return;
        (bufferStart, bufferLength) = (position, 0);
        while (bufferLength < wanted)
        {
            var most = (int)Math.Min(BufferBytes - bufferLength, end - bufferStart - bufferLength);
            var read = most <= 0 ? 0 : await RandomAccess.ReadAsync(file, buffer.AsMemory(bufferLength, most), bufferStart + bufferLength, ct);
            if (read == 0) return;
            bufferLength += read;
        }
    }
}
