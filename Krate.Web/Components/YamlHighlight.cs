using System.Text.RegularExpressions;

namespace Krate.Web.Components;

/// <summary>Colours for the YAML that Krate writes, line by line. Text only: markup is made by the component.</summary>
public static partial class YamlHighlight
{
    /// <summary>Pieces of a line with their class (<c>k-ky</c>, <c>k-st</c>, <c>k-nu</c>, <c>k-cm</c> or none).</summary>
    public static IEnumerable<(string Text, string? Class)> Line(string line)
    {
        var match = KeyLine().Match(line);
        if (!match.Success) return Value(line);
        return
        [
            (match.Groups["lead"].Value, null),
            (match.Groups["key"].Value, "k-ky"),
            (":", null),
            .. Value(match.Groups["rest"].Value),
        ];
    }

    private static IEnumerable<(string Text, string? Class)> Value(string text)
    {
        var lead = text.Length - text.TrimStart(' ', '-').Length;
        if (lead > 0) yield return (text[..lead], null);
        var value = text[lead..];
        if (value.Length == 0) yield break;
        yield return (value, value[0] switch
        {
            '#' => "k-cm",
            '|' or '>' or '{' or '[' => null,
            _ when Literal().IsMatch(value) => "k-nu",
            _ => "k-st",
        });
    }

    [GeneratedRegex("""^(?<lead>[ -]*)(?<key>"[^"]*"|[A-Za-z0-9_./$+^(][^:"']*):(?<rest>$| .*$)""", RegexOptions.ExplicitCapture)]
    private static partial Regex KeyLine();

    [GeneratedRegex(@"^(?:-?[0-9][0-9.eE+-]*|true|false|null)$")]
    private static partial Regex Literal();
}
