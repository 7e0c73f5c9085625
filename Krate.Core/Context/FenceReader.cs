using System.Text.Json;
using System.Text.RegularExpressions;

namespace Krate.Core.Context;

/// <summary>Data of a prompt, taken out of its fence.</summary>
/// <param name="Slots">Its origin: kind, name, path, ref, author, trust, cut.</param>
public sealed record FencedText(IReadOnlyDictionary<string, string> Slots, string Text);

/// <summary>Reads what <see cref="ContextBundle.Blocks"/> has fenced. Pure.</summary>
public static partial class FenceReader
{
    /// <summary>In order. Fences within data are data; one that does not end is left out.</summary>
    public static IReadOnlyList<FencedText> Read(string block)
    {
        var found = new List<FencedText>();
        for (var at = 0; Begin().Match(block, at) is { Success: true } begin;)
        {
            var start = begin.Index + begin.Length;
            var end = block.IndexOf($"\n--- end of data {begin.Groups[1].Value}", start - 1, StringComparison.Ordinal);
            if (end < 0) break;
            found.Add(Of(block[start..Math.Max(start, end)]));
            at = end + 1;
        }

        return found;
    }

    private static FencedText Of(string inner)
    {
        var slots = new Dictionary<string, string>(StringComparer.Ordinal);
        var at = 0;
        while (at < inner.Length)
        {
            var end = inner.IndexOf('\n', at) is >= 0 and var newline ? newline : inner.Length;
            var line = inner[at..end];
            at = Math.Min(end + 1, inner.Length);
            if (line.Length == 0) break;
            if (Slot().Match(line) is { Success: true } slot && Unquoted(slot.Groups[2].Value) is { } value) slots[slot.Groups[1].Value] = value;
        }

        return new(slots, inner[at..]);
    }

    private static string? Unquoted(string quoted)
    {
        try
        {
            return JsonSerializer.Deserialize<string>(quoted);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    [GeneratedRegex("^--- data ([0-9a-f]{32})\n", RegexOptions.Multiline | RegexOptions.CultureInvariant)]
    private static partial Regex Begin();

    [GeneratedRegex("^([a-z]+): (\".*\")$", RegexOptions.CultureInvariant)]
    private static partial Regex Slot();
}
