using System.Globalization;
using System.Text.Json.Nodes;
using Krate.Core.Resources;
using Krate.Web.Components.Code;

namespace Krate.Web.Features.AgentRuns;

/// <summary>What pages say about a run of an agent. Pure.</summary>
internal static class RunFacts
{
    public static string TitleOf(Resource run) =>
        ShownText.Of((run.Body.Text("spec.task") ?? "").Split('\n')[0], 80) is { Length: > 0 } task ? task : $"{run.Body.Text("spec.taskKind")} by {run.Body.Text("spec.agentStack")}";

    /// <summary>What the agent says while it works, and what was counted once it has ended; null while nothing is known.</summary>
    public static JsonObject? CostOf(Resource run, TranscriptModel? said) =>
        (said?.Cost is { Count: > 0 } live ? live : run.Body.At("status.cost") as JsonObject) is { } cost && (cost.Whole("inputTokens") ?? cost.Whole("outputTokens")) is not null ? cost : null;

    /// <summary>"$0.84"; null where nobody counts money.</summary>
    public static string? MoneyOf(JsonObject? cost) =>
        decimal.TryParse(cost?.At("usd")?.ToString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var usd) ? "$" + usd.ToString(usd is > 0 and < 0.01m ? "0.0000" : "0.00", CultureInfo.InvariantCulture) : null;

    /// <summary>Patches of a run, those of the last attempt first.</summary>
    public static IReadOnlyList<Resource> PatchesOf(Resource run, IEnumerable<Resource> artifacts) =>
        [.. artifacts.Where(a => a.Body.Text("spec.kind") == "patch").OrderByDescending(a => AttemptNumber(run, a.Body.Text("spec.attempt"))).ThenByDescending(a => a.CreatedAt).ThenBy(a => a.Name, StringComparer.Ordinal)];

    /// <summary>Counted from 1; 0 for one that the run does not know.</summary>
    public static int AttemptNumber(Resource run, string? attempt) => run.Body.Texts("status.attempts").ToList().IndexOf(attempt ?? "") + 1;

    /// <summary>Address of an artifact's bytes.</summary>
    public static string ContentUrl(Place place, Resource artifact) => $"/api/orgs/{place.Org}/agents/artifacts/{artifact.Name}/content";

    /// <summary>Its own artifacts, approvals and attempts.</summary>
    public static Selector OfRun(string run) => Selector.Parse($"{WellKnown.DispatchRunLabel}={run}");
}
