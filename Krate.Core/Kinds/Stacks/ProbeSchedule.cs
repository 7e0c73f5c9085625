using System.Collections.Concurrent;
using Krate.Core.ControlPlane;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Stacks;

/// <summary>
/// When something outside is asked again: each hour while it answers, after a minute and then later and later while it does not, at once when what is asked
/// has changed. In memory, so that asking writes nothing: after a start all are asked. Thread-safe.
/// </summary>
internal sealed class ProbeSchedule(TimeProvider time)
{
    private static readonly TimeSpan WhileGood = TimeSpan.FromHours(1);
    private static readonly Backoff WhileBad = new(TimeSpan.FromMinutes(1), TimeSpan.FromHours(1), Jitter: 0.1);
    private readonly ConcurrentDictionary<ResourceKey, Planned> plans = new();

    /// <param name="of">All that the answer depends on.</param>
    /// <returns>How long it is until then; null when it is to be asked now.</returns>
    public TimeSpan? Until(ResourceKey key, string of) =>
        plans.TryGetValue(key, out var plan) && plan.Of == of && plan.At - time.GetUtcNow() is var wait && wait > TimeSpan.Zero ? wait : null;

    /// <summary>It has been asked.</summary>
    /// <returns>How long it is until the next time.</returns>
    public TimeSpan Next(ResourceKey key, string of, bool isGood)
    {
        var failures = isGood ? 0 : plans.TryGetValue(key, out var plan) && plan.Of == of ? plan.Failures + 1 : 1;
        var wait = isGood ? WhileGood : WhileBad.Delay(failures);
        plans[key] = new(of, time.GetUtcNow() + wait, failures);
        return wait;
    }

    public void Forget(ResourceKey key) => plans.TryRemove(key, out _);

    private sealed record Planned(string Of, DateTimeOffset At, int Failures);
}
