using System.Threading.Channels;
using Krate.Core.Resources;
using Krate.Core.Store.Feed;
using Krate.Core.Store.Sql;
using Microsoft.Extensions.Logging;

namespace Krate.Core.Store.Commits;

/// <summary>
/// Group commit: commits queue, one writer takes all that wait into one transaction, publishes the changes, then answers.
/// While a transaction waits for the disk the next group gathers, so load makes groups larger instead of slower.
/// </summary>
internal sealed class CommitQueue : IAsyncDisposable
{
    private const int MaxRetries = 8;
    private readonly Channel<PreparedCommit> waiting = Channel.CreateUnbounded<PreparedCommit>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Database database;
    private readonly ChangeFeed feed;
    private readonly AuditLog audit;
    private readonly StoreMetrics metrics;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly int groupSize;
    private readonly Task writer;

    public CommitQueue(Database database, ChangeFeed feed, AuditLog audit, StoreMetrics metrics, StoreOptions options, TimeProvider time, ILogger logger)
    {
        this.database = database;
        this.feed = feed;
        this.audit = audit;
        this.metrics = metrics;
        this.time = time;
        this.logger = logger;
        groupSize = options.GroupSize;
        writer = Task.Run(WriteAllAsync);
    }

    public async Task<IReadOnlyList<Resource>> CommitAsync(Commit commit, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        var prepared = new PreparedCommit(commit, time.GetUtcNow());
        if (!waiting.Writer.TryWrite(prepared)) throw ApiException.Unavailable("the store is closing");

        // Cancelling counts only while it waits; once in a group the caller hears the truth.
        await using var cancel = ct.UnsafeRegister(static (s, token) => ((PreparedCommit)s!).TryCancel(token), prepared);
        var start = time.GetTimestamp();
        var written = await prepared.Done;
        metrics.Committed(time.GetElapsedTime(start));
        return written;
    }

    public async ValueTask DisposeAsync()
    {
        waiting.Writer.TryComplete();
        await writer;
    }

    private async Task WriteAllAsync()
    {
        var group = new List<PreparedCommit>(groupSize);
        while (await waiting.Reader.WaitToReadAsync())
        {
            group.Clear();
            while (group.Count < groupSize && waiting.Reader.TryRead(out var next))
                if (next.TryTake()) group.Add(next);
            if (group.Count == 0) continue;
            metrics.Grouped(group.Count);
            await WriteAsync(group);
        }
    }

    /// <summary>Sees a group to its end: every commit in it is answered, whatever happens.</summary>
    private async Task WriteAsync(List<PreparedCommit> group)
    {
        try
        {
            await TryAsync(group);
        }
        catch (Exception e) when (e is GroupRefusedException or GroupRetryException && group.Count > 1)
        {
            foreach (var commit in group) await WriteAsync([commit]);
        }
        catch (GroupRefusedException e)
        {
            logger.LogWarning(e.InnerException, "The database refuses a commit");
            group[0].Fail(ApiException.BadRequest($"the database refuses the document: {e.Message}"));
        }
        catch (GroupRetryException e)
        {
            group[0].Fail(ApiException.Unavailable($"other writers came between {MaxRetries} times: {e.Message}"));
        }
        catch (Exception e)
        {
            if (e is not ApiException) logger.LogError(e, "A group commit failed");
            foreach (var commit in group) commit.Fail(e is ApiException ? e : ApiException.Unavailable($"the store failed: {e.Message}"));
            await RecoverAsync();
        }
    }

    private async Task TryAsync(List<PreparedCommit> group)
    {
        for (var attempt = 1; ; attempt++)
        {
            var plan = new GroupPlan(group, time.GetUtcNow().ToUnixTimeMilliseconds());
            try
            {
                await database.WriteAsync(plan);
            }
            catch (GroupRetryException) when (attempt < MaxRetries)
            {
                continue;
            }

            if (plan.Changes.Count > 0) await feed.PublishAsync(plan.Published());
            if (plan.Audit.Count > 0) audit.Appended();
            plan.Answer();
            return;
        }
    }

    /// <summary>A commit whose outcome is unknown may be in the log: show what is there. When the database is away, the next commit or notification does it.</summary>
    private async Task RecoverAsync()
    {
        try
        {
            await feed.CatchUpAsync(CancellationToken.None);
        }
        catch (Exception e)
        {
            // The queue lives on, whatever this was.
            logger.LogWarning(e, "The change log cannot be read yet");
        }
    }
}
