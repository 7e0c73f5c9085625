using System.Globalization;
using System.Net;
using System.Text;
using Krate.Web.Components.Code;

namespace Krate.Web.Features.Runs;

/// <summary>
/// One line of a terminal's output as markup: colours and weights of SGR sequences become classes, what a progress bar wrote over is left out,
/// and everything else that steers a terminal is dropped or shown as a character. Colours end with the line. Pure.
/// </summary>
public static class AnsiLine
{
    /// <summary>A line with more changes of colour than this goes on without.</summary>
    private const int MaxSpans = 300;
    private const char Escape = '\u001b';

    /// <summary>The line without its sequences.</summary>
    public static string Plain(string line)
    {
        var text = new StringBuilder(line.Length);
        foreach (var (part, _) in Parts(line)) text.Append(part);
        return text.ToString();
    }

    /// <param name="mark">A text to mark wherever it is, whatever its case; empty for none.</param>
    public static string Html(string line, string mark = "")
    {
        var html = new StringBuilder(line.Length + 32);
        var parts = Parts(line).ToList();
        var marks = mark.Length == 0 ? [] : Find(string.Concat(parts.Select(p => p.Text)), mark);
        var at = 0;
        foreach (var (text, style) in parts)
        {
            if (style.Length > 0) html.Append("<span class=\"").Append(style).Append("\">");
            Append(html, text, at, marks);
            if (style.Length > 0) html.Append("</span>");
            at += text.Length;
        }

        return html.ToString();
    }

    private static List<(int From, int To)> Find(string text, string mark)
    {
        var found = new List<(int, int)>();
        for (var at = 0; found.Count < MaxSpans && (at = text.IndexOf(mark, at, StringComparison.OrdinalIgnoreCase)) >= 0; at += mark.Length) found.Add((at, at + mark.Length));
        return found;
    }

    /// <summary>A piece of the line, with the part of each mark that lies in it.</summary>
    private static void Append(StringBuilder html, string text, int offset, List<(int From, int To)> marks)
    {
        var at = 0;
        foreach (var (from, to) in marks)
        {
            var (begin, end) = (Math.Max(from - offset, at), Math.Min(to - offset, text.Length));
            if (begin >= end) continue;
            Encode(text.AsSpan(at, begin - at));
            html.Append("<mark>");
            Encode(text.AsSpan(begin, end - begin));
            html.Append("</mark>");
            at = end;
        }

        Encode(text.AsSpan(at));

        void Encode(ReadOnlySpan<char> part) => html.Append(WebUtility.HtmlEncode(ShownText.Of(part.ToString(), int.MaxValue)));
    }

    private static IEnumerable<(string Text, string Style)> Parts(string line)
    {
        line = Overwritten(line);
        var pen = new AnsiPen();
        var (from, spans) = (0, 0);
        for (var at = line.IndexOf(Escape, StringComparison.Ordinal); at >= 0; at = from >= line.Length ? -1 : line.IndexOf(Escape, from))
        {
            if (at > from) yield return (line[from..at], spans < MaxSpans ? pen.Classes : "");
            var end = EndOf(line, at);
            if (line[end - 1] == 'm' && end - at > 2 && line[at + 1] == '[' && spans++ < MaxSpans) pen.Apply(line.AsSpan(at + 2, end - at - 3));
            from = end;
        }

        if (from < line.Length) yield return (line[from..], spans < MaxSpans ? pen.Classes : "");
    }

    /// <summary>What a terminal shows in the end: what stands behind the last carriage return that is followed by anything.</summary>
    private static string Overwritten(string line)
    {
        var kept = line.AsSpan().TrimEnd('\r');
        return kept[(kept.LastIndexOf('\r') + 1)..].ToString();
    }

    /// <summary>Where a sequence ends: CSI at its final byte, OSC and its like at their terminator, the others after one character.</summary>
    private static int EndOf(string line, int at)
    {
        if (at + 1 >= line.Length) return line.Length;
        switch (line[at + 1])
        {
            case '[':
                var end = at + 2;
                while (end < line.Length && line[end] is >= ' ' and <= '?') end++;
                return Math.Min(line.Length, end + 1);
            case ']' or 'P' or '_' or '^' or 'X':
                for (var i = at + 2; i < line.Length; i++)
                {
                    if (line[i] == '\a') return i + 1;
                    if (line[i] == Escape) return i + 1 < line.Length && line[i + 1] == '\\' ? i + 2 : i;
                }

                return line.Length;
            case '(' or ')' or '*' or '+' or '#' or '%' or ' ':
                return Math.Min(line.Length, at + 3);
            default:
                return at + 2;
        }
    }
}

/// <summary>What SGR sequences have set so far.</summary>
internal sealed class AnsiPen
{
    private int? fore, back;
    private bool bold, faint, italic, underline, inverse;

    /// <summary>Class names; empty for plain text. The sixteen colours are the theme's, so that each can be read on it.</summary>
    public string Classes
    {
        get
        {
            var (ink, paper) = inverse ? (back ?? -1, fore ?? -2) : (fore, back);
            if (ink is null && paper is null && !bold && !faint && !italic && !underline) return "";
            var names = new List<string>(4);
            if (ink is >= 0 and var i) names.Add(string.Create(CultureInfo.InvariantCulture, $"k-ansi-{i}"));
            if (ink is -1) names.Add("k-ansi-inverse");
            if (paper is >= 0 and var p) names.Add(string.Create(CultureInfo.InvariantCulture, $"k-ansi-on-{p % 8}"));
            if (bold) names.Add("k-ansi-bold");
            if (faint) names.Add("k-ansi-faint");
            if (italic) names.Add("k-ansi-italic");
            if (underline) names.Add("k-ansi-underline");
            return string.Join(' ', names);
        }
    }

    /// <param name="codes">What stands between <c>ESC [</c> and <c>m</c>.</param>
    public void Apply(ReadOnlySpan<char> codes)
    {
        var numbers = new List<int>(8);
        foreach (var range in codes.ToString().Replace(':', ';').Split(';').Take(32))
            numbers.Add(int.TryParse(range, NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : 0);
        for (var at = 0; at < numbers.Count; at++) at = Apply(numbers, at);
    }

    private int Apply(List<int> codes, int at)
    {
        switch (codes[at])
        {
            case 0: (fore, back, bold, faint, italic, underline, inverse) = (null, null, false, false, false, false, false); break;
            case 1: bold = true; break;
            case 2: faint = true; break;
            case 3: italic = true; break;
            case 4: underline = true; break;
            case 7: inverse = true; break;
            case 22: (bold, faint) = (false, false); break;
            case 23: italic = false; break;
            case 24: underline = false; break;
            case 27: inverse = false; break;
            case >= 30 and <= 37: fore = codes[at] - 30; break;
            case 39: fore = null; break;
            case >= 40 and <= 47: back = codes[at] - 40; break;
            case 49: back = null; break;
            case >= 90 and <= 97: fore = codes[at] - 82; break;
            case >= 100 and <= 107: back = codes[at] - 92; break;
            case 38 or 48:
                var (colour, next) = Extended(codes, at + 1);
                if (codes[at] == 38) fore = colour ?? fore;
                else back = colour ?? back;
                return next;
        }

        return at;
    }

    /// <summary>256 colours and true colours, as the nearest of the sixteen.</summary>
    private static (int? Colour, int Last) Extended(List<int> codes, int at)
    {
        if (at + 1 < codes.Count && codes[at] == 5)
        {
            var n = codes[at + 1];
            if (n < 16) return (n, at + 1);
            if (n >= 232) return (n < 244 ? 8 : 7, at + 1);
            return (Nearest((n - 16) / 36 * 51, (n - 16) / 6 % 6 * 51, (n - 16) % 6 * 51), at + 1);
        }

        return at + 3 < codes.Count && codes[at] == 2 ? (Nearest(codes[at + 1], codes[at + 2], codes[at + 3]), at + 3) : (null, at);
    }

    private static int Nearest(int red, int green, int blue)
    {
        var most = Math.Max(red, Math.Max(green, blue));
        if (most < 64) return 0;
        var bits = (red * 2 > most ? 1 : 0) | (green * 2 > most ? 2 : 0) | (blue * 2 > most ? 4 : 0);
        return bits == 7 && most < 160 ? 8 : most > 200 ? bits + 8 : bits;
    }
}
