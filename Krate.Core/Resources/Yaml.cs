using System.Globalization;
using System.Numerics;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Krate.Core.Resources;

/// <summary>
/// YAML as Krate reads and writes it: JSON documents in YAML's clothes. Plain scalars follow the core schema of YAML 1.2
/// (<c>on</c>, <c>yes</c> and <c>y</c> are strings); anchors, aliases, own tags and duplicate keys are refused, so that a small
/// text can never grow into a large tree or mean two things.
/// </summary>
public static partial class Yaml
{
    /// <summary>Reads one YAML (or JSON) document that is an object.</summary>
    /// <exception cref="ApiException">400 naming the line and the column.</exception>
    public static JsonObject ParseObject(string text)
    {
        var parser = new Parser(new Scanner(new StringReader(text), skipComments: true));
        try
        {
            parser.Consume<StreamStart>();
            if (!parser.TryConsume<DocumentStart>(out _)) throw Bad(Mark.Empty, "the document is empty");
            if (parser.Current is not MappingStart start) throw Bad(parser.Current?.Start ?? Mark.Empty, "an object is expected (key: value)");
            var root = Mapping(parser, start, 1);
            parser.Consume<DocumentEnd>();
            if (parser.Current is DocumentStart second) throw Bad(second.Start, "one document is expected, and another begins here");
            return KrateJson.Settle(root);
        }
        catch (YamlException e)
        {
            throw Bad(e.Start, e.InnerException?.Message ?? e.Message);
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or FormatException or IndexOutOfRangeException)
        {
            // The scanner of YamlDotNet answers some broken texts with these.
            throw Bad(parser.Current?.End ?? Mark.Empty, "this is no YAML from here on");
        }
    }

    /// <summary>Writes a document in block style, as kubectl does. What YAML 1.1 readers would take for something else than a string is quoted.</summary>
    public static string Write(JsonObject document) => YamlWriter.Write(document);

    /// <summary>Whether a plain scalar would be read back as this very string, by readers of YAML 1.1, too.</summary>
    internal static bool IsPlainString(string s) => Resolve(s) is JsonValue v && v.GetValueKind() == JsonValueKind.String && !OldScalar().IsMatch(s);

    private static JsonNode? Node(Parser parser, int depth)
    {
        var at = parser.Current ?? throw Bad(Mark.Empty, "the document ends too early");
        if (depth > KrateJson.MaxDepth) throw Bad(at.Start, $"nested deeper than {KrateJson.MaxDepth} levels");
        return at switch
        {
            MappingStart m => Mapping(parser, m, depth),
            SequenceStart s => Sequence(parser, s, depth),
            Scalar s => ScalarNode(parser, s),
            AnchorAlias a => throw Bad(a.Start, "aliases are not supported; write the value out"),
            _ => throw Bad(at.Start, "a value is expected"),
        };
    }

    private static JsonObject Mapping(Parser parser, MappingStart start, int depth)
    {
        Plain(start, "map");
        parser.MoveNext();
        var result = new JsonObject();
        while (!parser.TryConsume<MappingEnd>(out _))
        {
            if (parser.Current is not Scalar key) throw Bad(parser.Current?.Start ?? Mark.Empty, "a key must be a plain text");
            Plain(key, "str");
            RefuseNul(key);
            parser.MoveNext();
            if (result.ContainsKey(key.Value)) throw Bad(key.Start, $"the key \"{key.Value}\" appears twice");
            result.Add(key.Value, Node(parser, depth + 1));
        }

        return result;
    }

    private static JsonArray Sequence(Parser parser, SequenceStart start, int depth)
    {
        Plain(start, "seq");
        parser.MoveNext();
        var result = new JsonArray();
        while (!parser.TryConsume<SequenceEnd>(out _))
            result.Add(Node(parser, depth + 1));
        return result;
    }

    private static JsonValue? ScalarNode(Parser parser, Scalar scalar)
    {
        if (!scalar.Anchor.IsEmpty) throw Bad(scalar.Start, "anchors are not supported; write the value out");
        RefuseNul(scalar);
        RefuseHiddenKey(scalar);
        parser.MoveNext();
        var tag = scalar.Tag.IsEmpty ? "" : scalar.Tag.Value;
        if (tag == "!" || tag == TagPrefix + "str") return JsonValue.Create(scalar.Value);
        if (tag.Length == 0) return scalar.Style is ScalarStyle.Plain or ScalarStyle.Any ? Resolve(scalar.Value) : JsonValue.Create(scalar.Value);
        if (!CoreTags.Contains(tag)) throw Bad(scalar.Start, $"the tag {tag} is not supported");
        var value = Resolve(scalar.Value);
        return TagOf(value).Contains(tag[TagPrefix.Length..], StringComparer.Ordinal) ? value : throw Bad(scalar.Start, $"\"{scalar.Value}\" is no {tag[TagPrefix.Length..]}");
    }

    private const string TagPrefix = "tag:yaml.org,2002:";

    private static readonly HashSet<string> CoreTags = [TagPrefix + "int", TagPrefix + "float", TagPrefix + "bool", TagPrefix + "null"];

    private static string[] TagOf(JsonValue? value) => value?.GetValueKind() switch
    {
        null => ["null"],
        JsonValueKind.True or JsonValueKind.False => ["bool"],
        JsonValueKind.Number => value.ToJsonString().AsSpan().IndexOfAny('.', 'e', 'E') < 0 ? ["int", "float"] : ["float"],
        _ => [],
    };

    /// <summary>The core schema. Numbers are built from text, so that they behave as numbers of a parsed JSON document.</summary>
    private static JsonValue? Resolve(string s)
    {
        if (s is "" or "~" or "null" or "Null" or "NULL") return null;
        if (s is "true" or "True" or "TRUE") return JsonValue.Create(true);
        if (s is "false" or "False" or "FALSE") return JsonValue.Create(false);
        if (!char.IsAsciiDigit(s[0]) && s[0] is not ('+' or '-' or '.')) return JsonValue.Create(s);
        if (Number().Match(s) is { Success: true } n) return Parse(NumberText(n));
        if (s.Length <= 34 && Hex().IsMatch(s)) return Parse(BigInteger.Parse("0" + s[2..], NumberStyles.HexNumber, CultureInfo.InvariantCulture).ToString(CultureInfo.InvariantCulture));
        if (s.Length <= 34 && Octal().IsMatch(s)) return Parse(s[2..].Aggregate(BigInteger.Zero, (sum, c) => sum * 8 + (c - '0')).ToString(CultureInfo.InvariantCulture));
        return JsonValue.Create(s);
    }

    private static string NumberText(Match n)
    {
        var whole = n.Groups["int"].Value.TrimStart('0');
        var fraction = n.Groups["frac"].Value;
        return (n.Groups["sign"].Value == "-" ? "-" : "") + (whole.Length == 0 ? "0" : whole) + (fraction.Length == 0 ? "" : "." + fraction) + n.Groups["exp"].Value;
    }

    private static JsonValue Parse(string number) => (JsonValue)JsonNode.Parse(number)!;

    private static void Plain(NodeEvent node, string tag)
    {
        if (!node.Anchor.IsEmpty) throw Bad(node.Start, "anchors are not supported; write the value out");
        if (!node.Tag.IsEmpty && node.Tag.Value != "!" && node.Tag.Value != TagPrefix + tag) throw Bad(node.Start, $"the tag {node.Tag.Value} is not supported");
    }

    /// <summary>YamlDotNet takes <c>a *b: c</c> for a text, which YAML has not: no plain text has a colon and a space in it.</summary>
    private static void RefuseHiddenKey(Scalar scalar)
    {
        if (scalar.Style is ScalarStyle.Plain && (scalar.Value.Contains(": ", StringComparison.Ordinal) || scalar.Value.EndsWith(':'))) throw Bad(scalar.Start, "put the key in quotes: it has a star in it");
    }

    /// <summary>No database text column can hold it.</summary>
    private static void RefuseNul(Scalar scalar)
    {
        if (scalar.Value.Contains('\0', StringComparison.Ordinal)) throw Bad(scalar.Start, "a text contains a NUL character");
    }

    private static ApiException Bad(Mark at, string why) =>
        ApiException.BadRequest($"error parsing YAML: line {at.Line}, column {at.Column}: {why}");

    [GeneratedRegex(@"^(?<sign>[-+])?(?:(?<int>[0-9]+)(?:\.(?<frac>[0-9]*))?|\.(?<frac>[0-9]+))(?<exp>[eE][-+]?[0-9]+)?$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Number();

    [GeneratedRegex("^0x[0-9a-fA-F]+$", RegexOptions.CultureInvariant)]
    private static partial Regex Hex();

    [GeneratedRegex("^0o[0-7]+$", RegexOptions.CultureInvariant)]
    private static partial Regex Octal();

    /// <summary>What YAML 1.1 takes for a boolean, a number in its notations, a date, a merge key or a default value.</summary>
    [GeneratedRegex(@"^(?:y|n|yes|no|on|off|true|false|null|~|=|<<|[-+]?\.(?:inf|nan)|[-+]?[0-9][0-9_,.:xXoObBeE+\-a-fA-F]*(?:[Tt ].*)?)$", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex OldScalar();
}
