using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Core.Generation;

/// <summary>
/// The OpenAPI v3 document of one group and version, as much of it as clients use: kubectl reads the schemas for
/// <c>explain</c>, the patch operation's <c>fieldValidation</c> parameter, and the merge keys of lists.
/// </summary>
public static class OpenApiWriter
{
    /// <exception cref="ApiException">404 when the group and version have no kinds.</exception>
    public static JsonObject Write(KindCatalog catalog, string group, string version)
    {
        var kinds = catalog.All.Where(k => k.Group == group && k.Version == version).ToList();
        if (kinds.Count == 0) throw new ApiException(404, "NotFound", $"there is no group {group} in version {version}");
        var paths = new JsonObject();
        var schemas = new JsonObject { [SchemaBuilder.MetadataReference] = Metadata() };
        foreach (var kind in kinds)
        {
            AddPaths(paths, kind);
            schemas[NameOf(kind)] = Schema(kind);
        }

        return new JsonObject
        {
            ["openapi"] = "3.0.0",
            ["info"] = new JsonObject { ["title"] = "Krate", ["version"] = WellKnown.ApiVersion },
            ["paths"] = paths,
            ["components"] = new JsonObject { ["schemas"] = schemas },
        };
    }

    private static string NameOf(KindDefinition kind) => kind.Group switch
    {
        "" => $"io.k8s.api.core.{kind.Version}.{kind.Kind}",
        WellKnown.ApiGroup => $"ai.a5c.krate.{kind.Version}.{kind.Kind}",
        _ => $"io.k8s.api.{kind.Group.Split('.')[0]}.{kind.Version}.{kind.Kind}",
    };

    private static JsonObject Metadata()
    {
        var schema = MetadataSchema.Component.ToJson();
        Merging(schema, "finalizers", null);
        Merging(schema, "ownerReferences", "uid");
        return schema;
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

    /// <summary>Marks a list that a strategic merge patch merges by element.</summary>
    private static void Merging(JsonObject schema, string field, string? key)
    {
        if (schema.At($"properties.{field}") is not JsonObject list) return;
        list["x-kubernetes-patch-strategy"] = "merge";
        if (key is not null) list["x-kubernetes-patch-merge-key"] = key;
    }

    private static void AddPaths(JsonObject paths, KindDefinition kind)
    {
        var root = kind.Group.Length == 0 ? $"/api/{kind.Version}" : $"/apis/{kind.Group}/{kind.Version}";
        var collection = kind.IsNamespaced ? $"{root}/namespaces/{{namespace}}/{kind.Plural}" : $"{root}/{kind.Plural}";
        if (kind.CreateOnly)
        {
            paths[collection] = new JsonObject { ["post"] = Operation(kind, "post") };
            return;
        }

        paths[collection] = new JsonObject { ["get"] = Operation(kind, "list"), ["post"] = Operation(kind, "post"), ["delete"] = Operation(kind, "deletecollection") };
        var item = new JsonObject();
        foreach (var verb in new[] { "get", "put", "patch", "delete" }) item[verb] = Operation(kind, verb);
        paths[$"{collection}/{{name}}"] = item;
        if (!kind.HasStatus) return;
        var status = new JsonObject();
        foreach (var verb in new[] { "get", "put", "patch" }) status[verb] = Operation(kind, verb, "Status");
        paths[$"{collection}/{{name}}/status"] = status;
    }

    private static JsonObject Operation(KindDefinition kind, string action, string suffix = "") => new()
    {
        ["operationId"] = $"{action}{kind.Group.Split('.')[0]}{kind.Kind}{suffix}",
        ["x-kubernetes-action"] = action,
        ["x-kubernetes-group-version-kind"] = GroupVersionKind(kind),
        ["parameters"] = new JsonArray([.. (action is "get" or "list" ? [] : new[] { "dryRun", "fieldManager", "fieldValidation" }).Select(Parameter)]),
        ["responses"] = new JsonObject { ["200"] = new JsonObject { ["description"] = "OK", ["content"] = new JsonObject { ["application/json"] = new JsonObject { ["schema"] = new JsonObject { ["$ref"] = $"#/components/schemas/{NameOf(kind)}" } } } } },
    };

    private static JsonNode Parameter(string name) => new JsonObject { ["name"] = name, ["in"] = "query", ["schema"] = new JsonObject { ["type"] = "string" } };

    private static JsonObject GroupVersionKind(KindDefinition kind) => new() { ["group"] = kind.Group, ["version"] = kind.Version, ["kind"] = kind.Kind };
}
