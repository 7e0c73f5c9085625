using Krate.Core.Resources;

namespace Krate.Core.Gateway;

/// <summary>
/// Signs client tokens. The gateway authorises first; this door only knows the rules of tokens. Tokens carry subject, audience
/// and expiry, never groups.
/// </summary>
public interface ITokenMinter
{
    /// <summary>
    /// A token of a ServiceAccount, bound to its uid: a re-created account of the same name does not inherit it.
    /// </summary>
    /// <param name="audiences">Empty for the issuer itself.</param>
    /// <param name="seconds">Lifetime, 600 to 86400; null for 3600.</param>
    /// <exception cref="ApiException">422 for a lifetime out of range or a bad audience.</exception>
    Task<(string Token, DateTimeOffset Expires)> MintServiceAccountAsync(Resource serviceAccount, IReadOnlyList<string> audiences, long? seconds);
}

/// <summary>Says whose token it is. Groups are resolved at the call.</summary>
public interface ITokenAuthenticator
{
    /// <param name="audiences">The token must be for at least one of them; empty for the issuer itself.</param>
    /// <returns>Null for a token that is not ours, forged, expired, for others, or whose subject is gone or disabled.</returns>
    Task<Actor?> AuthenticateAsync(string token, IReadOnlyList<string> audiences, CancellationToken ct);
}
