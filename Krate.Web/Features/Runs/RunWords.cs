using System.Globalization;
using Krate.Core.Kinds;
using Krate.Core.Resources;
using Krate.Web.Components;

namespace Krate.Web.Features.Runs;

/// <summary>What pages say about a run. Pure.</summary>
public static class RunWords
{
    /// <summary>A pipeline and its jobs pass; an agent completes.</summary>
    public static Status StatusOf(string? phase) =>
        phase == RunPhase.Succeeded ? Status.OfPhase(phase) with { Word = "Passed" } : Status.OfPhase(phase ?? RunPhase.Queued);

    public static Status StatusOf(Resource run) => run.IsDeleting ? Status.Deleting : StatusOf(run.Body.Text("status.phase"));

    public static string TitleOf(Resource run) => run.Body.Text("spec.workflow") is { Length: > 0 } workflow ? workflow : run.Name;

    /// <summary>The end of a long name, by which people tell runs apart: "…8zc5n2".</summary>
    public static string ShortName(Resource run) => run.Name.Length > 20 ? "…" + run.Name[^6..] : run.Name;

    /// <summary>Of <c>refs/heads/main</c> main; another ref as it is.</summary>
    public static string BranchOf(Resource run)
    {
        var name = run.Body.Text("spec.ref") ?? "";
        return name.StartsWith("refs/heads/", StringComparison.Ordinal) ? name["refs/heads/".Length..] : name.StartsWith("refs/tags/", StringComparison.Ordinal) ? name["refs/tags/".Length..] : name;
    }

    /// <summary>"4m 31s" from the start to the end, or null where one is missing.</summary>
    public static string? DurationOf(Resource run) => At(run, "status.startedAt") is { } from && At(run, "status.completedAt") is { } to ? Words(to - from) : null;

    public static DateTimeOffset? At(Resource run, string path) => DateTimeOffset.TryParse(run.Body.Text(path), CultureInfo.InvariantCulture, out var at) ? at : null;

    /// <summary>"3 of 5 jobs", "test failed", or nothing while there are no jobs.</summary>
    public static string JobsOf(Resource run)
    {
        if (run.Body.Text("status.failedStep") is { Length: > 0 } step) return $"{step} failed";
        return run.Body.Whole("status.jobs.total") is not (> 0 and var total) ? "" : $"{run.Body.Whole("status.jobs.ended") ?? 0} of {total} {(total == 1 ? "job" : "jobs")}";
    }

    private static string Words(TimeSpan time) => time < TimeSpan.Zero ? "0s"
        : time.TotalHours >= 1 ? string.Create(CultureInfo.InvariantCulture, $"{(int)time.TotalHours}h {time.Minutes:00}m")
        : time.TotalMinutes >= 1 ? string.Create(CultureInfo.InvariantCulture, $"{time.Minutes}m {time.Seconds:00}s") : string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.#}s");
}
