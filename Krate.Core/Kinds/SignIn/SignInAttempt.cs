using System.Security.Cryptography;
using System.Text;
using Microsoft.IdentityModel.Tokens;

namespace Krate.Core.Kinds.SignIn;

/// <summary>One person on the way to a provider and back. Known to their browser only, sealed.</summary>
/// <param name="ProviderUid">One that was made anew under the same name does not finish what another began.</param>
/// <param name="State">Comes back with the code.</param>
/// <param name="Nonce">Comes back in the ID token.</param>
/// <param name="Verifier">Shown when the code is exchanged (PKCE).</param>
/// <param name="RedirectUri">Where the provider sends the browser.</param>
/// <param name="ReturnUrl">Where the person goes then.</param>
public sealed record SignInAttempt(string Provider, string ProviderUid, string State, string Nonce, string Verifier, string RedirectUri, string ReturnUrl)
{
    /// <summary>What the provider is told of <see cref="Verifier"/>.</summary>
    public string Challenge => Base64UrlEncoder.Encode(SHA256.HashData(Encoding.ASCII.GetBytes(Verifier)));

    public static SignInAttempt Of(string provider, string uid, string redirectUri, string returnUrl) => new(provider, uid, Secret(), Secret(), Secret(), redirectUri, returnUrl);

    /// <summary>Compares without telling how much is alike.</summary>
    public static bool IsSame(string? given, string expected) => CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(given ?? ""), Encoding.UTF8.GetBytes(expected));

    private static string Secret() => Base64UrlEncoder.Encode(RandomNumberGenerator.GetBytes(32));
}
