using System.Text.Json.Nodes;

namespace Krate.Core.Resources;

/// <summary>One printer column. <paramref name="Path"/> is a <see cref="FieldPath"/>; lists print joined by commas.</summary>
/// <param name="Type">OpenAPI type: <c>string</c>, <c>integer</c>, <c>boolean</c>, <c>date</c> (prints as age).</param>
/// <param name="Wide">Shown only with <c>-o wide</c> (priority 1).</param>
public sealed record KindColumn(string Name, string Path, string Type = "string", bool Wide = false, string Description = "")
{
    /// <summary>For the few columns of native kinds that are no plain field (a count, <c>kind/name</c>). Pure.</summary>
    public Func<JsonObject, JsonNode?>? Compute { get; init; }

    /// <summary>The cell of a document: a string, number or boolean of its own, or null when there is nothing to show. Dates stay RFC 3339.</summary>
    public JsonNode? Read(JsonObject document)
    {
        if (Compute is not null) return Compute(document);
        var values = FieldPath.Find(document, Path).SelectMany(f => f.Value is JsonArray list ? list.OfType<JsonValue>() : f.Value is JsonValue v ? [v] : []).ToList();
        return values.Count switch
        {
            0 => null,
            1 => values[0].DeepClone(),
            _ => JsonValue.Create(string.Join(',', values.Select(v => v.ToString()))),
        };
    }
}
