using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Review;

/// <summary>The smallest manifests that mend what a review found: applied as they are they are enough, and nothing in them is to spare. Pure.</summary>
internal static class Suggestions
{
    private const int LongestName = 63;

    /// <summary>One key for one part, for this stack and identity, where it is asked for.</summary>
    public static Suggestion Grant(Resource stack, string serviceAccount, CapabilityNeed need, ReviewScope scope)
    {
        var isSecret = need.Kind == "Secret";
        var kind = isSecret ? "AgentSecretGrant" : "AgentConfigGrant";
        var (subjectKind, subject) = need.Part.Kind switch
        {
            "AgentMcpServer" => ("mcp-server", need.Part.Name),
            "AgentSkill" => ("skill", need.Part.Name),
            "AgentToolProfile" => ("tool", need.Part.Name),
            _ => ("agent-stack", stack.Name),
        };
        var who = new JsonObject { ["kind"] = subjectKind, ["name"] = subject, ["serviceAccountRef"] = serviceAccount };
        if (subjectKind != "agent-stack") who["stackRef"] = stack.Name;
        var keys = new JsonObject { ["name"] = need.Name };
        if (need.Key is { } key) keys["keys"] = new JsonArray(key);
        var spec = new JsonObject { ["organizationRef"] = stack.Body.Text("spec.organizationRef"), ["subject"] = who, [isSecret ? "secretRef" : "configMapRef"] = keys, ["purpose"] = need.Purpose, ["effect"] = "Allow" };
        if (scope.Repository is { } repository) spec["allowedRepositories"] = new JsonArray(repository);
        if (scope.Ref is { } name) spec["allowedRefs"] = new JsonObject { ["include"] = new JsonArray(name) };
        if (scope.TriggerSource is { } source) spec["allowedTriggerSources"] = new JsonArray(source);
        spec["mountPolicy"] = (isSecret, need.Purpose) switch { (true, "model-provider-token") => "never-mount-pass-by-reference", (true, _) => "env", _ => "file" };
        if (isSecret) spec["requiredApproval"] = "on-untrusted-ref";
        spec["allowedTrustTiers"] = isSecret && scope.IsUntrusted ? new JsonArray(TrustTier.Trusted, TrustTier.Untrusted) : new JsonArray(TrustTier.Trusted);
        return Of(stack, kind, NameOf(stack.Name, need.Part.Name == stack.Name ? "" : need.Part.Name, need.Name, need.Key ?? ""), spec);
    }

    /// <summary>Exactly the rules that the identity lacks.</summary>
    public static Suggestion Roles(Resource stack, string serviceAccount, string role, string roleKind, IReadOnlyList<PolicyRule> missing) =>
        Binding(stack, NameOf(stack.Name, role), new JsonObject { ["kind"] = "agent-stack", ["name"] = stack.Name, ["serviceAccountRef"] = serviceAccount }, roleKind, role, missing);

    /// <summary>The right to start this stack, for one person.</summary>
    public static Suggestion Dispatch(Resource stack, string user) =>
        Binding(stack, NameOf(stack.Name, "dispatch", user), new JsonObject { ["kind"] = "user", ["name"] = user }, "RoleTemplate", NameOf(stack.Name, "dispatch"), [new(["dispatch"], [WellKnown.ApiGroup], ["agentstacks"], [stack.Name], [])]);

    public static Suggestion Identity(Resource stack, string serviceAccount) =>
        Of(stack, "AgentServiceAccount", serviceAccount, new()
        {
            ["organizationRef"] = stack.Body.Text("spec.organizationRef"),
            ["namespace"] = stack.Namespace,
            ["serviceAccountName"] = serviceAccount,
            ["owner"] = new JsonObject { ["kind"] = "AgentStack", ["name"] = stack.Name },
            ["automountServiceAccountToken"] = false,
        });

    public static Suggestion Adapter(Resource stack, string name) =>
        Of(stack, "AgentAdapter", name, new() { ["organizationRef"] = stack.Body.Text("spec.organizationRef"), ["adapterType"] = stack.Body.Text("spec.baseAgent"), ["transport"] = "acp-stdio" });

    /// <summary>The same under a name that follows from all that it says.</summary>
    public static Suggestion Renamed(Suggestion suggestion)
    {
        var manifest = suggestion.Manifest.Copy();
        var name = Marked(suggestion.Name, manifest["spec"]!);
        manifest["metadata"]!["name"] = name;
        return new(suggestion.Kind, name, manifest);
    }

    private static Suggestion Binding(Resource stack, string name, JsonObject subject, string roleKind, string role, IReadOnlyList<PolicyRule> rules) =>
        Of(stack, "AgentRoleBinding", name, new()
        {
            ["organizationRef"] = stack.Body.Text("spec.organizationRef"),
            ["subject"] = subject,
            ["roleRef"] = new JsonObject { ["kind"] = roleKind, ["name"] = role },
            ["scope"] = new JsonObject { ["kind"] = "namespace", ["name"] = stack.Namespace },
            ["resourceRules"] = new JsonArray([.. Gathered(rules).Select(r => (JsonNode)RbacRules.Write(r))]),
            ["escalationPolicy"] = "deny",
        });

    /// <summary>Resources with the same verbs in one rule, as a person would write it.</summary>
    private static IEnumerable<PolicyRule> Gathered(IReadOnlyList<PolicyRule> rules) =>
        rules.GroupBy(r => string.Join('\n', [.. r.Verbs, "", .. r.ApiGroups, "", .. r.ResourceNames, "", .. r.NonResourceUrls]))
            .Select(g => g.First() with { Resources = [.. g.SelectMany(r => r.Resources).Distinct()] });

    private static Suggestion Of(Resource stack, string kind, string name, JsonObject spec) => new(kind, name, new()
    {
        ["apiVersion"] = WellKnown.GroupVersion,
        ["kind"] = kind,
        ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = stack.Namespace },
        ["spec"] = spec,
    });

    /// <summary>A name for people from the parts that make it, short enough for a label.</summary>
    private static string NameOf(params string[] parts)
    {
        var text = string.Join('-', parts.Where(p => p.Length > 0).Select(p => string.Concat(p.ToLowerInvariant().Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-')).Trim('-')));
        // Two that begin alike stay two.
        return text.Length <= LongestName ? text : Marked(text, JsonValue.Create(text));
    }

    private static string Marked(string name, JsonNode of) => name[..Math.Min(name.Length, LongestName - 9)].TrimEnd('-') + "-" + CanonicalJson.Digest(of)[7..15];
}
