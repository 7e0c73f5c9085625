using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Kinds.Runs;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Dispatch;

/// <summary>
/// What people say to the agent of one attempt, one after the other: kept with the run before the agent hears it, so that a message that was taken is never
/// lost. One reader.
/// </summary>
internal sealed class RunMessages(DispatchWriter writer, Resource run, Resource attempt, Actor krate)
{
    public const int Longest = 16 << 10, Most = 100;
    private int heard;

    /// <summary>The next message; null when there is none, and from then on none is taken.</summary>
    public async Task<JsonNode?> NextAsync(CancellationToken ct)
    {
        JsonNode? next = null;
        await writer.ChangeAsync(krate, run, now =>
        {
            next = Of(now, attempt.Name).Skip(heard).FirstOrDefault()?.DeepClone();
            return next is null ? new JsonObject { ["acceptsMessages"] = false } : null;
        }, ct);
        if (next is not null) heard++;
        return next;
    }

    /// <summary>The status with one more message.</summary>
    /// <exception cref="ApiException">There are too many.</exception>
    public static JsonArray With(Resource run, JsonObject message)
    {
        var all = (run.Body.At("status.messages") as JsonArray ?? []).Select(m => m!.DeepClone()).ToList();
        if (all.Count >= Most) throw ApiException.Conflict(run.Kind, run.Name, $"it has had {Most} messages; start another run");
        return new([.. all, message.DeepClone()]);
    }

    private static IEnumerable<JsonNode> Of(Resource run, string attempt) => (run.Body.At("status.messages") as JsonArray ?? []).OfType<JsonNode>().Where(m => m.Text("attempt") == attempt);
}
