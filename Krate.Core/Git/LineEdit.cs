using System.Text;

namespace Krate.Core.Git;

/// <summary>Edits lines of a file byte by byte: whatever its encoding, nothing else of it changes. Pure.</summary>
public static class LineEdit
{
    /// <summary>Puts text in place of lines, with the line ends that the lines had.</summary>
    /// <param name="text">Lines with line feeds between them; empty to take the lines out.</param>
    /// <returns>Null when the file has fewer lines.</returns>
    public static byte[]? Replace(ReadOnlySpan<byte> file, int first, int last, string text)
    {
        var (start, end) = (StartOf(file, first), StartOf(file, last));
        if (start < 0 || end < 0 || end >= file.Length) return null;
        var feed = file[end..].IndexOf((byte)'\n');
        // A last line without an end stays without one.
        var (next, isEnded) = feed < 0 ? (file.Length, false) : (end + feed + 1, true);
        var isCrLf = isEnded && feed > 0 && file[end + feed - 1] == '\r';
        var lines = text.ReplaceLineEndings("\n");
        if (lines.EndsWith('\n')) lines = lines[..^1];
        var put = Encoding.UTF8.GetBytes(isCrLf ? lines.Replace("\n", "\r\n", StringComparison.Ordinal) : lines);
        var ending = text.Length == 0 || !isEnded ? [] : isCrLf ? "\r\n"u8 : "\n"u8;
        return [.. file[..start], .. put, .. ending, .. file[next..]];
    }

    private static int StartOf(ReadOnlySpan<byte> file, int line)
    {
        var at = 0;
        for (var n = 1; n < line; n++)
        {
            var feed = file[at..].IndexOf((byte)'\n');
            if (feed < 0) return -1;
            at += feed + 1;
        }

        return at;
    }
}
