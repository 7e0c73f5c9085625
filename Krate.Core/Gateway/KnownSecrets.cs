using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;

namespace Krate.Core.Gateway;

/// <summary>
/// The values of a namespace's Secrets in all the forms in which programs print them, for finding and masking only: nothing
/// gives one away. Immutable and thread-safe.
/// </summary>
internal sealed class KnownSecrets
{
    /// <summary>Lines of a value are also looked for by themselves, when they are no everyday words.</summary>
    private const int ShortestLine = 16;
    private const int ShortestForm = 12;
    private const int ShortestBegin = 6;
    private const int LongestForm = 64 << 10;
    private readonly byte[][] forms;
    private readonly SearchValues<string> bytes;

    public KnownSecrets(IReadOnlyCollection<string> values)
    {
        Texts = SearchValues.Create([.. values.SelectMany(FormsOf).Distinct()], StringComparison.Ordinal);
        var all = values.Concat(values.SelectMany(LinesOf)).SelectMany(FormsOf).Distinct().Select(Encoding.UTF8.GetBytes).Where(f => f.Length <= LongestForm);
        forms = [.. all.OrderByDescending(f => f.Length)];
        // Bytes are looked for as the characters of the same numbers.
        bytes = SearchValues.Create([.. forms.Select(Encoding.Latin1.GetString)], StringComparison.Ordinal);
    }

    /// <summary>The forms of whole values.</summary>
    public SearchValues<string> Texts { get; }

    /// <summary>Puts stars over every form that is in there whole.</summary>
    /// <returns>Where they were, in their order.</returns>
    public IReadOnlyList<(int Start, int Length)> Mask(Span<byte> clear)
    {
        if (forms.Length == 0 || clear.Length == 0) return [];
        var found = new List<(int Start, int Length)>();
        var chars = ArrayPool<char>.Shared.Rent(clear.Length);
        try
        {
            var text = chars.AsSpan(0, clear.Length);
            Encoding.Latin1.GetChars(clear, text);
            for (var at = 0; at < text.Length;)
            {
                var hit = text[at..].IndexOfAny(bytes);
                if (hit < 0) break;
                at += hit;
                found.Add((at, LongestAt(text[at..])));
                clear.Slice(found[^1].Start, found[^1].Length).Fill((byte)'*');
                // Another may begin within this one and go on behind it.
                at++;
            }

            return found;
        }
        finally
        {
            ArrayPool<char>.Shared.Return(chars, clearArray: true);
        }
    }

    /// <summary>The text with stars in place of every form that is in there whole, and of what a text that was cut ends with of one.</summary>
    public string Mask(string text)
    {
        var clear = Encoding.UTF8.GetBytes(text);
        var begun = Undecided(clear);
        if (begun < ShortestBegin) begun = 0;
        if (Mask(clear.AsSpan()).Count == 0 && begun == 0) return text;
        clear.AsSpan(clear.Length - begun).Fill((byte)'*');
        return Encoding.UTF8.GetString(clear);
    }

    /// <summary>How many bytes at the end may be the begin of a form that goes on behind it.</summary>
    public int Undecided(ReadOnlySpan<byte> clear)
    {
        var most = 0;
        foreach (var form in forms)
            if (form.Length - 1 > most) most = Math.Max(most, Overlap(form, clear[^Math.Min(clear.Length, form.Length - 1)..]));
        return most;
    }

    private int LongestAt(ReadOnlySpan<char> text)
    {
        foreach (var form in forms)
            if (form.Length <= text.Length && Same(form, text)) return form.Length;
        return 1;
    }

    private static bool Same(byte[] form, ReadOnlySpan<char> text)
    {
        for (var i = 0; i < form.Length; i++)
            if (form[i] != text[i]) return false;
        return true;
    }

    /// <summary>Longest end of the text that the form begins with (Knuth, Morris and Pratt).</summary>
    private static int Overlap(byte[] form, ReadOnlySpan<byte> text)
    {
        if (text.Length == 0) return 0;
        var back = new int[text.Length + 1];
        for (int i = 1, k = 0; i < text.Length; i++)
        {
            while (k > 0 && form[i] != form[k]) k = back[k];
            if (form[i] == form[k]) k++;
            back[i + 1] = k;
        }

        var matched = 0;
        foreach (var b in text)
        {
            while (matched > 0 && form[matched] != b) matched = back[matched];
            if (form[matched] == b) matched++;
        }

        return matched;
    }

    private static IEnumerable<string> LinesOf(string value) =>
        value.Contains('\n', StringComparison.Ordinal)
            ? value.Split('\n').Select(l => l.Trim()).Where(l => l.Length >= ShortestLine && !l.StartsWith("-----", StringComparison.Ordinal))
            : [];

    private static IEnumerable<string> FormsOf(string value)
    {
        var raw = Encoding.UTF8.GetBytes(value);
        var hex = Convert.ToHexStringLower(raw);
        var reversed = value.ToCharArray();
        Array.Reverse(reversed);
        string[] forms =
        [
            value, new(reversed), hex, hex.ToUpperInvariant(), Uri.EscapeDataString(value), JavaScriptEncoder.Default.Encode(value), JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(value),
            .. Enumerable.Range(0, 3).SelectMany(shift => Base64(raw, shift)).SelectMany(b => new[] { b, b.Replace('+', '-').Replace('/', '_') }),
        ];
        return forms.Where(f => f.Length >= ShortestForm).Distinct();
    }

    /// <summary>What all texts have in base64 that have the value so many bytes behind a group of three.</summary>
    private static IEnumerable<string> Base64(byte[] raw, int shift)
    {
        var text = Convert.ToBase64String([.. new byte[shift], .. raw]).TrimEnd('=')[(shift == 0 ? 0 : shift + 1)..];
        yield return text;
        // The first and the last character may hold bits of what is beside the value.
        if ((shift + raw.Length) % 3 != 0) yield return text[..^1];
    }
}
