using System.Text.Json.Nodes;

namespace Krate.Web.Features.Resources;

/// <summary>Puts one person's changes on top of another's. Lists are one value each, as in server-side apply.</summary>
public static class ThreeWayMerge
{
    /// <param name="origin">From which both began.</param>
    /// <param name="mine">Wins where both changed the same field, except for what the server numbers.</param>
    public static JsonObject Of(JsonObject origin, JsonObject mine, JsonObject theirs)
    {
        var merged = new JsonObject();
        foreach (var key in theirs.Select(p => p.Key).Concat(mine.Select(p => p.Key)).Distinct(StringComparer.Ordinal))
        {
            var (o, m, t) = (origin[key], mine[key], theirs[key]);
            if (m is JsonObject mineMap && t is JsonObject theirMap)
                merged[key] = Of(o as JsonObject ?? [], mineMap, theirMap);
            else if (Same(o, m, origin.ContainsKey(key), mine.ContainsKey(key)))
                Put(merged, theirs, key);
            else
                Put(merged, mine, key);
        }

        return merged;
    }

    private static bool Same(JsonNode? a, JsonNode? b, bool hasA, bool hasB) => hasA == hasB && JsonNode.DeepEquals(a, b);

    private static void Put(JsonObject target, JsonObject source, string key)
    {
        if (source.TryGetPropertyValue(key, out var value)) target[key] = value?.DeepClone();
    }
}
