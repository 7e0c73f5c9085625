using System.Collections.Concurrent;
using Krate.Core.Gateway;
using Krate.Core.Resources;
using Microsoft.Extensions.Logging;

namespace Krate.Core.Kinds.Dispatch;

/// <summary>
/// The attempts whose agents run in this process: a run that says that it runs and is not here has nothing behind it. Thread-safe.
/// </summary>
internal sealed class AttemptHost(AttemptRunner runner, ILogger<AttemptHost> logger)
{
    private readonly ConcurrentDictionary<string, Running> running = new(StringComparer.Ordinal);
    private readonly Lock starting = new();

    /// <summary>Runs whose agents are at work here.</summary>
    public IReadOnlyList<Resource> Active => [.. running.Values.Select(r => r.Run)];

    public bool Has(Resource run) => running.ContainsKey(run.Uid);

    /// <summary>Starts a run if the queue lets it, which sees what is started here at the same moment.</summary>
    /// <param name="mayStart">Of the runs that are under way.</param>
    /// <param name="life">Ends all with this process, or with its turn as the one that works.</param>
    public bool TryStart(Resource run, Resource attempt, Actor krate, Func<IReadOnlyList<Resource>, bool> mayStart, CancellationToken life)
    {
        lock (starting)
        {
            if (Has(run)) return true;
            if (!mayStart(Active)) return false;
            var one = new Running(run, CancellationTokenSource.CreateLinkedTokenSource(life));
            running[run.Uid] = one;
            one.Work = Task.Run(() => WorkAsync(one, attempt, krate, life), CancellationToken.None);
            return true;
        }
    }

    /// <summary>Asks a run to end; it says itself when it has.</summary>
    public void Cancel(string uid)
    {
        if (running.TryGetValue(uid, out var one)) one.Signals.Cancel();
    }

    /// <summary>Tells a run of decisions about what it asked for.</summary>
    public void Decided(Resource run, IReadOnlyList<Resource> approvals)
    {
        if (running.TryGetValue(run.Uid, out var one)) one.Signals.Decide(approvals);
    }

    private async Task WorkAsync(Running one, Resource attempt, Actor krate, CancellationToken life)
    {
        try
        {
            await runner.RunAsync(one.Run, attempt, krate, one.Signals, one.End.Token);
        }
        catch (Exception e)
        {
            // Stopped with this process, or it could not even write down how it ended: whoever looks next finds nothing behind it.
            if (!life.IsCancellationRequested) logger.LogWarning(e, "Run {Run} ended without a word", one.Run.Name);
        }
        finally
        {
            running.TryRemove(one.Run.Uid, out _);
            one.End.Dispose();
        }
    }

    private sealed class Running(Resource run, CancellationTokenSource end)
    {
        public Resource Run { get; } = run;

        public CancellationTokenSource End { get; } = end;

        public AttemptSignals Signals { get; } = new();

        public Task Work { get; set; } = Task.CompletedTask;
    }
}

/// <summary>What comes to an attempt from outside while its agent works. Thread-safe.</summary>
internal sealed class AttemptSignals
{
    private readonly TaskCompletionSource cancelled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ConcurrentDictionary<string, TaskCompletionSource<Resource>> asked = new(StringComparer.Ordinal);

    /// <summary>Ends when a person wants the attempt ended.</summary>
    public Task Cancelled => cancelled.Task;

    public void Cancel() => cancelled.TrySetResult();

    /// <summary>The approval once it is decided.</summary>
    public Task<Resource> DecisionAsync(string approval) => asked.GetOrAdd(approval, _ => new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    public void Decide(IEnumerable<Resource> approvals)
    {
        foreach (var approval in approvals.Where(a => a.Body.Text("status.phase") is { } phase && phase != "pending"))
            if (asked.TryGetValue(approval.Name, out var waiting)) waiting.TrySetResult(approval);
    }
}
