using System.Net;
using System.Security.Claims;
using System.Text;
using Krate.Core.Gateway;
using Krate.Core.Resources;
using Krate.Web.Hosting.SignIn;
using Microsoft.AspNetCore.Antiforgery;

namespace Krate.Web.Hosting.Requests;

/// <summary>
/// Settles who makes a request: a token, or the browser's session, or nobody. A credential that is not good is refused, never
/// taken for nobody; a session that is over is.
/// </summary>
internal sealed class Authentication(RequestDelegate next, ITokenAuthenticator tokens, Sessions sessions, Impersonation impersonation, IAntiforgery antiforgery)
{
    public async Task InvokeAsync(HttpContext context)
    {
        try
        {
            var actor = await ByTokenAsync(context) ?? await BySessionAsync(context) ?? Actor.Anonymous;
            actor = actor with { CorrelationId = context.TraceIdentifier, Source = Source(context.Request) };
            context.Features.Set(new ActorFeature(await impersonation.ApplyAsync(actor, context.Request.Headers, context.RequestAborted)));
        }
        catch (ApiException refusal)
        {
            await context.RefuseAsync(refusal);
            return;
        }

        await next(context);
    }

    private static string Source(HttpRequest request) => request.IsGit() ? "git" : request.IsApi() ? "api" : "ui";

    private async Task<Actor?> ByTokenAsync(HttpContext context)
    {
        if (TokenOf(context.Request) is not { } token) return null;
        if (!context.Request.IsHttps && context.Connection.RemoteIpAddress is { } remote && !IPAddress.IsLoopback(remote))
            throw ApiException.Unauthorized("Unauthorized: a token is accepted over plain http from this machine only; use https");
        return await tokens.AuthenticateAsync(token, [], context.RequestAborted) ?? throw ApiException.Unauthorized();
    }

    private async Task<Actor?> BySessionAsync(HttpContext context)
    {
        // git sends no cookies; a browser that is led to a git address must not act with them.
        if (context.User.Identity?.IsAuthenticated != true || context.Request.IsGit()) return null;
        var actor = sessions.Resolve(context.User);
        if (actor is null)
        {
            await sessions.EndAsync(context);
            context.User = new ClaimsPrincipal(new ClaimsIdentity());
            return null;
        }

        var request = context.Request;
        if (request.IsApi() && !HttpMethods.IsGet(request.Method) && !HttpMethods.IsHead(request.Method) && !await antiforgery.IsRequestValidAsync(context))
            throw ApiException.Forbidden("A write with a browser session needs an antiforgery token");
        return actor;
    }

    private static string? TokenOf(HttpRequest request)
    {
        var header = request.Headers.Authorization.ToString();
        if (header.Length == 0) return null;
        if (header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase)) return header["Bearer ".Length..].Trim();
        if (request.IsGit() && header.StartsWith("Basic ", StringComparison.OrdinalIgnoreCase)) return Password(header["Basic ".Length..]);
        throw ApiException.Unauthorized();
    }

    private static string Password(string base64)
    {
        var bytes = new byte[base64.Length];
        if (!Convert.TryFromBase64String(base64.Trim(), bytes, out var length)) throw ApiException.Unauthorized();
        var pair = Encoding.UTF8.GetString(bytes, 0, length);
        var colon = pair.IndexOf(':', StringComparison.Ordinal);
        return colon < 0 ? throw ApiException.Unauthorized() : pair[(colon + 1)..];
    }
}
