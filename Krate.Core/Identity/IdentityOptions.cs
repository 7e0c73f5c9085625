namespace Krate.Core.Identity;

/// <param name="Issuer">URL that names this Krate in its tokens; the audience of tokens that ask for none.</param>
/// <param name="LocalDeveloper">Whether <c>local-developer</c> may be used while no sign-in provider was ever ready: only loopback listeners, and none is configured.</param>
public sealed record IdentityOptions(string Issuer, bool LocalDeveloper)
{
    /// <summary>Additional audience of the credential in <c>admin.kubeconfig</c>; nobody can ask for it.</summary>
    public const string AdminAudience = "krate:admin-kubeconfig";

    public static readonly TimeSpan ShortestUserToken = TimeSpan.FromMinutes(10);

    public static readonly TimeSpan LongestUserToken = TimeSpan.FromHours(12);

    public static readonly TimeSpan ShortestServiceAccountToken = TimeSpan.FromMinutes(10);

    public static readonly TimeSpan LongestServiceAccountToken = TimeSpan.FromHours(24);

    public static readonly TimeSpan DefaultToken = TimeSpan.FromHours(1);
}
