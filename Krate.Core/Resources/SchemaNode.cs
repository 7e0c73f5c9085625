using System.Collections.Frozen;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Krate.Core.Resources;

/// <summary>What a value of a field must be, in OpenAPI's words. <see cref="Any"/> accepts everything.</summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage("Naming", "CA1720", Justification = "OpenAPI's own type names")]
public enum SchemaType
{
    Any,
    Object,
    Array,
    String,
    Integer,
    Number,
    Boolean,
}

/// <summary>One node of a structural schema: a field, what it holds and what is below it. Immutable once built; shared by all readers.</summary>
public sealed class SchemaNode
{
    private FrozenDictionary<string, SchemaNode>? lookup;

    public required SchemaType Type { get; init; }

    public string? Description { get; init; }

    /// <summary>OpenAPI format: <c>date-time</c>, <c>byte</c>, <c>int32</c>, <c>int64</c>, <c>double</c>.</summary>
    public string? Format { get; init; }

    /// <summary>Known fields of an object, in the order of the record.</summary>
    public IReadOnlyList<KeyValuePair<string, SchemaNode>> Properties { get; init; } = [];

    public IReadOnlyList<string> Required { get; init; } = [];

    /// <summary>Elements of a list.</summary>
    public SchemaNode? Items { get; init; }

    /// <summary>Values of a map.</summary>
    public SchemaNode? Values { get; init; }

    public IReadOnlyList<string>? Enum { get; init; }

    /// <summary>Regular expression as OpenAPI wants it (anchored where it means the whole).</summary>
    public string? Pattern { get; init; }

    /// <summary>What <see cref="Pattern"/> asks for, in words ("must be an address such as https://example.com").</summary>
    public string? PatternMeans { get; init; }

    /// <summary><see cref="Pattern"/>, ready to match.</summary>
    public Regex? Matcher { get; init; }

    public double? Minimum { get; init; }

    public double? Maximum { get; init; }

    public int? MaxLength { get; init; }

    /// <summary>Unknown fields of this object are kept.</summary>
    public bool PreserveUnknown { get; init; }

    /// <summary>The field that tells the elements of a list apart (<c>type</c> for conditions); null for atomic lists.</summary>
    public string? ListKey { get; init; }

    /// <summary>Set at create, then fixed.</summary>
    public bool Immutable { get; init; }

    /// <summary>Name of a schema that is shared by reference (<c>ObjectMeta</c>).</summary>
    public string? Reference { get; init; }

    /// <summary>The known field of that name.</summary>
    public SchemaNode? Find(string name) =>
        (lookup ??= Properties.ToFrozenDictionary(p => p.Key, p => p.Value, StringComparer.Ordinal)).GetValueOrDefault(name);

    /// <summary>The node at a path without indexes; steps go through lists and maps.</summary>
    public SchemaNode? At(string path)
    {
        var node = this;
        foreach (var step in path.Split('.'))
        {
            while (node?.Items is { } items) node = items;
            node = node?.Find(step) ?? (node?.Values is { } values ? values : null);
        }

        return node;
    }

    /// <summary>OpenAPI v3. A fresh tree.</summary>
    public JsonObject ToJson()
    {
        if (Reference is not null)
        {
            return new JsonObject
            {
                ["description"] = Description,
                ["allOf"] = new JsonArray(new JsonObject { ["$ref"] = $"#/components/schemas/{Reference}" }),
                ["default"] = new JsonObject(),
            };
        }

        var json = new JsonObject();
        if (Type is not SchemaType.Any) json["type"] = TypeName(Type);
        if (Format is not null) json["format"] = Format;
        if (Description is not null) json["description"] = Description;
        if (Enum is not null) json["enum"] = Strings(Enum);
        if (Pattern is not null) json["pattern"] = Pattern;
        if (Minimum is { } minimum) json["minimum"] = minimum;
        if (Maximum is { } maximum) json["maximum"] = maximum;
        if (MaxLength is { } length) json["maxLength"] = length;
        if (Required.Count > 0) json["required"] = Strings(Required);
        if (Properties.Count > 0) json["properties"] = new JsonObject(Properties.Select(p => KeyValuePair.Create(p.Key, (JsonNode?)p.Value.ToJson())));
        if (Items is not null) json["items"] = Items.ToJson();
        if (Values is not null) json["additionalProperties"] = Values.ToJson();
        if (PreserveUnknown || Type is SchemaType.Any) json["x-kubernetes-preserve-unknown-fields"] = true;
        if (ListKey is not null)
        {
            json["x-kubernetes-list-type"] = "map";
            json["x-kubernetes-list-map-keys"] = Strings([ListKey]);
        }
        else if (Type is SchemaType.Array)
        {
            json["x-kubernetes-list-type"] = "atomic";
        }

        if (Immutable)
            json["x-kubernetes-validations"] = new JsonArray(new JsonObject { ["rule"] = "self == oldSelf", ["message"] = "the field is immutable" });
        return json;
    }

    internal static string TypeName(SchemaType type) => type.ToString().ToLowerInvariant();

    private static JsonArray Strings(IEnumerable<string> values) => [.. values.Select(v => (JsonNode)v)];
}
