using Krate.Core.Gateway;
using Krate.Core.Resources;

namespace Krate.Web.Live;

public enum LiveState
{
    Loading,

    /// <summary>Items are what the store holds, and follow it.</summary>
    Live,

    /// <summary>The store does not answer; items are the last that were seen.</summary>
    Stale,

    /// <summary>The gateway refuses; nothing is shown any more.</summary>
    Refused,
}

/// <summary>
/// A snapshot and the watch that keeps it true, through the gateway and as the person who looks. Starts anew when the watch
/// has expired, and ends when the person may not look any more. All of it runs on the renderer's dispatcher: no locks, no
/// timers, no polling.
/// </summary>
public sealed class LiveQuery(IResourceGateway gateway, Func<CancellationToken, ValueTask<Actor>> actor, LiveSource source, TimeProvider time, ILogger log) : IAsyncDisposable
{
    private static readonly Comparer<string> Falling = Comparer<string>.Create((a, b) => string.CompareOrdinal(b, a));
    private readonly CancellationTokenSource gone = new();
    private readonly SortedDictionary<string, LiveRow> rows = new(source.Kind.ReadOnly || source.Newest is not null ? Falling : StringComparer.Ordinal);
    private Task loop = Task.CompletedTask;
    private Action changed = () => { };

    public LiveSource Source { get; } = source;

    public LiveState State { get; private set; } = LiveState.Loading;

    /// <summary>The refusal when <see cref="State"/> is <see cref="LiveState.Refused"/> or <see cref="LiveState.Stale"/>.</summary>
    public ApiException? Problem { get; private set; }

    /// <summary>The identity that was refused.</summary>
    public Actor? RefusedTo { get; private set; }

    public LiveSnapshot? Snapshot { get; private set; }

    /// <summary>In order of namespace and name; newest first by number, and of records whose names grow with time.</summary>
    public IEnumerable<LiveRow> Rows => rows.Values;

    public int Count => rows.Count;

    /// <summary>The only row of a query for one resource.</summary>
    public Resource? First => rows.Values.FirstOrDefault()?.Resource;

    /// <summary>The last state of what was deleted while it was looked at.</summary>
    public Resource? LastDeleted { get; private set; }

    /// <summary>What changed since the page was opened, for the polite live region: "claude-code-ci-repair was added".</summary>
    public string Announcement { get; private set; } = "";

    /// <summary>Takes a snapshot that prerendering made.</summary>
    public void Show(LiveSnapshot snapshot)
    {
        rows.Clear();
        foreach (var item in snapshot.Items) rows[Source.KeyOf(item)] = new LiveRow(item, 0);
        Snapshot = snapshot;
        State = LiveState.Live;
        Problem = null;
    }

    /// <summary>Reads the snapshot. Refusals become <see cref="State"/>; they are not thrown.</summary>
    public async Task<LiveSnapshot?> LoadAsync()
    {
        var who = Actor.Anonymous;
        try
        {
            who = await actor(gone.Token);
            Show(await LiveSnapshot.LoadAsync(gateway, who, Source, gone.Token));
            return Snapshot;
        }
        catch (ApiException e)
        {
            Fail(e, who);
            return null;
        }
    }

    /// <summary>Follows the changes after the snapshot; <paramref name="whenChanged"/> is called on this thread's dispatcher.</summary>
    public void Start(Action whenChanged)
    {
        changed = whenChanged;
        if (!Source.Kind.ReadOnly && loop.IsCompleted) loop = FollowAsync(gone.Token);
    }

    /// <summary>Loads again after a refusal.</summary>
    public async Task RetryAsync()
    {
        State = LiveState.Loading;
        await LoadAsync();
        Start(changed);
        changed();
    }

    public async ValueTask DisposeAsync()
    {
        if (gone.IsCancellationRequested) return;
        await gone.CancelAsync();
        await loop;
        gone.Dispose();
    }

    private async Task FollowAsync(CancellationToken ct)
    {
        var failures = 0;
        while (!ct.IsCancellationRequested && State != LiveState.Refused)
        {
            var who = Actor.Anonymous;
            try
            {
                who = await actor(ct);
                if (State == LiveState.Stale || Snapshot is null) await ReloadAsync(who, ct);
                await WatchAsync(who, ct);
                failures = 0;
                await PauseAsync(0, ct);
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                return;
            }
            catch (ApiException e) when (e.Code == 410)
            {
                // Too slow, compacted, or what the person may see has changed: the list tells.
                await TryReloadAsync(who, ct);
            }
            catch (ApiException e)
            {
                Fail(e, who);
                changed();
                if (State == LiveState.Stale) await PauseAsync(failures++, ct);
            }
            catch (Exception e)
            {
                log.LogError(e, "Following {Kind} for a page failed", Source.Kind);
                Fail(new ApiException(503, "InternalError", "Following the changes failed; the log of Krate says why."), who);
                changed();
                await PauseAsync(failures++, ct);
            }
        }
    }

    private Task PauseAsync(int failures, CancellationToken ct) =>
        Task.Delay(TimeSpan.FromSeconds(Math.Min(30, 1 << Math.Min(failures, 5))), time, ct).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    private async Task WatchAsync(Actor who, CancellationToken ct)
    {
        var options = new WatchOptions { Labels = Source.Labels, Fields = Source.Fields, FromVersion = Snapshot!.Version };
        await foreach (var e in gateway.WatchAsync(who, Source.Kind, Source.Namespace, options, ct))
        {
            // Signed out, or disabled: what comes now is not for them any more.
            if ((await actor(ct)).User != who.User) throw ApiException.Expired("another identity");
            // A reload in between has read it already.
            if (e.Version <= Snapshot!.Version) continue;
            Snapshot = Snapshot with { Version = e.Version, Total = TotalAfter(e.Type) };
            if (e.Resource is null) continue;
            if (Apply(e.Type, e.Resource) || Snapshot.Total is not null) changed();
            if (IsHalfEmpty) await ReloadAsync(who, ct);
        }
    }

    /// <summary>Beyond what is counted nobody knows.</summary>
    private long? TotalAfter(WatchEventType type) => Snapshot!.Total is not { } total || total >= NewestFirst.MostCounted ? Snapshot.Total : type switch
    {
        WatchEventType.Added => total + 1,
        WatchEventType.Deleted => total - 1,
        _ => total,
    };

    /// <summary>Whether so many have left the page that it should be filled from the pages behind it.</summary>
    private bool IsHalfEmpty => Source.Newest is not null && Snapshot?.Older is not null && Snapshot.Searched is null && rows.Count <= Source.Limit / 2;

    private async Task TryReloadAsync(Actor before, CancellationToken ct)
    {
        var who = before;
        try
        {
            who = await actor(ct);
            await ReloadAsync(who, ct);
        }
        catch (ApiException e)
        {
            Fail(e, who);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            return;
        }

        changed();
    }

    /// <summary>Reads anew and marks what is not as it was.</summary>
    private async Task ReloadAsync(Actor who, CancellationToken ct)
    {
        var before = rows.ToDictionary();
        Show(await LiveSnapshot.LoadAsync(gateway, who, Source, ct));
        foreach (var (key, row) in rows.ToList())
        {
            if (!before.TryGetValue(key, out var old)) rows[key] = row with { Changes = 1 };
            else if (old.Resource.Version != row.Resource.Version) rows[key] = row with { Changes = old.Changes + 1 };
        }

        changed();
    }

    private bool Apply(WatchEventType type, Resource resource)
    {
        var key = Source.KeyOf(resource);
        var known = rows.TryGetValue(key, out var row);
        if (known && row!.Resource.Version >= resource.Version) return false;
        if (type == WatchEventType.Deleted || !Source.Admits(resource))
        {
            if (!rows.Remove(key)) return false;
            if (type == WatchEventType.Deleted) LastDeleted = resource;
            // What a selector lets go of, the watch calls deleted, too.
            Announcement = $"{resource.Name} {(Source.Newest is not null ? "left the list" : type == WatchEventType.Deleted ? "was deleted" : "was changed and no longer matches")}";
            return true;
        }

        if (!known && !IsOnThisPage(resource, key)) return false;
        rows[key] = new LiveRow(resource, (row?.Changes ?? 0) + 1);
        if (Source.Newest is not null) KeepToOnePage();
        LastDeleted = null;
        Announcement = $"{resource.Name} was {(known ? "updated" : "added")}";
        return true;
    }

    /// <summary>Whether a new resource belongs between the first and the last row; other pages show theirs.</summary>
    private bool IsOnThisPage(Resource resource, string key)
    {
        if (Source.Newest is not null)
        {
            var number = LiveSource.NumberOf(resource);
            return (Snapshot?.Older is not { } older || number >= older) && (Snapshot?.Newer is not { } newer || number <= newer);
        }

        if (Source.Continue is not null && (rows.Count == 0 || string.CompareOrdinal(key, rows.Keys.First()) < 0)) return false;
        return Snapshot?.Continue is null || (rows.Count > 0 && string.CompareOrdinal(key, rows.Keys.Last()) <= 0);
    }

    /// <summary>What comes in at the top pushes out at the bottom, to the page of what is older.</summary>
    private void KeepToOnePage()
    {
        if (Source.Limit == 0 || rows.Count <= Source.Limit) return;
        rows.Remove(rows.Keys.Last());
        Snapshot = Snapshot! with { Older = LiveSource.NumberOf(rows.Values.Last().Resource) };
    }

    private void Fail(ApiException e, Actor who)
    {
        Problem = e;
        RefusedTo = who;
        if (e.Code is 503 or 429)
        {
            State = LiveState.Stale;
            return;
        }

        State = LiveState.Refused;
        rows.Clear();
        Snapshot = null;
    }
}

/// <param name="Changes">How often it changed while it was looked at; 0 for what was there from the start.</param>
public sealed record LiveRow(Resource Resource, int Changes);
