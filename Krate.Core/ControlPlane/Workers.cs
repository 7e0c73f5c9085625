using System.Diagnostics;
using Krate.Core.Resources;
using Microsoft.Extensions.Logging;

namespace Krate.Core.ControlPlane;

/// <summary>The workers of one queue: take a key, work, and settle what comes next.</summary>
/// <param name="Work">One run; returns when the key wants to come back. Gets a fresh correlation id.</param>
internal sealed record Workers<TKey>(string Loop, WorkQueue<TKey> Queue, Func<TKey, string, CancellationToken, Task<TimeSpan?>> Work, TimeProvider Time, ILogger Logger)
    where TKey : notnull
{
    // From here on a failure is not a passing one: somebody should look.
    private const int LoudFrom = 5;

    /// <summary>Runs until cancelled; what is being worked on then is cancelled too and waited for.</summary>
    public Task RunAsync(int count, CancellationToken ct) =>
        Task.WhenAll(Enumerable.Range(0, count).Select(_ => Task.Run(() => RunOneAsync(ct), CancellationToken.None)));

    private async Task RunOneAsync(CancellationToken ct)
    {
        while (true)
        {
            var key = await Queue.TakeAsync(ct);
            await HandleAsync(key, ct);
        }
    }

    private async Task HandleAsync(TKey key, CancellationToken ct)
    {
        var correlationId = Ulid.NewUlid().ToString().ToLowerInvariant();
        using var activity = ControlPlaneTelemetry.Source.StartActivity($"reconcile {Loop}");
        activity?.SetTag("krate.key", key.ToString()).SetTag("krate.correlation_id", correlationId);
        using var scope = Logger.BeginScope(new Dictionary<string, object> { ["Loop"] = Loop, ["Key"] = key.ToString() ?? "", ["CorrelationId"] = correlationId });
        var start = Time.GetTimestamp();
        string result;
        try
        {
            var after = await Work(key, correlationId, ct);
            Queue.Finish(key, after);
            result = after is null ? "success" : "requeue";
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            Queue.Finish(key);
            throw;
        }
        catch (ApiException e) when (e.Code is 404 or 409)
        {
            // Another writer was quicker: what was read has changed or is gone. Not a fault: read again and decide again.
            var (_, delay) = Queue.Fail(key);
            Logger.LogDebug("Reconcile of {Key} met another write ({Message}); again in {Delay}", key, e.Message, delay);
            result = "conflict";
        }
        catch (Exception e)
        {
            var (failures, delay) = Queue.Fail(key);
            activity?.SetStatus(ActivityStatusCode.Error, e.Message);
            Logger.Log(failures < LoudFrom ? LogLevel.Information : LogLevel.Warning, e, "Reconcile of {Key} failed, {Failures} times in a row; again in {Delay}; correlation id {CorrelationId}", key, failures, delay, correlationId);
            result = "failure";
        }

        var took = Time.GetElapsedTime(start);
        ControlPlaneTelemetry.Ran(Loop, result, took);
        Logger.LogDebug("Reconcile of {Key}: {Result} after {Milliseconds} ms; correlation id {CorrelationId}", key, result, took.TotalMilliseconds, correlationId);
    }
}
