using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Stacks;

public sealed record AgentSubagentSpec : ProductSpec
{
    [Description("What the subagent is for; the parent agent chooses by it.")]
    [MaxLength(4000)]
    public string? Description { get; init; }

    [Description("Instructions that make up its role. They grant nothing.")]
    public string? RolePrompt { get; init; }

    [Description("Kinds of task that it takes.")]
    [AllowedValues("research", "implementation", "validation", "review", "triage", "release-check")]
    public IReadOnlyList<string>? TaskKinds { get; init; }

    [Description("Model in place of the stack's.")]
    [MaxLength(200)]
    public string? ModelOverride { get; init; }

    [Description("AgentToolProfiles that it may use.")]
    public IReadOnlyList<string>? ToolRefs { get; init; }

    [Description("AgentMcpServers that it may use.")]
    public IReadOnlyList<string>? McpServerRefs { get; init; }

    [Description("AgentSkills that are added to its prompt.")]
    public IReadOnlyList<string>? SkillRefs { get; init; }

    [Description("ServiceAccount in place of the stack's.")]
    public string? RuntimeIdentityOverride { get; init; }

    [Description("What it sees of the workspace.")]
    [AllowedValues("no-workspace", "read-only", "branch-local", "isolated-worktree")]
    public string? WorkspaceScope { get; init; }

    [Description("Most tasks at the same time.")]
    [Range(1, 1000)]
    public int? MaxParallelTasks { get; init; }

    [Description("What it sees of the parent's context.")]
    [AllowedValues("summary-only", "selected-sources", "full-redacted", "artifact-only", "no-context")]
    public string? ContextPolicy { get; init; }

    [Description("What its answer must look like.")]
    public OutputContract? OutputContract { get; init; }

    [Description("When a person must be asked.")]
    public ApprovalPolicy? ApprovalPolicy { get; init; }
}

public sealed record OutputContract
{
    [Description("Format of the answer (markdown, json).")]
    public string? Format { get; init; }

    [Description("Sections that must be there.")]
    public IReadOnlyList<string>? RequiredSections { get; init; }
}

public static class AgentSubagentKind
{
    public static KindDefinition Row { get; } = new()
    {
        Kind = "AgentSubagent", Plural = "agentsubagents", Context = "agents", Storage = "etcd", Scope = KindScope.Org, Area = "Stacks",
        Description = "A helper that an agent may give tasks to, within what the agent itself may.",
        ShortNames = ["subagent"],
        SpecType = typeof(AgentSubagentSpec),
        StatusType = typeof(PlainStatus),
        RequiredSpec = ["rolePrompt", "taskKinds"],
        Columns =
        [
            new("Tasks", "spec.taskKinds"), new("Model", "spec.modelOverride"), new("Workspace", "spec.workspaceScope"), Rows.Phase, Rows.Ready,
            new("Context", "spec.contextPolicy", Wide: true), Rows.Reason,
        ],
        References =
        [
            new("spec.toolRefs[]", "AgentToolProfile"), new("spec.mcpServerRefs[]", "AgentMcpServer"), new("spec.skillRefs[]", "AgentSkill"),
            new("spec.runtimeIdentityOverride", "ServiceAccount"),
        ],
        DerivedLabels = [new(WellKnown.ServiceAccountLabel, "spec.runtimeIdentityOverride")],
    };
}
