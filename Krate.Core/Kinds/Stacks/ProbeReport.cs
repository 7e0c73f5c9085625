using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Krate.Core.ControlPlane;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Stacks;

/// <summary>Writes what looking at something outside found. The time of it is news only with the rest.</summary>
internal static partial class ProbeReport
{
    private const string Time = "lastProbeTime";

    /// <param name="status">As <see cref="StatusWriter.Status"/> makes it, with what else was found.</param>
    public static async Task<Resource> WriteAsync(ReconcileContext context, Resource resource, JsonObject status, CancellationToken ct)
    {
        foreach (var condition in (JsonArray)status["conditions"]!) KeepMessage(resource, condition!);
        if (IsNews(resource, status)) status[Time] = Timestamps.Format(context.Time.GetUtcNow());
        return await context.WriteStatusAsync(resource, status, ct);
    }

    /// <summary>An old message that differs only in numbers (times, ids of processes) says the same.</summary>
    private static void KeepMessage(Resource resource, JsonNode condition)
    {
        if (resource.FindCondition(condition.Text("type")!) is { } old && old.Status == condition.Text("status") && old.Reason == condition.Text("reason")
            && Digits().Replace(old.Message, "0") == Digits().Replace(condition.Text("message")!, "0")) condition["message"] = old.Message;
    }

    private static bool IsNews(Resource resource, JsonObject status) =>
        status.Any(s => s.Key != "conditions" && !JsonNode.DeepEquals(s.Value, resource.Body.At("status")?[s.Key]))
        || ((JsonArray)status["conditions"]!).Any(c => resource.FindCondition(c.Text("type")!) is not { } old || old.Status != c.Text("status") || old.Reason != c.Text("reason") || old.Message != c.Text("message"));

    [GeneratedRegex("[0-9]+")]
    private static partial Regex Digits();
}
