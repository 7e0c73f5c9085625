using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Runs;

/// <summary>What a pipeline says of its jobs. Pure.</summary>
internal static class PipelineSummary
{
    /// <summary>How a pipeline ends whose jobs have ended like this.</summary>
    public static string PhaseOf(IReadOnlyList<Resource> jobs) =>
        jobs.Any(j => Is(j, RunPhase.Failed)) ? RunPhase.Failed : jobs.Any(j => Is(j, RunPhase.Cancelled)) ? RunPhase.Cancelled : RunPhase.Succeeded;

    /// <summary>The members of a status; jobs in the order in which they were made.</summary>
    public static JsonObject Of(IReadOnlyList<Resource> jobs)
    {
        var failed = jobs.Where(j => Is(j, RunPhase.Failed)).ToList();
        return new()
        {
            ["jobs"] = new JsonObject { ["total"] = jobs.Count, ["ended"] = jobs.Count(j => RunPhase.IsTerminal(RunActions.PhaseOf(j))), ["failed"] = failed.Count },
            ["failedStep"] = failed.FirstOrDefault()?.Body.Text("spec.step"),
            ["failureSignature"] = failed.Select(j => j.Body.Text("status.failureSignature")).FirstOrDefault(s => s is not null),
        };
    }

    /// <summary>The status of a pipeline that ends now.</summary>
    public static JsonObject Ended(Resource pipeline, IReadOnlyList<Resource> jobs, string phase, string now)
    {
        var status = Of(jobs);
        status["phase"] = phase;
        status["startedAt"] = pipeline.Body.Text("status.startedAt") ?? StartOf(jobs) ?? now;
        status["completedAt"] = now;
        return status;
    }

    /// <summary>When the first job started; null while none has.</summary>
    public static string? StartOf(IEnumerable<Resource> jobs) => jobs.Select(j => j.Body.Text("status.startedAt")).OfType<string>().Min(StringComparer.Ordinal);

    private static bool Is(Resource job, string phase) => RunActions.PhaseOf(job) == phase;
}
