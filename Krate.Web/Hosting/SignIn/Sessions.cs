using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Claims;
using Krate.Core.Gateway;
using Krate.Core.Identity;
using Microsoft.AspNetCore.Authentication;

namespace Krate.Web.Hosting.SignIn;

/// <summary>
/// Browser sessions. The cookie holds the subject, the time of the sign-in and a random id, and no right; who that is now is
/// resolved at each use. A session that was signed out is dead for its open circuits, too.
/// </summary>
public sealed class Sessions(IdentityResolver resolver, TimeProvider time)
{
    public const string Scheme = "session";
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(12);

    private const string SubjectClaim = "sub";
    private const string IdClaim = "sid";
    private const string TimeClaim = "iat";
    private readonly ConcurrentDictionary<string, DateTimeOffset> ended = new(StringComparer.Ordinal);

    /// <summary>Raised when a session was signed out, so that its open pages close.</summary>
    public event Action? Ended;

    /// <summary>Starts a new session; an id that the browser brought along is never taken on.</summary>
    public Task StartAsync(HttpContext context, string subject)
    {
        var now = time.GetUtcNow();
        var identity = new ClaimsIdentity(
            [
                new Claim(SubjectClaim, subject),
                new Claim(IdClaim, Guid.NewGuid().ToString("N")),
                new Claim(TimeClaim, now.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture)),
            ],
            Scheme,
            SubjectClaim,
            roleType: null);
        return context.SignInAsync(Scheme, new ClaimsPrincipal(identity), new AuthenticationProperties { IssuedUtc = now, ExpiresUtc = now + Lifetime, IsPersistent = true });
    }

    public async Task EndAsync(HttpContext context)
    {
        var now = time.GetUtcNow();
        foreach (var (id, over) in ended)
            if (over < now) ended.TryRemove(id, out _);
        if (context.User.FindFirstValue(IdClaim) is { } session) ended[session] = now + Lifetime;
        Ended?.Invoke();
        await context.SignOutAsync(Scheme);
    }

    /// <summary>Who the session stands for at this moment; null when it is over, or the person disabled or gone.</summary>
    public Actor? Resolve(ClaimsPrincipal principal)
    {
        if (principal.FindFirstValue(SubjectClaim) is not { Length: > 0 } subject || principal.FindFirstValue(IdClaim) is not { } id) return null;
        if (ended.ContainsKey(id) || !long.TryParse(principal.FindFirstValue(TimeClaim), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)) return null;
        var since = DateTimeOffset.FromUnixTimeSeconds(seconds);
        return since + Lifetime < time.GetUtcNow() ? null : resolver.Resolve(new Credential(subject, since)).Value;
    }
}
