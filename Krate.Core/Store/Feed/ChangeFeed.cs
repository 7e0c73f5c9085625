using Krate.Core.Resources;
using Krate.Core.Store.Sql;
using Microsoft.Extensions.Logging;

namespace Krate.Core.Store.Feed;

/// <summary>
/// The change log as this process shows it. One reader fills it: commits of this process are taken from memory when they
/// follow on what was published; a gap (another process wrote) is read from the log. Subscribers share the resources.
/// </summary>
internal sealed class ChangeFeed : IChangeFeed, IDisposable
{
    private readonly Lock gate = new();
    private readonly SemaphoreSlim turn = new(1, 1);
    private readonly List<Subscription> subscribers = [];
    private readonly List<Action<Change>> observers = [];
    private readonly RecentChanges recent;
    private readonly ChangeLog log;
    private readonly StoreOptions options;
    private readonly ILogger logger;
    private readonly ITimer bookmarks;
    private long latest;

    public ChangeFeed(ChangeLog log, StoreOptions options, TimeProvider time, ILogger logger)
    {
        this.log = log;
        this.options = options;
        this.logger = logger;
        recent = new RecentChanges(options.RecentChanges, options.RecentBytes);
        bookmarks = time.CreateTimer(_ => Tick(), null, options.BookmarkInterval, options.BookmarkInterval);
    }

    public long Latest => Volatile.Read(ref latest);

    /// <summary>Not null when changes of another process were compacted before this one had read them: its indexes are wrong for good.</summary>
    public string? Lost { get; private set; }

    public int SubscriberCount
    {
        get
        {
            lock (gate) return subscribers.Count;
        }
    }

    public async Task StartAsync(CancellationToken ct)
    {
        var head = await log.HeadAsync(ct);
        lock (gate)
        {
            recent.StartAt(head);
            Volatile.Write(ref latest, head);
        }
    }

    public IAsyncEnumerable<ChangeBatch> Subscribe(ChangeFilter filter, long? fromVersion, CancellationToken ct)
    {
        lock (gate)
        {
            var from = fromVersion ?? latest;
            var subscription = new Subscription(this, log, filter, from, options.SubscriberBuffer, ct);
            subscription.Start = (latest, from >= recent.From ? recent.After(from, filter) : null);
            if (!ct.IsCancellationRequested) subscribers.Add(subscription);
            return subscription;
        }
    }

    public IDisposable Observe(Action<Change> observer)
    {
        lock (gate) observers.Add(observer);
        return new Observation(this, observer);
    }

    /// <summary>Publishes durable changes of this process; first whatever other processes committed before them.</summary>
    public async Task PublishAsync(IReadOnlyList<Change> changes)
    {
        await turn.WaitAsync();
        try
        {
            var first = changes[0].Version;
            if (first > latest + 1) await ReadAsync(first - 1, CancellationToken.None);
            Publish([.. changes.Where(c => c.Version > latest).Select(c => new LogEntry(c.Version, c))]);
        }
        finally
        {
            turn.Release();
        }
    }

    /// <summary>Publishes what the log has and the feed has not.</summary>
    public async Task CatchUpAsync(CancellationToken ct)
    {
        await turn.WaitAsync(ct);
        try
        {
            await ReadAsync(long.MaxValue, ct);
        }
        finally
        {
            turn.Release();
        }
    }

    public void Remove(Subscription subscription)
    {
        lock (gate) subscribers.Remove(subscription);
    }

    public void Dispose()
    {
        bookmarks.Dispose();
        lock (gate)
        {
            foreach (var subscriber in subscribers) subscriber.Break(ApiException.Unavailable("the store is closing"));
            subscribers.Clear();
        }

        turn.Dispose();
    }

    private async Task ReadAsync(long upTo, CancellationToken ct)
    {
        while (latest < upTo)
        {
            var entries = await log.ReadAsync(latest, ct);
            if (entries.Count == 0) return;
            if (entries[0].Version != latest + 1) Lose(latest, entries[0].Version);
            Publish(entries);
            if (entries.Count < ChangeLog.PageSize) return;
        }
    }

    private void Publish(List<LogEntry> entries)
    {
        if (entries.Count == 0) return;
        lock (gate)
        {
            List<Change> changes = [.. entries.Select(e => e.Change).OfType<Change>()];
            foreach (var entry in entries) recent.Add(entry);
            foreach (var change in changes) Tell(change);
            Volatile.Write(ref latest, entries[^1].Version);
            subscribers.RemoveAll(s => !s.Offer(changes));
        }
    }

    private void Tell(Change change)
    {
        foreach (var observer in observers)
        {
            try
            {
                observer(change);
            }
            catch (Exception e)
            {
                logger.LogError(e, "An observer of the change feed failed at version {Version}", change.Version);
            }
        }
    }

    private void Lose(long had, long next)
    {
        Lost = $"changes {had + 1} to {next - 1} were compacted before this process had read them; restart it";
        logger.LogCritical("The change feed has a gap: {Lost}", Lost);
        lock (gate)
        {
            foreach (var subscriber in subscribers) subscriber.Break(ApiException.Expired());
            subscribers.Clear();
            recent.StartAt(next - 1);
        }
    }

    private void Tick()
    {
        lock (gate)
        {
            foreach (var subscriber in subscribers) subscriber.Tick(latest);
        }
    }

    private sealed class Observation(ChangeFeed feed, Action<Change> observer) : IDisposable
    {
        public void Dispose()
        {
            lock (feed.gate) feed.observers.Remove(observer);
        }
    }
}
