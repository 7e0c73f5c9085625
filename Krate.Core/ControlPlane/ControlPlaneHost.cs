using System.Collections.Concurrent;
using Krate.Core.Store;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Krate.Core.ControlPlane;

/// <summary>Runs every loop of the control plane and stops them in order: reconcilers first, what cleans up after them last.</summary>
internal sealed class ControlPlaneHost(IEnumerable<IControlLoop> loops, Leadership leadership, ILogger<ControlPlaneHost> logger) : IHostedService, IControlPlaneStatus, IReadiness, IDisposable
{
    private readonly IReadOnlyList<IControlLoop> all = [.. loops];
    private readonly ConcurrentDictionary<string, LoopState> states = new(StringComparer.Ordinal);
    private readonly List<(IControlLoop Loop, CancellationTokenSource Stop, Task Run)> running = [];

    public bool IsReady => states.Count == all.Count && states.Values.All(s => s is LoopState.Running or LoopState.StandingBy);

    public bool IsRunning => states.Count == all.Count && states.Values.All(s => s is LoopState.Running);

    public bool StandingBy => IsReady && states.Values.Any(s => s is LoopState.StandingBy);

    public IReadOnlyDictionary<string, LoopState> Loops => states;

    string IReadiness.Name => "controllers";

    public ValueTask<string?> CheckAsync(CancellationToken ct)
    {
        var missing = all.Select(l => l.Name).Where(n => states.GetValueOrDefault(n) is not (LoopState.Running or LoopState.StandingBy)).ToList();
        return new(missing.Count == 0 ? null : $"not running yet: {string.Join(", ", missing)}");
    }

    public Task StartAsync(CancellationToken ct)
    {
        if (all.Select(l => l.Name).Distinct(StringComparer.Ordinal).Count() != all.Count) throw new InvalidOperationException("two control loops have one name");
        foreach (var loop in all)
        {
            states[loop.Name] = LoopState.Starting;
            ControlPlaneTelemetry.Announce(loop.Name);
            var stop = new CancellationTokenSource();
            running.Add((loop, stop, Task.Run(() => leadership.RunAsync(loop, state => states[loop.Name] = state, stop.Token), CancellationToken.None)));
        }

        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken ct)
    {
        foreach (var (loop, stop, run) in running)
        {
            await stop.CancelAsync();
            try
            {
                await run.WaitAsync(ct);
            }
            catch (OperationCanceledException)
            {
                logger.LogWarning("Control loop {Loop} did not stop in time", loop.Name);
            }
        }
    }

    public void Dispose()
    {
        foreach (var (_, stop, _) in running) stop.Dispose();
    }
}
