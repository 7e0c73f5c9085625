using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Dispatch;

public sealed record WorkItemSessionLinkSpec : ProductSpec
{
    [Description("Issue, pull request or other work item.")]
    public ObjectRef? WorkItemRef { get; init; }

    [Description("AgentSession that worked on it.")]
    public string? AgentSession { get; init; }

    [Description("AgentDispatchRun of that session.")]
    public string? DispatchRun { get; init; }

    [Description("How they belong together.")]
    [MaxLength(63)]
    public string? Relation { get; init; }
}

public static class WorkItemSessionLinkKind
{
    public static KindDefinition Row { get; } = new()
    {
        Kind = "WorkItemSessionLink", Plural = "workitemsessionlinks", Context = "agents", Storage = "postgres", Scope = KindScope.Org, Area = "Dispatch",
        Description = "Ties a session to the issue or pull request that it worked on.",
        SpecType = typeof(WorkItemSessionLinkSpec),
        StatusType = typeof(PlainStatus),
        RequiredSpec = ["workItemRef", "agentSession"],
        Mutability = SpecMutability.Fixed,
        ServerMade = true,
        RepositoryPath = "spec.workItemRef",
        Columns = [new("Item Kind", "spec.workItemRef.kind"), new("Item", "spec.workItemRef.name"), new("Session", "spec.agentSession"), new("Relation", "spec.relation")],
        References =
        [
            new("spec.workItemRef.name", "") { KindField = "kind" }, new("spec.agentSession", "AgentSession"), new("spec.dispatchRun", "AgentDispatchRun"),
        ],
        DerivedLabels = [Rows.DispatchRun],
    };
}

public sealed record WorkItemWorkspaceLinkSpec : ProductSpec
{
    [Description("Issue, pull request or other work item.")]
    public ObjectRef? WorkItemRef { get; init; }

    [Description("AgentWorkspace that belongs to it.")]
    public string? Workspace { get; init; }

    [Description("How they belong together.")]
    [MaxLength(63)]
    public string? Relation { get; init; }

    [Description("Branch of the workspace.")]
    [MaxLength(255)]
    public string? BranchName { get; init; }
}

public static class WorkItemWorkspaceLinkKind
{
    public static KindDefinition Row { get; } = new()
    {
        Kind = "WorkItemWorkspaceLink", Plural = "workitemworkspacelinks", Context = "agents", Storage = "postgres", Scope = KindScope.Org, Area = "Dispatch",
        Description = "Ties a workspace to the issue or pull request that it is for.",
        SpecType = typeof(WorkItemWorkspaceLinkSpec),
        StatusType = typeof(PlainStatus),
        RequiredSpec = ["workItemRef", "workspace"],
        Mutability = SpecMutability.Fixed,
        ServerMade = true,
        RepositoryPath = "spec.workItemRef",
        Columns = [new("Item Kind", "spec.workItemRef.kind"), new("Item", "spec.workItemRef.name"), new("Workspace", "spec.workspace"), new("Branch", "spec.branchName")],
        References = [new("spec.workItemRef.name", "") { KindField = "kind" }, new("spec.workspace", "AgentWorkspace")],
    };
}
