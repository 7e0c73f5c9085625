using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Krate.Core.ControlPlane;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Krate.Tests.ControlPlane;

public sealed class WorkQueueTests : IDisposable
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private readonly FakeTimeProvider time = new();
    private readonly WorkQueue<string> queue;

    public WorkQueueTests() => queue = new(time, new Backoff(Second, 8 * Second) { Chance = () => 0 });

    public void Dispose() => queue.Dispose();

    [Fact]
    public async Task A_key_that_is_added_often_is_handed_out_once()
    {
        queue.Add("a");
        queue.Add("a");
        Assert.Equal("a", await TakeAsync());
        queue.Finish("a");
        Assert.True(queue.IsIdle);
    }

    [Fact]
    public async Task What_arrives_during_the_work_brings_the_key_back_exactly_once_and_to_nobody_else_before()
    {
        queue.Add("a");
        await TakeAsync();
        queue.Add("a");
        queue.Add("a");
        Assert.False(CanTake(out _));
        queue.Finish("a");
        Assert.Equal("a", await TakeAsync());
        queue.Finish("a");
        Assert.True(queue.IsIdle);
    }

    [Fact]
    public async Task Failures_wait_twice_as_long_each_time_up_to_the_bound_and_a_success_forgets_them()
    {
        var waits = new List<double>();
        queue.Add("a");
        for (var i = 0; i < 6; i++)
        {
            await TakeAsync();
            var (failures, delay) = queue.Fail("a");
            Assert.Equal(i + 1, failures);
            waits.Add(delay.TotalSeconds);
            time.Advance(delay - TimeSpan.FromTicks(1));
            Assert.False(CanTake(out _));
            time.Advance(TimeSpan.FromTicks(1));
        }

        Assert.Equal([1, 2, 4, 8, 8, 8], waits);
        await TakeAsync();
        queue.Finish("a");
        queue.Add("a");
        await TakeAsync();
        Assert.Equal((1, Second), queue.Fail("a"));
    }

    [Fact]
    public async Task A_change_does_not_wait_for_the_end_of_the_back_off()
    {
        queue.Add("a");
        await TakeAsync();
        queue.Fail("a");
        queue.Add("a");
        Assert.Equal("a", await TakeAsync());
        queue.Finish("a");
        time.Advance(8 * Second);
        Assert.True(queue.IsIdle);
    }

    [Fact]
    public async Task Of_several_appointments_the_earliest_counts()
    {
        queue.AddAfter("a", 5 * Second);
        queue.AddAfter("a", 2 * Second);
        queue.AddAfter("a", 9 * Second);
        time.Advance(2 * Second);
        Assert.Equal("a", await TakeAsync());
        queue.Finish("a");
        time.Advance(9 * Second);
        Assert.True(queue.IsIdle);
    }

    [Fact]
    public async Task A_finished_key_comes_back_after_the_wish_of_its_run()
    {
        queue.Add("a");
        await TakeAsync();
        queue.Finish("a", 3 * Second);
        time.Advance(2 * Second);
        Assert.False(CanTake(out _));
        time.Advance(Second);
        Assert.Equal("a", await TakeAsync());
    }

    [Fact]
    public void Jitter_spreads_the_wait_and_never_lengthens_it()
    {
        var backoff = new Backoff(Second, 8 * Second, 0.3);
        foreach (var failures in Enumerable.Range(1, 100))
        {
            var wait = backoff.Delay(failures).TotalSeconds;
            Assert.InRange(wait, Math.Min(8, Math.Pow(2, Math.Min(failures - 1, 3))) * 0.7, 8);
        }
    }

    /// <summary>Against a model: whatever happens in whatever order, a key is with one worker at most, and nothing that was asked for is forgotten.</summary>
    [Property(MaxTest = 500)]
    public bool Whatever_happens_no_key_is_lost_or_worked_on_twice(byte[] steps)
    {
        var clock = new FakeTimeProvider();
        using var tested = new WorkQueue<int>(clock, new Backoff(Second, 4 * Second) { Chance = () => 0 });
        var owed = new HashSet<int>();
        var taken = new HashSet<int>();
        foreach (var step in steps)
        {
            var key = step & 3;
            switch (step >> 2 & 7)
            {
                case 0 or 1:
                    tested.Add(key);
                    owed.Add(key);
                    break;
                case 2:
                    tested.AddAfter(key, (step >> 5) * Second);
                    owed.Add(key);
                    break;
                case 3 or 4:
                    if (Take(tested, out var got))
                    {
                        if (!taken.Add(got) || !owed.Remove(got)) return false;
                    }

                    break;
                case 5:
                    if (taken.Remove(key)) tested.Finish(key);
                    break;
                case 6:
                    if (taken.Remove(key))
                    {
                        tested.Fail(key);
                        owed.Add(key);
                    }

                    break;
                default:
                    clock.Advance(Second);
                    break;
            }
        }

        foreach (var key in taken) tested.Finish(key);
        clock.Advance(TimeSpan.FromMinutes(1));
        while (Take(tested, out var got))
        {
            if (!owed.Remove(got)) return false;
            tested.Finish(got);
        }

        return owed.Count == 0 && tested.IsIdle;
    }

    [Fact]
    public async Task Workers_never_share_a_key_and_never_exceed_their_number()
    {
        using var many = new WorkQueue<int>(TimeProvider.System);
        var busy = new System.Collections.Concurrent.ConcurrentDictionary<int, byte>();
        var (most, done) = (0, 0);
        var all = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var workers = new Workers<int>("test", many, async (key, _, _) =>
        {
            Assert.True(busy.TryAdd(key, 0));
            InterlockedMax(ref most, busy.Count);
            await Task.Yield();
            busy.TryRemove(key, out _);
            if (Interlocked.Increment(ref done) >= 200) all.TrySetResult();
            return null;
        }, TimeProvider.System, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var run = workers.RunAsync(4, stop.Token);
        for (var i = 0; i < 2000; i++)
        {
            many.Add(i % 100);
            if (i % 7 == 0) await Task.Yield();
        }

        for (var i = 0; i < 200; i++) many.Add(1000 + i);
        await all.Task.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run);
        Assert.InRange(most, 1, 4);
    }

    private static void InterlockedMax(ref int most, int value)
    {
        int seen;
        while ((seen = Volatile.Read(ref most)) < value) Interlocked.CompareExchange(ref most, value, seen);
    }

    private async Task<string> TakeAsync() => await queue.TakeAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);

    private bool CanTake(out string key) => Take(queue, out key!);

    /// <summary>Takes what can be taken at once.</summary>
    private static bool Take<T>(WorkQueue<T> from, out T? key)
        where T : notnull
    {
        using var no = new CancellationTokenSource();
        var attempt = from.TakeAsync(no.Token);
        if (attempt.IsCompletedSuccessfully)
        {
            key = attempt.GetAwaiter().GetResult();
            return true;
        }

        no.Cancel();
        key = default;
        return false;
    }
}
