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
}

[RunPhases]
public sealed record PipelineStatus : ProductStatus
{
    [Description("When the first job started.")]
    public DateTimeOffset? StartedAt { get; init; }

    [Description("When the last job ended.")]
    public DateTimeOffset? CompletedAt { get; init; }

    [Description("First error, normalised, so that equal failures are found.")]
    public string? FailureSignature { get; init; }
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
        SelectableFields = ["status.phase", "spec.repository", "spec.sha"],
        RepositoryPath = "spec.repository",
        Columns =
        [
            new("Repository", "spec.repository"), new("Ref", "spec.ref"), new("Workflow", "spec.workflow"), Rows.Phase, new("Started", "status.startedAt", "date"),
            new("Pool", "spec.runnerPool", Wide: true), new("SHA", "spec.sha", Wide: true), new("Trust", "spec.trustTier", Wide: true),
        ],
        References = [new("spec.repository", "Repository", Required: true), new("spec.runnerPool", "RunnerPool", Required: true)],
        DerivedLabels = [Rows.Repository, Rows.RunnerPool, Rows.TrustTier],
    };
}

public sealed record JobSpec : ProductSpec
{
    [Description("Pipeline that the job belongs to.")]
    public string? Pipeline { get; init; }

    [Description("Step of the workflow.")]
    [MaxLength(255)]
    public string? Step { get; init; }

    [Description("Command line, for people.")]
    [MaxLength(65_536)]
    public string? Command { get; init; }

    [Description("RunnerPool that it runs in.")]
    public string? RunnerPool { get; init; }

    [Description("ServiceAccount that it runs as.")]
    public string? ServiceAccountRef { get; init; }
}

[RunPhases]
public sealed record JobStatus : ProductStatus
{
    [Description("Exit code of the command.")]
    public int? ExitCode { get; init; }

    [Description("Where the log is kept.")]
    public string? LogRef { get; init; }

    [Description("When it started.")]
    public DateTimeOffset? StartedAt { get; init; }

    [Description("When it ended.")]
    public DateTimeOffset? CompletedAt { get; init; }
}

public static class JobKind
{
    public static KindDefinition Row { get; } = new()
    {
        Kind = "Job", Plural = "jobs", Context = "runners-ci", Storage = "postgres", Scope = KindScope.Org, Area = "Runs",
        Description = "One step of a pipeline, with its log.",
        SpecType = typeof(JobSpec),
        StatusType = typeof(JobStatus),
        RequiredSpec = ["pipeline", "step"],
        Mutability = SpecMutability.Fixed,
        NamePrefix = "job-",
        SelectableFields = ["status.phase", "spec.pipeline"],
        RepositoryPath = "spec.pipeline",
        Columns = [new("Pipeline", "spec.pipeline"), new("Step", "spec.step"), Rows.Phase, new("Exit", "status.exitCode", "integer"), new("Pool", "spec.runnerPool", Wide: true)],
        References =
        [
            new("spec.pipeline", "Pipeline", Required: true), new("spec.runnerPool", "RunnerPool", Required: true),
            new("spec.serviceAccountRef", "ServiceAccount", Required: true),
        ],
        DerivedLabels = [Rows.RunnerPool, Rows.ServiceAccount],
    };
}
