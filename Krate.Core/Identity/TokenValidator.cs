using System.Text.Json;
using Krate.Core.Resources;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Krate.Core.Identity;

/// <summary>Says whose token it is, by its signature, issuer, audience and expiry alone. Thread-safe.</summary>
public sealed class TokenValidator(SigningKeys keys, IdentityOptions options, TimeProvider time)
{
    private const int LongestToken = 16 * 1024;

    private readonly JsonWebTokenHandler handler = new() { MaximumTokenSizeInBytes = LongestToken };

    /// <param name="audiences">The token must name one of them; empty for the issuer itself.</param>
    public async Task<Verdict<Credential>> ValidateAsync(string token, IReadOnlyList<string> audiences)
    {
        var result = await handler.ValidateTokenAsync(token, new TokenValidationParameters
        {
            ValidAlgorithms = [SecurityAlgorithms.EcdsaSha256],
            IssuerSigningKeys = keys.All,
            TryAllIssuerSigningKeys = false,
            ValidIssuer = options.Issuer,
            ValidAudiences = audiences.Count == 0 ? [options.Issuer] : audiences,
            RequireExpirationTime = true,
            LifetimeValidator = (_, expires, _, _) => expires > time.GetUtcNow().UtcDateTime,
        });
        if (!result.IsValid) return Refused.Because<Credential>(result.Exception?.GetType().Name ?? "invalid token");
        var jwt = (JsonWebToken)result.SecurityToken;
        if (jwt.Subject.Length == 0) return Refused.Because<Credential>("the token has no subject");
        return new Credential(jwt.Subject, new DateTimeOffset(jwt.IssuedAt, TimeSpan.Zero))
        {
            ServiceAccountUid = ServiceAccountUid(jwt),
            ValidUntil = new DateTimeOffset(jwt.ValidTo, TimeSpan.Zero),
            IsAdmin = jwt.Subject == WellKnown.AdminUser && jwt.Audiences.Contains(IdentityOptions.AdminAudience, StringComparer.Ordinal),
        };
    }

    private static string? ServiceAccountUid(JsonWebToken jwt) =>
        jwt.TryGetPayloadValue<JsonElement>("kubernetes.io", out var binding)
        && binding.ValueKind == JsonValueKind.Object
        && binding.TryGetProperty("serviceaccount", out var account)
        && account.TryGetProperty("uid", out var uid)
            ? uid.GetString()
            : null;
}
