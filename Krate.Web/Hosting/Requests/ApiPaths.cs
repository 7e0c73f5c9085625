using Microsoft.AspNetCore.Http.Features;

namespace Krate.Web.Hosting.Requests;

/// <summary>Which paths programs call (answers are Kubernetes <c>Status</c> objects) and which people do.</summary>
public static class ApiPaths
{
    private static readonly PathString[] Prefixes = ["/api", "/apis", "/openapi", "/openid", "/.well-known", "/version", "/healthz", "/livez", "/readyz", "/metrics"];

    public static bool IsApi(this HttpRequest request) => Prefixes.Any(p => request.Path.StartsWithSegments(p, StringComparison.OrdinalIgnoreCase));

    /// <summary>git over HTTP: the one place where a client can only send Basic credentials.</summary>
    public static bool IsGit(this HttpRequest request) => request.Path.StartsWithSegments("/git", StringComparison.OrdinalIgnoreCase);

    /// <summary>Asks for a web socket, by the upgrade of HTTP/1.1 or the extended CONNECT of HTTP/2. (The framework's own answer comes only behind its middleware.)</summary>
    public static bool IsWebSocket(this HttpRequest request) =>
        request.Headers.Upgrade.Any(u => string.Equals(u, "websocket", StringComparison.OrdinalIgnoreCase))
        || request.HttpContext.Features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true, Protocol: "websocket" };

    /// <summary>Hubs for programs.</summary>
    public static bool IsHub(this HttpRequest request) => request.Path.StartsWithSegments("/hubs", StringComparison.OrdinalIgnoreCase);

    /// <summary>The hub that circuits live on.</summary>
    public static bool IsCircuit(this HttpRequest request) => request.Path.StartsWithSegments("/_blazor", StringComparison.OrdinalIgnoreCase);
}
