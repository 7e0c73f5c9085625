using System.Text.Json.Nodes;
using Krate.Core.Resources;
using Krate.Web.Components;

namespace Krate.Web.Features.Registries;

/// <summary>How a tool of an MCP server stands to what a person has reviewed.</summary>
public enum ToolReview
{
    Reviewed,
    New,
    Changed,
    Gone,
}

/// <summary>A tool as the server offers it now, and as it was when it was reviewed.</summary>
/// <param name="Description">The server's words: untrusted.</param>
/// <param name="Digest">Null for one that the server no longer offers.</param>
/// <param name="ReviewedDigest">Null for one that nobody has reviewed.</param>
public sealed record McpTool(string Name, string? Description, string? Digest, string? ReviewedDigest)
{
    public ToolReview Review => (Digest, ReviewedDigest) switch
    {
        (null, _) => ToolReview.Gone,
        (_, null) => ToolReview.New,
        var (now, then) => now == then ? ToolReview.Reviewed : ToolReview.Changed,
    };
}

/// <summary>What the status of an AgentMcpServer says, in the words of pages.</summary>
public static class McpState
{
    public static Status Health(Resource server) => server.Body.Text("status.health") switch
    {
        "Ready" => new("Healthy", "ok", Lucide.CircleCheck),
        "Degraded" => new("Tools changed", "warn", Lucide.TriangleAlert),
        "Denied" => new("Not allowed", "bad", Lucide.Ban),
        "Failed" => new("Does not answer", "bad", Lucide.CircleX),
        "Disabled" => new("Disabled", "idle", Lucide.CircleSlash),
        _ => Status.NotChecked,
    };

    /// <summary>By name; tools that are gone are among them.</summary>
    public static IReadOnlyList<McpTool> Tools(Resource server)
    {
        var offered = Listed(server, "status.discoveredTools");
        var reviewed = Listed(server, "status.reviewed").ToDictionary(t => t.Text("name")!, t => t.Text("schemaDigest"), StringComparer.Ordinal);
        var now = offered.Select(t => new McpTool(t.Text("name")!, t.Text("description"), t.Text("schemaDigest") ?? "", reviewed.GetValueOrDefault(t.Text("name")!))).ToList();
        var names = now.Select(t => t.Name).ToHashSet(StringComparer.Ordinal);
        return [.. now.Concat(reviewed.Where(r => !names.Contains(r.Key)).Select(r => new McpTool(r.Key, null, null, r.Value))).OrderBy(t => t.Name, StringComparer.Ordinal)];
    }

    public static bool IsReviewed(Resource server) => server.Body.At("status.reviewed") is JsonArray && Tools(server).All(t => t.Review == ToolReview.Reviewed);

    public static string ReviewWords(Resource server)
    {
        if (server.Body.At("status.reviewed") is not JsonArray) return "not reviewed";
        var open = Tools(server).Count(t => t.Review is ToolReview.New or ToolReview.Changed);
        return open == 0 ? $"reviewed by {server.Body.Text("status.reviewedBy")}" : $"{open} changed since the review";
    }

    private static IEnumerable<JsonNode> Listed(Resource server, string path) => (server.Body.At(path) as JsonArray ?? []).OfType<JsonNode>().Where(t => t.Text("name") is not null).DistinctBy(t => t.Text("name"));
}
