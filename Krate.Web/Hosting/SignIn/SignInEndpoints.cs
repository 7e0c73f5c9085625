using Krate.Core.Gateway;
using Krate.Core.Identity;
using Krate.Core.Resources;
using Krate.Web.Hosting.Requests;
using Microsoft.AspNetCore.Antiforgery;

namespace Krate.Web.Hosting.SignIn;

/// <summary>Where the forms of the sign-in page go. Plain posts with antiforgery; no circuit takes part.</summary>
internal static class SignInEndpoints
{
    public const string Path = "/signin";
    public const string LocalPath = Path + "/local";
    public const string SignOutPath = "/signout";

    public static void MapSignIn(this IEndpointRouteBuilder app)
    {
        app.MapPost(LocalPath, SignInLocallyAsync);
        app.MapPost(SignOutPath, SignOutAsync);
        app.MapProviders();
    }

    private static async Task SignInLocallyAsync(HttpContext context, IdentityResolver identities, LocalRegistration registration, Sessions sessions, IAntiforgery antiforgery)
    {
        if (await ReadFormAsync(context, antiforgery) is not { } form) return;
        if (!identities.AllowsLocalDeveloper)
        {
            await context.RefuseAsync(ApiException.Forbidden("Local development sign-in is off"));
            return;
        }

        await registration.EnsureAsync(context.TraceIdentifier, context.RequestAborted);
        await sessions.StartAsync(context, WellKnown.LocalDeveloper);
        context.Response.Redirect(LocalUrl.OrHome(form["returnUrl"]));
    }

    private static async Task SignOutAsync(HttpContext context, Sessions sessions, IAntiforgery antiforgery)
    {
        if (await ReadFormAsync(context, antiforgery) is null) return;
        await sessions.EndAsync(context);
        context.Response.Redirect(Path);
    }

    private static async Task<IFormCollection?> ReadFormAsync(HttpContext context, IAntiforgery antiforgery)
    {
        if (context.Request.HasFormContentType && await antiforgery.IsRequestValidAsync(context)) return await context.Request.ReadFormAsync(context.RequestAborted);
        await context.RefuseAsync(ApiException.BadRequest("The form is out of date; go back, reload the page and try again"));
        return null;
    }
}
