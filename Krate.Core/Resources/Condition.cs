using System.Globalization;
using System.Text.Json.Nodes;

namespace Krate.Core.Resources;

/// <summary>One observation in <c>status.conditions</c> (Kubernetes API conventions).</summary>
/// <param name="Type">Stable CamelCase name; one entry per type.</param>
/// <param name="Status"><c>True</c>, <c>False</c> or <c>Unknown</c>.</param>
/// <param name="Reason">Stable CamelCase enum.</param>
/// <param name="Message">For people, never parsed.</param>
/// <param name="ObservedGeneration">The generation this was computed from.</param>
/// <param name="LastTransitionTime">RFC 3339; moves only when <paramref name="Status"/> flips.</param>
public sealed record Condition(string Type, string Status, string Reason, string Message, long ObservedGeneration = 0, string? LastTransitionTime = null)
{
    public const string True = "True";
    public const string False = "False";
    public const string Unknown = "Unknown";
    public const string Ready = "Ready";

    public static IReadOnlyList<Condition> ReadAll(JsonObject body)
    {
        if (body.At("status.conditions") is not JsonArray conditions) return [];
        return
        [
            .. conditions.OfType<JsonObject>().Select(c => new Condition(
                c.Text("type") ?? "",
                c.Text("status") ?? Unknown,
                c.Text("reason") ?? "",
                c.Text("message") ?? "",
                long.TryParse(c["observedGeneration"]?.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var g) ? g : 0,
                c.Text("lastTransitionTime"))),
        ];
    }

    /// <summary>
    /// The new list for <c>status.conditions</c>: <paramref name="desired"/> in order, each keeping the transition time of
    /// the condition of its type in <paramref name="current"/> unless the status flipped.
    /// </summary>
    public static JsonArray Merge(IReadOnlyList<Condition> current, IEnumerable<Condition> desired, long generation, DateTimeOffset now) =>
    [
        .. desired.Select(d =>
        {
            var before = current.FirstOrDefault(c => c.Type == d.Type);
            return (JsonNode)new JsonObject
            {
                ["type"] = d.Type,
                ["status"] = d.Status,
                ["reason"] = d.Reason,
                ["message"] = d.Message,
                ["observedGeneration"] = generation,
                ["lastTransitionTime"] = before?.Status == d.Status && before.LastTransitionTime is { } t ? t : Timestamps.Format(now),
            };
        }),
    ];
}

/// <summary>Kubernetes' second-granular UTC timestamps.</summary>
public static class Timestamps
{
    public static string Format(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
