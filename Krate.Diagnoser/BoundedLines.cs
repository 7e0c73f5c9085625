using System.Runtime.CompilerServices;
using System.Text;

namespace Krate.Diagnoser;

/// <summary>One line without its end.</summary>
/// <param name="IsCut">It is longer than was asked for; the rest was passed over.</param>
internal readonly record struct BoundedLine(string Text, bool IsCut);

/// <summary>Lines of a stream of any length; of each line no more is kept than asked for.</summary>
internal static class BoundedLines
{
    private const int BufferBytes = 64 << 10;

    public static async IAsyncEnumerable<BoundedLine> ReadAsync(Stream stream, int longest, [EnumeratorCancellation] CancellationToken ct)
    {
        var buffer = new byte[BufferBytes];
        var line = new MemoryStream();
        var (isCut, any) = (false, false);
        int count;
        while ((count = await stream.ReadAsync(buffer, ct)) > 0)
        {
            // A file that the system holds in memory is read without a pause.
            ct.ThrowIfCancellationRequested();
            for (int at = 0, end; at < count; at = end + 1)
            {
                end = Array.IndexOf(buffer, (byte)'\n', at, count - at);
                isCut |= Keep(line, buffer.AsSpan(at, (end < 0 ? count : end) - at), longest);
                any = true;
                if (end < 0) break;
                yield return new(Take(line), isCut);
                (isCut, any) = (false, false);
            }
        }

        if (any) yield return new(Take(line), isCut);
    }

    /// <returns>True when not all of it was kept.</returns>
    private static bool Keep(MemoryStream line, ReadOnlySpan<byte> part, int longest)
    {
        var room = Math.Min(part.Length, longest - (int)line.Length);
        line.Write(part[..room]);
        return room < part.Length;
    }

    private static string Take(MemoryStream line)
    {
        const int MostReused = 1 << 20;
        var text = Encoding.UTF8.GetString(line.GetBuffer(), 0, (int)line.Length);
        line.SetLength(0);
        if (line.Capacity > MostReused) line.Capacity = 0;
        return text.EndsWith('\r') ? text[..^1] : text;
    }
}
