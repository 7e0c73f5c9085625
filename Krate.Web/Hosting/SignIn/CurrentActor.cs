using Krate.Core.Gateway;
using Krate.Web.Hosting.Requests;
using Microsoft.AspNetCore.Components.Authorization;

namespace Krate.Web.Hosting.SignIn;

/// <summary>
/// Who looks at this page. Ask before every call of the gateway and keep no answer: the identity is resolved each time, so that a
/// role that was removed, or a sign-out in another window, counts at once. Scoped.
/// </summary>
public interface ICurrentActor
{
    /// <summary>The actor with a fresh correlation id; <see cref="Actor.Anonymous"/> when nobody is signed in any more.</summary>
    ValueTask<Actor> GetAsync(CancellationToken ct);
}

internal sealed class CurrentActor(AuthenticationStateProvider authentication, Sessions sessions) : ICurrentActor
{
    public async ValueTask<Actor> GetAsync(CancellationToken ct)
    {
        var state = await authentication.GetAuthenticationStateAsync();
        ct.ThrowIfCancellationRequested();
        var actor = sessions.Resolve(state.User) ?? Actor.Anonymous;
        return actor with { Source = "ui", CorrelationId = Correlation.NewId() };
    }
}
