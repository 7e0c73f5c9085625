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
    /// <exception cref="ApiException">400 for a malformed patch, 409 for apply conflicts (causes per field), 422 for a patch that cannot be applied.</exception>
    public JsonObject ApplyTo(JsonObject? live, KindDefinition kind, DateTimeOffset now) =>
        throw new InvalidOperationException($"{Type}");
}

/// <summary>Field ownership as Kubernetes records it in <c>metadata.managedFields</c>.</summary>
public static class ManagedFields
{
    /// <summary>
    /// After a plain write: gives the leaves that differ between <paramref name="before"/> and <paramref name="after"/> to
    /// (<paramref name="manager"/>, Update, <paramref name="subresource"/>) and takes them from others. Changes <paramref name="after"/> in place.
    /// </summary>
    public static void TrackUpdate(JsonObject? before, JsonObject after, string manager, string subresource, DateTimeOffset now) => throw new InvalidOperationException();
}
