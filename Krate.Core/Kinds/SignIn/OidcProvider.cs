using System.Text.Json.Nodes;
using Krate.Core.Resources;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Krate.Core.Kinds.SignIn;

/// <summary>What is particular to OpenID Connect: discovery, the judgement of ID tokens, and what their claims mean. Thread-safe.</summary>
internal sealed class OidcProvider(ProviderRequests requests, TimeProvider time)
{
    private const int LongestToken = 64 * 1024;
    private static readonly TimeSpan Skew = TimeSpan.FromMinutes(2);

    /// <summary>Signatures by keys that the provider publishes; never by a secret that both know, never none.</summary>
    private static readonly string[] Algorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"];

    private readonly JsonWebTokenHandler handler = new() { MaximumTokenSizeInBytes = LongestToken };

    /// <summary>What the provider says of itself now.</summary>
    /// <exception cref="ApiException">502: it cannot be asked, says something else, or has no keys.</exception>
    public async Task<AuthProviderStatus> DiscoverAsync(string issuer, CancellationToken ct)
    {
        var document = await requests.GetAsync(issuer.TrimEnd('/') + "/.well-known/openid-configuration", null, ct);
        var said = document.Text("issuer") ?? "";
        if (said.TrimEnd('/') != issuer.TrimEnd('/')) throw ProviderRequests.Failed($"the discovery document is of the issuer \"{ProviderRequests.Plain(said)}\"");
        var methods = document.Texts("token_endpoint_auth_methods_supported").ToList();
        var found = new AuthProviderStatus
        {
            Issuer = said,
            AuthorizationEndpoint = Endpoint(document, "authorization_endpoint"),
            TokenEndpoint = Endpoint(document, "token_endpoint"),
            UserInfoEndpoint = document.Text("userinfo_endpoint") is null ? null : Endpoint(document, "userinfo_endpoint"),
            KeysEndpoint = Endpoint(document, "jwks_uri"),
            ClientAuthentication = methods.Count == 0 || methods.Contains("client_secret_basic") ? "basic" : "post",
        };
        if ((await KeysAsync(found.KeysEndpoint, ct)).Count == 0) throw ProviderRequests.Failed($"{found.KeysEndpoint} has no keys that signatures can be checked with");
        return found;
    }

    /// <summary>Who signed in, by the answer to a code.</summary>
    /// <exception cref="ApiException">403 for a token that is not for this attempt, 502 when the provider cannot be asked.</exception>
    public async Task<ProviderProfile> ProfileAsync(AuthProviderSpec spec, AuthProviderStatus endpoints, SignInAttempt attempt, JsonNode answer, CancellationToken ct)
    {
        if (answer.Text("id_token") is not { Length: > 0 } token) throw ProviderRequests.Failed("the answer to the code has no ID token; is openid among the scopes?");
        var claims = await ValidateAsync(token, spec.ClientId!, endpoints, attempt.Nonce, ct);
        var subject = claims.Text("sub")!;
        JsonNode? more = null;
        if (endpoints.UserInfoEndpoint is { } url && answer.Text("access_token") is { Length: > 0 } access)
        {
            more = await requests.GetAsync(url, access, ct);
            if (more.Text("sub") != subject) throw Refused("its user information is about somebody else");
        }

        var name = spec.UsernameClaim ?? "preferred_username";
        return new ProviderProfile(subject, Claim(claims, more, name).Text() ?? throw Refused($"it says no {name}; name another claim in spec.usernameClaim"))
        {
            DisplayName = Claim(claims, more, "name").Text(),
            VerifiedEmails = [.. new[] { claims, more }.Where(c => IsTrue(c?["email_verified"])).Select(c => c.Text("email")).OfType<string>().Distinct()],
            Groups = [.. Texts(Claim(claims, more, spec.GroupsClaim ?? "groups"))],
        };
    }

    private async Task<JsonObject> ValidateAsync(string token, string clientId, AuthProviderStatus endpoints, string nonce, CancellationToken ct)
    {
        var result = await handler.ValidateTokenAsync(token, new TokenValidationParameters
        {
            ValidAlgorithms = Algorithms,
            IssuerSigningKeys = await KeysAsync(endpoints.KeysEndpoint!, ct),
            ValidIssuer = endpoints.Issuer,
            ValidAudience = clientId,
            RequireExpirationTime = true,
            LifetimeValidator = (from, until, _, _) => IsNow(from, until),
        });
        if (!result.IsValid) throw Refused($"its ID token is not good ({result.Exception?.GetType().Name})");
        var jwt = (JsonWebToken)result.SecurityToken;
        var claims = KrateJson.ParseObject(Base64UrlEncoder.DecodeBytes(jwt.EncodedPayload));
        if (!SignInAttempt.IsSame(claims.Text("nonce"), nonce)) throw Refused("its ID token is of another sign-in (nonce)");
        if (claims.Text("azp") is { } party ? party != clientId : jwt.Audiences.Count() > 1) throw Refused("its ID token is for another party");
        return string.IsNullOrEmpty(claims.Text("sub")) ? throw Refused("its ID token has no subject") : claims;
    }

    private bool IsNow(DateTime? from, DateTime? until)
    {
        var now = time.GetUtcNow().UtcDateTime;
        return until > now - Skew && !(from > now + Skew);
    }

    private async Task<IList<SecurityKey>> KeysAsync(string url, CancellationToken ct)
    {
        var answer = await requests.GetAsync(url, null, ct);
        try
        {
            return [.. new JsonWebKeySet(KrateJson.ToText(answer)).GetSigningKeys().Where(k => k is not SymmetricSecurityKey)];
        }
        catch (ArgumentException)
        {
            throw ProviderRequests.Failed($"{url} is no set of keys");
        }
    }

    private string Endpoint(JsonNode document, string name)
    {
        var url = document.Text(name) ?? throw ProviderRequests.Failed($"the discovery document has no {name}");
        requests.Check(url);
        return url;
    }

    /// <summary>Names of claims may hold dots, so that they are no paths.</summary>
    private static JsonNode? Claim(JsonObject claims, JsonNode? more, string name) => claims[name] ?? (more as JsonObject)?[name];

    private static IEnumerable<string> Texts(JsonNode? node) => node is JsonArray all ? all.Select(v => v.Text()).OfType<string>() : node.Text() is { } one ? [one] : [];

    /// <summary>Some providers write it as text.</summary>
    private static bool IsTrue(JsonNode? node) => node is JsonValue v && ((v.TryGetValue<bool>(out var b) && b) || v.Text() == "true");

    private static ApiException Refused(string why) => ApiException.Forbidden($"The sign-in provider's answer was refused: {why}");
}
