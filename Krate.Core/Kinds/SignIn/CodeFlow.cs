using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using Krate.Core.Gateway;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.SignIn;

/// <summary>
/// OAuth 2's authorization code flow with PKCE, for OpenID Connect and GitHub: sends a browser to a provider, and turns the code
/// that it comes back with into a person. Thread-safe.
/// </summary>
public sealed class CodeFlow
{
    private readonly ProviderRequests requests;
    private readonly OidcProvider oidc;
    private readonly GitHubProvider github;
    private readonly SecretVault vault;

    internal CodeFlow(ProviderRequests requests, OidcProvider oidc, GitHubProvider github, SecretVault vault) =>
        (this.requests, this.oidc, this.github, this.vault) = (requests, oidc, github, vault);

    /// <summary>The provider's address that the browser goes to.</summary>
    public static string Begin(Resource provider, SignInAttempt attempt)
    {
        var (spec, endpoints) = (provider.Spec<AuthProviderSpec>(), provider.Status<AuthProviderStatus>());
        var parameters = new Dictionary<string, string>
        {
            ["response_type"] = "code",
            ["client_id"] = spec.ClientId!,
            ["redirect_uri"] = attempt.RedirectUri,
            ["scope"] = string.Join(' ', spec.Type == AuthProviderKind.Oidc ? (spec.Scopes ?? ["profile", "email"]).Prepend("openid").Distinct() : spec.Scopes ?? GitHubProvider.Scopes(spec)),
            ["state"] = attempt.State,
            ["code_challenge"] = attempt.Challenge,
            ["code_challenge_method"] = "S256",
        };
        if (spec.Type == AuthProviderKind.Oidc) parameters["nonce"] = attempt.Nonce;
        var at = endpoints.AuthorizationEndpoint!;
        return at + (at.Contains('?', StringComparison.Ordinal) ? "&" : "?") + string.Join('&', parameters.Select(p => $"{p.Key}={Uri.EscapeDataString(p.Value)}"));
    }

    /// <summary>Who the code stands for, and whether the provider lets them in.</summary>
    /// <exception cref="ApiException">403 for an answer that is not for this attempt or a person who may not, 502 when the provider cannot be asked.</exception>
    public async Task<ProviderProfile> FinishAsync(Resource provider, SignInAttempt attempt, string code, CancellationToken ct)
    {
        var (spec, endpoints) = (provider.Spec<AuthProviderSpec>(), provider.Status<AuthProviderStatus>());
        var form = new Dictionary<string, string>
        {
            ["grant_type"] = "authorization_code",
            ["code"] = code,
            ["redirect_uri"] = attempt.RedirectUri,
            ["client_id"] = spec.ClientId!,
            ["code_verifier"] = attempt.Verifier,
        };
        AuthenticationHeaderValue? authorization = null;
        if (spec.ClientSecretRef is not null)
        {
            var secret = await SecretAsync(spec.ClientSecretRef, ct);
            if (endpoints.ClientAuthentication == "basic") authorization = Basic(spec.ClientId!, secret);
            else form["client_secret"] = secret;
        }

        var answer = await requests.PostAsync(endpoints.TokenEndpoint!, form, authorization, ct);
        var profile = spec.Type == AuthProviderKind.Oidc
            ? await oidc.ProfileAsync(spec, endpoints, attempt, answer, ct)
            : await github.ProfileAsync(spec, endpoints, answer, ct);
        return profile.Admitted(spec);
    }

    private async Task<string> SecretAsync(SecretKeyRef reference, CancellationToken ct)
    {
        var value = await vault.ReadAsync(SecretReader.SignIn, WellKnown.PlatformNamespace, reference.Name!, reference.Key ?? AuthProviderKind.SecretKey, ct)
            ?? throw ProviderRequests.Failed("the Secret that proves Krate to the provider is gone");
        var text = Encoding.UTF8.GetString(value);
        CryptographicOperations.ZeroMemory(value);
        return text;
    }

    /// <summary>RFC 6749, 2.3.1: both are form-encoded before they are joined.</summary>
    private static AuthenticationHeaderValue Basic(string id, string secret) =>
        new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{Uri.EscapeDataString(id)}:{Uri.EscapeDataString(secret)}")));
}
