using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Approvals;

public sealed record AgentApprovalSpec : ProductSpec
{
    [Description("AgentDispatchRun that asks.")]
    public string? DispatchRun { get; init; }

    [Description("AgentDispatchAttempt that asks.")]
    public string? Attempt { get; init; }

    [Description("Who asks.")]
    [MaxLength(253)]
    public string? RequestedBy { get; init; }

    [Description("The exact mutation that is asked for.")]
    public ApprovalAction? Action { get; init; }

    [Description("Why policy wants a person to decide.")]
    public IReadOnlyList<string>? PolicyReasons { get; init; }

    [Description("AgentArtifacts that the action would use.")]
    public IReadOnlyList<string>? ArtifactRefs { get; init; }

    [Description("Digest of the artifact that would be applied; another one needs another decision.")]
    [Digest]
    public string? ArtifactDigest { get; init; }

    [Description("When it counts as rejected.")]
    public DateTimeOffset? ExpiresAt { get; init; }
}

public sealed record ApprovalAction
{
    [Description("Type of the action.")]
    [Required]
    [AllowedValues("tool-use", "secret-access", "network", "write-back", "rebase", "release", "escalation")]
    public string? Type { get; init; }

    [Description("What it would change.")]
    public ObjectRef? Target { get; init; }

    [Description("What it would do, in one line.")]
    [MaxLength(1000)]
    public string? Summary { get; init; }

    [Description("Digest of the payload.")]
    [Digest]
    public string? PayloadDigest { get; init; }
}

[Phases("pending", "approved", "rejected", "expired", "superseded", "applied", "apply-failed")]
public sealed record AgentApprovalStatus : ProductStatus
{
    [Description("Kubernetes user name of whoever decided.")]
    public string? DecidedBy { get; init; }

    [Description("When it was decided.")]
    public DateTimeOffset? DecidedAt { get; init; }

    [Description("Why, in the words of whoever decided.")]
    [MaxLength(65_536)]
    public string? Comment { get; init; }

    [Description("Parts of a composite action that were approved.")]
    public IReadOnlyList<string>? ApprovedActionSubset { get; init; }

    [Description("What became of the write-back.")]
    public WriteBackResult? WriteBack { get; init; }
}

public sealed record WriteBackResult
{
    [Description("Key by which a repeated write-back is recognised.")]
    public string? IdempotencyKey { get; init; }

    [Description("When it was applied.")]
    public DateTimeOffset? AppliedAt { get; init; }

    [Description("What came of it.")]
    public string? Result { get; init; }
}

public static class AgentApprovalKind
{
    public static KindDefinition Row { get; } = new()
    {
        Kind = "AgentApproval", Plural = "agentapprovals", Context = "agents", Storage = "postgres", Scope = KindScope.Org, Area = "Approvals",
        Description = "A question of an agent to a person: one exact action, once.",
        ShortNames = ["approval"],
        SpecType = typeof(AgentApprovalSpec),
        StatusType = typeof(AgentApprovalStatus),
        RequiredSpec = ["dispatchRun", "action", "requestedBy"],
        Mutability = SpecMutability.Fixed,
        ServerMade = true,
        Actions = [DecideApprovalAction.Subresource],
        NamePrefix = "approval-",
        RepositoryPath = "spec.dispatchRun",
        Columns =
        [
            new("Run", "spec.dispatchRun"), new("Action", "spec.action.type"), new("Target", "spec.action.target.name"), Rows.Phase, new("Decided By", "status.decidedBy"),
            new("Requested By", "spec.requestedBy", Wide: true), new("Expires", "spec.expiresAt", Wide: true), new("Summary", "spec.action.summary", Wide: true),
        ],
        References =
        [
            new("spec.dispatchRun", "AgentDispatchRun"), new("spec.attempt", "AgentDispatchAttempt"), new("spec.artifactRefs[]", "AgentArtifact"),
            new("spec.action.target.name", "") { KindField = "kind" },
        ],
        DerivedLabels = [Rows.DispatchRun],
    };
}
