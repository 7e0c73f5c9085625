using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Krate.Core.Resources;

namespace Krate.Core.Kinds;

/// <summary>What every product spec has.</summary>
public abstract record ProductSpec
{
    [Description("Slug of the organization that this belongs to. Filled in from the namespace when it is left out.")]
    public string? OrganizationRef { get; init; }
}

/// <summary>What every product status has. The phase is a summary for tables; conditions say why.</summary>
public abstract record ProductStatus
{
    [Description("Storage class of the kind; set when the resource is created.")]
    [AllowedValues("etcd", "postgres", "postgres/object-storage", "postgres-projection")]
    public string? Storage { get; init; }

    [Description("Summary for tables.")]
    public string? Phase { get; init; }

    [Description("Generation of the spec that this status was computed from.")]
    public long? ObservedGeneration { get; init; }

    [Description("What holds and what does not, with reasons.")]
    public IReadOnlyList<Condition>? Conditions { get; init; }
}

/// <summary>Status of a kind that has nothing of its own to say.</summary>
public sealed record PlainStatus : ProductStatus;

/// <summary><see cref="RunPhase"/> as the phases of a status.</summary>
public sealed class RunPhasesAttribute() : PhasesAttribute(
    RunPhase.Pending, RunPhase.Queued, RunPhase.Running, RunPhase.WaitingForApproval, RunPhase.Succeeded, RunPhase.Failed, RunPhase.Cancelled);

/// <summary>How far the origin of work is trusted (spec 05).</summary>
public static class TrustTier
{
    public const string Trusted = "trusted";
    public const string Untrusted = "untrusted";
}

public sealed class TrustTierValuesAttribute() : AllowedValuesAttribute(TrustTier.Trusted, TrustTier.Untrusted);

/// <summary>Where an agent may write to, with approval.</summary>
public sealed class WriteBackTargetsAttribute() : AllowedValuesAttribute(
    "issue-comment", "pull-request-comment", "pull-request-review", "create-branch", "branch-push", "open-pull-request", "check-rerun");

/// <summary>What a session may cost and how long it may take.</summary>
public sealed record AgentLimits
{
    [Description("Most runs at the same time.")]
    [Range(0, 10_000)]
    public int? MaxConcurrentRuns { get; init; }

    [Description("Most US dollars that one run may cost.")]
    [Range(0.0, 1_000_000.0)]
    public decimal? MaxUsdPerRun { get; init; }

    [Description("Longest time that one run may take, for instance 2h.")]
    [Duration]
    public string? MaxRunDuration { get; init; }
}

/// <summary>Names a resource of one of several kinds.</summary>
public sealed record ObjectRef
{
    [Description("Kind of the resource.")]
    [Required]
    public string? Kind { get; init; }

    [Description("Name of the resource.")]
    [Required]
    public string? Name { get; init; }
}

/// <summary>Git refs by pattern: <c>*</c> within one segment, <c>**</c> across; first what is included, then what is not.</summary>
public sealed record RefGlobs
{
    [Description("Full ref names or patterns that count (refs/heads/main, refs/heads/release/*).")]
    public IReadOnlyList<string>? Include { get; init; }

    [Description("Full ref names or patterns that do not count although they are included.")]
    public IReadOnlyList<string>? Exclude { get; init; }
}

/// <summary>A company memory at one commit.</summary>
public sealed record MemorySnapshotRef
{
    [Description("Name of the AgentMemorySnapshot.")]
    [Required]
    public string? Name { get; init; }

    [Description("Digest of the snapshot.")]
    [Digest]
    public string? Digest { get; init; }
}

/// <summary>One key of a Secret. Never its value.</summary>
public sealed record SecretKeyRef
{
    [Description("Namespace of the Secret: the organization's own, also when left out.")]
    [DnsLabel]
    public string? Namespace { get; init; }

    [Description("Name of the Secret.")]
    [Required]
    public string? Name { get; init; }

    [Description("Key in the Secret.")]
    public string? Key { get; init; }
}

/// <summary>One key of a ConfigMap.</summary>
public sealed record ConfigKeyRef
{
    [Description("Namespace of the ConfigMap: the organization's own, also when left out.")]
    [DnsLabel]
    public string? Namespace { get; init; }

    [Description("Name of the ConfigMap.")]
    [Required]
    public string? Name { get; init; }

    [Description("Key in the ConfigMap.")]
    public string? Key { get; init; }
}

/// <summary>When a person must be asked. A run's policy may only tighten its stack's.</summary>
public sealed record ApprovalPolicy
{
    [Description("Actions that need approval (tool-use, secret-access, network, write-back ...).")]
    public IReadOnlyList<string>? RequireFor { get; init; }

    [Description("Whether every write-back needs approval.")]
    public bool? RequireWriteBackApproval { get; init; }
}
