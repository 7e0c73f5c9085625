using System.ComponentModel;
using System.Text.Json;
using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Core.Agents;

/// <summary>What an agent says it can do, in one form for all agents.</summary>
public sealed record AgentCapabilities
{
    [Description("Version of the Agent Client Protocol that it speaks.")]
    public long? ProtocolVersion { get; init; }

    [Description("Name that the agent gives itself: untrusted text.")]
    public string? AgentName { get; init; }

    [Description("Version that the agent gives itself: untrusted text.")]
    public string? Version { get; init; }

    [Description("Whether it can take up a session of before with its history.")]
    public bool? LoadSession { get; init; }

    [Description("What prompts may hold beside text: image, audio, embeddedContext.")]
    public IReadOnlyList<string>? PromptCapabilities { get; init; }

    [Description("How it can reach MCP servers beside stdio: http, sse.")]
    public IReadOnlyList<string>? McpCapabilities { get; init; }

    [Description("What it can do with sessions: list, resume, close, fork ...")]
    public IReadOnlyList<string>? SessionCapabilities { get; init; }

    [Description("Ways to sign in that it offers.")]
    public IReadOnlyList<string>? AuthMethods { get; init; }

    [Description("Digest of all this.")]
    [Digest]
    public string? Digest { get; init; }

    private const int MostNames = 50, LongestName = 100;

    /// <summary>From the result of ACP's <c>initialize</c>.</summary>
    public static AgentCapabilities From(JsonObject result)
    {
        var all = new AgentCapabilities
        {
            ProtocolVersion = result.Whole("protocolVersion"),
            AgentName = ForeignText.Line(result.Text("agentInfo.title") ?? result.Text("agentInfo.name"), LongestName),
            Version = ForeignText.Line(result.Text("agentInfo.version"), LongestName),
            LoadSession = result.Flag("agentCapabilities.loadSession"),
            PromptCapabilities = Offered(result.At("agentCapabilities.promptCapabilities")),
            McpCapabilities = Offered(result.At("agentCapabilities.mcpCapabilities")),
            SessionCapabilities = Offered(result.At("agentCapabilities.sessionCapabilities")),
            AuthMethods = [.. (result["authMethods"] as JsonArray ?? []).Select(m => m.Text("id")).OfType<string>().Take(MostNames).Select(id => ForeignText.Line(id, LongestName)).Distinct().Order(StringComparer.Ordinal)],
        };
        return all with { Digest = CanonicalJson.Digest(all.ToJson()) };
    }

    public JsonObject ToJson() => (JsonObject)JsonSerializer.SerializeToNode(this, KrateJson.Options)!;

    /// <summary>A capability is there when it is true, or an object.</summary>
    private static string[] Offered(JsonNode? capabilities) =>
    [
        .. (capabilities as JsonObject ?? []).Where(c => !c.Key.StartsWith('_') && (c.Value is JsonObject || c.Value?.GetValueKind() == JsonValueKind.True))
            .Select(c => ForeignText.Line(c.Key, LongestName)).Take(MostNames).Order(StringComparer.Ordinal),
    ];
}
