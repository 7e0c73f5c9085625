using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Dispatch;

public sealed record AgentDispatchRunSpec : ProductSpec
{
    [Description("Repository that the agent works on.")]
    public string? Repository { get; init; }

    [Description("Full ref that it works on.")]
    [MaxLength(255)]
    public string? Ref { get; init; }

    [Description("Branch that it works on.")]
    [MaxLength(255)]
    public string? Branch { get; init; }

    [Description("Commit that it works on.")]
    public string? Sha { get; init; }

    [Description("Event that started the run.")]
    public ObjectRef? SourceEvent { get; init; }

    [Description("What the run is about.")]
    public SourceRefs? SourceRefs { get; init; }

    [Description("AgentStack that runs.")]
    public string? AgentStack { get; init; }

    [Description("Kind of task.")]
    [MaxLength(63)]
    public string? TaskKind { get; init; }

    [Description("What the agent is asked to do, in the words of whoever starts the run.")]
    [MaxLength(32_768)]
    public string? Task { get; init; }

    [Description("Files and folders that it is shown, at the commit that it works on.")]
    public IReadOnlyList<string>? Paths { get; init; }

    [Description("AgentContextBundle that the agent gets; made by Krate.")]
    public string? ContextBundleRef { get; init; }

    [Description("AgentWorkspace that the agent works in; made by Krate.")]
    public string? WorkspaceRef { get; init; }

    [Description("RunnerPool that the run waits for.")]
    public string? RunnerPool { get; init; }

    [Description("When a person must be asked; may only tighten the stack's policy.")]
    public ApprovalPolicy? ApprovalPolicy { get; init; }

    [Description("Company memory that the run sees.")]
    public MemorySnapshotRef? MemorySnapshotRef { get; init; }
}

public sealed record SourceRefs
{
    [Description("Pull request by name or as repository/number (krate/42).")]
    public string? PullRequest { get; init; }

    [Description("Issue by name or as repository/number.")]
    public string? Issue { get; init; }

    [Description("Comment that asked for the run.")]
    public string? Comment { get; init; }

    [Description("Pipeline.")]
    public string? Pipeline { get; init; }

    [Description("Job.")]
    public string? Job { get; init; }

    [Description("AgentTriggerRule that matched.")]
    public string? TriggerRule { get; init; }
}

[RunPhases]
public sealed record AgentDispatchRunStatus : ProductStatus
{
    [Description("When it began to wait.")]
    public DateTimeOffset? QueuedAt { get; init; }

    [Description("When the first attempt started.")]
    public DateTimeOffset? StartedAt { get; init; }

    [Description("When it ended.")]
    public DateTimeOffset? CompletedAt { get; init; }

    [Description("AgentDispatchAttempts, oldest first.")]
    public IReadOnlyList<string>? Attempts { get; init; }

    [Description("Run at Agent Mux of the current attempt.")]
    public string? AgentMuxRunId { get; init; }

    [Description("Session at Agent Mux of the current attempt.")]
    public string? AgentMuxSessionId { get; init; }

    [Description("Where the run came from, with links.")]
    public IReadOnlyList<Breadcrumb>? Breadcrumbs { get; init; }

    [Description("AgentArtifacts of the run.")]
    public IReadOnlyList<string>? Artifacts { get; init; }

    [Description("AgentApprovals of the run.")]
    public IReadOnlyList<string>? Approvals { get; init; }

    [Description("Runs of subagents.")]
    public IReadOnlyList<string>? ChildSubagentRuns { get; init; }

    [Description("What it cost so far, all attempts together.")]
    public RunCost? Cost { get; init; }

    [Description("Last agent event that was taken in.")]
    public string? EventCursor { get; init; }

    [Description("Digest of the permission review that admitted it.")]
    [Digest]
    public string? PermissionSnapshotDigest { get; init; }

    [Description("Why it ended.")]
    [TerminalReasons]
    public string? TerminalReason { get; init; }

    [Description("Why it ended, for people.")]
    public string? Message { get; init; }

    [Description("What people said to the agent after the task, in order.")]
    public IReadOnlyList<RunMessage>? Messages { get; init; }

    [Description("Whether the current attempt still takes messages: not when it is about to end.")]
    public bool? AcceptsMessages { get; init; }

    [Description("Kubernetes user name of whoever wants it ended.")]
    public string? CancelRequestedBy { get; init; }

    [Description("Why, in their words.")]
    public string? CancelReason { get; init; }

    [Description("Kubernetes user name of whoever started it.")]
    public string? StartedBy { get; init; }

    [Description("When it was made, for lists.")]
    public long? Order { get; init; }
}

public sealed record Breadcrumb
{
    [Description("Kind of the source.")]
    public string? Kind { get; init; }

    [Description("Name of the source.")]
    public string? Name { get; init; }

    [Description("Title for people.")]
    public string? Title { get; init; }

    [Description("Path of its page.")]
    public string? Link { get; init; }
}

public sealed record RunMessage
{
    [Description("The words.")]
    [MaxLength(RunMessages.Longest)]
    public string? Text { get; init; }

    [Description("Kubernetes user name of whoever said it.")]
    public string? By { get; init; }

    [Description("When.")]
    public DateTimeOffset? At { get; init; }

    [Description("AgentDispatchAttempt that it is for.")]
    public string? Attempt { get; init; }
}

public sealed record RunCost
{
    [Description("Tokens that went in.")]
    [Range(0.0, double.MaxValue)]
    public long? InputTokens { get; init; }

    [Description("Tokens that came out.")]
    [Range(0.0, double.MaxValue)]
    public long? OutputTokens { get; init; }

    [Description("Tokens that came from the provider's cache.")]
    [Range(0.0, double.MaxValue)]
    public long? CachedTokens { get; init; }

    [Description("US dollars.")]
    [Range(0.0, double.MaxValue)]
    public decimal? Usd { get; init; }

    [Description("Turns of the conversation.")]
    [Range(0.0, double.MaxValue)]
    public long? Turns { get; init; }
}

/// <summary>Why a run or an attempt ended (spec 06).</summary>
public sealed class TerminalReasonsAttribute() : AllowedValuesAttribute(
    "Completed", "AgentError", "LaunchRejected", "GatewayUnavailable", "Timeout", "Cancelled", "ApprovalRejected", "ApprovalExpired", "PolicyDenied",
    "WorkspaceFailed", "BudgetExceeded", "Lost");

/// <summary>Conditions of a run in order (spec 06).</summary>
public static class AgentDispatchRunConditions
{
    public const string ContextAssembled = "ContextAssembled";
    public const string PermissionsAdmitted = "PermissionsAdmitted";
    public const string WorkspaceResolved = "WorkspaceResolved";
    public const string RunnerAssigned = "RunnerAssigned";
    public const string AgentMuxSessionBound = "AgentMuxSessionBound";
    public const string ApprovalSatisfied = "ApprovalSatisfied";
    public const string ArtifactsIndexed = "ArtifactsIndexed";

    public static IReadOnlyList<string> All { get; } =
        [ContextAssembled, PermissionsAdmitted, WorkspaceResolved, RunnerAssigned, AgentMuxSessionBound, ApprovalSatisfied, ArtifactsIndexed];
}

public static class AgentDispatchRunKind
{
    public static KindDefinition Row { get; } = new()
    {
        Kind = "AgentDispatchRun", Plural = "agentdispatchruns", Context = "agents", Storage = "postgres", Scope = KindScope.Org, Area = "Dispatch",
        Description = "A task given to an agent: what it was asked, on what, as whom, and how it went.",
        ShortNames = ["run", "runs", "adr"],
        Categories = ["krate", "all"],
        SpecType = typeof(AgentDispatchRunSpec),
        StatusType = typeof(AgentDispatchRunStatus),
        RequiredSpec = ["repository", "sourceRefs", "agentStack", "taskKind"],
        Mutability = SpecMutability.Fixed,
        NamePrefix = "adr-",
        ServerStatus = true,
        OrderedByCreation = true,
        FirstPhase = RunPhase.Pending,
        Actions = [DispatchActions.Cancel, DispatchActions.Retry, DispatchActions.Continue, DispatchActions.Resume],
        RepositoryPath = "spec.repository",
        Columns =
        [
            new("Repository", "spec.repository"), new("Stack", "spec.agentStack"), new("Task", "spec.taskKind"), Rows.Phase, new("USD", "status.cost.usd", "number"),
            new("Ref", "spec.ref", Wide: true), new("Pool", "spec.runnerPool", Wide: true), new("Reason", "status.terminalReason", Wide: true), new("Started", "status.startedAt", "date", Wide: true),
        ],
        References =
        [
            new("spec.repository", "Repository", Required: true),
            new("spec.agentStack", "AgentStack", Required: true),
            new("spec.runnerPool", "RunnerPool", Required: true),
            new("spec.contextBundleRef", "AgentContextBundle"),
            new("spec.workspaceRef", "AgentWorkspace"),
            new("spec.sourceEvent.name", "") { KindField = "kind" },
            new("spec.sourceRefs.comment", "Comment", Required: true),
            new("spec.sourceRefs.pipeline", "Pipeline", Required: true),
            new("spec.sourceRefs.job", "Job", Required: true),
            new("spec.sourceRefs.triggerRule", "AgentTriggerRule", Required: true),
            new("spec.memorySnapshotRef.name", "AgentMemorySnapshot", Required: true),
        ],
        DerivedLabels =
        [
            Rows.Repository, Rows.AgentStack, Rows.RunnerPool,
            new(WellKnown.TriggerRuleLabel, "spec.sourceRefs.triggerRule"),
            new(WellKnown.SourceKindLabel, "spec.sourceEvent.kind"),
            new(WellKnown.SourceNameLabel, "spec.sourceEvent.name"),
        ],
        SelectableFields = ["status.phase", "spec.repository"],
    };
}
