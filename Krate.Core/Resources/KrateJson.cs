using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Krate.Core.Resources;

/// <summary>The one set of JSON options for specs and statuses, and the few helpers every layer needs on JSON trees.</summary>
public static class KrateJson
{
    /// <summary>Deepest nesting that is read, in a request body or from the store.</summary>
    public const int MaxDepth = 64;

    /// <summary>camelCase, enums as they are spelled in the manifest, nulls left out, unknown members ignored
    /// (the structural schema has already judged them; a rollback must still read newer rows).</summary>
    public static JsonSerializerOptions Options { get; } = Make();

    private static JsonSerializerOptions Make()
    {
        var options = new JsonSerializerOptions
        {
            PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
            DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
            MaxDepth = MaxDepth,
            Converters = { new TimestampConverter() },
            TypeInfoResolver = new System.Text.Json.Serialization.Metadata.DefaultJsonTypeInfoResolver(),
        };
        options.MakeReadOnly();
        return options;
    }

    /// <summary>Parses a JSON object; the tree is settled, so that many threads may read it.</summary>
    /// <exception cref="JsonException">The text is not one JSON object.</exception>
    public static JsonObject ParseObject(string json) =>
        Settle(JsonNode.Parse(json, documentOptions: new JsonDocumentOptions { MaxDepth = MaxDepth }) as JsonObject
            ?? throw new JsonException("a JSON object is expected"));

    /// <inheritdoc cref="ParseObject(string)"/>
    public static JsonObject ParseObject(ReadOnlySpan<byte> utf8) =>
        Settle(JsonNode.Parse(utf8, documentOptions: new JsonDocumentOptions { MaxDepth = MaxDepth }) as JsonObject
            ?? throw new JsonException("a JSON object is expected"));

    /// <summary>Compact text, the form that is stored and hashed.</summary>
    public static string ToText(JsonNode node) => node.ToJsonString(Options);

    /// <summary>Walks a parsed tree once: JsonNode builds its children lazily, which is not safe for concurrent readers.</summary>
    public static T Settle<T>(T node)
        where T : JsonNode
    {
        if (node is JsonObject o)
        {
            foreach (var (_, child) in o)
                if (child is JsonObject or JsonArray) Settle(child);
        }
        else if (node is JsonArray a)
        {
            foreach (var child in a)
                if (child is JsonObject or JsonArray) Settle(child);
        }

        return node;
    }

    /// <summary>The value at a dotted path (<c>spec.agentStack</c>), or null.</summary>
    public static JsonNode? At(this JsonNode? node, string path)
    {
        foreach (var step in path.Split('.'))
        {
            if (node is not JsonObject o || !o.TryGetPropertyValue(step, out node)) return null;
        }

        return node;
    }

    /// <summary>The string at a dotted path; null when absent or no string.</summary>
    public static string? Text(this JsonNode? node, string path) =>
        node.At(path) is JsonValue v && v.TryGetValue<string>(out var s) ? s : null;

    /// <summary>The string that a node is; null for anything else.</summary>
    public static string? Text(this JsonNode? node) => node is JsonValue v && v.TryGetValue<string>(out var s) ? s : null;

    /// <summary>Whether the value at a dotted path is true.</summary>
    public static bool Flag(this JsonNode? node, string path) => node.At(path) is JsonValue v && v.TryGetValue<bool>(out var b) && b;

    /// <summary>The whole number at a dotted path; null when absent or no such number.</summary>
    public static long? Whole(this JsonNode? node, string path) => node.At(path) is JsonValue v && v.GetValueKind() == JsonValueKind.Number && decimal.TryParse(v.ToJsonString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var d) && d == decimal.Truncate(d) && d is >= long.MinValue and <= long.MaxValue ? (long)d : null;

    /// <summary>All strings at a path: a string is one, an array of strings is many, anything else none.</summary>
    public static IEnumerable<string> Texts(this JsonNode? node, string path) => node.At(path) switch
    {
        JsonValue v when v.TryGetValue<string>(out var s) => [s],
        JsonArray a => a.OfType<JsonValue>().Select(x => x.TryGetValue<string>(out var s) ? s : null).OfType<string>(),
        _ => [],
    };

    /// <summary>Sets a value at a dotted path, making the objects on the way.</summary>
    public static void Set(this JsonObject root, string path, JsonNode? value)
    {
        var steps = path.Split('.');
        var at = root;
        foreach (var step in steps[..^1])
        {
            if (at[step] is not JsonObject next) at[step] = next = [];
            at = next;
        }

        at[steps[^1]] = value;
    }

    /// <summary>The object at a name, made when missing.</summary>
    public static JsonObject Child(this JsonObject root, string name)
    {
        if (root[name] is JsonObject o) return o;
        var made = new JsonObject();
        root[name] = made;
        return made;
    }

    /// <summary>A deep copy that may be changed.</summary>
    public static JsonObject Copy(this JsonObject o) => (JsonObject)o.DeepClone();
}

/// <summary>Times in specs and statuses: RFC 3339 in UTC with a Z, fractions only when there are any.</summary>
internal sealed class TimestampConverter : JsonConverter<DateTimeOffset>
{
    public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        DateTimeOffset.TryParse(reader.GetString(), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : throw new JsonException("an RFC 3339 time is expected");

    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFF'Z'", CultureInfo.InvariantCulture));
}
