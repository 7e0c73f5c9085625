using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Dispatch;

public sealed record AgentWorkspacePolicySpec : ProductSpec
{
    [Description("What kind of workspace a run gets.")]
    [AllowedValues("isolated-worktree", "branch-worktree", "read-only", "none")]
    public string? Mode { get; init; }

    [Description("Branch that new work starts from.")]
    [MaxLength(255)]
    public string? BaseBranch { get; init; }

    [Description("How long workspaces are kept.")]
    public WorkspaceRetention? RetentionPolicy { get; init; }

    [Description("Trust tier of the workspaces.")]
    [TrustTierValues]
    public string? TrustTier { get; init; }

    [Description("What happens when the base moves on.")]
    [MaxLength(63)]
    public string? RebasePolicy { get; init; }
}

public sealed record WorkspaceRetention
{
    [Description("How long a workspace is kept after its last use, for instance 7d.")]
    [Duration]
    public string? KeepFor { get; init; }

    [Description("Whether it goes when its branch has been merged.")]
    public bool? CleanupAfterMerge { get; init; }
}

public static class AgentWorkspacePolicyKind
{
    public static KindDefinition Row { get; } = new()
    {
        Kind = "AgentWorkspacePolicy", Plural = "agentworkspacepolicies", Context = "agents", Storage = "etcd", Scope = KindScope.Org, Area = "Dispatch",
        Description = "What workspaces runs get and how long these are kept.",
        ShortNames = ["wspolicy"],
        SpecType = typeof(AgentWorkspacePolicySpec),
        StatusType = typeof(PlainStatus),
        RequiredSpec = ["mode", "retentionPolicy"],
        Columns = [new("Mode", "spec.mode"), new("Base", "spec.baseBranch"), new("Keep", "spec.retentionPolicy.keepFor"), new("Trust", "spec.trustTier"), Rows.Phase, Rows.Ready],
        DerivedLabels = [Rows.TrustTier],
    };
}

public sealed record AgentWorkspaceSpec : ProductSpec
{
    [Description("Repository that is worked on.")]
    public string? Repository { get; init; }

    [Description("Path below the workspace root.")]
    [MaxLength(4096)]
    public string? WorkspacePath { get; init; }

    [Description("What the workspace belongs to.")]
    public WorkspaceOwnership? Ownership { get; init; }

    [Description("Branch that is worked on.")]
    [MaxLength(255)]
    public string? Branch { get; init; }

    [Description("Ref that the branch starts from.")]
    [MaxLength(255)]
    public string? BaseRef { get; init; }

    [Description("Trust tier; untrusted work never reuses a trusted workspace.")]
    [TrustTierValues]
    public string? TrustTier { get; init; }

    [Description("ServiceAccount that works there.")]
    public string? ServiceAccountRef { get; init; }

    [Description("RunnerPool that it is in.")]
    public string? RunnerPool { get; init; }
}

public sealed record WorkspaceOwnership
{
    [Description("Kind of the owner.")]
    [Required]
    [AllowedValues("host", "project", "issue", "pull-request", "pipeline", "dispatch-run")]
    public string? Kind { get; init; }

    [Description("Name of the owner; empty for host.")]
    public string? Name { get; init; }
}

public sealed record AgentWorkspaceStatus : ProductStatus
{
    [Description("State of the workspace.")]
    [AllowedValues("Provisioning", "Active", "Idle", "Archived", "Missing", "Failed")]
    public string? Lifecycle { get; init; }

    [Description("State of its git work tree.")]
    public WorkspaceGit? Git { get; init; }

    [Description("Processes and surfaces that it runs.")]
    public IReadOnlyList<JsonObject>? Runtime { get; init; }

    [Description("Whether it is kept whatever its policy says.")]
    public bool? Pinned { get; init; }

    [Description("Notes of people.")]
    [MaxLength(65_536)]
    public string? Notes { get; init; }

    [Description("When something last happened in it.")]
    public DateTimeOffset? LastActivityTime { get; init; }

    [Description("AgentSessions that worked in it.")]
    public IReadOnlyList<string>? Sessions { get; init; }

    [Description("AgentDispatchRuns that worked in it.")]
    public IReadOnlyList<string>? Runs { get; init; }
}

public sealed record WorkspaceGit
{
    [Description("Commit that is checked out.")]
    public string? Head { get; init; }

    [Description("Ref that it follows.")]
    public string? Tracking { get; init; }

    [Description("Commits that the followed ref does not have.")]
    public int? Ahead { get; init; }

    [Description("Commits of the followed ref that it does not have.")]
    public int? Behind { get; init; }

    [Description("Whether there are changes that are not committed.")]
    public bool? Dirty { get; init; }

    [Description("How many files have changes that are not committed.")]
    public int? Uncommitted { get; init; }

    [Description("Files in conflict.")]
    public IReadOnlyList<string>? Conflicts { get; init; }

    [Description("State of a rebase that is under way.")]
    public string? Rebase { get; init; }
}

public static class AgentWorkspaceKind
{
    public static KindDefinition Row { get; } = new()
    {
        Kind = "AgentWorkspace", Plural = "agentworkspaces", Context = "agents", Storage = "postgres", Scope = KindScope.Org, Area = "Dispatch",
        Description = "A checkout that agents work in, with its state in git.",
        ShortNames = ["workspace"],
        SpecType = typeof(AgentWorkspaceSpec),
        StatusType = typeof(AgentWorkspaceStatus),
        RequiredSpec = ["repository", "workspacePath", "ownership"],
        Mutability = SpecMutability.Fixed,
        NamePrefix = "aws-",
        RepositoryPath = "spec.repository",
        Columns =
        [
            new("Repository", "spec.repository"), new("Branch", "spec.branch"), new("Lifecycle", "status.lifecycle"), new("Dirty", "status.git.dirty", "boolean"),
            new("Owner", "spec.ownership.name", Wide: true), new("Trust", "spec.trustTier", Wide: true), new("Last Activity", "status.lastActivityTime", "date", Wide: true),
        ],
        References =
        [
            new("spec.repository", "Repository", Required: true), new("spec.serviceAccountRef", "ServiceAccount", Required: true), new("spec.runnerPool", "RunnerPool", Required: true),
            new("spec.ownership.name", "") { KindField = "kind", KindNames = new Dictionary<string, string> { ["project"] = "AgentProject", ["issue"] = "Issue", ["pull-request"] = "PullRequest", ["pipeline"] = "Pipeline", ["dispatch-run"] = "AgentDispatchRun" } },
        ],
        DerivedLabels = [Rows.Repository, Rows.RunnerPool, Rows.ServiceAccount, Rows.TrustTier],
        Validate = Validate,
    };

    private static IEnumerable<FieldError> Validate(JsonObject body)
    {
        if (body.Text("spec.workspacePath") is { Length: > 0 } path && path.Split('/').Contains(".."))
            yield return Rows.Invalid("spec.workspacePath", "must stay below the workspace root");
        if (body.Text("spec.ownership.kind") is { Length: > 0 } kind && kind != "host" && string.IsNullOrEmpty(body.Text("spec.ownership.name")))
            yield return Rows.Required("spec.ownership.name", $"Required value for owner kind {kind}");
    }
}

public sealed record AgentWorkspaceRuntimeSpec : ProductSpec
{
    [Description("AgentWorkspace that it runs in.")]
    public string? WorkspaceRef { get; init; }

    [Description("State of what runs. May change.")]
    [MaxLength(63)]
    public string? Status { get; init; }
}

public static class AgentWorkspaceRuntimeKind
{
    public static KindDefinition Row { get; } = new()
    {
        Kind = "AgentWorkspaceRuntime", Plural = "agentworkspaceruntimes", Context = "agents", Storage = "postgres", Scope = KindScope.Org, Area = "Dispatch",
        Description = "Something that runs in a workspace beside the agent.",
        SpecType = typeof(AgentWorkspaceRuntimeSpec),
        StatusType = typeof(PlainStatus),
        PreserveUnknownSpec = true,
        RequiredSpec = ["workspaceRef", "status"],
        Mutability = SpecMutability.Fixed,
        MutableSpecFields = ["status"],
        RepositoryPath = "spec.workspaceRef",
        Columns = [new("Workspace", "spec.workspaceRef"), new("Status", "spec.status")],
        References = [new("spec.workspaceRef", "AgentWorkspace", Required: true)],
    };
}
