using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Review;

/// <summary>One thing that a stack is made of.</summary>
/// <param name="Kind">Kind name.</param>
/// <param name="Name">As the stack refers to it.</param>
/// <param name="Found">Null when there is none that the stack may use.</param>
/// <param name="Within">The subagent that brings it; null for the stack's own.</param>
public sealed record CapabilityPart(string Kind, string Name, Resource? Found, string? Within = null);

/// <summary>Something that a part needs: a key of a Secret or ConfigMap, or a role.</summary>
/// <param name="Kind">Secret, ConfigMap or Role.</param>
/// <param name="Key">Null for all keys, and for roles.</param>
/// <param name="Purpose">What a grant for it must be for; empty for roles.</param>
public sealed record CapabilityNeed(CapabilityPart Part, string Kind, string Name, string? Key, string Purpose);

/// <summary>
/// What a stack is made of and what each part needs: the one expansion that readiness, permission review and the stack's page share.
/// Parts that more than one thing brings are there once. Pure.
/// </summary>
public sealed record CapabilityGraph(Resource Stack, IReadOnlyList<CapabilityPart> Parts, IReadOnlyList<CapabilityNeed> Needs)
{
    /// <summary>No stack is put together from more; what comes after is not looked at, and review says so.</summary>
    public const int MostParts = 1000;

    public IEnumerable<CapabilityPart> Of(string kind) => Parts.Where(p => p.Kind == kind && p.Within is null);

    public static CapabilityGraph For(Resource stack, IReviewFacts facts)
    {
        var parts = new List<CapabilityPart> { new("AgentStack", stack.Name, stack) };
        var seen = new HashSet<(string, string)>();
        if (stack.Body.Text("spec.provider") is { Length: > 0 } provider && facts.Find("AgentProviderConfig", provider) is { } config) parts.Add(new("AgentProviderConfig", provider, config));
        Add(stack, "AgentToolProfile", "spec.toolProfileRef");
        Add(stack, "AgentMcpServer", "spec.mcpServerRefs");
        Add(stack, "AgentSkill", "spec.skillRefs");
        foreach (var name in stack.Body.Texts("spec.subagentRefs").Distinct(StringComparer.Ordinal))
        {
            var subagent = facts.Find("AgentSubagent", name);
            if (!seen.Add(("AgentSubagent", name)) || parts.Count >= MostParts) continue;
            parts.Add(new("AgentSubagent", name, subagent));
            if (subagent is null) continue;
            Add(subagent, "AgentToolProfile", "spec.toolRefs", name);
            Add(subagent, "AgentMcpServer", "spec.mcpServerRefs", name);
            Add(subagent, "AgentSkill", "spec.skillRefs", name);
        }

        return new(stack, parts, [.. parts.SelectMany(NeedsOf).Distinct()]);

        void Add(Resource from, string kind, string path, string? within = null)
        {
            foreach (var name in from.Body.Texts(path))
                if (name.Length > 0 && parts.Count < MostParts && seen.Add((kind, name))) parts.Add(new(kind, name, facts.Find(kind, name), within));
        }
    }

    private static IEnumerable<CapabilityNeed> NeedsOf(CapabilityPart part) => (part.Kind, part.Found) switch
    {
        (_, null) => [],
        ("AgentProviderConfig", { } p) => Secrets(part, p, "model-provider-token", "spec.secretRef"),
        ("AgentToolProfile", { } p) =>
        [
            .. p.Body.Texts("spec.requiredRoles").Select(r => new CapabilityNeed(part, "Role", r, null, "")),
            .. Secrets(part, p, "tool", "spec.requiredSecretRefs"), .. Configs(part, p, "tool-config", "spec.requiredConfigRefs"),
        ],
        ("AgentSkill", { } p) => [.. Secrets(part, p, "skill", "spec.requiredSecretRefs"), .. Configs(part, p, "skill-config", "spec.requiredConfigRefs")],
        ("AgentMcpServer", { } p) =>
        [
            .. Secrets(part, p, "mcp-server", "spec.secretRefs"), .. Configs(part, p, "mcp-config", "spec.configMapRefs"),
            .. Sources(p).SelectMany(s => Keys(part, s["secretRef"], "Secret", "mcp-server").Concat(Keys(part, s["configMapRef"], "ConfigMap", "mcp-config"))),
        ],
        _ => [],
    };

    private static IEnumerable<JsonNode> Sources(Resource server) => new[] { "spec.envFrom", "spec.headersFrom" }.SelectMany(p => server.Body.At(p) as JsonArray ?? []).OfType<JsonNode>();

    private static IEnumerable<CapabilityNeed> Secrets(CapabilityPart part, Resource from, string purpose, string path) => Keys(part, from.Body.At(path), "Secret", purpose);

    private static IEnumerable<CapabilityNeed> Configs(CapabilityPart part, Resource from, string purpose, string path) => Keys(part, from.Body.At(path), "ConfigMap", purpose);

    private static IEnumerable<CapabilityNeed> Keys(CapabilityPart part, JsonNode? refs, string kind, string purpose)
    {
        foreach (var reference in refs as JsonArray ?? [refs?.DeepClone()])
            if (reference?.Text("name") is { Length: > 0 } name) yield return new(part, kind, name, reference.Text("key") is { Length: > 0 } key ? key : null, purpose);
    }
}
