using System.Globalization;
using System.Text.Json.Nodes;

namespace Krate.Core.Resources;

/// <summary>
/// Another order than by name: a numbered kind by falling number, in the repository that the field selector names; a kind with
/// <see cref="KindDefinition.OrderedByCreation"/> from the newest on, in one repository or the whole namespace. For Krate's own
/// pages; the REST API lists by name, as Kubernetes does.
/// </summary>
/// <param name="Before">Only smaller numbers: what is older.</param>
/// <param name="After">Only greater numbers, the nearest of them: what is newer.</param>
public sealed record NewestFirst(long? Before = null, long? After = null)
{
    /// <summary>Beyond this many they are not counted.</summary>
    public const int MostCounted = 10_000;

    /// <summary>
    /// Where a resource stands: by its number, or by when it was made (to the microsecond; to the second for what is older than that field).
    /// </summary>
    public static long OrderOf(Resource resource) => OrderOf(resource.Kind, resource.Body) ?? 0;

    internal static long? OrderOf(KindDefinition kind, JsonObject body)
    {
        // By its text: a document that is just being made may hold any type of number.
        if (kind.Numbered) return Number(body.At("spec.number"));
        if (!kind.OrderedByCreation) return null;
        return Number(body.At("status.order"))
            ?? (DateTimeOffset.TryParse(body.Text("metadata.creationTimestamp"), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time.ToUnixTimeSeconds() * 1_000_000 : null);
    }

    private static long? Number(JsonNode? node) => node is JsonValue && long.TryParse(node.ToJsonString(), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    /// <summary>Whether to count all that match, wherever the page is.</summary>
    public bool Counted { get; init; }
}
