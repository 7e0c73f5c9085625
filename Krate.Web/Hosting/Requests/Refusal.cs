using System.Globalization;
using Krate.Core.Resources;
using Krate.Web.Api;

namespace Krate.Web.Hosting.Requests;

internal static class Refusal
{
    /// <summary>Ends the request in the shape of its route for programs and with one plain sentence for people.</summary>
    public static Task RefuseAsync(this HttpContext context, ApiException refusal)
    {
        if (context.Request.IsApi()) return ApiErrors.WriteAsync(context, refusal);
        context.Response.StatusCode = refusal.Code;
        context.Response.Headers.CacheControl = "no-store";
        if (refusal.RetryAfterSeconds is { } seconds) context.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        if (refusal.Code == 401) context.Response.Headers.WWWAuthenticate = "Basic realm=\"krate\"";
        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync(refusal.Message + "\n", context.RequestAborted);
    }
}
