using Krate.Core.Gateway;

namespace Krate.Web.Api;

/// <summary>
/// Reads a watch one event at a time, so that the caller can do other things while the next one is under way. Disposing ends
/// the watch and waits for a read that has begun: an iterator must not be disposed in the middle of one.
/// </summary>
internal sealed class EventReader : IAsyncDisposable
{
    private readonly CancellationTokenSource ending;
    private readonly IAsyncEnumerator<WatchEvent> events;
    private Task<bool>? next;

    public EventReader(Func<CancellationToken, IAsyncEnumerable<WatchEvent>> watch, CancellationToken ct)
    {
        ending = CancellationTokenSource.CreateLinkedTokenSource(ct);
        events = watch(ending.Token).GetAsyncEnumerator(ending.Token);
    }

    /// <summary>Completes with whether there is a next event; the same task until <see cref="Take"/>.</summary>
    public Task<bool> Next => next ??= events.MoveNextAsync().AsTask();

    /// <summary>The event that <see cref="Next"/> has announced.</summary>
    public WatchEvent Take()
    {
        next = null;
        return events.Current;
    }

    public async ValueTask DisposeAsync()
    {
        await ending.CancelAsync();
        if (next is not null) await next.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        await events.DisposeAsync();
        ending.Dispose();
    }
}
