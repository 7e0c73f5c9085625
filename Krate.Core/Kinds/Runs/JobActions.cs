using System.Globalization;
using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Resources;
using Krate.Core.Runs;

namespace Krate.Core.Kinds.Runs;

/// <summary>A queued job runs from now on. Doing it twice is doing it once.</summary>
internal sealed class StartJobAction(RunWriter writer) : IResourceAction
{
    public string Kind => "Job";

    public string Name => RunActions.Start;

    public (string Verb, string Subresource) Access => (Name, "");

    public async Task<JsonObject> RunAsync(Actor actor, Resource target, JsonObject body, CancellationToken ct)
    {
        RunActions.CheckFields(target, body);
        var started = await writer.StartAsync(PrivilegedAccess.Runs(actor), target, ct);
        if (RunPhase.IsTerminal(RunActions.PhaseOf(started))) throw ApiException.Conflict(target.Kind, target.Name, $"the job has ended: {RunActions.PhaseOf(started)}");
        return started.Body.Copy();
    }
}

/// <summary>A job has ended: its log takes no more, and of a failed one the first error is looked for.</summary>
internal sealed class FinishJobAction(RunWriter writer, JobLogs logs) : IResourceAction
{
    public string Kind => "Job";

    public string Name => RunActions.Finish;

    public (string Verb, string Subresource) Access => (Name, "");

    public async Task<JsonObject> RunAsync(Actor actor, Resource target, JsonObject body, CancellationToken ct)
    {
        RunActions.CheckFields(target, body, "exitCode", "phase");
        var (phase, exitCode) = ResultOf(target, body);
        if (IsSo(target, phase, exitCode)) return target.Body.Copy();
        // First the log: what comes after this moment is refused, whatever becomes of the status.
        var result = new JsonObject { ["phase"] = phase, ["exitCode"] = exitCode, ["logBytes"] = await logs.SealAsync(target, ct) };
        if (phase == RunPhase.Failed && await logs.OpenAsync(target, ct) is { } log && await log.FindFailureAsync(ct) is var (text, line))
            (result["failureSignature"], result["failureLine"]) = (text, line);
        try
        {
            return await WriteAsync(actor, target, result, ct);
        }
        catch (ApiException e) when (e.ProductCode == "SECRET_VALUE_REJECTED")
        {
            // The line has the value of a Secret that came after it. The result matters more than its words.
            result.Remove("failureSignature");
            return await WriteAsync(actor, target, result, ct);
        }
    }

    private async Task<JsonObject> WriteAsync(Actor actor, Resource target, JsonObject result, CancellationToken ct)
    {
        var (phase, exitCode) = (result.Text("phase")!, (int?)result.Whole("exitCode"));
        var changed = await writer.ChangeAsync(PrivilegedAccess.Runs(actor), target, job =>
        {
            if (IsSo(job, phase, exitCode)) return null;
            var status = result.Copy();
            status["startedAt"] = job.Body.Text("status.startedAt") ?? writer.Now;
            status["completedAt"] = writer.Now;
            return status;
        }, ct);
        return changed.Body.Copy();
    }

    private static (string Phase, int? ExitCode) ResultOf(Resource job, JsonObject body)
    {
        var phase = RunActions.PhaseOf(job, body);
        int? exitCode = body["exitCode"] is null ? null
            : body.Whole("exitCode") is { } given and >= int.MinValue and <= int.MaxValue ? (int)given
            : throw RunActions.Invalid(job, "exitCode", "must be a whole number");
        if (phase is null && exitCode is null) throw RunActions.Invalid(job, "exitCode", "is required, or a phase");
        if (phase == RunPhase.Succeeded && exitCode is not (null or 0)) throw RunActions.Invalid(job, "phase", $"a job that succeeded has exit code 0, not {exitCode}");
        return (phase ?? (exitCode == 0 ? RunPhase.Succeeded : RunPhase.Failed), exitCode);
    }

    /// <exception cref="ApiException">409 when it ended otherwise.</exception>
    private static bool IsSo(Resource job, string phase, int? exitCode)
    {
        var now = RunActions.PhaseOf(job);
        if (!RunPhase.IsTerminal(now)) return false;
        if (now == phase && job.Body.Whole("status.exitCode") == exitCode) return true;
        throw ApiException.Conflict(job.Kind, job.Name, $"the job has ended already: {now}{(job.Body.Whole("status.exitCode") is { } code ? string.Create(CultureInfo.InvariantCulture, $", exit code {code}") : "")}");
    }
}

/// <summary>Puts bytes at the end of a job's log; the first of them start the job.</summary>
internal sealed class AppendLogAction(RunWriter writer, JobLogs logs) : IByteAction
{
    public string Kind => "Job";

    public string Name => RunActions.Log;

    public (string Verb, string Subresource) Access => ("create", "log");

    public bool IsRecorded => false;

    public async Task<JsonObject> RunAsync(Actor actor, Resource target, JsonObject parameters, Stream bytes, CancellationToken ct)
    {
        if (!long.TryParse(parameters.Text("offset"), NumberStyles.None, CultureInfo.InvariantCulture, out var offset))
            throw ApiException.BadRequest("the parameter offset is required: how many bytes of this log Krate has already (0 for the first)");
        var length = await logs.AppendAsync(target, offset, bytes, ct);
        if (RunActions.PhaseOf(target) != RunPhase.Running) await writer.StartAsync(PrivilegedAccess.Runs(actor), target, ct);
        return new JsonObject { ["kind"] = "JobLog", ["apiVersion"] = target.Kind.ApiVersion, ["metadata"] = new JsonObject { ["name"] = target.Name, ["namespace"] = target.Namespace }, ["offset"] = length };
    }
}
