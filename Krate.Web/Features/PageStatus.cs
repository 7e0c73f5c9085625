namespace Krate.Web.Features;

/// <summary>Lets a prerendered page answer with another status than 200. Does nothing in a circuit.</summary>
public sealed class PageStatus(IHttpContextAccessor accessor)
{
    public void NotFound()
    {
        if (accessor.HttpContext is { Response.HasStarted: false, WebSockets.IsWebSocketRequest: false } context) context.Response.StatusCode = StatusCodes.Status404NotFound;
    }
}
