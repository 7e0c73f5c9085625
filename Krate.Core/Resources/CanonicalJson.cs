using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace Krate.Core.Resources;

/// <summary>JSON in one form only (RFC 8785), so that equal documents have equal digests. Numbers must be whole. Pure.</summary>
public static class CanonicalJson
{
    /// <exception cref="ArgumentException">A number that is not whole.</exception>
    public static string Text(JsonNode? node)
    {
        var text = new StringBuilder();
        Write(node, text);
        return text.ToString();
    }

    /// <returns><c>sha256:</c> and 64 hex digits.</returns>
    public static string Digest(JsonNode? node) => ContentDigest.Of(Text(node));

    private static void Write(JsonNode? node, StringBuilder to)
    {
        switch (node)
        {
            case null:
                to.Append("null");
                break;
            case JsonObject map:
                WriteAll('{', '}', map.OrderBy(m => m.Key, StringComparer.Ordinal), to, m =>
                {
                    WriteString(m.Key, to);
                    to.Append(':');
                    Write(m.Value, to);
                });
                break;
            case JsonArray list:
                WriteAll('[', ']', list, to, item => Write(item, to));
                break;
            case JsonValue value when value.TryGetValue<string>(out var text):
                WriteString(text, to);
                break;
            case JsonValue value when value.TryGetValue<bool>(out var flag):
                to.Append(flag ? "true" : "false");
                break;
            default:
                if (!decimal.TryParse(node.ToJsonString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) || number != decimal.Truncate(number))
                    throw new ArgumentException($"{node.ToJsonString()} is no whole number", nameof(node));
                to.Append(decimal.Truncate(number).ToString(CultureInfo.InvariantCulture));
                break;
        }
    }

    private static void WriteAll<T>(char open, char close, IEnumerable<T> items, StringBuilder to, Action<T> write)
    {
        to.Append(open);
        var isFirst = true;
        foreach (var item in items)
        {
            if (!isFirst) to.Append(',');
            isFirst = false;
            write(item);
        }

        to.Append(close);
    }

    private static void WriteString(string text, StringBuilder to)
    {
        to.Append('"');
        foreach (var c in text)
        {
            _ = c switch
            {
                '"' => to.Append("\\\""),
                '\\' => to.Append("\\\\"),
                '\b' => to.Append("\\b"),
                '\f' => to.Append("\\f"),
                '\n' => to.Append("\\n"),
                '\r' => to.Append("\\r"),
                '\t' => to.Append("\\t"),
                < ' ' => to.Append("\\u").Append(((int)c).ToString("x4", CultureInfo.InvariantCulture)),
                _ => to.Append(c),
            };
        }

        to.Append('"');
    }
}
