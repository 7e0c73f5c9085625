using System.Text.Json.Nodes;
using Krate.Core.Agents;
using Krate.Core.ControlPlane;
using Krate.Core.Gateway;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Stacks;

/// <summary>Keeps true whether an MCP server answers, which tools it offers, and whether they are still those that a person reviewed.</summary>
internal sealed class AgentMcpServerReconciler(KindCatalog catalog, McpProbe probe, McpServerValues values, TimeProvider time) : IReconciler, IProbe
{
    public const string Probed = "Probed";
    public const string SchemaCurrent = "SchemaCurrent";
    private const string UnfitTools = "What it says of its tools cannot be kept; it may hold the value of a Secret.";
    private const string UnfitFailure = "It could not be asked for its tools, and why it says so cannot be kept; it may hold the value of a Secret.";
    private const int MostNamed = 5;
    private readonly ProbeSchedule schedule = new(time);

    public string Name => "agent-mcp-server";

    public int? Concurrency => 8;

    public KindDefinition For { get; } = catalog["AgentMcpServer"];

    public IReadOnlyList<WakeUp> WakeUps => [.. values.Kinds.Select(k => new WakeUp(k, UsersOf))];

    public async Task<Outcome> ReconcileAsync(ResourceKey key, Resource? resource, ReconcileContext context, CancellationToken ct)
    {
        if (resource is null or { IsDeleting: true })
        {
            schedule.Forget(key);
            return Outcome.Done;
        }

        var of = $"{resource.Uid} {resource.Generation} {values.StampOf(resource, time.GetUtcNow())}";
        if (schedule.Until(key, of) is { } wait)
        {
            // A review may have come since; what was found then is in the status.
            if (resource.FindCondition(Probed) is { } known && known.Status == Condition.True) await ReportAsync(resource, context, known, null, ct);
            return Outcome.Again(wait);
        }

        var probed = await ProbeAsync(resource, context, ct);
        return Outcome.Again(schedule.Next(key, of, probed.FindCondition(Probed)?.Status != Condition.False));
    }

    /// <summary>A probe counts only what is granted to the server itself.</summary>
    private IEnumerable<ResourceKey> UsersOf(Resource changed, IResourceCache cache) =>
        changed.Kind.Kind is "Secret" or "ConfigMap" ? cache.List(For, changed.Namespace).Where(HasValues).Select(s => s.Key)
        : changed.Body.Text("spec.subject.kind") == "mcp-server" ? [new(For.Kind, changed.Namespace, changed.Body.Text("spec.subject.name") ?? "")] : [];

    public async Task<Resource> ProbeAsync(Resource server, ReconcileContext context, CancellationToken ct)
    {
        var given = await values.FindAsync(server, time.GetUtcNow(), ct);
        if (given.Missing is { } missing) return await ReportAsync(server, context, new(Probed, Condition.Unknown, given.MissingReason!, missing), null, ct);
        try
        {
            var tools = await probe.ListToolsAsync(new(server.Body.Text("spec.transport") ?? "", server.Body.Text("spec.command"), [.. server.Body.Texts("spec.args")], server.Body.Text("spec.url"), given.Values) { Mask = given.Mask }, ct);
            return await ReportAsync(server, context, new(Probed, Condition.True, Probed, tools.Count == 1 ? "It offers 1 tool." : $"It offers {tools.Count} tools."), tools, ct);
        }
        catch (ProbeException e)
        {
            var status = ProbeReasons.IsUnknown(e.Reason) ? Condition.Unknown : Condition.False;
            return await ReportAsync(server, context, new(Probed, status, e.Reason, $"It could not be asked for its tools: {e.Message}."), null, ct);
        }
    }

    /// <param name="tools">Null when those of the status are the last that are known.</param>
    private static async Task<Resource> ReportAsync(Resource server, ReconcileContext context, Condition probed, IReadOnlyList<McpTool>? tools, CancellationToken ct)
    {
        var list = tools is null ? server.Body.At("status.discoveredTools") as JsonArray ?? [] : ListOf(tools);
        var current = Compare(server, list, tools is not null || server.Body.At("status.discoveredTools") is not null);
        var ready = new[] { probed, current }.FirstOrDefault(c => c.Status == Condition.False) ?? (probed.Status == Condition.Unknown ? probed : current);
        var status = StatusWriter.Status(PhaseOf(ready), [probed, current, ready with { Type = Condition.Ready, Message = ready.Status == Condition.True ? $"{probed.Message} {current.Message}" : ready.Message }]);
        status["health"] = HealthOf(probed, current);
        if (tools is not null) (status["discoveredTools"], status["toolsDigest"]) = (list, DigestOf(list));
        try
        {
            return await ProbeReport.WriteAsync(context, server, status, ct);
        }
        catch (ApiException e) when (e.Code is 413 or 422 && probed.Message is not (UnfitTools or UnfitFailure))
        {
            return await ReportAsync(server, context, new(Probed, Condition.False, ProbeReasons.McpProbeFailed, tools is not null ? UnfitTools : UnfitFailure), null, ct);
        }
    }

    /// <summary>What a review is about: names and digests.</summary>
    public static string DigestOf(JsonArray tools) => CanonicalJson.Digest(new JsonObject(tools.Select(t => KeyValuePair.Create(t.Text("name")!, (JsonNode?)t.Text("schemaDigest")))));

    private static Condition Compare(Resource server, JsonArray tools, bool isKnown)
    {
        if (!isKnown) return new(SchemaCurrent, Condition.Unknown, "NotProbed", "Its tools are not known yet.");
        if (server.Body.At("status.reviewed") is not JsonArray reviewed) return new(SchemaCurrent, Condition.True, "NotReviewed", "Nobody has reviewed its tools yet.");
        var before = reviewed.ToDictionary(r => r.Text("name")!, r => r.Text("schemaDigest"), StringComparer.Ordinal);
        var changed = tools.Where(t => !before.TryGetValue(t.Text("name")!, out var digest) || digest != t.Text("schemaDigest")).Select(t => t.Text("name")!).ToList();
        if (changed.Count == 0) return new(SchemaCurrent, Condition.True, "Reviewed", $"Its tools are those that {server.Body.Text("status.reviewedBy")} reviewed.");
        var named = string.Join(", ", changed.Take(MostNamed)) + (changed.Count > MostNamed ? $" and {changed.Count - MostNamed} more" : "");
        return new(SchemaCurrent, Condition.False, "McpSchemaDrift", $"Not as they were reviewed: {named}. Look at what they say and take now, and review them again.");
    }

    private static JsonArray ListOf(IReadOnlyList<McpTool> tools) =>
        [.. tools.Select(t => (JsonNode)new JsonObject { ["name"] = t.Name, ["description"] = t.Description, ["schemaDigest"] = t.SchemaDigest })];

    private static string HealthOf(Condition probed, Condition current) => (probed.Status, probed.Reason) switch
    {
        (Condition.Unknown, _) => "Unknown",
        (Condition.False, ProbeReasons.CommandNotAllowed or ProbeReasons.AddressRefused) => "Denied",
        (Condition.False, _) => "Failed",
        _ => current.Status == Condition.False ? "Degraded" : "Ready",
    };

    private static string PhaseOf(Condition ready) => ready.Status switch { Condition.True => "Ready", Condition.False => ready.Reason == "McpSchemaDrift" ? "Degraded" : "Blocked", _ => "Pending" };

    private static bool HasValues(Resource server) => new[] { "secretRefs", "configMapRefs", "envFrom", "headersFrom" }.Any(f => server.Body.At($"spec.{f}") is JsonArray { Count: > 0 });
}
