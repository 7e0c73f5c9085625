using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Core.Store;

/// <summary>
/// What the label index holds of a document: its labels, and the kind's selectable fields under their path with a dot in
/// front, which no label key can begin with.
/// </summary>
public static class IndexedValues
{
    private const int Longest = 256;

    /// <summary>The value that a field selector compares: metadata.name, metadata.namespace, or a scalar at the path as text; null when absent.</summary>
    public static string? Field(Resource resource, string path) => path switch
    {
        "metadata.name" => resource.Name,
        "metadata.namespace" => resource.Namespace,
        _ => Scalar(resource.Body.At(path)),
    };

    /// <summary>Whether a resource matches both selectors: the same answer as the index gives.</summary>
    public static bool Matches(Resource resource, Selector labels, Selector fields) =>
        labels.Matches(resource.Label) && fields.Matches(path => Field(resource, path));

    internal static string FieldKey(string path) => "." + path;

    /// <summary>All index entries of a document, sorted by key.</summary>
    internal static IReadOnlyList<KeyValuePair<string, string>> Of(KindDefinition kind, JsonObject body)
    {
        var values = new SortedDictionary<string, string>(StringComparer.Ordinal);
        if (body.At("metadata.labels") is JsonObject labels)
        {
            foreach (var (key, node) in labels)
                if (node is JsonValue v && v.TryGetValue<string>(out var text)) values[Clip(key)] = Clip(text);
        }

        foreach (var path in kind.SelectableFields)
            if (Scalar(body.At(path)) is { } text) values[FieldKey(path)] = Clip(text);
        return [.. values];
    }

    /// <summary>
    /// What is stored and looked up for a value. Fields may hold any text; a B-tree cannot, and PostgreSQL takes no NUL and no
    /// broken surrogates: such values are told apart by their digest.
    /// </summary>
    internal static string Clip(string value) =>
        value.Length <= Longest && IsPlain(value)
            ? value
            : "sha256:" + Convert.ToHexStringLower(SHA256.HashData(Encoding.Unicode.GetBytes(value)));

    internal static bool IsPlain(string value)
    {
        if (value.Contains('\0', StringComparison.Ordinal)) return false;
        for (var i = 0; i < value.Length; i++)
        {
            if (!char.IsSurrogate(value[i])) continue;
            if (i + 1 == value.Length || !char.IsSurrogatePair(value[i], value[i + 1])) return false;
            i++;
        }

        return true;
    }

    private static string? Scalar(JsonNode? node) => node is not JsonValue value ? null
        : value.TryGetValue<string>(out var text) ? text
        : value.GetValueKind() is JsonValueKind.Null ? null : value.ToJsonString();
}
