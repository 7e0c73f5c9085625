using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Core.Generation;

/// <summary>CustomResourceDefinitions of the config kinds, for clusters whose API server stores these kinds itself.</summary>
public static class CrdWriter
{
    /// <summary>The chart is versioned with the API, not with the app: it changes when a kind does.</summary>
    public const string Chart =
        """
        apiVersion: v2
        name: krate-crds
        description: CustomResourceDefinitions of Krate's config kinds. Generated; do not edit.
        type: application
        version: 0.1.0
        appVersion: v1alpha1

        """;

    /// <summary>Config kinds only: execution kinds never assume etcd.</summary>
    public static bool Applies(KindDefinition kind) => kind is { IsProduct: true, Storage: "etcd" };

    public static string Text(KindDefinition kind, string group = WellKnown.ApiGroup) =>
        $"# Generated from the table of kinds; do not edit.\n{Yaml.Write(Write(kind, group))}";

    /// <summary>The definition in <c>apiextensions.k8s.io/v1</c>.</summary>
    public static JsonObject Write(KindDefinition kind, string group = WellKnown.ApiGroup) => new()
    {
        ["apiVersion"] = "apiextensions.k8s.io/v1",
        ["kind"] = "CustomResourceDefinition",
        ["metadata"] = new JsonObject
        {
            ["name"] = $"{kind.Plural}.{group}",
            ["labels"] = new JsonObject { ["app.kubernetes.io/part-of"] = "krate" },
        },
        ["spec"] = new JsonObject
        {
            ["group"] = group,
            ["scope"] = kind.IsNamespaced ? "Namespaced" : "Cluster",
            ["names"] = Names(kind),
            ["versions"] = new JsonArray(Version(kind)),
        },
    };

    private static JsonObject Names(KindDefinition kind)
    {
        var names = new JsonObject
        {
            ["kind"] = kind.Kind,
            ["listKind"] = $"{kind.Kind}List",
            ["plural"] = kind.Plural,
            ["singular"] = kind.Singular,
        };
        if (kind.ShortNames.Count > 0) names["shortNames"] = Strings(kind.ShortNames);
        if (kind.Categories.Count > 0) names["categories"] = Strings(kind.Categories);
        return names;
    }

    private static JsonObject Version(KindDefinition kind)
    {
        var schema = kind.Schema.Copy();
        ((JsonObject)schema["properties"]!)["metadata"] = new JsonObject { ["type"] = "object" };
        return new JsonObject
        {
            ["name"] = kind.Version,
            ["served"] = true,
            ["storage"] = true,
            ["subresources"] = new JsonObject { ["status"] = new JsonObject() },
            // Kubernetes' own API server selects by scalars only.
            ["selectableFields"] = new JsonArray([.. kind.SelectableFields.Where(f => !kind.SelectableLists.Contains(f)).Select(f => (JsonNode)new JsonObject { ["jsonPath"] = FieldPath.ToJsonPath(f) })]),
            ["additionalPrinterColumns"] = new JsonArray([.. kind.Columns.Where(c => c.Compute is null).Append(Age).Select(Column)]),
            ["schema"] = new JsonObject { ["openAPIV3Schema"] = schema },
        };
    }

    private static KindColumn Age => new("Age", "metadata.creationTimestamp", "date");

    private static JsonNode Column(KindColumn column)
    {
        var json = new JsonObject { ["name"] = column.Name, ["type"] = column.Type, ["jsonPath"] = FieldPath.ToJsonPath(column.Path) };
        if (column.Description.Length > 0) json["description"] = column.Description;
        if (column.Wide) json["priority"] = 1;
        return json;
    }

    private static JsonArray Strings(IEnumerable<string> values) => [.. values.Select(v => (JsonNode)v)];
}
