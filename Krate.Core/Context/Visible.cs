using System.Globalization;
using System.Text;
using Krate.Core.Agents;

namespace Krate.Core.Context;

/// <summary>Text in which nothing hides: what has no width, turns the direction or controls a terminal stands there by its number. Pure.</summary>
public static class Visible
{
    /// <returns>The text, and how many characters were made visible.</returns>
    public static (string Text, int Count) Of(string text)
    {
        StringBuilder? seen = null;
        var (count, at) = (0, 0);
        foreach (var rune in text.EnumerateRunes())
        {
            if (IsPlain(rune))
            {
                seen?.Append(rune);
            }
            else
            {
                seen ??= new StringBuilder(text, 0, at, text.Length + 64);
                seen.Append(CultureInfo.InvariantCulture, $"<U+{rune.Value:X4}>");
                count++;
            }

            at += rune.Utf16SequenceLength;
        }

        return (seen?.ToString() ?? text, count);
    }

    /// <summary>One line between quotes, for a fixed slot.</summary>
    public static string Quoted(string text) => System.Text.Json.JsonSerializer.Serialize(Of(text.ReplaceLineEndings(" ")).Text, Plain);

    private static readonly System.Text.Json.JsonSerializerOptions Plain = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static bool IsPlain(Rune rune) => rune.Value is '\n' or '\t' || ForeignText.IsVisible(rune);
}
