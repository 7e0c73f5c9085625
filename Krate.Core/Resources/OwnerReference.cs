using System.Text.Json.Nodes;

namespace Krate.Core.Resources;

/// <summary>One entry of <c>metadata.ownerReferences</c>. The owner lives in the namespace of what it owns, or is cluster-scoped.</summary>
internal sealed record OwnerReference(string ApiVersion, string Kind, string Name, string Uid, bool BlocksOwnerDeletion)
{
    public static IReadOnlyList<OwnerReference> ReadAll(Resource resource)
    {
        if (resource.Metadata["ownerReferences"] is not JsonArray references) return [];
        return
        [
            .. references.OfType<JsonObject>().Select(r => new OwnerReference(
                r.Text("apiVersion") ?? "",
                r.Text("kind") ?? "",
                r.Text("name") ?? "",
                r.Text("uid") ?? "",
                r["blockOwnerDeletion"] is JsonValue v && v.TryGetValue<bool>(out var blocks) && blocks)),
        ];
    }

    /// <summary>The entry that says "this one made me".</summary>
    public static JsonObject To(Resource owner) => new()
    {
        ["apiVersion"] = owner.Kind.ApiVersion,
        ["kind"] = owner.Kind.Kind,
        ["name"] = owner.Name,
        ["uid"] = owner.Uid,
        ["controller"] = true,
        ["blockOwnerDeletion"] = true,
    };

    /// <summary>Adds the entry to a document that is being made, unless it is there.</summary>
    public static void Add(JsonObject document, Resource owner)
    {
        var metadata = document.Child("metadata");
        if (metadata["ownerReferences"] is not JsonArray all) metadata["ownerReferences"] = all = [];
        if (all.All(r => r.Text("uid") != owner.Uid)) all.Add(To(owner));
    }

    /// <summary>A copy of the document without the references to these owners.</summary>
    public static JsonObject Without(Resource resource, IReadOnlySet<string> uids)
    {
        var document = resource.Edit();
        var kept = document.At("metadata.ownerReferences") is JsonArray all
            ? all.OfType<JsonObject>().Where(r => !uids.Contains(r.Text("uid") ?? "")).Select(r => r.DeepClone()).ToArray()
            : [];
        if (kept.Length > 0) document.Set("metadata.ownerReferences", new JsonArray(kept));
        else document.Child("metadata").Remove("ownerReferences");
        return document;
    }
}
