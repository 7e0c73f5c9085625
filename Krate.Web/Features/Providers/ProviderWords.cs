using Krate.Core.Kinds.SignIn;
using Krate.Core.Resources;
using Krate.Web.Components;

namespace Krate.Web.Features.Providers;

/// <summary>A type of sign-in provider in words.</summary>
public sealed record ProviderWords(string Type, string Word, string Icon, string Means)
{
    public static IReadOnlyList<ProviderWords> All { get; } =
    [
        new(AuthProviderKind.Oidc, "OpenID Connect", Lucide.Fingerprint, "Okta, Entra ID, Keycloak, Google, GitLab and others that have an issuer."),
        new(AuthProviderKind.GitHub, "GitHub", Lucide.GitBranch, "github.com, or a GitHub Enterprise Server of your own."),
        new(AuthProviderKind.Headers, "Proxy", Lucide.Network, "A proxy before Krate that has signed people in, and says so in headers."),
    ];

    public static ProviderWords Of(string? type) => All.FirstOrDefault(w => w.Type == type) ?? All[0];

    public static string TitleOf(Resource provider) => provider.Body.Text("spec.displayName") is { Length: > 0 } title ? title : provider.Name;

    /// <summary>Whether a provider sends people back to Krate, and so has to know an address.</summary>
    public bool Redirects => Type != AuthProviderKind.Headers;
}
