using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Krate.Core.Resources;

namespace Krate.Core.Store.Feed;

/// <summary>
/// One subscriber: what memory held when it came, then a bounded queue that the feed fills. A reader that lets the queue
/// overflow loses its subscription, not the feed's memory.
/// </summary>
internal sealed class Subscription : IAsyncEnumerable<ChangeBatch>
{
    private const int LargestBatch = 500;
    private readonly Channel<ChangeBatch> queue;
    private readonly ChangeFeed feed;
    private readonly ChangeLog log;
    private readonly ChangeFilter filter;
    private readonly CancellationToken ct;
    private readonly CancellationTokenRegistration registration;
    private readonly long from;
    private int backlog;
    private bool idle;
    private volatile bool bookmarkWaits;

    public Subscription(ChangeFeed feed, ChangeLog log, ChangeFilter filter, long from, int buffer, CancellationToken ct)
    {
        this.feed = feed;
        this.log = log;
        this.filter = filter;
        this.from = from;
        this.ct = ct;
        Buffer = buffer;
        queue = Channel.CreateUnbounded<ChangeBatch>(new UnboundedChannelOptions { SingleReader = true });
        registration = ct.UnsafeRegister(static s => ((Subscription)s!).Leave(), this);
    }

    private int Buffer { get; }

    /// <summary>Set by the feed, under its lock, when it attaches: what the queue begins after, and whether memory has everything before it.</summary>
    public (long AttachedAt, IReadOnlyList<Change>? Recent) Start { get; set; }

    /// <summary>Called by the feed, in order, under its lock.</summary>
    /// <returns>False when the subscriber fell too far behind.</returns>
    public bool Offer(IReadOnlyList<Change> changes)
    {
        List<Change>? mine = null;
        foreach (var change in changes)
            if (change.Version > from && filter.Admits(change)) (mine ??= []).Add(change);
        if (mine is null) return true;
        idle = false;
        if (Interlocked.Add(ref backlog, mine.Count) > Buffer)
        {
            queue.Writer.TryComplete(ApiException.Expired("the watch fell too far behind; list again"));
            return false;
        }

        queue.Writer.TryWrite(new ChangeBatch(mine, mine[^1].Version));
        return true;
    }

    /// <summary>Called by the feed about once a minute: a bookmark for who heard nothing since the last call.</summary>
    public void Tick(long latest)
    {
        if (idle && !bookmarkWaits && latest >= from)
        {
            bookmarkWaits = true;
            queue.Writer.TryWrite(new ChangeBatch([], latest));
        }

        idle = true;
    }

    /// <summary>Ends the subscription with an error.</summary>
    public void Break(Exception why) => queue.Writer.TryComplete(why);

    public IAsyncEnumerator<ChangeBatch> GetAsyncEnumerator(CancellationToken cancellationToken = default) =>
        ReadAsync(cancellationToken).GetAsyncEnumerator(cancellationToken);

    private async IAsyncEnumerable<ChangeBatch> ReadAsync([EnumeratorCancellation] CancellationToken enumeratorToken)
    {
        using var both = CancellationTokenSource.CreateLinkedTokenSource(ct, enumeratorToken);
        try
        {
            if (Start.Recent is { } recent)
            {
                if (recent.Count > 0) yield return new ChangeBatch(recent, recent[^1].Version);
            }
            else
            {
                await foreach (var batch in ReadLogAsync(both.Token)) yield return batch;
            }

            while (await queue.Reader.WaitToReadAsync(both.Token))
            {
                while (queue.Reader.TryRead(out var batch))
                {
                    Interlocked.Add(ref backlog, -batch.Changes.Count);
                    if (batch.Changes.Count == 0) bookmarkWaits = false;
                    yield return batch.Changes.Count is 0 or >= LargestBatch ? batch : Gather(batch);
                }
            }

            // Whichever heard of it first: a cancelled subscription ends with the exception, never as if the log had ended.
            ct.ThrowIfCancellationRequested();
            enumeratorToken.ThrowIfCancellationRequested();
        }
        finally
        {
            Leave();
        }
    }

    /// <summary>What is older than memory, in pages, up to where the queue begins.</summary>
    private async IAsyncEnumerable<ChangeBatch> ReadLogAsync([EnumeratorCancellation] CancellationToken token)
    {
        for (var at = from; at < Start.AttachedAt;)
        {
            var (entries, compacted) = await log.ReadAsync(filter, at, Start.AttachedAt, token);
            if (at < compacted) throw ApiException.Expired();
            var changes = entries.Select(e => e.Change).OfType<Change>().ToList();
            if (changes.Count > 0) yield return new ChangeBatch(changes, changes[^1].Version);
            if (entries.Count < ChangeLog.PageSize) yield break;
            at = entries[^1].Version;
        }
    }

    private ChangeBatch Gather(ChangeBatch first)
    {
        List<Change>? all = null;
        while (queue.Reader.TryPeek(out var next) && next.Changes.Count > 0 && (all?.Count ?? 0) < LargestBatch && queue.Reader.TryRead(out next))
        {
            Interlocked.Add(ref backlog, -next.Changes.Count);
            (all ??= [.. first.Changes]).AddRange(next.Changes);
        }

        return all is null ? first : new ChangeBatch(all, all[^1].Version);
    }

    private void Leave()
    {
        registration.Unregister();
        feed.Remove(this);
        queue.Writer.TryComplete();
    }
}
