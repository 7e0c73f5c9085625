using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Kinds.Work;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Hooks;

/// <summary>Something that subscribers are told.</summary>
/// <param name="Name">push, pull_request, issue, comment, review, pipeline, job, agent_run or approval.</param>
/// <param name="Action">opened, closed, synchronize ...</param>
/// <param name="Actor">User name of whoever did it.</param>
/// <param name="Resource">What it is about, where that is no resource; null for the resource that has changed.</param>
internal sealed record WebhookEvent(string Name, string Action, string Actor, JsonObject? Resource = null);

/// <summary>What an admitted change means to those who listen. Pure.</summary>
internal static class WebhookEvents
{
    /// <summary>The kinds whose changes are told, and the events that they are.</summary>
    private static readonly Dictionary<string, string> Names = new(StringComparer.Ordinal)
    {
        ["Repository"] = "push", ["PullRequest"] = "pull_request", ["Issue"] = "issue", ["Comment"] = "comment", ["Review"] = "review",
        ["Pipeline"] = "pipeline", ["Job"] = "job", ["AgentDispatchRun"] = "agent_run", ["AgentApproval"] = "approval",
    };

    public static bool Tells(KindDefinition kind) => kind.IsProduct && Names.ContainsKey(kind.Kind);

    public static IEnumerable<WebhookEvent> Of(AdmittedChange change)
    {
        if (!Names.TryGetValue(change.After.Kind.Kind, out var name)) return [];
        if (name == "push") return change.Records.Where(r => r.Text("spec.type")?.StartsWith("ref.", StringComparison.Ordinal) == true).Select(PushOf);
        return ActionOf(name, change) is { } action ? [new(name, action, change.Actor.OnBehalfOf ?? change.Actor.User)] : [];
    }

    private static WebhookEvent PushOf(JsonObject record)
    {
        var type = record.Text("spec.type");
        var pusher = record.Text("spec.actor.name") ?? "";
        return new("push", type switch { "ref.created" => "created", "ref.deleted" => "deleted", _ => "updated" }, pusher, new JsonObject
        {
            ["ref"] = record.Text("spec.metadata.ref"),
            ["before"] = record.Text("spec.metadata.before"),
            ["after"] = record.Text("spec.metadata.after"),
            ["created"] = type == "ref.created",
            ["deleted"] = type == "ref.deleted",
            ["pusher"] = pusher,
        });
    }

    /// <summary>Null for what nobody waits for: labels, conditions, numbers that follow from others.</summary>
    private static string? ActionOf(string name, AdmittedChange change)
    {
        if (change.Before is not { } before) return name switch { "review" => "submitted", "comment" => "created", "pipeline" or "job" => "queued", "agent_run" or "approval" => "requested", _ => "opened" };
        if (change.Verb == "delete") return "deleted";
        var after = change.After;
        var (was, phase) = (PhaseOf(before), PhaseOf(after));
        if (was != phase) return Turned(name, phase);
        if (name == "pull_request" && before.Body.Text("status.headSha") is { } head && head != after.Body.Text("status.headSha")) return "synchronize";
        if (change.Subresource.Length > 0 || JsonNode.DeepEquals(before.Body["spec"], after.Body["spec"])) return null;
        return name == "pull_request" && before.Body.Flag("spec.draft") && !after.Body.Flag("spec.draft") ? "ready_for_review" : "edited";
    }

    private static string? Turned(string name, string phase) => name switch
    {
        "issue" or "pull_request" or "comment" => phase switch
        {
            WorkPhases.Open or "" => "reopened",
            WorkPhases.Closed => "closed",
            WorkPhases.Merged => "merged",
            WorkPhases.Resolved => "resolved",
            _ => null,
        },
        "approval" => phase,
        _ => phase == RunPhase.Running ? "started" : RunPhase.IsTerminal(phase) ? "completed" : null,
    };

    /// <summary>A thread or an issue that nobody has touched is open without saying so.</summary>
    private static string PhaseOf(Resource resource) => resource.Body.Text("status.phase") is { } phase && phase != WorkPhases.Open ? phase : "";
}
