using System.Text.Json.Nodes;
using Krate.Core.Kinds.Orgs;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Grants;

/// <summary>
/// Native objects that a resource owns: how they are marked as its own, and how one sees that a hand has changed them. In the owner's namespace they
/// have an owner reference and go with it; cluster-scoped ones cannot, and have the owner's uid in an annotation.
/// </summary>
internal static class OwnedObjects
{
    /// <summary>Digest of what Krate last wrote; where the object differs from it, somebody else has changed the object.</summary>
    public const string DesiredStateAnnotation = WellKnown.ApiGroup + "/desired-state";

    private const string OwnerAnnotation = WellKnown.ApiGroup + "/owner-uid";

    public static bool Owns(Resource owner, Resource native) => native.Namespace.Length == 0
        ? native.Annotation(OwnerAnnotation) == owner.Uid
        : OwnerReference.ReadAll(native).Any(o => o.Uid == owner.Uid);

    /// <summary>Completes the document of an owned object.</summary>
    /// <param name="ns">Empty for a cluster-scoped one.</param>
    /// <param name="kept">Fields that are the owner's to say.</param>
    public static void Mark(JsonObject document, Resource owner, string name, string ns, IReadOnlyList<string> kept)
    {
        var metadata = document.Child("metadata");
        metadata["name"] = name;
        metadata["labels"] = new JsonObject { [WellKnown.OrgLabel] = owner.Label(WellKnown.OrgLabel), [OrganizationPlan.ManagedByLabel] = OrganizationPlan.ManagedBy };
        metadata.Child("annotations")[DesiredStateAnnotation] = Digest(document, kept);
        if (ns.Length > 0)
        {
            metadata["namespace"] = ns;
            metadata["ownerReferences"] = new JsonArray(OwnerReference.To(owner));
        }
        else
        {
            metadata.Child("annotations")[OwnerAnnotation] = owner.Uid;
        }
    }

    public static string Digest(JsonObject document, IReadOnlyList<string> kept)
    {
        var state = new JsonObject();
        foreach (var field in kept)
            if (document[field] is { } value and not JsonArray { Count: 0 }) state[field] = value.DeepClone();
        return CanonicalJson.Digest(state);
    }

    /// <summary>Whether nobody has changed the object since Krate wrote it.</summary>
    public static bool IsUntouched(Resource native, IReadOnlyList<string> kept) => native.Annotation(DesiredStateAnnotation) == Digest(native.Body, kept);

    /// <summary>Whether labels and annotations of the wanted document are on the object.</summary>
    public static bool IsMarkedAs(Resource native, JsonObject wanted) => new[] { "metadata.labels", "metadata.annotations" }
        .SelectMany(p => (wanted.At(p) as JsonObject ?? []).Select(m => (Path: p, m.Key, m.Value)))
        .All(m => JsonNode.DeepEquals((native.Body.At(m.Path) as JsonObject)?[m.Key], m.Value));

    /// <summary>The object with the owner's fields, labels and annotations as they should be; others' stay.</summary>
    public static JsonObject PutRight(Resource native, JsonObject wanted, IReadOnlyList<string> kept)
    {
        var next = native.Edit();
        foreach (var field in kept)
        {
            if (wanted[field] is { } value) next[field] = value.DeepClone();
            else next.Remove(field);
        }

        foreach (var map in (string[])["labels", "annotations"])
            foreach (var (key, value) in wanted.At($"metadata.{map}") as JsonObject ?? []) next.Child("metadata").Child(map)[key] = value?.DeepClone();
        return next;
    }
}
