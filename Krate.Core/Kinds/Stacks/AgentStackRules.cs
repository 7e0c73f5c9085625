using Krate.Core.Gateway;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Stacks;

/// <summary>Looks up what a stack refers to. Null when there is none that this stack may use.</summary>
/// <param name="kind">Kind name.</param>
/// <param name="reference">A name of the same organization, or <c>name@org</c>.</param>
public delegate Resource? FindReferred(string kind, string reference);

/// <summary>
/// Readiness of a stack (spec 05), as far as references and identity decide it. True stands only where everything that the
/// condition means has been looked at; what this version does not evaluate is Unknown and says so. Pure.
/// </summary>
public static class AgentStackRules
{
    public const string NotEvaluated = "NotEvaluated";
    public const string NoneRequired = "NoneRequired";

    private const string NotYet = "not evaluated by this version";

    /// <summary>All conditions in the order of the specification, <c>Ready</c> last.</summary>
    public static IReadOnlyList<Condition> Evaluate(Resource stack, FindReferred find)
    {
        List<Condition> conditions =
        [
            Open(AgentStackConditions.CapabilitiesResolved, $"What adapter {stack.Body.Text("spec.adapter")} can do is {NotYet}."),
            RuntimeIdentity(stack, find),
            Granted(AgentStackConditions.RolesAdmitted, "AgentRoleBinding", "MissingRoleBinding", stack.Body.Texts("spec.permissionRefs.roleBindings"), stack, find),
            Secrets(stack, find),
            Configs(stack, find),
            Referred(AgentStackConditions.ToolsAdmitted, "AgentToolProfile", "ToolProfileMissing", stack.Body.Texts("spec.toolProfileRef"), stack, find, "commands, paths and hosts of the profile are"),
            Referred(AgentStackConditions.McpHealthy, "AgentMcpServer", "McpServerMissing", stack.Body.Texts("spec.mcpServerRefs"), stack, find, "answers of the servers are"),
            Referred(AgentStackConditions.SkillsValidated, "AgentSkill", "SkillMissing", stack.Body.Texts("spec.skillRefs"), stack, find, "sources and prompts of the skills are"),
            Referred(AgentStackConditions.SubagentsValid, "AgentSubagent", "SubagentMissing", stack.Body.Texts("spec.subagentRefs"), stack, find, "what the subagents may do is"),
            ContextLabels(stack, find),
            Policy(stack, find),
        ];
        return [.. conditions, Ready(conditions)];
    }

    /// <summary><c>Ready</c>, <c>Blocked</c> or <c>Pending</c> (not everything is known).</summary>
    public static string Phase(Condition ready) => ready.Status switch
    {
        Condition.True => "Ready",
        Condition.False => "Blocked",
        _ => "Pending",
    };

    private static Condition RuntimeIdentity(Resource stack, FindReferred find)
    {
        const string Type = AgentStackConditions.RuntimeIdentityReady;
        var name = stack.Body.Text("spec.runtimeIdentity.serviceAccountRef") ?? "";
        var identity = find("AgentServiceAccount", name);
        var native = identity?.Body.Text("spec.serviceAccountName") ?? name;
        if (find("ServiceAccount", native) is not null) return new(Type, Condition.True, "ServiceAccountFound", $"ServiceAccount {stack.Namespace}/{native} exists.");
        var named = identity is null ? "" : $" that AgentServiceAccount {name} names";
        return new(Type, Condition.False, "MissingServiceAccount",
            $"ServiceAccount {stack.Namespace}/{native}{named} does not exist (kubectl create serviceaccount {native} -n {stack.Namespace} makes it).");
    }

    private static Condition Secrets(Resource stack, FindReferred find)
    {
        const string Type = AgentStackConditions.SecretsAdmitted;
        var grants = stack.Body.Texts("spec.permissionRefs.secretGrants").ToList();
        var result = Granted(Type, "AgentSecretGrant", "MissingSecretGrant", grants, stack, find);
        return result.Status == Condition.False ? result : Target(Type, "AgentSecretGrant", "Secret", "spec.secretRef.name", "SecretMissing", grants, stack, find) ?? result;
    }

    private static Condition Configs(Resource stack, FindReferred find)
    {
        const string Type = AgentStackConditions.ConfigAdmitted;
        var grants = stack.Body.Texts("spec.permissionRefs.configGrants").ToList();
        var result = Granted(Type, "AgentConfigGrant", "MissingConfigGrant", grants, stack, find);
        return result.Status == Condition.False ? result : Target(Type, "AgentConfigGrant", "ConfigMap", "spec.configMapRef.name", "ConfigMapMissing", grants, stack, find) ?? result;
    }

    /// <summary>Grants that are there, but speak of a Secret or ConfigMap that is not.</summary>
    private static Condition? Target(string type, string grantKind, string kind, string path, string reason, IEnumerable<string> grants, Resource stack, FindReferred find)
    {
        var missing = grants
            .Select(g => (Grant: g, Name: find(grantKind, g)?.Body.Text(path)))
            .Where(g => g.Name is not null && find(kind, g.Name) is null)
            .Select(g => $"{grantKind} {g.Grant} names {kind} {stack.Namespace}/{g.Name}, which does not exist.")
            .ToList();
        return missing.Count == 0 ? null : new(type, Condition.False, reason, string.Join(' ', missing));
    }

    private static Condition Granted(string type, string kind, string reason, IEnumerable<string> names, Resource stack, FindReferred find)
    {
        var all = names.ToList();
        return Missing(type, kind, reason, all, stack, find)
            // Naming none demands none, but the parts of the stack may.
            ?? Open(type, all.Count == 0 ? $"What the parts of the stack need is {NotYet}." : $"{List(kind, all)} {Exist(all)}; whether that is enough is {NotYet}.");
    }

    private static Condition Referred(string type, string kind, string reason, IEnumerable<string> names, Resource stack, FindReferred find, string open)
    {
        var all = names.ToList();
        if (all.Count == 0) return new(type, Condition.True, NoneRequired, $"The stack names no {kind}.");
        return Missing(type, kind, reason, all, stack, find) ?? Open(type, $"{List(kind, all)} {Exist(all)}; {open} {NotYet}.");
    }

    private static Condition ContextLabels(Resource stack, FindReferred find)
    {
        const string Type = AgentStackConditions.ContextLabelsValid;
        var all = stack.Body.Texts("spec.contextLabelRefs").ToList();
        if (all.Count == 0) return new(Type, Condition.True, NoneRequired, "The stack names no AgentContextLabel.");
        if (Missing(Type, "AgentContextLabel", "ContextLabelMissing", all, stack, find) is { } missing) return missing;
        var unreviewed = all.Where(l => NeedsReview(find("AgentContextLabel", l)!)).ToList();
        return unreviewed.Count == 0
            ? new(Type, Condition.True, "LabelsFound", $"{List("AgentContextLabel", all)} {Exist(all)}.")
            : new(Type, Condition.False, "LabelNotReviewed", $"{List("AgentContextLabel", unreviewed)} must be reviewed first.");
    }

    private static bool NeedsReview(Resource label) =>
        label.Body.Text("status.phase") != "Reviewed" && label.Body.At("spec.requiresReview") is System.Text.Json.Nodes.JsonValue v && v.TryGetValue<bool>(out var requires) && requires;

    private static Condition Policy(Resource stack, FindReferred find)
    {
        const string Type = AgentStackConditions.PolicyAdmitted;
        if (stack.Body.Text("spec.approvalMode") is { } mode and not ("prompt" or "deny"))
            return new(Type, Condition.False, "ApprovalModeForbidden", $"approvalMode {mode} never asks a person; use prompt or deny.");
        return Missing(Type, "AgentWorkspacePolicy", "WorkspacePolicyMissing", [.. stack.Body.Texts("spec.workspacePolicyRef")], stack, find)
            ?? Missing(Type, "RunnerPool", "RunnerPoolMissing", [.. stack.Body.Texts("spec.runnerPool")], stack, find)
            ?? Open(Type, $"Approval mode, workspace policy and runner pool are there; trust tiers and limits are {NotYet}.");
    }

    private static Condition? Missing(string type, string kind, string reason, IReadOnlyList<string> names, Resource stack, FindReferred find)
    {
        var missing = names.Where(n => find(kind, n) is null).ToList();
        if (missing.Count == 0) return null;
        var said = missing.Select(n => n.Contains('@', StringComparison.Ordinal)
            ? $"{kind} {n} is not shared with this organization or does not exist."
            : $"{kind} {stack.Namespace}/{n} does not exist.");
        return new(type, Condition.False, reason, string.Join(' ', said));
    }

    private static Condition Ready(IReadOnlyList<Condition> conditions)
    {
        var broken = conditions.Where(c => c.Status == Condition.False).ToList();
        if (broken.Count > 0) return new(Condition.Ready, Condition.False, broken[0].Reason, string.Join(' ', broken.Select(c => c.Message)));
        var open = conditions.Where(c => c.Status == Condition.Unknown).ToList();
        return open.Count > 0
            ? new(Condition.Ready, Condition.Unknown, open[0].Reason, $"Nothing is missing; not everything is known: {string.Join(", ", open.Select(c => c.Type))}.")
            : new(Condition.Ready, Condition.True, "Ready", "Everything the stack needs is there.");
    }

    private static Condition Open(string type, string message) => new(type, Condition.Unknown, NotEvaluated, message);

    private static string List(string kind, IReadOnlyList<string> names) => $"{kind} {string.Join(", ", names)}";

    private static string Exist(List<string> names) => names.Count == 1 ? "exists" : "exist";
}
