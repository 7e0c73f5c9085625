using Krate.Core.Resources;

namespace Krate.Web.Hosting.Requests;

/// <summary>Bounds the open circuits of one user and of one address: each costs memory for as long as its connection lasts.</summary>
internal sealed class CircuitLimit(RequestDelegate next, KrateSettings settings)
{
    private readonly OpenCounter open = new();

    public async Task InvokeAsync(HttpContext context)
    {
        if (!(context.Request.IsCircuit() || context.Request.IsHub()) || !context.Request.IsWebSocket())
        {
            await next(context);
            return;
        }

        var user = "user " + context.GetActor().User;
        var address = "address " + context.Connection.RemoteIpAddress;
        if (!open.TryEnter(user, settings.Limits.CircuitsPerUser))
        {
            await context.RefuseAsync(ApiException.TooManyRequests("Too many open pages of this user; close some", 10));
            return;
        }

        try
        {
            if (!open.TryEnter(address, settings.Limits.CircuitsPerAddress))
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
                open.Leave(address);
            }
        }
        finally
        {
            open.Leave(user);
        }
    }
}
