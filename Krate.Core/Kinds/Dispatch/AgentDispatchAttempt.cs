using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Dispatch;

public sealed record AgentDispatchAttemptSpec : ProductSpec
{
    [Description("AgentSession of an earlier attempt that it takes up.")]
    public string? ResumesSession { get; init; }

    [Description("AgentDispatchRun that this is an attempt of.")]
    public string? AgentDispatchRun { get; init; }

    [Description("Why there is this attempt (initial, retry, resume, fork, continue).")]
    [MaxLength(63)]
    public string? AttemptReason { get; init; }

    [Description("The AgentStack as it was.")]
    public StackSnapshot? AgentStackSnapshot { get; init; }

    [Description("Digest of the context bundle that the agent got.")]
    [Digest]
    public string? ContextBundleDigest { get; init; }

    [Description("Digest of the permission review that admitted the attempt.")]
    [Digest]
    public string? PermissionSnapshotDigest { get; init; }

    [Description("AgentWorkspace that it works in.")]
    public string? WorkspaceRef { get; init; }

    [Description("RunnerPool that it waits for.")]
    public string? RunnerPool { get; init; }

    [Description("Company memory that it sees.")]
    public MemorySnapshotRef? MemorySnapshotRef { get; init; }
}

public sealed record StackSnapshot
{
    [Description("Name of the AgentStack.")]
    [Required]
    public string? Name { get; init; }

    [Description("Its generation.")]
    [Range(0, int.MaxValue)]
    public long? Generation { get; init; }

    [Description("Digest of its spec without the limits.")]
    [Digest]
    public string? Digest { get; init; }
}

[RunPhases]
public sealed record AgentDispatchAttemptStatus : ProductStatus
{
    [Description("Identity that the agent acts as; written once.")]
    public ResolvedIdentity? RuntimeIdentity { get; init; }

    [Description("Identity that the runner acts as; written once.")]
    public ResolvedIdentity? RunnerIdentity { get; init; }

    [Description("The permission review that admitted it; written once.")]
    public JsonObject? PermissionSnapshot { get; init; }

    [Description("Digest of that review; written once.")]
    [Digest]
    public string? PermissionSnapshotDigest { get; init; }

    [Description("Run at Agent Mux; written once.")]
    public string? AgentMuxRunId { get; init; }

    [Description("Session at Agent Mux; written once.")]
    public string? AgentMuxSessionId { get; init; }

    [Description("When it began to wait.")]
    public DateTimeOffset? QueuedAt { get; init; }

    [Description("When it started.")]
    public DateTimeOffset? StartedAt { get; init; }

    [Description("When it ended.")]
    public DateTimeOffset? CompletedAt { get; init; }

    [Description("What it cost.")]
    public RunCost? Cost { get; init; }

    [Description("Last agent event that was taken in.")]
    public string? EventCursor { get; init; }

    [Description("Why it ended.")]
    [TerminalReasons]
    public string? TerminalReason { get; init; }
}

public sealed record ResolvedIdentity
{
    [Description("Namespace of the ServiceAccount.")]
    public string? Namespace { get; init; }

    [Description("Name of the ServiceAccount.")]
    public string? ServiceAccountRef { get; init; }

    [Description("Uid of the ServiceAccount.")]
    public string? Uid { get; init; }
}

public static class AgentDispatchAttemptKind
{
    public static KindDefinition Row { get; } = new()
    {
        Kind = "AgentDispatchAttempt", Plural = "agentdispatchattempts", Context = "agents", Storage = "postgres", Scope = KindScope.Org, Area = "Dispatch",
        Description = "One try of a run, with everything that shaped it pinned.",
        ShortNames = ["ada"],
        SpecType = typeof(AgentDispatchAttemptSpec),
        StatusType = typeof(AgentDispatchAttemptStatus),
        RequiredSpec = ["agentDispatchRun", "attemptReason", "agentStackSnapshot"],
        Mutability = SpecMutability.Fixed,
        WriteOnceStatus = ["runtimeIdentity", "runnerIdentity", "permissionSnapshot", "permissionSnapshotDigest", "agentMuxRunId", "agentMuxSessionId"],
        ServerMade = true,
        NamePrefix = "ada-",
        RepositoryPath = "spec.agentDispatchRun",
        Columns =
        [
            new("Run", "spec.agentDispatchRun"), new("Reason", "spec.attemptReason"), new("Stack", "spec.agentStackSnapshot.name"), Rows.Phase, new("Started", "status.startedAt", "date"),
            new("Ended", "status.terminalReason", Wide: true), new("Identity", "status.runtimeIdentity.serviceAccountRef", Wide: true),
        ],
        References =
        [
            new("spec.agentDispatchRun", "AgentDispatchRun"), new("spec.workspaceRef", "AgentWorkspace"), new("spec.resumesSession", "AgentSession"), new("spec.runnerPool", "RunnerPool"),
            new("spec.agentStackSnapshot.name", "AgentStack"), new("spec.memorySnapshotRef.name", "AgentMemorySnapshot"),
        ],
        DerivedLabels = [new(WellKnown.DispatchRunLabel, "spec.agentDispatchRun"), new(WellKnown.AgentStackLabel, "spec.agentStackSnapshot.name"), Rows.RunnerPool],
    };
}
