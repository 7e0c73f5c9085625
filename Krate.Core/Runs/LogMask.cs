using Krate.Core.Gateway;

namespace Krate.Core.Runs;

/// <summary>
/// Puts stars over what must not be stored: known secret values and Krate's own tokens. Lengths stay. What may be the begin of
/// one is held back until more has come. Pure.
/// </summary>
internal static class LogMask
{
    /// <summary>A longer run of characters is no token.</summary>
    private const int LongestToken = 8 << 10;
    private const int ShortestPart = 10;
    private static ReadOnlySpan<byte> TokenStart => "eyJ"u8;

    /// <summary>Masks in place.</summary>
    /// <returns>How many bytes at the end are not decided. They are masked as far as they are secrets already.</returns>
    public static int Apply(KnownSecrets secrets, Span<byte> clear)
    {
        var decided = clear.Length - Math.Max(secrets.Undecided(clear), UndecidedToken(clear));
        var tokens = Tokens(clear);
        var found = secrets.Mask(clear);
        foreach (var (start, length) in tokens) clear.Slice(start, length).Fill((byte)'*');
        // Half of what is masked would, with the next bytes, be nothing special.
        foreach (var (start, length) in found.Concat(tokens).OrderByDescending(f => f.Start))
            if (start < decided && decided < start + length) decided = start;
        return clear.Length - decided;
    }

    /// <summary>Whole tokens: three parts of base64url with dots between. One at the very end may go on, and is a token all the same.</summary>
    private static List<(int Start, int Length)> Tokens(ReadOnlySpan<byte> clear)
    {
        var found = new List<(int, int)>();
        for (var at = 0; at < clear.Length;)
        {
            var hit = clear[at..].IndexOf(TokenStart);
            if (hit < 0) break;
            at += hit;
            var length = RunAt(clear[at..]);
            if (IsToken(clear.Slice(at, length))) found.Add((at, length));
            at += Math.Max(length, 1);
        }

        return found;
    }

    private static int UndecidedToken(ReadOnlySpan<byte> clear)
    {
        var start = clear.Length;
        while (start > 0 && clear.Length - start < LongestToken && IsTokenByte(clear[start - 1])) start--;
        var run = clear[start..];
        if (run.IndexOf(TokenStart) is >= 0 and var at) return run.Length - at;
        return run.EndsWith("ey"u8) ? 2 : run.EndsWith("e"u8) ? 1 : 0;
    }

    private static int RunAt(ReadOnlySpan<byte> bytes)
    {
        var length = 0;
        while (length < bytes.Length && length < LongestToken && IsTokenByte(bytes[length])) length++;
        return length;
    }

    private static bool IsToken(ReadOnlySpan<byte> run)
    {
        var first = run.IndexOf((byte)'.');
        var second = first < 0 ? -1 : run[(first + 1)..].IndexOf((byte)'.');
        return first >= ShortestPart && second >= ShortestPart && run.Length - first - second - 2 >= ShortestPart;
    }

    private static bool IsTokenByte(byte b) => char.IsAsciiLetterOrDigit((char)b) || b is (byte)'-' or (byte)'_' or (byte)'.';
}
