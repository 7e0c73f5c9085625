using System.Collections.Concurrent;

namespace Krate.Core.Gateway;

/// <summary>
/// When the rights of a subject last changed, as a number that only grows. An actor's epoch is the newest of its user and
/// groups, so that a change of somebody else's binding moves nobody else's. Thread-safe.
/// </summary>
internal sealed class RbacEpochs
{
    private readonly ConcurrentDictionary<SubjectKey, long> stamps = new();
    private readonly Lock gate = new();
    private long latest;
    private TaskCompletionSource pulse = NewPulse();

    public long Of(Actor actor)
    {
        var newest = stamps.GetValueOrDefault(SubjectKey.User(actor.User));
        foreach (var group in actor.Groups) newest = Math.Max(newest, stamps.GetValueOrDefault(SubjectKey.Group(group)));
        return newest;
    }

    /// <summary>Called after the index has changed, so that whoever sees the new epoch sees the new rights.</summary>
    public void Touch(IReadOnlyCollection<SubjectKey> subjects)
    {
        if (subjects.Count == 0) return;
        TaskCompletionSource done;
        lock (gate)
        {
            latest++;
            foreach (var subject in subjects) stamps[subject] = latest;
            done = pulse;
            pulse = NewPulse();
        }

        done.SetResult();
    }

    public async Task WaitAsync(Actor actor, long epoch, CancellationToken ct)
    {
        while (true)
        {
            Task next;
            lock (gate) next = pulse.Task;
            if (Of(actor) > epoch) return;
            await next.WaitAsync(ct).ConfigureAwait(false);
        }
    }

    private static TaskCompletionSource NewPulse() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
