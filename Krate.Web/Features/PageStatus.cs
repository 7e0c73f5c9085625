using Microsoft.AspNetCore.Diagnostics;

namespace Krate.Web.Features;

/// <summary>Lets a prerendered page answer with another status than 200. Does nothing in a circuit.</summary>
public sealed class PageStatus(IHttpContextAccessor accessor)
{
    public void NotFound()
    {
        if (accessor.HttpContext is not { Response.HasStarted: false, WebSockets.IsWebSocketRequest: false } context) return;
        context.Response.StatusCode = StatusCodes.Status404NotFound;
        // The page says it in its own words.
        if (context.Features.Get<IStatusCodePagesFeature>() is { } pages) pages.Enabled = false;
    }
}
