using Krate.Core.Store;
using Microsoft.Extensions.Logging;

namespace Krate.Core.ControlPlane;

/// <summary>
/// Lets one process at a time run a loop. The lease only decides who works; that no write of a former leader gets through
/// is the fence's doing, which the store checks inside each commit.
/// </summary>
internal sealed class Leadership(ILeaseStore leases, ControlPlaneOptions options, TimeProvider time, ILogger<Leadership> logger)
{
    // Not renewed: the data directory's lock outlives any lease, and the next process has the same name.
    private static readonly TimeSpan ForGood = TimeSpan.FromDays(36500);
    private const string OnlyProcess = "embedded";

    /// <summary>Runs <paramref name="loop"/> whenever this process holds its lease, until cancelled.</summary>
    public async Task RunAsync(IControlLoop loop, Action<LoopState> report, CancellationToken ct)
    {
        var failures = 0;
        while (!ct.IsCancellationRequested)
        {
            try
            {
                if (await AcquireAsync(loop.Name, ct) is { } fence)
                {
                    await LeadAsync(loop, fence, report, ct);
                    report(LoopState.Starting);
                }
                else
                {
                    report(LoopState.StandingBy);
                    await Task.Delay(options.RenewEvery, time, ct);
                }

                failures = 0;
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                break;
            }
            catch (Exception e)
            {
                report(LoopState.Starting);
                var delay = Backoff.Default.Delay(++failures);
                logger.LogWarning(e, "Control loop {Loop} stopped, {Failures} times in a row; it starts again in {Delay}", loop.Name, failures, delay);
                await Task.Delay(delay, time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }

        report(LoopState.Stopped);
    }

    private Task<Fence?> AcquireAsync(string lease, CancellationToken ct) => options.SingleProcess
        ? leases.AcquireAsync(lease, OnlyProcess, ForGood, ct)
        : leases.AcquireAsync(lease, options.Holder, options.LeaseDuration, ct);

    private async Task LeadAsync(IControlLoop loop, Fence fence, Action<LoopState> report, CancellationToken ct)
    {
        logger.LogInformation("Control loop {Loop} runs in this process, epoch {Epoch}", loop.Name, fence.Epoch);
        ControlPlaneTelemetry.Leads(loop.Name, true);
        using var term = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var work = loop.RunAsync(fence, () => report(LoopState.Running), term.Token);
        var hold = HoldAsync(fence, term.Token);
        try
        {
            await Task.WhenAny(work, hold);
            if (hold.IsCompletedSuccessfully) logger.LogWarning("Control loop {Loop} lost its lease, epoch {Epoch}; it stops here", loop.Name, fence.Epoch);
        }
        finally
        {
            await term.CancelAsync();
            await hold.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await ((Task)work).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            ControlPlaneTelemetry.Leads(loop.Name, false);
        }

        if (!hold.IsCompletedSuccessfully) await ReleaseAsync(fence);
        if (work.IsFaulted) await work;
    }

    /// <summary>Returns when the lease is lost.</summary>
    private async Task HoldAsync(Fence fence, CancellationToken ct)
    {
        if (options.SingleProcess)
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, time, ct);
            return;
        }

        var renewed = time.GetUtcNow();
        while (true)
        {
            await Task.Delay(options.RenewEvery, time, ct);
            try
            {
                var now = time.GetUtcNow();
                if ((await AcquireAsync(fence.Lease, ct))?.Epoch != fence.Epoch) return;
                renewed = now;
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                logger.LogWarning(e, "Lease {Lease} could not be renewed", fence.Lease);
                if (time.GetUtcNow() - renewed > options.LeaseDuration - options.RenewEvery) return;
            }
        }
    }

    /// <summary>Spares the next leader the wait. At worst the lease runs out by itself.</summary>
    private async Task ReleaseAsync(Fence fence)
    {
        if (options.SingleProcess) return;
        try
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(2), time);
            await leases.ReleaseAsync(fence, limit.Token);
        }
        catch (Exception e)
        {
            logger.LogDebug(e, "Lease {Lease} was not given back", fence.Lease);
        }
    }
}
