using Krate.Core.Gateway;
using Krate.Core.Kinds.Stacks;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Review;

/// <content>The parts that a stack is put together from.</content>
public sealed partial class StackReview
{
    private const string Configurer = "whoever may configure agents";
    private static readonly string[] Filesystems = ["no-fs", "read-only", "repo-write", "workspace-write"];

    private void Tools()
    {
        const string Type = AgentStackConditions.ToolsAdmitted;
        foreach (var part in Graph.Of("AgentToolProfile"))
        {
            if (FoundOrMissing(Type, part, "ToolProfileMissing") is not { } profile) continue;
            var broken = profile.Body.Texts("spec.allowedCommands").Concat(profile.Body.Texts("spec.deniedCommands")).FirstOrDefault(c => c.Trim().Length == 0 || c.Any(char.IsControl));
            if (broken is not null) Add(Type, FindingState.Blocked, "CommandPolicyInvalid", $"AgentToolProfile {part.Name} has a command that is empty or holds control characters.", Configurer, part: part);
            else if (IsTooBroad(profile) is { } why) Add(Type, FindingState.Blocked, "NetworkPolicyTooBroad", $"AgentToolProfile {part.Name} {why}.", Configurer, part: part);
            else Add(Type, FindingState.Allowed, "ToolsAdmitted", $"AgentToolProfile {part.Name} is admitted.", part: part);
        }
    }

    /// <summary>A network that is open everywhere is no policy; the hosts that are needed are listed.</summary>
    private static string? IsTooBroad(Resource profile) =>
        profile.Body.Text("spec.networkPolicy.default") == "allow" ? "lets the agent reach every host (networkPolicy.default: allow); list the hosts that it needs"
        : profile.Body.Texts("spec.networkPolicy.allowHosts").FirstOrDefault(h => h is "*" or "*.*" || (h.StartsWith("*.", StringComparison.Ordinal) && !h[2..].Contains('.', StringComparison.Ordinal))) is { } host ? $"lists {host}, which is nearly every host" : null;

    private void McpServers()
    {
        const string Type = AgentStackConditions.McpHealthy;
        foreach (var part in Graph.Of("AgentMcpServer"))
        {
            if (FoundOrMissing(Type, part, "McpServerMissing") is not { } server || !Admits(Type, part, "spec.allowedAgentStacks", "McpServerNotAllowed")) continue;
            if (server.Body.Text("status.health") == "Disabled") Add(Type, FindingState.Blocked, "McpProbeFailed", $"AgentMcpServer {part.Name} is disabled.", Configurer, part: part);
            else AddPart(Type, part, "McpProbeFailed", "McpReady", Configurer);
        }
    }

    private void Skills()
    {
        const string Type = AgentStackConditions.SkillsValidated;
        foreach (var part in Graph.Of("AgentSkill"))
        {
            if (FoundOrMissing(Type, part, "SkillMissing") is not { } skill || !Admits(Type, part, "spec.allowedAgentStacks", "SkillDependencyMissing")) continue;
            var servers = Graph.Of("AgentMcpServer").Select(p => p.Name).ToHashSet(StringComparer.Ordinal);
            if (skill.Body.Texts("spec.requiredMcpServers").FirstOrDefault(s => !servers.Contains(s)) is { } server)
                Add(Type, FindingState.Blocked, "SkillDependencyMissing", $"AgentSkill {part.Name} needs AgentMcpServer {server}, which the stack does not use.", StackWriter, part: part);
            else if (skill.Body.Texts("spec.requiredTools").FirstOrDefault(t => !HasTool(t)) is { } tool)
                Add(Type, FindingState.Blocked, "SkillDependencyMissing", $"AgentSkill {part.Name} needs the tool {tool}, which the stack's tool profile does not switch on.", StackWriter, part: part);
            else AddPart(Type, part, "SkillSourceUnresolved", "SkillValidated", Configurer);
        }
    }

    /// <summary>A tool of the agent itself, or one that a server of the stack offers.</summary>
    private bool HasTool(string tool) =>
        Graph.Of("AgentToolProfile").Any(p => p.Found?.Body.Flag("spec.nativeTools." + tool) == true)
        || Graph.Of("AgentMcpServer").Any(p => (p.Found?.Body.At("status.discoveredTools") as System.Text.Json.Nodes.JsonArray ?? []).Any(t => t.Text("name") == tool));

    private void Subagents()
    {
        const string Type = AgentStackConditions.SubagentsValid;
        foreach (var part in Graph.Of("AgentSubagent"))
        {
            if (FoundOrMissing(Type, part, "SubagentMissing") is not { } subagent) continue;
            if (Exceeds(subagent) is { } why) Add(Type, FindingState.Denied, "SubagentExceedsParent", $"AgentSubagent {part.Name} {why}.", Configurer, part: part);
            else Add(Type, FindingState.Allowed, "SubagentValid", $"AgentSubagent {part.Name} stays within what the stack may.", part: part);
        }
    }

    /// <summary>What a subagent may that its stack may not; null for nothing.</summary>
    private string? Exceeds(Resource subagent)
    {
        foreach (var (kind, path, own) in new[] { ("AgentMcpServer", "spec.mcpServerRefs", "spec.mcpServerRefs"), ("AgentSkill", "spec.skillRefs", "spec.skillRefs") })
            if (subagent.Body.Texts(path).FirstOrDefault(n => !stack.Body.Texts(own).Contains(n, StringComparer.Ordinal)) is { } more) return $"uses {kind} {more}, which the stack itself does not use";
        var profile = Graph.Of("AgentToolProfile").FirstOrDefault()?.Found;
        foreach (var name in subagent.Body.Texts("spec.toolRefs"))
        {
            if (facts.Find("AgentToolProfile", name) is not { } other) return $"names AgentToolProfile {name}, which does not exist";
            if (profile is null) return $"uses AgentToolProfile {name}, and the stack has none";
            if (ExceedsTools(other, profile) is { } why) return $"may {why} with AgentToolProfile {name}, and the stack may not";
        }

        if (subagent.Body.Text("spec.runtimeIdentityOverride") is not { Length: > 0 } account || account == Identity) return null;
        if (facts.Find("ServiceAccount", account) is null) return $"acts as ServiceAccount {account}, which does not exist";
        return Missing(facts.RulesOf(Identity), facts.RulesOf(account)) ? $"acts as ServiceAccount {account}, which may more than {Identity}" : null;
    }

    private static bool Missing(IReadOnlyList<PolicyRule> held, IReadOnlyList<PolicyRule> wanted)
    {
        try
        {
            return RbacCoverage.Missing(held, wanted).Count > 0;
        }
        catch (ArgumentException)
        {
            return true;
        }
    }

    private static string? ExceedsTools(Resource other, Resource parent)
    {
        if (Rank(other) > Rank(parent)) return "touch more of the file system";
        if (other.Body.Text("spec.networkPolicy.default") == "allow" && parent.Body.Text("spec.networkPolicy.default") != "allow") return "reach every host";
        if (parent.Body.Text("spec.networkPolicy.default") != "allow" && other.Body.Texts("spec.networkPolicy.allowHosts").Except(parent.Body.Texts("spec.networkPolicy.allowHosts"), StringComparer.OrdinalIgnoreCase).FirstOrDefault() is { } host) return $"reach {host}";
        foreach (var (tool, on) in other.Body.At("spec.nativeTools") as System.Text.Json.Nodes.JsonObject ?? [])
            if (on is not null && other.Body.Flag("spec.nativeTools." + tool) && !parent.Body.Flag("spec.nativeTools." + tool)) return $"use {tool}";
        return null;

        static int Rank(Resource profile) => Array.IndexOf(Filesystems, profile.Body.Text("spec.filesystemPolicy") ?? Filesystems[0]);
    }

    private void ContextLabels()
    {
        const string Type = AgentStackConditions.ContextLabelsValid;
        foreach (var name in stack.Body.Texts("spec.contextLabelRefs").Distinct(StringComparer.Ordinal))
        {
            var part = new CapabilityPart("AgentContextLabel", name, facts.Find("AgentContextLabel", name));
            if (FoundOrMissing(Type, part, "ContextLabelMissing") is not { } label || !Admits(Type, part, "spec.allowedStacks", "LabelNotReviewed")) continue;
            if (label.Body.Flag("spec.requiresReview") && label.Body.Text("status.phase") != "Reviewed")
                Add(Type, FindingState.Blocked, "LabelNotReviewed", $"AgentContextLabel {name} must be reviewed first.", "its owner, or a reviewer who did not write it", part: part);
            else Add(Type, FindingState.Allowed, "LabelsFound", $"AgentContextLabel {name} is there.", part: part);
        }
    }

    private void Policy()
    {
        const string Type = AgentStackConditions.PolicyAdmitted;
        if (stack.Body.Text("spec.approvalMode") is { } mode and not ("prompt" or "deny")) Add(Type, FindingState.Denied, "ApprovalModeForbidden", $"approvalMode {mode} never asks a person; use prompt or deny.", StackWriter);
        var workspace = stack.Body.Text("spec.workspacePolicyRef") is { Length: > 0 } policy ? FoundOrMissing(Type, new("AgentWorkspacePolicy", policy, facts.Find("AgentWorkspacePolicy", policy)), "WorkspacePolicyMissing") : null;
        if (stack.Body.Text("spec.runnerPool") is { Length: > 0 } name) Pool(new("RunnerPool", name, facts.Find("RunnerPool", name)), workspace);
        if (!findings.Exists(f => f.Condition == Type && f.IsBlocking)) Add(Type, FindingState.Allowed, "PolicyAdmitted", "Approval mode, workspace policy and runner pool fit together.");
    }

    private void Pool(CapabilityPart part, Resource? workspace)
    {
        const string Type = AgentStackConditions.PolicyAdmitted;
        if (FoundOrMissing(Type, part, "RunnerPoolMissing") is not { } pool || !Admits(Type, part, "spec.allowedAgentStacks", "RunnerPoolMissing")) return;
        var tier = pool.Body.Text("spec.trustTier") ?? TrustTier.Untrusted;
        if (pool.Body.Text("spec.serviceAccountRef") is { Length: > 0 } account && facts.Find("ServiceAccount", account) is null)
            Add(Type, FindingState.Blocked, "RunnerServiceAccountMissing", $"ServiceAccount {stack.Namespace}/{account} of RunnerPool {part.Name} does not exist.", "whoever may write ServiceAccounts", part: part);
        if (scope.Repository is { } repository && pool.Body.Texts("spec.allowedRepositories").ToList() is { Count: > 0 } only && !only.Contains(repository, StringComparer.Ordinal))
            Add(Type, FindingState.Denied, "RunnerPoolMissing", $"RunnerPool {part.Name} does not take work of repository {repository}.", Configurer, part: part);
        if (scope.IsUntrusted && tier != TrustTier.Untrusted)
            Add(Type, FindingState.Denied, "TrustTierMismatch", $"RunnerPool {part.Name} is for trusted work, and this is untrusted; choose an untrusted pool.", StackWriter, part: part);
        if (scope.IsUntrusted && workspace is not null && workspace.Body.Text("spec.mode") is not ("isolated-worktree" or "none" or "read-only"))
            Add(Type, FindingState.Denied, "TrustTierMismatch", $"AgentWorkspacePolicy {workspace.Name} gives a {workspace.Body.Text("spec.mode")}; untrusted work gets an isolated worktree.", StackWriter);
        if (workspace?.Body.Text("spec.trustTier") is { Length: > 0 } wanted && wanted == TrustTier.Trusted && tier == TrustTier.Untrusted)
            Add(Type, FindingState.Blocked, "TrustTierMismatch", $"AgentWorkspacePolicy {workspace.Name} is for trusted work, and RunnerPool {part.Name} is untrusted.", StackWriter, part: part);
    }
}
