using System.Net;
using System.Text;
using Krate.Core.Git;

namespace Krate.Web.Components.Code;

/// <summary>A coloured part of a line.</summary>
/// <param name="Class">A class of the design ("k-kw"); empty for plain text.</param>
public readonly record struct CodeSpan(int Start, int Length, string Class);

/// <summary>Lines of code as HTML. What comes in is text; what goes out is safe.</summary>
public static class CodeLines
{
    /// <summary>Lines longer than this are cut when shown; the raw file has all of it.</summary>
    public const int MaxLineChars = 10_000;

    /// <summary>The lines of a text; a last line end begins no further line.</summary>
    public static IReadOnlyList<string> Split(string text)
    {
        var lines = text.Split('\n');
        for (var i = 0; i < lines.Length; i++) lines[i] = lines[i].TrimEnd('\r');
        return lines is [.., ""] ? lines[..^1] : lines;
    }

    public static int Count(string text) => Split(text).Count;

    /// <summary>One element per line, with the id "L1" and so on.</summary>
    /// <param name="spans">Per line, in order; null for plain text.</param>
    public static string ToHtml(IReadOnlyList<string> lines, IReadOnlyList<IReadOnlyList<CodeSpan>>? spans)
    {
        var html = new StringBuilder();
        for (var i = 0; i < lines.Count; i++)
        {
            html.Append("<span class=\"k-l\" id=\"L").Append(i + 1).Append("\">");
            AppendLine(html, lines[i], spans is not null && i < spans.Count ? spans[i] : []);
            html.Append("\n</span>");
        }

        return html.ToString();
    }

    /// <summary>One line with its colours.</summary>
    public static string LineToHtml(string line, IReadOnlyList<CodeSpan> spans)
    {
        var html = new StringBuilder();
        AppendLine(html, line, spans);
        return html.ToString();
    }

    /// <summary>The characters from <paramref name="from"/> up to <paramref name="to"/> of a line with its colours.</summary>
    public static string PartToHtml(string line, IReadOnlyList<CodeSpan> spans, int from, int to) =>
        LineToHtml(line[from..to], [.. spans.Where(s => s.Start < to && s.Start + s.Length > from)
            .Select(s => s with { Start = Math.Max(s.Start, from) - from, Length = Math.Min(s.Start + s.Length, to) - Math.Max(s.Start, from) })]);

    private static void AppendLine(StringBuilder html, string line, IReadOnlyList<CodeSpan> spans)
    {
        var shown = line.Length <= MaxLineChars ? line : line[..MaxLineChars];
        var at = 0;
        foreach (var span in spans)
        {
            var (start, end) = (Math.Clamp(span.Start, at, shown.Length), Math.Clamp(span.Start + span.Length, at, shown.Length));
            AppendText(html, shown.AsSpan(at, start - at));
            if (span.Class.Length == 0) AppendText(html, shown.AsSpan(start, end - start));
            else if (end > start)
            {
                html.Append("<span class=\"").Append(span.Class).Append("\">");
                AppendText(html, shown.AsSpan(start, end - start));
                html.Append("</span>");
            }

            at = end;
        }

        AppendText(html, shown.AsSpan(at));
        if (shown.Length < line.Length) html.Append("<span class=\"k-cut\">… ").Append(line.Length - shown.Length).Append(" more characters</span>");
    }

    /// <summary>Characters that reorder the text, or are not seen, are shown by their number, so that code reads as it runs.</summary>
    private static void AppendText(StringBuilder html, ReadOnlySpan<char> text)
    {
        while (text.IndexOfAny(BlobText.HiddenCharacters) is var at and >= 0)
        {
            html.Append(WebUtility.HtmlEncode(text[..at].ToString())).Append("<span class=\"k-bidi\">U+").Append(((int)text[at]).ToString("X4", System.Globalization.CultureInfo.InvariantCulture)).Append("</span>");
            text = text[(at + 1)..];
        }

        html.Append(WebUtility.HtmlEncode(text.ToString()));
    }
}
