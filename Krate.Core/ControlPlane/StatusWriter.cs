using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Resources;
using Microsoft.Extensions.Logging;

namespace Krate.Core.ControlPlane;

/// <summary>Writes what a reconciler found, and only when it is news: the rule that keeps controllers from waking themselves for ever.</summary>
public static class StatusWriter
{
    private static readonly WriteOptions Options = new() { Subresource = "status", FieldManager = "krate-control-plane" };

    /// <summary>A status of a phase and conditions, as <see cref="ReconcileContext.WriteStatusAsync"/> takes it.</summary>
    public static JsonObject Status(string phase, IReadOnlyList<Condition> conditions) => new()
    {
        ["phase"] = phase,
        ["conditions"] = new JsonArray([.. conditions.Select(c => (JsonNode)new JsonObject { ["type"] = c.Type, ["status"] = c.Status, ["reason"] = c.Reason, ["message"] = c.Message })]),
    };

    internal static async Task<Resource> WriteAsync(ReconcileContext context, Resource resource, JsonObject status, CancellationToken ct)
    {
        var before = resource.Body["status"] as JsonObject ?? [];
        var after = Merge(resource, before, status, context.Time.GetUtcNow());
        if (JsonNode.DeepEquals(before, after)) return resource;

        var document = resource.Edit();
        document["status"] = after;
        var written = await context.Gateway.UpdateAsync(context.Actor, resource.Kind, resource.Namespace, resource.Name, document, Options, ct);
        var ready = written.FindCondition(Condition.Ready);
        context.Logger.LogInformation("Status of {Key} at generation {Generation}: {Phase}, Ready={Ready} {Reason}", resource.Key, resource.Generation, after.Text("phase"), ready?.Status, ready?.Reason);
        return written;
    }

    private static JsonObject Merge(Resource resource, JsonObject before, JsonObject status, DateTimeOffset now)
    {
        var after = before.Copy();
        foreach (var (name, value) in status)
        {
            if (value is null) after.Remove(name);
            else if (name != "conditions") after[name] = value.DeepClone();
        }

        if (status.ContainsKey("conditions"))
            after["conditions"] = Condition.Merge(resource.Conditions, Condition.ReadAll(new JsonObject { ["status"] = status.Copy() }), resource.Generation, now);
        after["observedGeneration"] = resource.Generation;
        return after;
    }
}
