using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Tests.Kinds;

/// <summary>Documents made from a schema: with what is required, or with every field.</summary>
internal static class Samples
{
    private static readonly Dictionary<string, string> Matching = new()
    {
        ["^sha256:[0-9a-f]{64}$"] = "sha256:" + new string('a', 64),
        ["^([0-9a-f]{40}|[0-9a-f]{64})$"] = new string('b', 40),
        ["^([0-9]+(\\.[0-9]+)?(ms|s|m|h|d|w))+$"] = "1h30m",
        ["^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"] = "sample",
        ["^[A-Za-z_][A-Za-z0-9_]*$"] = "SAMPLE",
        ["^[A-Za-z][A-Za-z0-9-]{0,63}$"] = "X-Sample",
        ["^https?://[^\\s/?#]+.*$"] = "https://example.com/x",
    };

    public static JsonObject Of(KindDefinition kind, bool everything = false)
    {
        var document = (JsonObject)Value(kind.Fields, everything)!;
        document["apiVersion"] = kind.ApiVersion;
        document["kind"] = kind.Kind;
        var metadata = new JsonObject { ["name"] = "sample" };
        if (kind.IsNamespaced) metadata["namespace"] = "krate-org-acme";
        document["metadata"] = metadata;
        if (!everything) document.Remove("status");
        return document;
    }

    /// <summary>Every field below spec, status or a native document, each with the path that a full sample has it at.</summary>
    public static IEnumerable<(string Path, SchemaNode Node)> Leaves(KindDefinition kind) =>
        kind.Fields.Properties.Where(p => p.Key is not ("apiVersion" or "kind" or "metadata")).SelectMany(p => Below(p.Key, p.Value));

    public static void Put(JsonObject document, string path, JsonNode value)
    {
        JsonNode at = document;
        var steps = path.Replace("[0]", ".[0]", StringComparison.Ordinal).Split('.', StringSplitOptions.RemoveEmptyEntries);
        foreach (var step in steps[..^1])
            at = step == "[0]" ? at[0]! : at[step]!;
        if (steps[^1] == "[0]") at[0] = value;
        else at[steps[^1]] = value;
    }

    private static IEnumerable<(string, SchemaNode)> Below(string path, SchemaNode node)
    {
        yield return (path, node);
        var children = node.Items is { } items ? Below($"{path}[0]", items)
            : node.Values is { } values ? Below($"{path}.key", values)
            : node.Properties.SelectMany(p => Below($"{path}.{p.Key}", p.Value));
        foreach (var child in children) yield return child;
    }

    private static JsonNode? Value(SchemaNode node, bool everything)
    {
        switch (node.Type)
        {
            case SchemaType.Object when node.Values is { } values:
                return new JsonObject { ["key"] = Value(values, everything) };
            case SchemaType.Object:
                return new JsonObject(node.Properties.Where(p => everything || node.Required.Contains(p.Key)).Select(p => KeyValuePair.Create(p.Key, Value(p.Value, everything))));
            case SchemaType.Array:
                return new JsonArray(Value(node.Items!, everything));
            case SchemaType.Integer or SchemaType.Number:
                return (long)(node.Minimum ?? 1);
            case SchemaType.Boolean:
                return true;
            default:
                return node.Enum?[0] ?? (node.Pattern is { } p ? Matching.GetValueOrDefault(p) ?? throw new InvalidOperationException($"no sample for {p}") : node.Format switch
                {
                    "date-time" => "2026-05-10T12:00:00Z",
                    "byte" => "aGVsbG8=",
                    _ => "sample",
                });
        }
    }
}
