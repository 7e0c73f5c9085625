using Krate.Core.Gateway;
using Krate.Core.Identity;
using Microsoft.Extensions.DependencyInjection;

namespace Krate.Core.Kinds.SignIn;

public static class SignInServices
{
    /// <summary>Sign-in with providers, without its pages. Needs the gateway, <see cref="IdentityResolver"/> and the guard of outbound addresses.</summary>
    public static IServiceCollection AddSignIn(this IServiceCollection services) => services
        .AddSingleton<ProviderRequests>()
        .AddSingleton<OidcProvider>()
        .AddSingleton<GitHubProvider>()
        .AddSingleton(p => new CodeFlow(p.GetRequiredService<ProviderRequests>(), p.GetRequiredService<OidcProvider>(), p.GetRequiredService<GitHubProvider>(), p.GetRequiredService<SecretVault>()))
        .AddSingleton<InviteAcceptance>()
        .AddSingleton<Registration>();
}
