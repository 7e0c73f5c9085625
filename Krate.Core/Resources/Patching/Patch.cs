using System.Text.Json.Nodes;

namespace Krate.Core.Resources.Patching;

public enum PatchType
{
    /// <summary>RFC 6902, <c>application/json-patch+json</c>.</summary>
    Json,

    /// <summary>RFC 7386, <c>application/merge-patch+json</c>.</summary>
    Merge,

    /// <summary><c>application/strategic-merge-patch+json</c>; product kinds treat it as a merge patch.</summary>
    Strategic,

    /// <summary>Server-side apply, <c>application/apply-patch+yaml</c>.</summary>
    Apply,
}

/// <summary>A patch as it came in. <paramref name="Document"/> is the parsed body: an array for <see cref="PatchType.Json"/>, else an object.</summary>
/// <param name="FieldManager">Owner of the applied fields; required for <see cref="PatchType.Apply"/>.</param>
/// <param name="Force">Take fields over from other managers instead of refusing.</param>
public sealed record Patch(PatchType Type, JsonNode Document, string FieldManager, bool Force = false)
{
    /// <summary>
    /// The document after this patch. <paramref name="live"/> is not changed; null only for <see cref="PatchType.Apply"/>,
    /// which then creates. managedFields of the result are right for Apply; for the others the gateway calls
    /// <see cref="ManagedFields.TrackUpdate"/> as for any update.
    /// </summary>
    /// <param name="subresource">Empty, or <c>status</c>: an apply then owns fields of the status only, under an entry of its own.</param>
    /// <exception cref="ApiException">400 for a malformed patch, 409 for apply conflicts (causes per field), 422 for a patch that cannot be applied.</exception>
    public JsonObject ApplyTo(JsonObject? live, KindDefinition kind, DateTimeOffset now, string subresource = "")
    {
        if (Type == PatchType.Apply) return ServerSideApply.Apply(live, ObjectDocument(), kind, FieldManager, Force, subresource, now);
        ArgumentNullException.ThrowIfNull(live);
        return Type switch
        {
            PatchType.Json => JsonPatch.Apply(live, Document as JsonArray ?? throw ApiException.BadRequest("a JSON patch is an array of operations"), kind),
            PatchType.Merge => MergePatch.Apply(live, ObjectDocument()),
            _ => StrategicMergePatch.Apply(live, ObjectDocument(), kind),
        };
    }

    private JsonObject ObjectDocument() =>
        Document as JsonObject ?? throw ApiException.BadRequest("the patch must be a JSON object");
}
