using System.Threading.Channels;

namespace Krate.Core.ControlPlane;

/// <summary>
/// Keys that wait for a worker. A key waits at most once; while one worker has it no other gets it, and whatever arrives
/// meanwhile brings it back exactly once. Thread-safe; time comes from the provider alone.
/// </summary>
internal sealed class WorkQueue<TKey> : IDisposable
    where TKey : notnull
{
    private static readonly TimeSpan LongestTimer = TimeSpan.FromDays(1);
    private readonly Lock gate = new();
    private readonly Channel<TKey> ready = Channel.CreateUnbounded<TKey>();
    private readonly HashSet<TKey> waiting = [];
    private readonly HashSet<TKey> working = [];
    private readonly Dictionary<TKey, int> failures = [];
    private readonly Dictionary<TKey, DateTimeOffset> due = [];
    private readonly PriorityQueue<TKey, DateTimeOffset> timetable = new();
    private readonly TimeProvider time;
    private readonly Backoff backoff;
    private readonly ITimer timer;

    public WorkQueue(TimeProvider time, Backoff? backoff = null)
    {
        this.time = time;
        this.backoff = backoff ?? Backoff.Default;
        timer = time.CreateTimer(_ => AddDue(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Keys that a worker could take now.</summary>
    public int Depth
    {
        get { lock (gate) return waiting.Count; }
    }

    /// <summary>Nothing waits for a worker and nobody works; keys may still come back later.</summary>
    public bool IsIdle
    {
        get { lock (gate) return waiting.Count == 0 && working.Count == 0; }
    }

    /// <summary>Asks for a run as soon as a worker is free. Replaces a later appointment.</summary>
    public void Add(TKey key)
    {
        lock (gate)
        {
            due.Remove(key);
            if (waiting.Add(key) && !working.Contains(key)) ready.Writer.TryWrite(key);
        }
    }

    /// <summary>Asks for a run later; the earliest appointment of a key counts, and none when it waits already.</summary>
    public void AddAfter(TKey key, TimeSpan delay)
    {
        if (delay <= TimeSpan.Zero)
        {
            Add(key);
            return;
        }

        lock (gate)
        {
            var at = time.GetUtcNow() + delay;
            if (waiting.Contains(key) || (due.TryGetValue(key, out var sooner) && sooner <= at)) return;
            due[key] = at;
            timetable.Enqueue(key, at);
            Arm();
        }
    }

    /// <summary>Waits for a key. Whoever takes it calls <see cref="Finish"/> or <see cref="Fail"/>.</summary>
    public async ValueTask<TKey> TakeAsync(CancellationToken ct)
    {
        var key = await ready.Reader.ReadAsync(ct);
        lock (gate)
        {
            waiting.Remove(key);
            working.Add(key);
        }

        return key;
    }

    /// <summary>The run went well; <paramref name="after"/> is its wish to come back.</summary>
    public void Finish(TKey key, TimeSpan? after = null)
    {
        lock (gate)
        {
            failures.Remove(key);
            Release(key);
        }

        if (after is { } delay) AddAfter(key, delay);
    }

    /// <summary>The run failed: it comes back after a wait that doubles with each failure in a row.</summary>
    /// <returns>How often in a row, and how long the wait is.</returns>
    public (int Failures, TimeSpan Delay) Fail(TKey key)
    {
        int count;
        lock (gate)
        {
            count = failures[key] = failures.GetValueOrDefault(key) + 1;
            Release(key);
        }

        var delay = backoff.Delay(count);
        AddAfter(key, delay);
        return (count, delay);
    }

    public void Dispose() => timer.Dispose();

    private void Release(TKey key)
    {
        working.Remove(key);
        if (waiting.Contains(key)) ready.Writer.TryWrite(key);
    }

    private void AddDue()
    {
        lock (gate)
        {
            var now = time.GetUtcNow();
            while (timetable.TryPeek(out var key, out var at) && at <= now)
            {
                timetable.Dequeue();
                if (IsCurrent(key, at)) Add(key);
            }

            Arm();
        }
    }

    private void Arm()
    {
        // Appointments that were replaced are still in the timetable; they are dropped when they come to the front.
        while (timetable.TryPeek(out var key, out var at) && !IsCurrent(key, at)) timetable.Dequeue();
        if (!timetable.TryPeek(out _, out var next)) return;
        var wait = next - time.GetUtcNow();
        // A timer takes no more than 49 days; it may come too early, for then it is armed again.
        timer.Change(wait < TimeSpan.Zero ? TimeSpan.Zero : wait > LongestTimer ? LongestTimer : wait, Timeout.InfiniteTimeSpan);
    }

    private bool IsCurrent(TKey key, DateTimeOffset at) => due.TryGetValue(key, out var current) && current == at;
}
