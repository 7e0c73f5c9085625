using System.Net;
using Krate.Core.Resources;

namespace Krate.Web.Hosting.Requests;

/// <summary>
/// On a loopback connection only loopback names with the right port are a Host, and browsers must say that they come from the
/// same origin for everything that acts with a session: another name is DNS rebinding, another port another program.
/// </summary>
internal sealed class HostGuard(RequestDelegate next, KrateSettings settings)
{
    private static readonly string[] LoopbackNames = ["localhost", "127.0.0.1", "[::1]"];

    public Task InvokeAsync(HttpContext context)
    {
        if (!HostIsAllowed(context))
            return context.RefuseAsync(new ApiException(421, "MisdirectedRequest", $"Krate does not answer to the host name \"{context.Request.Host}\" here"));
        if (NeedsOrigin(context.Request) && !HasOwnOrigin(context.Request))
            return context.RefuseAsync(ApiException.Forbidden("The request comes from another site, or does not say where it comes from (Origin)"));
        return next(context);
    }

    private bool HostIsAllowed(HttpContext context)
    {
        if (context.Connection.LocalIpAddress is not { } local || !IPAddress.IsLoopback(local)) return true;
        var host = context.Request.Host;
        if (settings.AllowedHosts.Contains(host.Value, StringComparer.OrdinalIgnoreCase)) return true;
        var port = host.Port ?? (context.Request.IsHttps ? 443 : 80);
        return port == context.Connection.LocalPort && LoopbackNames.Contains(host.Host, StringComparer.OrdinalIgnoreCase);
    }

    /// <summary>Web sockets, the circuit's hub, and writes that no Authorization header vouches for.</summary>
    private static bool NeedsOrigin(HttpRequest request)
    {
        // No page of another site can send an Authorization header with a web socket.
        if (request.IsHub() && request.Headers.Authorization.Count > 0 && request.Headers.Cookie.Count == 0) return false;
        if (request.IsWebSocket() || request.IsCircuit()) return true;
        if (HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method) || HttpMethods.IsOptions(request.Method)) return false;
        if (request.Headers.Authorization.Count > 0) return false;
        return !request.IsApi() ? !request.IsGit() : request.Headers.Cookie.Count > 0;
    }

    private static bool HasOwnOrigin(HttpRequest request)
    {
        var origin = request.Headers.Origin.ToString();
        // Chromium leaves Origin out of same-origin GETs, such as the initializers of the hub; it says where they come from all the same.
        if (origin.Length == 0 && HttpMethods.IsGet(request.Method) && !request.IsWebSocket())
            return request.Headers["Sec-Fetch-Site"].ToString() is "" or "same-origin" or "none";
        return string.Equals(origin, $"{request.Scheme}://{request.Host}", StringComparison.OrdinalIgnoreCase);
    }
}
