using System.Threading.Channels;
using Krate.Core.Resources;
using Krate.Core.Store;
using Microsoft.Extensions.Logging;

namespace Krate.Core.ControlPlane;

/// <summary>
/// Hears of every change, and lists what is there at the start and whenever it fell behind. Listing and listening go on at
/// the same time, so that a long list does not make it fall behind again; the receiver must take both in any order.
/// </summary>
internal sealed record Informer(IChangeFeed Feed, ChangeFilter Filter, Func<CancellationToken, Task> ListAsync, Action<Change> Observe, ILogger Logger)
{
    /// <param name="listed">Called after each list.</param>
    public async Task RunAsync(Action listed, CancellationToken ct)
    {
        var wanted = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
        using var end = CancellationTokenSource.CreateLinkedTokenSource(ct);
        Task[] tasks = [ListenAsync(wanted.Writer, end.Token), ListAllAsync(wanted.Reader, listed, end.Token)];
        await Task.WhenAny(tasks);
        await end.CancelAsync();
        await Task.WhenAll(tasks);
    }

    private async Task ListenAsync(ChannelWriter<bool> wanted, CancellationToken ct)
    {
        while (true)
        {
            // Subscribed before the list is read, so that nothing falls between.
            var batches = Feed.Subscribe(Filter, null, ct);
            wanted.TryWrite(true);
            try
            {
                await foreach (var batch in batches.WithCancellation(ct))
                    foreach (var change in batch.Changes) Observe(change);
            }
            catch (ApiException e) when (e.Code == 410)
            {
                Logger.LogWarning("Fell behind the changes; everything is looked at again");
            }
        }
    }

    private async Task ListAllAsync(ChannelReader<bool> wanted, Action listed, CancellationToken ct)
    {
        await foreach (var _ in wanted.ReadAllAsync(ct))
        {
            await ListAsync(ct);
            listed();
        }
    }
}
