using Krate.Core.Kinds.SignIn;
using Krate.Core.Resources;
using Krate.Web.Hosting.Requests;

namespace Krate.Web.Hosting.SignIn;

/// <summary>The two steps of a sign-in with a provider: there, and back with an answer.</summary>
internal sealed class ProviderSignIn(SignInMethods methods, CodeFlow flow, PendingSignIn pending, Registration registration, Sessions sessions, KrateSettings settings, ILogger<ProviderSignIn> log)
{
    public async Task RunAsync(HttpContext context, Func<Task> step)
    {
        context.Response.Headers.CacheControl = "no-store";
        try
        {
            await step();
        }
        catch (ApiException refusal)
        {
            log.LogInformation("Sign-in from {Address} at {Path} was refused: {Reason}", context.Connection.RemoteIpAddress, context.Request.Path.ToString(), refusal.Message);
            if (PageServices.IsForPeople(context)) SignInRefusal.Leave(context, refusal);
            else await context.RefuseAsync(refusal);
        }
    }

    public async Task BeginAsync(HttpContext context, string name)
    {
        var provider = methods.Provider(name);
        var returnUrl = LocalUrl.OrHome(context.Request.Query["returnUrl"]);
        if (provider.Body.Text("spec.type") == AuthProviderKind.Headers)
        {
            await WelcomeAsync(context, provider, ProxyHeaders.Read(context, provider.Spec<AuthProviderSpec>()), returnUrl);
            return;
        }

        var origin = settings.OwnPublicUrl ?? $"{context.Request.Scheme}://{context.Request.Host}";
        var attempt = SignInAttempt.Of(name, provider.Uid, origin + ProviderEndpoints.CallbackPath(name), returnUrl);
        pending.Begin(context, attempt);
        context.Response.Redirect(CodeFlow.Begin(provider, attempt));
    }

    public async Task FinishAsync(HttpContext context, string name)
    {
        var query = context.Request.Query;
        var attempt = pending.Finish(context, name, query["state"]);
        var provider = methods.Provider(name);
        if (provider.Uid != attempt.ProviderUid) throw ApiException.Forbidden("The sign-in provider was replaced meanwhile; begin again at /signin");
        // Where a provider says who answers (RFC 9207), another's answer shows.
        if (query["iss"].ToString() is { Length: > 0 } issuer && provider.Body.Text("status.issuer") is { } expected && issuer != expected)
            throw ApiException.Forbidden("The answer comes from another sign-in provider than was asked");
        if (query["error"].ToString() is { Length: > 0 } error) throw ApiException.Forbidden($"The sign-in provider refused: {new string([.. error.Where(c => char.IsAsciiLetterOrDigit(c) || c == '_').Take(100)])}");
        if (query["code"].ToString() is not { Length: > 0 and <= 4096 } code) throw ApiException.BadRequest("The sign-in provider sent no code");
        await WelcomeAsync(context, provider, await flow.FinishAsync(provider, attempt, code, context.RequestAborted), attempt.ReturnUrl);
    }

    private async Task WelcomeAsync(HttpContext context, Resource provider, ProviderProfile profile, string returnUrl)
    {
        var user = await registration.RegisterAsync(provider, profile, context.TraceIdentifier, context.RequestAborted);
        await sessions.StartAsync(context, user);
        context.Response.Redirect(LocalUrl.OrHome(returnUrl));
    }
}
