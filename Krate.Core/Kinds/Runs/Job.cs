using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Runs;

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

    [Description("Length of the log when the job ended.")]
    public long? LogBytes { get; init; }

    [Description("First error of the log, normalised, so that equal failures are found.")]
    public string? FailureSignature { get; init; }

    [Description("Line of the log that has it; the first is 1.")]
    public long? FailureLine { get; init; }

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
        FirstPhase = RunPhase.Queued, ServerStatus = true,
        Actions = [RunActions.Start, RunActions.Finish, RunActions.Log],
        ByteActions = [RunActions.Log],
        SelectableFields = ["status.phase", "spec.pipeline"],
        RepositoryPath = "spec.pipeline",
        Columns = [new("Pipeline", "spec.pipeline"), new("Step", "spec.step"), Rows.Phase, new("Exit", "status.exitCode", "integer"), new("Pool", "spec.runnerPool", Wide: true)],
        References =
        [
            new("spec.pipeline", "Pipeline", Required: true) { IsOwner = true }, new("spec.runnerPool", "RunnerPool", Required: true),
            new("spec.serviceAccountRef", "ServiceAccount", Required: true),
        ],
        DerivedLabels = [Rows.RunnerPool, Rows.ServiceAccount, Rows.FailureSignature],
    };
}
