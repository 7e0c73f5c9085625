using System.Text.Json;
using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Web.Api;

/// <summary>
/// Reads JSON strictly: positions in errors, at most <see cref="KrateJson.MaxDepth"/> levels, no NUL and no broken text in
/// strings; names that appear twice are reported and the last one counts.
/// </summary>
internal static class JsonBody
{
    private const int MostDuplicates = 20;

    /// <summary>Longest path that an error or warning repeats; names in a body are the caller's to choose.</summary>
    private const int LongestPath = 200;

    /// <param name="duplicates">Receives the paths of members that appear again, the first twenty of them.</param>
    /// <exception cref="ApiException">400.</exception>
    public static JsonNode? Parse(ReadOnlySpan<byte> utf8, List<string> duplicates)
    {
        if (utf8.StartsWith("\uFEFF"u8)) utf8 = utf8[3..];
        var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = KrateJson.MaxDepth });
        try
        {
            if (!reader.Read()) throw ApiException.BadRequest("the body is empty where a JSON document is expected");
            var node = Value(ref reader, Place.Root, duplicates);
            // Only white space may follow; anything else throws.
            reader.Read();
            return node;
        }
        catch (JsonException e)
        {
            var text = e.Message;
            var hint = text.Contains("maximum", StringComparison.OrdinalIgnoreCase) && text.Contains("depth", StringComparison.OrdinalIgnoreCase)
                ? $"nested deeper than {KrateJson.MaxDepth} levels"
                : text.Split(" LineNumber:")[0].TrimEnd('.');
            throw ApiException.BadRequest($"error parsing JSON: line {(e.LineNumber ?? 0) + 1}, byte {(e.BytePositionInLine ?? 0) + 1}: {hint}");
        }
    }

    private static JsonNode? Value(ref Utf8JsonReader reader, Place path, List<string> duplicates)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                return Object(ref reader, path, duplicates);
            case JsonTokenType.StartArray:
                var list = new JsonArray();
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                    list.Add(Value(ref reader, new Place(path, null, list.Count), duplicates));
                return list;
            case JsonTokenType.String:
                return JsonValue.Create(Text(ref reader, path));
            case JsonTokenType.True:
                return JsonValue.Create(true);
            case JsonTokenType.False:
                return JsonValue.Create(false);
            case JsonTokenType.Number:
                // Element-backed, as the store's documents are: numbers of CLR types convert differently.
                return JsonValue.Create(JsonElement.ParseValue(ref reader));
            default:
                return null;
        }
    }

    private static JsonObject Object(ref Utf8JsonReader reader, Place path, List<string> duplicates)
    {
        var result = new JsonObject();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = Text(ref reader, path);
            var at = new Place(path, name, 0);
            reader.Read();
            var value = Value(ref reader, at, duplicates);
            if (!result.TryAdd(name, value))
            {
                if (duplicates.Count < MostDuplicates) duplicates.Add(at.ToString());
                result[name] = value;
            }
        }

        return result;
    }

    private static string Text(ref Utf8JsonReader reader, Place path)
    {
        string text;
        try
        {
            text = reader.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw ApiException.BadRequest($"error parsing JSON: byte {reader.TokenStartIndex + 1}: a string {In(path)}is no valid UTF-8");
        }

        if (text.Contains('\0', StringComparison.Ordinal)) throw ApiException.BadRequest($"error parsing JSON: byte {reader.TokenStartIndex + 1}: a string {In(path)}contains a NUL character");
        return text;

        static string In(Place path) => path == Place.Root ? "" : $"in {path} ";
    }

    /// <summary>Where the reader is; written out only when somebody has to be told, so that a body cannot make it long.</summary>
    private sealed record Place(Place? Above, string? Name, int Index)
    {
        public static readonly Place Root = new(null, null, 0);

        public override string ToString()
        {
            var steps = new Stack<string>();
            for (var at = this; at.Above is not null; at = at.Above) steps.Push(at.Name is null ? $"[{at.Index}]" : $".{(at.Name.Length <= LongestPath ? at.Name : at.Name[..LongestPath])}");
            var text = string.Concat(steps).TrimStart('.');
            return text.Length <= LongestPath ? text : text[..LongestPath] + "…";
        }
    }
}
