using System.Runtime.CompilerServices;
using Krate.Core.Gateway;
using Microsoft.AspNetCore.SignalR;

namespace Krate.Web.Api;

/// <summary>Streams of hubs, which outlive the question whether they may be read.</summary>
internal static class HubStreams
{
    /// <summary>Passes a stream on until the caller's rights change or their credential ends.</summary>
    /// <param name="epoch">Of before the question, so that a right that goes away between the two ends the stream.</param>
    /// <exception cref="HubException">What the caller may see has changed.</exception>
    public static async IAsyncEnumerable<T> WhileRightsHoldAsync<T>(this IAuthorizer authorizer, Actor actor, long epoch, TimeProvider time, Func<CancellationToken, IAsyncEnumerable<T>> open, [EnumeratorCancellation] CancellationToken ct)
    {
        using var rights = CancellationTokenSource.CreateLinkedTokenSource(ct);
        _ = EndWithRightsAsync(authorizer, actor, epoch, time, rights);
        await using var items = open(rights.Token).GetAsyncEnumerator(rights.Token);
        while (true)
        {
            try
            {
                if (!await items.MoveNextAsync()) yield break;
                rights.Token.ThrowIfCancellationRequested();
            }
            catch (OperationCanceledException) when (!ct.IsCancellationRequested)
            {
                throw new HubException("what you may see has changed, or your credential has ended; connect again");
            }

            yield return items.Current;
        }
    }

    private static async Task EndWithRightsAsync(IAuthorizer authorizer, Actor actor, long epoch, TimeProvider time, CancellationTokenSource rights)
    {
        try
        {
            if (actor.ValidUntil is { } until) rights.CancelAfter(until > time.GetUtcNow() ? until - time.GetUtcNow() : TimeSpan.Zero);
            await authorizer.WaitForChangeAsync(actor, epoch, rights.Token);
            await rights.CancelAsync();
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
        {
            // The stream ended first.
        }
    }
}
