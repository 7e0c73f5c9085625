using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Web.Features.Resources;

/// <summary>The smallest document of a kind that a person can start from: the envelope and the required fields.</summary>
public static class ManifestTemplate
{
    public static JsonObject Build(KindDefinition kind, Place place, string name = "")
    {
        var metadata = new JsonObject { ["name"] = name.Length > 0 ? name : kind.NamePrefix is null ? $"my-{Word(kind)}" : "" };
        if (kind.IsNamespaced) metadata["namespace"] = place.NamespaceOf(kind);
        var document = new JsonObject { ["apiVersion"] = kind.ApiVersion, ["kind"] = kind.Kind, ["metadata"] = metadata };
        if (kind.IsProduct)
        {
            var spec = Required(kind.Fields.Find("spec"));
            foreach (var field in kind.RequiredSpec) if (!spec.ContainsKey(field)) spec[field] = "";
            if (place.Org is { } org && kind.Scope == KindScope.Org) spec = Led(spec, "organizationRef", org);
            document["spec"] = spec;
        }
        else
        {
            foreach (var (field, value) in Required(kind.Fields))
                if (!document.ContainsKey(field)) document[field] = value?.DeepClone();
            if (Native(kind) is { } parts)
                foreach (var (field, value) in parts) document[field] = value?.DeepClone();
        }

        return document;
    }

    /// <summary>A resource as somebody would write it: without what the server keeps.</summary>
    public static JsonObject Plain(Resource resource)
    {
        var document = resource.Edit();
        document.Remove("status");
        var metadata = document.Child("metadata");
        foreach (var own in new[] { "uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "managedFields", "selfLink", "ownerReferences", "finalizers" }) metadata.Remove(own);
        (metadata["annotations"] as JsonObject)?.Remove(WellKnown.LastAppliedAnnotation);
        foreach (var map in new[] { "annotations", "labels" })
            if (metadata[map] is JsonObject { Count: 0 }) metadata.Remove(map);
        return Ordered(document);
    }

    /// <summary>The document in the order in which people write it.</summary>
    public static JsonObject Ordered(JsonObject document)
    {
        var ordered = First(document, "apiVersion", "kind", "metadata", "spec", "status");
        if (ordered["metadata"] is JsonObject metadata)
            ordered["metadata"] = First(metadata, "name", "namespace", "labels", "annotations", "finalizers", "ownerReferences", "uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp");
        return ordered;
    }

    private static JsonObject First(JsonObject map, params string[] keys)
    {
        var ordered = new JsonObject();
        foreach (var key in keys.Where(map.ContainsKey).Concat(map.Select(m => m.Key).Where(k => !keys.Contains(k)))) ordered[key] = map[key]?.DeepClone();
        return ordered;
    }

    private static string Word(KindDefinition kind) => kind.Kind.StartsWith("Agent", StringComparison.Ordinal) ? kind.Singular["agent".Length..] : kind.Singular;

    private static JsonObject Led(JsonObject spec, string field, string value)
    {
        var led = new JsonObject { [field] = value };
        foreach (var (key, node) in spec)
            if (key != field) led[key] = node?.DeepClone();
        return led;
    }

    private static JsonObject Required(SchemaNode? node)
    {
        var result = new JsonObject();
        foreach (var field in node?.Required ?? [])
            if (field is not ("apiVersion" or "kind" or "metadata" or "status") && node!.Find(field) is { } child) result[field] = Value(child);
        return result;
    }

    private static JsonNode? Value(SchemaNode node) => node.Type switch
    {
        SchemaType.Object => Required(node),
        SchemaType.Array => new JsonArray(),
        SchemaType.Boolean => false,
        SchemaType.Integer or SchemaType.Number => node.Minimum is > 0 ? (long)node.Minimum : 0,
        _ => node.Enum is { Count: > 0 } values ? values[0] : "",
    };

    /// <summary>Native kinds require little; these are the parts without which they mean nothing.</summary>
    private static JsonObject? Native(KindDefinition kind) => kind.Kind switch
    {
        "Role" or "ClusterRole" => Json("""{"rules":[{"apiGroups":["krate.a5c.ai"],"resources":["agentstacks"],"verbs":["get","list","watch"]}]}"""),
        "RoleBinding" or "ClusterRoleBinding" => Json("""{"subjects":[{"kind":"User","apiGroup":"rbac.authorization.k8s.io","name":""}],"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"krate-viewer"}}"""),
        "ConfigMap" => Json("""{"data":{"key":"value"}}"""),
        "Secret" => Json("""{"type":"Opaque","stringData":{"key":""}}"""),
        _ => null,
    };

    private static JsonObject Json(string text) => KrateJson.ParseObject(text);
}
