using System.Net;
using System.Text;
using Krate.Core.Git;
using Krate.Web.Components.Code;

namespace Krate.Web.Features.Code;

/// <summary>
/// The rows of a diff as HTML. Thousands of them are on a page, so they are no components: one piece of markup per hunk costs a circuit
/// next to nothing. What comes in is text; what goes out is safe.
/// </summary>
public static class DiffHtml
{
    /// <summary>Old and new lines under one another: number, number, sign, text.</summary>
    /// <param name="anchor">Of the file; see <see cref="IdOf"/>.</param>
    public static string Unified(IEnumerable<(DiffLine Line, (int Start, int Length)? Mark)> rows, DiffColours? colours, string anchor)
    {
        var html = new StringBuilder();
        foreach (var (line, mark) in rows)
        {
            html.Append("<tr class=\"").Append(ClassOf(line)).Append("\" id=\"").Append(IdOf(anchor, line)).Append("\"><td class=\"n\">").Append(line.Old).Append("</td><td class=\"n\">").Append(line.New).Append("</td>");
            AppendText(html, line, mark, colours);
            html.Append("</tr>");
        }

        return html.ToString();
    }

    /// <summary>Old lines on the left, new ones on the right: number, sign and text, twice.</summary>
    /// <param name="anchor">Of the file; see <see cref="IdOf"/>.</param>
    public static string Split(IEnumerable<DiffRow> rows, DiffColours? colours, string anchor)
    {
        var html = new StringBuilder();
        foreach (var row in rows)
        {
            html.Append("<tr>");
            AppendHalf(html, row.Old, row.Old?.Old, row.OldMark, row.Old is { Kind: DiffLineKind.Removed } old ? IdOf(anchor, old) : null, colours);
            AppendHalf(html, row.New, row.New?.New, row.NewMark, row.New is { } now ? IdOf(anchor, now) : null, colours);
            html.Append("</tr>");
        }

        return html.ToString();
    }

    /// <summary>Path, side and number of a line: what an address names and a comment hangs on. A line of both sides has its new number.</summary>
    public static string IdOf(string anchor, DiffLine line) => line.New is { } now ? $"{anchor}-R{now}" : $"{anchor}-L{line.Old}";

    /// <summary>What a note on the line is kept under: side and number (<c>R12</c>, <c>L7</c>); a line of both sides has two.</summary>
    public static IEnumerable<string> SpotsOf(DiffLine line)
    {
        if (line.New is { } now) yield return $"R{now}";
        if (line.Old is { } old) yield return $"L{old}";
    }

    private static void AppendHalf(StringBuilder html, DiffLine? line, int? number, (int Start, int Length)? mark, string? id, DiffColours? colours)
    {
        html.Append("<td class=\"n ").Append(ClassOf(line)).Append('"');
        if (id is not null) html.Append(" id=\"").Append(id).Append('"');
        html.Append('>').Append(number).Append("</td>");
        if (line is null) html.Append("<td class=\"m\"></td><td class=\"c\"></td>");
        else AppendText(html, line, mark, colours);
    }

    private static void AppendText(StringBuilder html, DiffLine line, (int Start, int Length)? mark, DiffColours? colours)
    {
        html.Append("<td class=\"m ").Append(ClassOf(line)).Append("\">").Append(line.Kind switch { DiffLineKind.Added => "+", DiffLineKind.Removed => "−", _ => "" });
        html.Append("</td><td class=\"c ").Append(ClassOf(line)).Append("\">");
        var text = line.Text.TrimEnd('\r');
        var spans = colours?.Of(line) ?? [];
        // The mark may reach into the carriage return that is not shown.
        var (start, end) = mark is { } m ? (Math.Min(m.Start, text.Length), Math.Min(m.Start + m.Length, text.Length)) : (0, 0);
        if (end <= start)
        {
            html.Append(CodeLines.LineToHtml(text, spans));
        }
        else
        {
            var tag = line.Kind == DiffLineKind.Added ? "ins" : "del";
            html.Append(CodeLines.PartToHtml(text, spans, 0, start)).Append('<').Append(tag).Append('>').Append(CodeLines.PartToHtml(text, spans, start, end))
                .Append("</").Append(tag).Append('>').Append(CodeLines.PartToHtml(text, spans, end, text.Length));
        }

        if (!line.HasEnd) html.Append("<span class=\"k-t3\" title=\"").Append(WebUtility.HtmlEncode("No line feed at the end of the file")).Append("\"> ⏎̸</span>");
        html.Append("</td>");
    }

    private static string ClassOf(DiffLine? line) => line?.Kind switch { DiffLineKind.Added => "add", DiffLineKind.Removed => "del", _ => "" };
}
