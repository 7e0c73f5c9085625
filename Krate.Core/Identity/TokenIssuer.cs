using System.Globalization;
using Krate.Core.Gateway;
using Krate.Core.Resources;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Krate.Core.Identity;

/// <summary>Signs tokens that carry subject, audience and times, and for a ServiceAccount its uid. Nothing in them is a right.</summary>
public sealed class TokenIssuer(SigningKeys keys, IdentityOptions options, TimeProvider time) : ITokenMinter
{
    private readonly JsonWebTokenHandler handler = new() { SetDefaultTimesOnTokenCreation = false };
    private readonly SigningCredentials credentials = new(keys.Signing, SecurityAlgorithms.EcdsaSha256);

    /// <summary>A token of a person. The caller has checked that this person asks.</summary>
    /// <param name="lifetime">At most 12 hours; null for one hour.</param>
    /// <exception cref="ApiException">422 for a lifetime out of range.</exception>
    public (string Token, DateTimeOffset Expires) MintUser(string user, TimeSpan? lifetime = null)
    {
        if (IdentityResolver.IsReserved(user)) throw new ArgumentException($"{user} is no name of a person", nameof(user));
        var span = lifetime ?? IdentityOptions.DefaultToken;
        if (span <= TimeSpan.Zero || span > IdentityOptions.LongestUserToken)
            throw Refuse("lifetime", $"must be more than 0 and at most {Seconds(IdentityOptions.LongestUserToken)} seconds");
        return Sign(user, [options.Issuer], span);
    }

    /// <summary>The credential of <c>admin.kubeconfig</c>: <c>krate-admin</c> in <c>system:masters</c>, for 12 hours.</summary>
    public (string Token, DateTimeOffset Expires) MintAdmin() =>
        Sign(WellKnown.AdminUser, [options.Issuer, IdentityOptions.AdminAudience], IdentityOptions.LongestUserToken);

    public Task<(string Token, DateTimeOffset Expires)> MintServiceAccountAsync(Resource serviceAccount, IReadOnlyList<string> audiences, long? seconds)
    {
        var wanted = seconds ?? (long)IdentityOptions.DefaultToken.TotalSeconds;
        if (wanted < IdentityOptions.ShortestServiceAccountToken.TotalSeconds || wanted > IdentityOptions.LongestServiceAccountToken.TotalSeconds)
            throw Refuse("spec.expirationSeconds", $"must be between {Seconds(IdentityOptions.ShortestServiceAccountToken)} and {Seconds(IdentityOptions.LongestServiceAccountToken)}");
        if (audiences.Any(a => a.Length is 0 or > 253 || a == IdentityOptions.AdminAudience))
            throw Refuse("spec.audiences", "must be names of 1 to 253 characters that are not reserved");
        var binding = new Dictionary<string, object>
        {
            ["namespace"] = serviceAccount.Namespace,
            ["serviceaccount"] = new Dictionary<string, object> { ["name"] = serviceAccount.Name, ["uid"] = serviceAccount.Uid },
        };
        var subject = ServiceAccountName.Format(serviceAccount.Namespace, serviceAccount.Name);
        var list = audiences.Count == 0 ? [options.Issuer] : audiences;
        return Task.FromResult(Sign(subject, list, TimeSpan.FromSeconds(wanted), new() { ["kubernetes.io"] = binding }));
    }

    private (string Token, DateTimeOffset Expires) Sign(string subject, IReadOnlyList<string> audiences, TimeSpan lifetime, Dictionary<string, object>? more = null)
    {
        var now = DateTimeOffset.FromUnixTimeSeconds(time.GetUtcNow().ToUnixTimeSeconds());
        var expires = now + lifetime;
        var descriptor = new SecurityTokenDescriptor
        {
            Issuer = options.Issuer,
            IssuedAt = now.UtcDateTime,
            Expires = expires.UtcDateTime,
            SigningCredentials = credentials,
            Claims = new Dictionary<string, object>(more ?? [])
            {
                [JwtRegisteredClaimNames.Sub] = subject,
                [JwtRegisteredClaimNames.Jti] = Guid.NewGuid().ToString(),
            },
        };
        foreach (var audience in audiences) descriptor.Audiences.Add(audience);
        return (handler.CreateToken(descriptor), expires);
    }

    private static string Seconds(TimeSpan span) => ((long)span.TotalSeconds).ToString(CultureInfo.InvariantCulture);

    private static ApiException Refuse(string field, string message) =>
        new(422, "Invalid", $"TokenRequest.authentication.k8s.io is invalid: {field}: {message}", [new FieldError("FieldValueInvalid", field, message)]);
}
