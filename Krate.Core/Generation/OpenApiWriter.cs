using System.Text.Json.Nodes;
using Krate.Core.Kinds.Native;
using Krate.Core.Resources;

namespace Krate.Core.Generation;

/// <summary>
/// The OpenAPI v3 document of one group and version, as kubectl and client generators use it: schemas for <c>explain</c>,
/// the <c>fieldValidation</c> parameter of the patch operation, its content types, and the merge keys of lists.
/// </summary>
public static class OpenApiWriter
{
    /// <exception cref="ApiException">404 when the group and version have no kinds.</exception>
    public static JsonObject Write(KindCatalog catalog, string group, string version)
    {
        var kinds = catalog.All.Where(k => k.Group == group && k.Version == version).ToList();
        if (kinds.Count == 0) throw new ApiException(404, "NotFound", $"there is no group {group} in version {version}");
        var paths = new JsonObject();
        foreach (var kind in kinds) new OpenApiPaths(kind).AddTo(paths);
        return new JsonObject
        {
            ["openapi"] = "3.0.0",
            ["info"] = new JsonObject { ["title"] = $"Krate {(group.Length == 0 ? "core" : group)}/{version}", ["version"] = WellKnown.ApiVersion },
            ["paths"] = paths,
            ["components"] = new JsonObject { ["schemas"] = Schemas(kinds), ["parameters"] = OpenApiParameters.Components(), ["responses"] = new JsonObject { [OpenApiPaths.Refused] = OpenApiPaths.RefusedResponse() } },
        };
    }

    /// <summary>Component name of a kind's schema.</summary>
    public static string NameOf(KindDefinition kind) => kind.Group switch
    {
        "" => $"io.k8s.api.core.{kind.Version}.{kind.Kind}",
        WellKnown.ApiGroup => $"ai.a5c.krate.{kind.Version}.{kind.Kind}",
        _ => $"io.k8s.api.{kind.Group.Split('.')[0]}.{kind.Version}.{kind.Kind}",
    };

    internal static JsonObject Reference(string schema) => new() { ["$ref"] = $"#/components/schemas/{schema}" };

    internal static JsonObject GroupVersionKind(KindDefinition kind, string suffix = "") =>
        new() { ["group"] = kind.Group, ["version"] = kind.Version, ["kind"] = kind.Kind + suffix };

    private static JsonObject Schemas(List<KindDefinition> kinds)
    {
        var schemas = new JsonObject();
        if (kinds.Any(k => k.Actions.Contains("token"))) kinds = [.. kinds, ReviewKinds.TokenRequest];
        foreach (var kind in kinds)
        {
            schemas[NameOf(kind)] = Schema(kind);
            if (!kind.CreateOnly) schemas[$"{NameOf(kind)}List"] = List(kind);
        }

        schemas[SchemaBuilder.MetadataReference] = Metadata();
        foreach (var (name, schema) in MetaSchemas.All) schemas[name] = KrateJson.ParseObject(schema);
        return schemas;
    }

    private static JsonObject Schema(KindDefinition kind)
    {
        var schema = kind.Schema.Copy();
        schema["x-kubernetes-group-version-kind"] = new JsonArray(GroupVersionKind(kind));
        if (kind is { Kind: "ServiceAccount", Group: "" })
        {
            Merging(schema, "secrets", "name");
            Merging(schema, "imagePullSecrets", "name");
        }

        return schema;
    }

    private static JsonObject List(KindDefinition kind) => new()
    {
        ["type"] = "object",
        ["description"] = $"A list of {kind.Kind}.",
        ["required"] = new JsonArray("items"),
        ["properties"] = new JsonObject
        {
            ["apiVersion"] = new JsonObject { ["type"] = "string", ["description"] = $"API group and version: {kind.ApiVersion}." },
            ["kind"] = new JsonObject { ["type"] = "string", ["description"] = $"Name of the kind: {kind.Kind}List." },
            ["metadata"] = new JsonObject { ["description"] = "Version and continuation of the list.", ["allOf"] = new JsonArray(Reference(MetaSchemas.ListMeta)), ["default"] = new JsonObject() },
            ["items"] = new JsonObject { ["type"] = "array", ["description"] = "The resources.", ["items"] = new JsonObject { ["allOf"] = new JsonArray(Reference(NameOf(kind))), ["default"] = new JsonObject() } },
        },
        ["x-kubernetes-group-version-kind"] = new JsonArray(GroupVersionKind(kind, "List")),
    };

    private static JsonObject Metadata()
    {
        var schema = MetadataSchema.Component.ToJson();
        Merging(schema, "finalizers", null);
        Merging(schema, "ownerReferences", "uid");
        return schema;
    }

    /// <summary>Marks a list that a strategic merge patch merges by element.</summary>
    private static void Merging(JsonObject schema, string field, string? key)
    {
        if (schema.At($"properties.{field}") is not JsonObject list) return;
        list["x-kubernetes-patch-strategy"] = "merge";
        if (key is not null) list["x-kubernetes-patch-merge-key"] = key;
    }
}
