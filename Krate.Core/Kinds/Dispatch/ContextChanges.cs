using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Dispatch;

/// <summary>How a thing that an agent was given differs from what it would be given now.</summary>
/// <param name="What">Layer or source, for people.</param>
/// <param name="How">changed, added or gone.</param>
public sealed record ContextChange(string What, string How);

/// <summary>Compares a context that was pinned with one of now, part by part, by digest. Pure.</summary>
public static class ContextChanges
{
    /// <param name="pinned"><c>spec</c> of an AgentContextBundle.</param>
    /// <param name="now">As <see cref="ContextBundles.ToJson"/> says it.</param>
    public static IReadOnlyList<ContextChange> Between(JsonNode? pinned, JsonNode? now)
    {
        if (pinned.Text("digest") == now.Text("digest")) return [];
        var (before, after) = (PartsOf(pinned), PartsOf(now));
        return
        [
            .. before.Where(p => !after.ContainsKey(p.Key)).Select(p => new ContextChange(p.Key, "gone")),
            .. after.Where(p => !before.ContainsKey(p.Key)).Select(p => new ContextChange(p.Key, "added")),
            .. before.Where(p => after.TryGetValue(p.Key, out var digest) && digest != p.Value).Select(p => new ContextChange(p.Key, "changed")),
        ];
    }

    private static Dictionary<string, string?> PartsOf(JsonNode? bundle)
    {
        var parts = new Dictionary<string, string?>(StringComparer.Ordinal);
        foreach (var layer in bundle.At("layers") as JsonArray ?? []) parts[$"layer {layer.Text("name")}"] = layer.Text("digest");
        foreach (var source in bundle.At("sources") as JsonArray ?? []) parts[$"{source.Text("kind")} {source.Text("path") ?? source.Text("name")}"] = source.Text("digest");
        return parts;
    }
}
