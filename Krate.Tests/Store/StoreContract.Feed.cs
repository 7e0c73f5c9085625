using Krate.Core.Resources;
using Krate.Core.Store;
using Xunit;

namespace Krate.Tests.Store;

public abstract partial class StoreContract
{
    [Fact]
    public async Task A_subscriber_sees_its_changes_in_order_with_both_states()
    {
        await using var feed = Store.Feed.Subscribe(new ChangeFilter([Stack], Ns), null, Ct).GetAsyncEnumerator(Ct);
        var one = await CreateAsync("one");
        await CreateAsync("elsewhere", "krate-org-beta");
        await CommitAsync(new CreateWrite(Issue, Ns, "issue", Document(Issue, "issue")));
        var two = await UpdateAsync(one, b => b.Set("spec.n", 1));
        await CommitAsync(Deleting(two));

        var changes = await TakeAsync(feed, 3);
        Assert.Equal([(1, ChangeType.Added), (4, ChangeType.Modified), (5, ChangeType.Deleted)], changes.Select(c => (c.Version, c.Type)));
        Assert.Null(changes[0].Before);
        Assert.Equal((1, 4), (changes[1].Before!.Version, changes[1].After.Version));
        Assert.Null(changes[1].Before!.Body.At("spec.n"));
        Assert.Equal((4, 5, "1"), (changes[2].Before!.Version, changes[2].After.Version, changes[2].After.Body.At("spec.n")!.ToString()));
        Assert.Equal(5, Store.Feed.Latest);
    }

    [Fact]
    public async Task Subscribers_share_the_resources()
    {
        await using var first = Store.Feed.Subscribe(new ChangeFilter([Stack]), null, Ct).GetAsyncEnumerator(Ct);
        await using var second = Store.Feed.Subscribe(new ChangeFilter([Stack]), null, Ct).GetAsyncEnumerator(Ct);
        var written = await CreateAsync("one");
        Assert.Same(written, (await TakeAsync(first, 1))[0].After);
        Assert.Same(written, (await TakeAsync(second, 1))[0].After);
    }

    [Fact]
    public async Task Observers_have_heard_before_the_commit_returns()
    {
        var heard = new List<long>();
        using (Store.Feed.Observe(c => heard.Add(c.Version)))
        {
            for (var i = 1; i <= 20; i++)
            {
                await CreateAsync($"r{i}");
                Assert.Equal(i, heard.Count);
            }
        }

        await CreateAsync("after");
        Assert.Equal(20, heard.Count);
    }

    [Theory]
    [InlineData(4096)]
    [InlineData(8)]
    public async Task A_subscriber_that_is_cut_and_resumes_sees_each_change_once_in_order(int remembered)
    {
        // With little memory most resumes go through the log, while writers go on.
        var store = await ReopenAsync(Options with { RecentChanges = remembered });
        const int Writers = 4, Each = 60;
        var writing = Task.WhenAll(Enumerable.Range(0, Writers).Select(async w =>
        {
            var random = new Random(w);
            var live = new Dictionary<string, Resource>();
            for (var i = 0; i < Each; i++) await WriteSomethingAsync(random, $"ns{w}", live);
        }));
        var seen = await ReadWithCutsAsync(_ => store, new Random(remembered), Writers * Each);
        await writing;

        Assert.Equal(Enumerable.Range(1, Writers * Each).Select(v => (long)v), seen.Select(c => c.Version));
        AssertStatesFollow(seen);
    }

    [Fact]
    public async Task A_resume_from_before_the_compaction_is_410()
    {
        var store = await ReopenAsync(Options with { RecentChanges = 2, ChangesKept = 5, ChangeRetention = TimeSpan.FromHours(1) });
        for (var i = 0; i < 12; i++) await CreateAsync($"r{i}");
        await store.CompactAsync(Ct);
        Assert.Equal(1, (await FirstFromAsync(store, 0)).Version);

        Time.Advance(TimeSpan.FromHours(1.1));
        await store.CompactAsync(Ct);
        Assert.Equal(410, (await RefusedAsync(() => FirstFromAsync(store, 6))).Code);
        Assert.Equal(8, (await FirstFromAsync(store, 7)).Version);
        Assert.Equal(12, (await store.ListAsync(new ListQuery(Stack, Ns), Ct)).Items.Count);
        Assert.Equal(13, (await CreateAsync("next")).Version);
    }

    [Fact]
    public async Task A_subscriber_that_does_not_read_is_dropped_and_the_others_are_not()
    {
        var store = await ReopenAsync(Options with { SubscriberBuffer = 10 });
        await using var slow = store.Feed.Subscribe(new ChangeFilter([Stack]), null, Ct).GetAsyncEnumerator(Ct);
        await using var other = store.Feed.Subscribe(new ChangeFilter([Issue]), null, Ct).GetAsyncEnumerator(Ct);
        for (var i = 0; i < 30; i++) await CreateAsync($"r{i}");
        Assert.Equal(1, store.Subscribers);

        var got = new List<Change>();
        var error = await Assert.ThrowsAsync<ApiException>(async () =>
        {
            while (await slow.MoveNextAsync()) got.AddRange(slow.Current.Changes);
        });
        Assert.Equal("Expired", error.Reason);
        Assert.Equal(Enumerable.Range(1, got.Count).Select(v => (long)v), got.Select(c => c.Version));
        await CommitAsync(new CreateWrite(Issue, Ns, "issue", Document(Issue, "issue")));
        Assert.Single(await TakeAsync(other, 1));
    }

    [Fact]
    public async Task A_quiet_subscriber_hears_how_far_the_log_is_once_a_minute_without_sql()
    {
        await using var feed = Store.Feed.Subscribe(new ChangeFilter([Issue]), null, Ct).GetAsyncEnumerator(Ct);
        await CreateAsync("one");
        var statements = Store.CommandCount;
        Time.Advance(TimeSpan.FromMinutes(1));
        Time.Advance(TimeSpan.FromMinutes(1));
        Assert.True(await feed.MoveNextAsync());
        Assert.Empty(feed.Current.Changes);
        Assert.Equal(1, feed.Current.Version);
        Assert.Equal(statements, Store.CommandCount);
    }

    [Fact]
    public async Task A_write_costs_the_same_statements_with_1_50_and_200_watchers()
    {
        for (var i = 0; i < 5; i++) await CreateAsync($"warm{i}");
        var costs = new List<long>();
        foreach (var watchers in new[] { 1, 50, 200 })
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
            var feeds = Enumerable.Range(0, watchers).Select(_ => Store.Feed.Subscribe(new ChangeFilter([Stack]), null, stop.Token).GetAsyncEnumerator(stop.Token)).ToList();
            var before = Store.CommandCount;
            for (var i = 0; i < 5; i++) await CreateAsync($"w{watchers}-{i}");
            foreach (var feed in feeds) Assert.Equal(5, (await TakeAsync(feed, 5)).Count);
            costs.Add(Store.CommandCount - before);
            foreach (var feed in feeds) await feed.DisposeAsync();
        }

        Assert.Single(costs.Distinct());
        Assert.Equal(0, Store.Subscribers);
    }

    [Fact]
    public async Task A_cancelled_subscription_ends_with_the_exception()
    {
        for (var i = 0; i < 50; i++)
        {
            using var cancel = new CancellationTokenSource();
            await using var feed = Store.Feed.Subscribe(new ChangeFilter([Stack]), null, cancel.Token).GetAsyncEnumerator(i % 2 == 0 ? cancel.Token : Ct);
            var next = feed.MoveNextAsync();
            await cancel.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => next.AsTask());
        }

        Assert.Equal(0, Store.Subscribers);
    }

    [Fact]
    public async Task Cancelling_a_subscription_that_was_never_read_frees_it()
    {
        using var cancel = new CancellationTokenSource();
        _ = Store.Feed.Subscribe(new ChangeFilter([Stack]), null, cancel.Token);
        Assert.Equal(1, Store.Subscribers);
        await cancel.CancelAsync();
        Assert.Equal(0, Store.Subscribers);
    }

    /// <summary>Subscribes, reads a little, leaves, and goes on from there, until <paramref name="count"/> changes are seen.</summary>
    protected static async Task<List<Change>> ReadWithCutsAsync(Func<int, IResourceStore> storeOf, Random random, int count)
    {
        var seen = new List<Change>();
        for (var cut = 0; seen.Count < count; cut++)
        {
            var few = seen.Count + random.Next(1, Math.Max(2, count / 40));
            await foreach (var batch in storeOf(cut).Feed.Subscribe(new ChangeFilter([Stack]), seen.Count == 0 ? 0 : seen[^1].Version, Ct))
            {
                seen.AddRange(batch.Changes);
                if (seen.Count >= few || seen.Count >= count) break;
            }
        }

        return seen;
    }

    /// <summary>Every change begins where the one before it, of the same resource, ended.</summary>
    protected static void AssertStatesFollow(IEnumerable<Change> changes)
    {
        foreach (var history in changes.GroupBy(c => c.After.Key))
        {
            Resource? last = null;
            foreach (var change in history)
            {
                Assert.Equal(last?.Version, change.Before?.Version);
                Assert.Equal(change.Type == ChangeType.Added, change.Before is null);
                last = change.Type == ChangeType.Deleted ? null : change.After;
            }
        }
    }

    private static async Task<Change> FirstFromAsync(RelationalStore store, long from)
    {
        await using var feed = store.Feed.Subscribe(new ChangeFilter([Stack]), from, Ct).GetAsyncEnumerator(Ct);
        return (await TakeAsync(feed, 1))[0];
    }
}
