using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Core.Store;

/// <summary>
/// What the label index holds of a document: its labels, and the kind's selectable fields under their path with a dot in
/// front, which no label key can begin with. A list has one entry for itself and one for each element, whose key is the path,
/// an equals sign and the element. Of a kind with an order there is, besides, one entry in its repository for everything that a list
/// of the newest may be narrowed to, whose value is the number; where the order is that of creation, the same once more for all repositories.
/// </summary>
public static class IndexedValues
{
    internal const string NumberPath = "spec.number";

    private const int Longest = 256;

    /// <summary>Whether a resource matches both selectors: the same answer as the index gives.</summary>
    public static bool Matches(Resource resource, Selector labels, Selector fields) =>
        labels.Matches(resource.Label)
        && fields.Terms.All(t => resource.Kind.SelectableLists.Contains(t.Key) ? Matches(t, Elements(resource.Body.At(t.Key))) : t.Matches(Field(resource, t.Key)));

    /// <summary>metadata.name, metadata.namespace, or a scalar at the path as text; null when absent.</summary>
    private static string? Field(Resource resource, string path) => path switch
    {
        "metadata.name" => resource.Name,
        "metadata.namespace" => resource.Namespace,
        _ => Scalar(resource.Body.At(path)),
    };

    /// <summary>Key of the entry that orders the resources of a repository (of all of them: empty), every one or those that have this in a field.</summary>
    internal static string NumberedKey(string ns, string repository, string? path = null, string text = "") =>
        $"#{ns}/{Clip(repository)}{(path is null ? "" : ElementKey(path, text))}";

    /// <summary>Numbers in the order of their texts.</summary>
    internal static string NumberValue(long number) => number.ToString("D19", CultureInfo.InvariantCulture);

    private static bool Matches(SelectorTerm term, IReadOnlyList<string> list) => term.Operator switch
    {
        SelectorOperator.In => list.Any(e => term.Values.Contains(e, StringComparer.Ordinal)),
        SelectorOperator.NotIn => !list.Any(e => term.Values.Contains(e, StringComparer.Ordinal)),
        SelectorOperator.Exists => list.Count > 0,
        _ => list.Count == 0,
    };

    internal static string FieldKey(string path) => "." + path;

    /// <summary>Key of the entry that says "the list has this element"; its value is empty.</summary>
    internal static string ElementKey(string path, string element) => $"{FieldKey(path)}={Clip(element)}";

    /// <summary>All index entries of a document, sorted by key.</summary>
    internal static IReadOnlyList<KeyValuePair<string, string>> Of(KindDefinition kind, string ns, JsonObject body)
    {
        var values = new SortedDictionary<string, string>(StringComparer.Ordinal);
        if (body.At("metadata.labels") is JsonObject labels)
        {
            foreach (var (key, node) in labels)
                if (node is JsonValue v && v.TryGetValue<string>(out var text)) values[Clip(key)] = Clip(text);
        }

        foreach (var path in kind.SelectableFields)
        {
            if (kind.SelectableLists.Contains(path)) AddList(values, path, Elements(body.At(path)));
            else if (Scalar(body.At(path)) is { } text) values[FieldKey(path)] = Clip(text);
        }

        if (NewestFirst.OrderOf(kind, body) is { } order && kind.RepositoryPath is { } place && body.Text(place) is { } repository)
        {
            AddOrdered(values, kind, ns, repository, order, body);
            if (kind.OrderedByCreation) AddOrdered(values, kind, ns, "", order, body);
        }

        return [.. values];
    }

    private static void AddOrdered(SortedDictionary<string, string> values, KindDefinition kind, string ns, string repository, long order, JsonObject body)
    {
        var value = NumberValue(order);
        values[NumberedKey(ns, repository)] = value;
        foreach (var field in kind.SelectableFields.Where(f => f != NumberPath && f != kind.RepositoryPath))
        {
            var node = body.At(field);
            foreach (var text in kind.SelectableLists.Contains(field) ? Elements(node) : Scalar(node) is { } one ? [one] : [])
                values[NumberedKey(ns, repository, field, text)] = value;
        }
    }

    private static void AddList(SortedDictionary<string, string> values, string path, IReadOnlyList<string> elements)
    {
        if (elements.Count > 0) values[FieldKey(path)] = "";
        foreach (var element in elements) values[ElementKey(path, element)] = "";
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

    private static IReadOnlyList<string> Elements(JsonNode? node) => node is JsonArray array
        ? [.. array.Select(e => e is JsonValue v && v.TryGetValue<string>(out var text) ? text : null).OfType<string>()]
        : [];

    private static string? Scalar(JsonNode? node) => node is not JsonValue value ? null
        : value.TryGetValue<string>(out var text) ? text
        : value.GetValueKind() is JsonValueKind.Null ? null : value.ToJsonString();
}
