using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Code;

public sealed record BranchProtectionSpec : ProductSpec
{
    [Description("Repository that is protected; all of the organization when empty.")]
    public string? Repository { get; init; }

    [Description("Ref patterns that are protected: * within one segment, ** across (refs/heads/main).")]
    public IReadOnlyList<string>? Refs { get; init; }

    [Description("Whether changes only come in by a pull request.")]
    public bool? RequirePullRequest { get; init; }

    [Description("Approvals that a merge needs, by others than the author and not stale.")]
    [Range(0, 100)]
    public int? RequiredApprovals { get; init; }

    [Description("Checks that must have succeeded on the head commit.")]
    public IReadOnlyList<string>? RequiredChecks { get; init; }

    [Description("Whether history may be rewritten.")]
    public bool? AllowForcePush { get; init; }

    [Description("Whether the ref may be deleted.")]
    public bool? AllowDeletion { get; init; }
}

public static class BranchProtectionKind
{
    public static KindDefinition Row { get; } = new()
    {
        Kind = "BranchProtection", Plural = "branchprotections", Context = "control-plane", Storage = "etcd", Scope = KindScope.Org, Area = "Code",
        Description = "What must hold before a protected branch changes.",
        ShortNames = ["bprot"],
        SpecType = typeof(BranchProtectionSpec),
        StatusType = typeof(PlainStatus),
        RequiredSpec = ["refs"],
        RepositoryPath = "spec.repository",
        Columns =
        [
            new("Repository", "spec.repository"), new("Refs", "spec.refs"), new("Approvals", "spec.requiredApprovals", "integer"),
            new("Checks", "spec.requiredChecks", Wide: true), Rows.Phase, Rows.Ready,
        ],
        References = [new("spec.repository", "Repository")],
        DerivedLabels = [Rows.Repository],
        Validate = body => GitRefs.Patterns(body, "spec.refs"),
    };
}

public sealed record RefPolicySpec : ProductSpec
{
    [Description("Repository that the policy is for; all of the organization when empty.")]
    public string? Repository { get; init; }

    [Description("Ref patterns that the policy is for: * within one segment, ** across.")]
    public IReadOnlyList<string>? Refs { get; init; }

    [Description("Whether rewriting history is refused.")]
    public bool? DenyForcePush { get; init; }

    [Description("Whether deleting the ref is refused.")]
    public bool? DenyDeletion { get; init; }

    [Description("Whether merge commits are refused.")]
    public bool? RequireLinearHistory { get; init; }

    [Description("Whether every commit must be signed.")]
    public bool? RequireSignedCommits { get; init; }

    [Description("Largest file in bytes that may come in.")]
    [Range(1.0, double.MaxValue)]
    public long? MaxFileBytes { get; init; }

    [Description("audit records what would be refused; enforce refuses.")]
    [AllowedValues("audit", "enforce")]
    public string? Mode { get; init; }
}

public static class RefPolicyKind
{
    public static KindDefinition Row { get; } = new()
    {
        Kind = "RefPolicy", Plural = "refpolicies", Context = "data-plane", Storage = "etcd", Scope = KindScope.Org, Area = "Code",
        Description = "Rules for pushes to refs, enforced where git receives them.",
        SpecType = typeof(RefPolicySpec),
        StatusType = typeof(PlainStatus),
        RequiredSpec = ["refs"],
        RepositoryPath = "spec.repository",
        Columns = [new("Repository", "spec.repository"), new("Refs", "spec.refs"), new("Mode", "spec.mode"), Rows.Phase, Rows.Ready],
        References = [new("spec.repository", "Repository")],
        DerivedLabels = [Rows.Repository],
        Validate = body => GitRefs.Patterns(body, "spec.refs"),
    };
}
