using System.Globalization;
using Krate.Core.Resources;

namespace Krate.Web.Hosting.Requests;

internal static class Refusal
{
    /// <summary>Ends the request with a Kubernetes <c>Status</c> for programs and with one plain sentence for people.</summary>
    public static Task RefuseAsync(this HttpContext context, ApiException refusal)
    {
        context.Response.StatusCode = refusal.Code;
        context.Response.Headers.CacheControl = "no-store";
        if (refusal.RetryAfterSeconds is { } seconds) context.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        if (refusal.Code == 401) context.Response.Headers.WWWAuthenticate = context.Request.IsGit() ? "Basic realm=\"krate\"" : "Bearer realm=\"krate\"";
        if (!context.Request.IsApi()) return WriteAsync(context, "text/plain; charset=utf-8", refusal.Message + "\n");
        return WriteAsync(context, "application/json", KrateJson.ToText(refusal.ToStatus()));
    }

    private static Task WriteAsync(HttpContext context, string type, string body)
    {
        context.Response.ContentType = type;
        return context.Response.WriteAsync(body, context.RequestAborted);
    }
}
