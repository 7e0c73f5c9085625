using System.Collections.Concurrent;
using Krate.Core.Resources;

namespace Krate.Web.Hosting.Requests;

/// <summary>Bounds the open circuits of one user and of one address: each costs memory for as long as its connection lasts.</summary>
internal sealed class CircuitLimit(RequestDelegate next, KrateSettings settings)
{
    private readonly ConcurrentDictionary<string, int> open = new(StringComparer.Ordinal);

    public async Task InvokeAsync(HttpContext context)
    {
        if (!context.Request.IsCircuit() || !context.Request.IsWebSocket())
        {
            await next(context);
            return;
        }

        var user = "user " + context.GetActor().User;
        var address = "address " + context.Connection.RemoteIpAddress;
        if (!TryEnter(user, settings.Limits.CircuitsPerUser))
        {
            await context.RefuseAsync(ApiException.TooManyRequests("Too many open pages of this user; close some", 10));
            return;
        }

        try
        {
            if (!TryEnter(address, settings.Limits.CircuitsPerAddress))
            {
                await context.RefuseAsync(ApiException.TooManyRequests("Too many open pages from this address; close some", 10));
                return;
            }

            try
            {
                await next(context);
            }
            finally
            {
                Leave(address);
            }
        }
        finally
        {
            Leave(user);
        }
    }

    private bool TryEnter(string key, int limit)
    {
        if (open.AddOrUpdate(key, 1, (_, count) => count + 1) <= limit) return true;
        Leave(key);
        return false;
    }

    private void Leave(string key)
    {
        var left = open.AddOrUpdate(key, 0, (_, count) => count - 1);
        if (left <= 0) open.TryRemove(new KeyValuePair<string, int>(key, left));
    }
}
