using System.Text;
using System.Text.RegularExpressions;

namespace Krate.Core.Git;

/// <summary>Bytes of a file as text.</summary>
/// <param name="Text">Line ends are as in the file; a byte order mark is left out.</param>
/// <param name="Encoding">"UTF-8", "UTF-16 LE", "UTF-16 BE" or "Latin-1", which reads what is none of them.</param>
/// <param name="LineEnds">"LF", "CRLF", "mixed", or empty for a file of one line.</param>
public sealed partial record BlobText(string Text, string Encoding, bool HasMark, string LineEnds)
{
    private const int Looked = 8000;
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    /// <summary>Characters that reorder what is read: code may do other than it looks.</summary>
    public bool HasBidi => Text.AsSpan().IndexOfAny(BidiCharacters) >= 0;

    public static System.Buffers.SearchValues<char> BidiCharacters { get; } = System.Buffers.SearchValues.Create("\u202A\u202B\u202C\u202D\u202E\u2066\u2067\u2068\u2069\u200E\u200F\u061C");

    /// <summary>These, and characters that take no room: two texts may differ where nobody sees it.</summary>
    public static System.Buffers.SearchValues<char> HiddenCharacters { get; } =
        System.Buffers.SearchValues.Create("\u202A\u202B\u202C\u202D\u202E\u2066\u2067\u2068\u2069\u200E\u200F\u061C\u00AD\u115F\u1160\u180E\u200B\u2060\u2061\u2062\u2063\u2064\u3164\uFEFF\uFFA0");

    /// <returns>Null for what is not text: a NUL in the first 8,000 bytes, as git sees it.</returns>
    public static BlobText? Read(ReadOnlySpan<byte> bytes)
    {
        var (text, encoding, mark) = bytes switch
        {
            [0xEF, 0xBB, 0xBF, ..] when IsUtf8(bytes[3..]) => (Strict.GetString(bytes[3..]), "UTF-8", true),
            [0xFF, 0xFE, ..] when bytes.Length % 2 == 0 => (System.Text.Encoding.Unicode.GetString(bytes[2..]), "UTF-16 LE", true),
            [0xFE, 0xFF, ..] when bytes.Length % 2 == 0 => (System.Text.Encoding.BigEndianUnicode.GetString(bytes[2..]), "UTF-16 BE", true),
            _ when bytes[..Math.Min(bytes.Length, Looked)].Contains((byte)0) => (null, "", false),
            _ when IsUtf8(bytes) => (Strict.GetString(bytes), "UTF-8", false),
            _ => (System.Text.Encoding.Latin1.GetString(bytes), "Latin-1", false),
        };
        return text is null ? null : new BlobText(text, encoding, mark, LineEndsOf(text));
    }

    /// <summary>The file that a Git LFS pointer stands for.</summary>
    /// <returns>Null for any other text.</returns>
    public LfsPointer? AsLfsPointer() =>
        Text.Length < 1024 && LfsFormat().Match(Text) is { Success: true } m && long.TryParse(m.Groups[2].ValueSpan, out var size) ? new(m.Groups[1].Value, size) : null;

    private static bool IsUtf8(ReadOnlySpan<byte> bytes) => System.Text.Unicode.Utf8.IsValid(bytes);

    private static string LineEndsOf(string text)
    {
        var (lf, crlf) = (0, 0);
        for (var at = text.IndexOf('\n', StringComparison.Ordinal); at >= 0; at = text.IndexOf('\n', at + 1))
        {
            if (at > 0 && text[at - 1] == '\r') crlf++;
            else lf++;
        }

        return (lf, crlf) switch { (0, 0) => "", (_, 0) => "LF", (0, _) => "CRLF", _ => "mixed" };
    }

    [GeneratedRegex(@"\Aversion https://git-lfs\.github\.com/spec/v1\n(?:ext-[^\n]*\n)*oid sha256:([0-9a-f]{64})\nsize ([0-9]{1,18})\n?\z")]
    private static partial Regex LfsFormat();
}

/// <param name="Size">Bytes of the file itself.</param>
public sealed record LfsPointer(string Sha256, long Size);
