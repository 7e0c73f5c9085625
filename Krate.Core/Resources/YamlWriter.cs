using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Krate.Core.Resources;

/// <summary>Block style YAML: sequences at the indent of their key, literal blocks for texts of several lines, quotes only where needed.</summary>
internal static class YamlWriter
{
    public static string Write(JsonObject document)
    {
        var text = new StringBuilder();
        if (document.Count == 0) return "{}\n";
        Mapping(text, document, 0, startsInLine: false);
        return text.ToString();
    }

    private static void Mapping(StringBuilder text, JsonObject map, int indent, bool startsInLine)
    {
        foreach (var (key, value) in map)
        {
            if (!startsInLine) text.Append(' ', indent);
            startsInLine = false;
            text.Append(IsSafe(key) ? key : Quoted(key)).Append(':');
            switch (value)
            {
                case JsonObject { Count: > 0 } o:
                    text.Append('\n');
                    Mapping(text, o, indent + 2, startsInLine: false);
                    break;
                case JsonArray { Count: > 0 } a:
                    text.Append('\n');
                    Sequence(text, a, indent, startsInLine: false);
                    break;
                default:
                    text.Append(' ');
                    Leaf(text, value, indent + 2);
                    break;
            }
        }
    }

    private static void Sequence(StringBuilder text, JsonArray items, int indent, bool startsInLine)
    {
        foreach (var item in items)
        {
            if (!startsInLine) text.Append(' ', indent);
            startsInLine = false;
            text.Append("- ");
            if (item is JsonObject { Count: > 0 } o) Mapping(text, o, indent + 2, startsInLine: true);
            else if (item is JsonArray { Count: > 0 } a) Sequence(text, a, indent + 2, startsInLine: true);
            else Leaf(text, item, indent + 2);
        }
    }

    private static void Leaf(StringBuilder text, JsonNode? value, int indent)
    {
        switch (value)
        {
            case null: text.Append("null"); break;
            case JsonObject: text.Append("{}"); break;
            case JsonArray: text.Append("[]"); break;
            case JsonValue v when v.GetValueKind() == JsonValueKind.String: Text(text, v.GetValue<string>(), indent); break;
            default: text.Append(value.ToJsonString()); break;
        }

        text.Append('\n');
    }

    private static void Text(StringBuilder text, string s, int indent)
    {
        if (IsSafe(s)) text.Append(s);
        else if (IsLiteral(s)) Literal(text, s, indent);
        else text.Append(Quoted(s));
    }

    /// <summary>Whether the text may stand plain: nothing in it is syntax, and nobody reads it as something else.</summary>
    private static bool IsSafe(string s) =>
        s.Length > 0
        && (char.IsAsciiLetterOrDigit(s[0]) || s[0] is '_' or '/' or '.' or '(' or '+' or '$' or '^' || (s[0] == '-' && s.Length > 1 && char.IsAsciiLetter(s[1])))
        && s[^1] is not (' ' or ':')
        && s.All(c => c is >= ' ' and <= '~' || char.IsLetterOrDigit(c))
        && !s.Contains(": ", StringComparison.Ordinal) && !s.Contains(" #", StringComparison.Ordinal)
        && !s.StartsWith("...", StringComparison.Ordinal)
        // The scanner of YamlDotNet sees no key behind a star.
        && !s.Contains(" *", StringComparison.Ordinal)
        && Yaml.IsPlainString(s);

    private static bool IsLiteral(string s) =>
        s.Contains('\n', StringComparison.Ordinal)
        && s.All(c => c is '\n' or (>= ' ' and <= '~') || char.IsLetterOrDigit(c))
        && s[0] is not (' ' or '\n')
        && s.Split('\n').All(line => line.Length == 0 || line.Trim(' ').Length > 0);

    private static void Literal(StringBuilder text, string s, int indent)
    {
        var ends = s.Length - s.TrimEnd('\n').Length;
        text.Append(ends switch { 0 => "|-", 1 => "|", _ => "|+" });
        // The caller ends the last line; the last break of the text is that one.
        var lines = (ends == 0 ? s : s[..^1]).Split('\n');
        foreach (var line in lines)
        {
            text.Append('\n');
            if (line.Length > 0) text.Append(' ', indent).Append(line);
        }
    }

    private static string Quoted(string s)
    {
        var text = new StringBuilder("\"");
        foreach (var c in s)
        {
            text.Append(c switch
            {
                '"' => "\\\"",
                '\\' => "\\\\",
                '\n' => "\\n",
                '\r' => "\\r",
                '\t' => "\\t",
                >= ' ' and <= '~' => c.ToString(),
                _ when char.IsLetterOrDigit(c) || char.IsSurrogate(c) || char.IsPunctuation(c) || char.IsSymbol(c) => c.ToString(),
                _ => "\\u" + ((int)c).ToString("X4", CultureInfo.InvariantCulture),
            });
        }

        return text.Append('"').ToString();
    }
}
