using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Runs;

public sealed record PipelineSpec : ProductSpec
{
    [Description("Repository that the pipeline runs for.")]
    public string? Repository { get; init; }

    [Description("Ref that it runs for.")]
    [MaxLength(255)]
    public string? Ref { get; init; }

    [Description("Commit that it runs for.")]
    public string? Sha { get; init; }

    [Description("Workflow that it runs.")]
    [MaxLength(255)]
    public string? Workflow { get; init; }

    [Description("How far the origin is trusted.")]
    [TrustTierValues]
    public string? TrustTier { get; init; }

    [Description("RunnerPool that it runs in.")]
    public string? RunnerPool { get; init; }

    [Description("Pipeline or step that this one goes on from.")]
    public string? ResumeFrom { get; init; }

    [Description("Kubernetes user name of whom it runs for; found out from the pull request or the push when it is left out.")]
    [MaxLength(255)]
    public string? StartedBy { get; init; }
}

[RunPhases]
public sealed record PipelineStatus : ProductStatus
{
    [Description("When the first job started.")]
    public DateTimeOffset? StartedAt { get; init; }

    [Description("When it ended.")]
    public DateTimeOffset? CompletedAt { get; init; }

    [Description("Kubernetes user name of whom it runs for.")]
    public string? StartedBy { get; init; }

    [Description("How many jobs it has, and how they go.")]
    public PipelineJobs? Jobs { get; init; }

    [Description("Step of the first job that failed.")]
    public string? FailedStep { get; init; }

    [Description("First error, normalised, so that equal failures are found.")]
    public string? FailureSignature { get; init; }

    [Description("Its place by when it was made; greater is newer.")]
    public long? Order { get; init; }

    [Description("The message about its failure to whom it ran for.")]
    public FailureMail? Mail { get; init; }

    [Description("A newer pipeline of the same repository, ref and workflow.")]
    public string? SupersededBy { get; init; }
}

public sealed record FailureMail
{
    [Description("When the mail server had it.")]
    public DateTimeOffset? At { get; init; }

    [Description("Why the mail server refused it.")]
    public string? Error { get; init; }
}

public sealed record PipelineJobs
{
    [Description("All of them.")]
    public int? Total { get; init; }

    [Description("Those that have ended.")]
    public int? Ended { get; init; }

    [Description("Those that have failed.")]
    public int? Failed { get; init; }
}

public static class PipelineKind
{
    public static KindDefinition Row { get; } = new()
    {
        Kind = "Pipeline", Plural = "pipelines", Context = "runners-ci", Storage = "postgres", Scope = KindScope.Org, Area = "Runs",
        Description = "One run of a workflow for a commit.",
        ShortNames = ["pl"],
        Categories = ["krate", "all"],
        SpecType = typeof(PipelineSpec),
        StatusType = typeof(PipelineStatus),
        RequiredSpec = ["repository", "ref"],
        Mutability = SpecMutability.Fixed,
        NamePrefix = "pipeline-",
        FirstPhase = RunPhase.Queued, ServerStatus = true, OrderedByCreation = true,
        Actions = [RunActions.Finish, RunActions.Cancel, RunActions.Rerun],
        SelectableFields = ["status.phase", "spec.repository", "spec.sha", "spec.ref", "spec.workflow", "status.startedBy", "status.supersededBy"],
        RepositoryPath = "spec.repository",
        Columns =
        [
            new("Repository", "spec.repository"), new("Ref", "spec.ref"), new("Workflow", "spec.workflow"), Rows.Phase, new("Started", "status.startedAt", "date"),
            new("Pool", "spec.runnerPool", Wide: true), new("SHA", "spec.sha", Wide: true), new("Trust", "spec.trustTier", Wide: true),
        ],
        References = [new("spec.repository", "Repository", Required: true), new("spec.runnerPool", "RunnerPool", Required: true)],
        DerivedLabels = [Rows.Repository, Rows.RunnerPool, Rows.TrustTier, Rows.FailureSignature],
    };
}
