using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json;
using Krate.Core.Kinds.SignIn;
using Krate.Core.Resources;
using Krate.Web.Hosting.Requests;
using Microsoft.AspNetCore.DataProtection;

namespace Krate.Web.Hosting.SignIn;

/// <summary>
/// What a browser has begun at a provider, in a sealed cookie of its own, so that an answer is taken only from the browser that asked,
/// once, and for ten minutes. Thread-safe.
/// </summary>
internal sealed class PendingSignIn(IDataProtectionProvider protection, TimeProvider time)
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(10);
    private readonly IDataProtector protector = protection.CreateProtector("krate.sign-in");
    private readonly ConcurrentDictionary<string, DateTimeOffset> finished = new(StringComparer.Ordinal);

    public void Begin(HttpContext context, SignInAttempt attempt)
    {
        var pending = new Sealed(attempt, time.GetUtcNow() + Lifetime);
        context.Response.Cookies.Append(CookieNames.SignIn, protector.Protect(JsonSerializer.Serialize(pending, KrateJson.Options)), Options(context, Lifetime));
    }

    /// <summary>What this browser began with this state, which is over with that.</summary>
    /// <exception cref="ApiException">403: it began nothing, something else, or too long ago.</exception>
    public SignInAttempt Finish(HttpContext context, string provider, string? state)
    {
        var now = time.GetUtcNow();
        var pending = Read(context.Request.Cookies[CookieNames.SignIn]);
        context.Response.Cookies.Delete(CookieNames.SignIn, Options(context, null));
        foreach (var (old, over) in finished)
            if (over < now) finished.TryRemove(old, out _);
        var isOurs = pending is not null && pending.Until > now && pending.Attempt.Provider == provider && SignInAttempt.IsSame(state, pending.Attempt.State);
        if (!isOurs || !finished.TryAdd(pending!.Attempt.State, pending.Until))
            throw ApiException.Forbidden("This browser did not begin this sign-in, or too long ago, or has finished it; begin again at /signin");
        return pending.Attempt;
    }

    private Sealed? Read(string? cookie)
    {
        try
        {
            return cookie is { Length: > 0 } ? JsonSerializer.Deserialize<Sealed>(protector.Unprotect(cookie), KrateJson.Options) : null;
        }
        catch (Exception e) when (e is CryptographicException or JsonException)
        {
            return null;
        }
    }

    /// <summary>Lax: the browser comes back from the provider's site.</summary>
    private static CookieOptions Options(HttpContext context, TimeSpan? lifetime) =>
        new() { HttpOnly = true, SameSite = SameSiteMode.Lax, Secure = context.Request.IsHttps, Path = "/", MaxAge = lifetime, IsEssential = true };

    private sealed record Sealed(SignInAttempt Attempt, DateTimeOffset Until);
}
