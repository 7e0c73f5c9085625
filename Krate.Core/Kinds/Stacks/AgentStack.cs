using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Stacks;

public sealed record AgentStackSpec : ProductSpec
{
    [Description("Name for people.")]
    [MaxLength(200)]
    public string? DisplayName { get; init; }

    [Description("The agent that runs (claude-code, codex, gemini, opencode, krate-diagnoser, custom).")]
    [MaxLength(100)]
    public string? BaseAgent { get; init; }

    [Description("Adapter that starts and speaks to the agent (agent-mux.claude-code).")]
    [MaxLength(200)]
    public string? Adapter { get; init; }

    [Description("Model provider (anthropic).")]
    [MaxLength(100)]
    public string? Provider { get; init; }

    [Description("Model that the agent uses.")]
    [MaxLength(200)]
    public string? Model { get; init; }

    [Description("Standing instructions. They grant nothing.")]
    public AgentPrompt? Prompt { get; init; }

    [Description("Document with instructions for agents, read at the target branch.")]
    public AgentsDocRef? AgentsDocRef { get; init; }

    [Description("What happens when the agent asks to use a tool: prompt asks a person, deny refuses. Modes that never ask block the stack.")]
    [MaxLength(64)]
    public string? ApprovalMode { get; init; }

    [Description("Identity that the agent acts as.")]
    public RuntimeIdentity? RuntimeIdentity { get; init; }

    [Description("AgentToolProfile with the tools, paths, commands and hosts that are allowed.")]
    public string? ToolProfileRef { get; init; }

    [Description("AgentMcpServers that the agent may use.")]
    public IReadOnlyList<string>? McpServerRefs { get; init; }

    [Description("AgentSkills that are added to the prompt.")]
    public IReadOnlyList<string>? SkillRefs { get; init; }

    [Description("AgentSubagents that the agent may start.")]
    public IReadOnlyList<string>? SubagentRefs { get; init; }

    [Description("AgentContextLabels that are added to the prompt.")]
    public IReadOnlyList<string>? ContextLabelRefs { get; init; }

    [Description("AgentWorkspacePolicy for the workspaces of its runs.")]
    public string? WorkspacePolicyRef { get; init; }

    [Description("RunnerPool that its runs wait for.")]
    public string? RunnerPool { get; init; }

    [Description("Bindings and grants that count for this stack. A list that is not empty restricts: only these count, and each must exist.")]
    public PermissionRefs? PermissionRefs { get; init; }

    [Description("Upper bound of the secrets that runs may get.")]
    public SecretPolicy? SecretPolicy { get; init; }

    [Description("Where runs may write to, and whether a person must approve.")]
    public WriteBackPolicy? WriteBackPolicy { get; init; }

    [Description("Upper bounds for runs of this stack.")]
    public AgentLimits? Limits { get; init; }
}

public sealed record AgentPrompt
{
    [Description("System prompt.")]
    public string? System { get; init; }

    [Description("Instructions of the developer, after the system prompt.")]
    public string? Developer { get; init; }
}

public sealed record AgentsDocRef
{
    [Description("Where the document is: repository.")]
    public string? Source { get; init; }

    [Description("Path of the document.")]
    [MaxLength(1024)]
    public string? Path { get; init; }
}

public sealed record RuntimeIdentity
{
    [Description("Native ServiceAccount that the agent acts as.")]
    [Required]
    public string? ServiceAccountRef { get; init; }
}

public sealed record PermissionRefs
{
    [Description("AgentRoleBindings.")]
    public IReadOnlyList<string>? RoleBindings { get; init; }

    [Description("AgentSecretGrants.")]
    public IReadOnlyList<string>? SecretGrants { get; init; }

    [Description("AgentConfigGrants.")]
    public IReadOnlyList<string>? ConfigGrants { get; init; }
}

public sealed record SecretPolicy
{
    [Description("Whether runs on refs of forks may get secrets at all; the grant must admit it too.")]
    public bool? AllowOnForks { get; init; }

    [Description("Secrets that runs may get, whatever the grants say; all granted ones when empty.")]
    public IReadOnlyList<string>? AllowedSecretRefs { get; init; }
}

public sealed record WriteBackPolicy
{
    [Description("Whether a person must approve; true unless set. false counts only for low-risk targets on trusted refs.")]
    public bool? RequireApproval { get; init; }

    [Description("Targets that runs may write to; none when empty.")]
    [WriteBackTargets]
    public IReadOnlyList<string>? AllowedTargets { get; init; }
}

[Phases("Pending", "Ready", "Blocked", "Degraded")]
public sealed record AgentStackStatus : ProductStatus
{
    [Description("What the adapter can do, normalised, with its digest.")]
    public JsonObject? Capabilities { get; init; }

    [Description("Digest of the AgentCapabilityRequirement that says what the stack needs.")]
    [Digest]
    public string? RequirementsDigest { get; init; }
}

/// <summary>Conditions of an AgentStack in the order in which they are always all present (spec 05).</summary>
public static class AgentStackConditions
{
    public const string CapabilitiesResolved = "CapabilitiesResolved";
    public const string RuntimeIdentityReady = "RuntimeIdentityReady";
    public const string RolesAdmitted = "RolesAdmitted";
    public const string SecretsAdmitted = "SecretsAdmitted";
    public const string ConfigAdmitted = "ConfigAdmitted";
    public const string ToolsAdmitted = "ToolsAdmitted";
    public const string McpHealthy = "McpHealthy";
    public const string SkillsValidated = "SkillsValidated";
    public const string SubagentsValid = "SubagentsValid";
    public const string ContextLabelsValid = "ContextLabelsValid";
    public const string PolicyAdmitted = "PolicyAdmitted";

    public static IReadOnlyList<string> All { get; } =
    [
        CapabilitiesResolved, RuntimeIdentityReady, RolesAdmitted, SecretsAdmitted, ConfigAdmitted, ToolsAdmitted, McpHealthy, SkillsValidated,
        SubagentsValid, ContextLabelsValid, PolicyAdmitted, Condition.Ready,
    ];
}

public static class AgentStackKind
{
    public static KindDefinition Row { get; } = new()
    {
        Kind = "AgentStack", Plural = "agentstacks", Context = "agents", Storage = "etcd", Scope = KindScope.Org, Area = "Stacks",
        Description = "A coding agent as a whole: the base agent, its tools, skills, identity, permissions and limits.",
        ShortNames = ["stack", "stacks"],
        Categories = ["krate", "all"],
        SpecType = typeof(AgentStackSpec),
        StatusType = typeof(AgentStackStatus),
        RequiredSpec = ["baseAgent", "adapter", "runtimeIdentity"],
        Columns =
        [
            new("Agent", "spec.baseAgent"), new("Model", "spec.model"), new("Identity", "spec.runtimeIdentity.serviceAccountRef"), Rows.Phase, Rows.Ready,
            new("Adapter", "spec.adapter", Wide: true), new("Pool", "spec.runnerPool", Wide: true), Rows.Reason,
        ],
        References =
        [
            new("spec.runtimeIdentity.serviceAccountRef", "ServiceAccount"),
            new("spec.toolProfileRef", "AgentToolProfile"),
            new("spec.mcpServerRefs[]", "AgentMcpServer"),
            new("spec.skillRefs[]", "AgentSkill"),
            new("spec.subagentRefs[]", "AgentSubagent"),
            new("spec.contextLabelRefs[]", "AgentContextLabel"),
            new("spec.workspacePolicyRef", "AgentWorkspacePolicy"),
            new("spec.runnerPool", "RunnerPool"),
            new("spec.permissionRefs.roleBindings[]", "AgentRoleBinding"),
            new("spec.permissionRefs.secretGrants[]", "AgentSecretGrant"),
            new("spec.permissionRefs.configGrants[]", "AgentConfigGrant"),
            new("spec.secretPolicy.allowedSecretRefs[]", "Secret"),
        ],
        DerivedLabels = [Rows.RunnerPool, new(WellKnown.ServiceAccountLabel, "spec.runtimeIdentity.serviceAccountRef")],
        Default = Default,
    };

    private static void Default(JsonObject body)
    {
        Rows.Default(body, "spec.approvalMode", "prompt");
        Rows.Default(body, "spec.writeBackPolicy.requireApproval", true);
    }
}
