using System.Globalization;
using System.Text;

namespace Krate.Core.Agents;

/// <summary>Words of programs and servers that nobody vouches for, fit to be kept and shown: no character that hides, turns or breaks text.</summary>
public static class ForeignText
{
    /// <summary>One line of at most so many characters.</summary>
    public static string Line(string? text, int most) => Clean(text, most, keepLines: false);

    /// <summary>Lines stay.</summary>
    public static string Paragraph(string? text, int most) => Clean(text, most, keepLines: true);

    private static string Clean(string? text, int most, bool keepLines)
    {
        var clean = new StringBuilder();
        foreach (var rune in (text ?? "").EnumerateRunes())
        {
            if (clean.Length >= most) return clean.Append('…').ToString();
            if (keepLines && rune.Value is '\n' or '\t') clean.Append(rune);
            else if (rune.Value is '\r' or '\n' or '\t') clean.Append(' ');
            else clean.Append(IsVisible(rune) ? rune : Rune.ReplacementChar);
        }

        return clean.ToString();
    }

    /// <summary>Controls, marks of direction, characters without width, tags, and halves of pairs are not.</summary>
    public static bool IsVisible(Rune rune) => Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator);
}
