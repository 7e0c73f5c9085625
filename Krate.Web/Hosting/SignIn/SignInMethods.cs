using Krate.Core.Gateway;
using Krate.Core.Identity;
using Krate.Core.Kinds.SignIn;
using Krate.Core.Resources;

namespace Krate.Web.Hosting.SignIn;

/// <summary>The ways to sign in that this Krate offers at this moment.</summary>
public sealed class SignInMethods(IdentityResolver identities, IResourceCache cache, KindCatalog catalog)
{
    private readonly KindDefinition kind = catalog["AuthProvider"];

    /// <summary>The button for the person at this machine: no provider is configured and only this machine can reach Krate.</summary>
    public bool LocalDeveloper => identities.AllowsLocalDeveloper;

    /// <summary>Name and words of each provider that is ready, in the order of the words.</summary>
    public IReadOnlyList<(string Name, string Title)> Providers =>
        [.. cache.List(kind, WellKnown.PlatformNamespace).Where(IsReady).Select(p => (p.Name, p.Body.Text("spec.displayName") is { Length: > 0 } title ? title : p.Name)).OrderBy(p => p.Item2, StringComparer.OrdinalIgnoreCase)];

    /// <exception cref="ApiException">404 for a provider that is not there or not ready.</exception>
    internal Resource Provider(string name) =>
        cache.Get(kind, WellKnown.PlatformNamespace, name) is { } provider && IsReady(provider) ? provider : throw new ApiException(404, "NotFound", "There is no such way to sign in at the moment; go back to /signin");

    /// <summary>Whether its status is of what it says now.</summary>
    private static bool IsReady(Resource provider) =>
        !provider.IsDeleting && provider.Status<AuthProviderStatus>().ObservedGeneration == provider.Generation && provider.FindCondition(Condition.Ready)?.Status == Condition.True;
}
