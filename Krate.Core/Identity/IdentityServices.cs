using Krate.Core.Gateway;
using Microsoft.Extensions.DependencyInjection;

namespace Krate.Core.Identity;

public static class IdentityServices
{
    /// <summary>Issuer, tokens and identity resolution. Needs DataDirectory, KindCatalog, IResourceCache and TimeProvider.</summary>
    public static IServiceCollection AddKrateIdentity(this IServiceCollection services, IdentityOptions options) => services
        .AddSingleton(options)
        .AddSingleton<SigningKeys>()
        .AddSingleton<TokenIssuer>()
        .AddSingleton<ITokenMinter>(s => s.GetRequiredService<TokenIssuer>())
        .AddSingleton<OwnUser>()
        .AddSingleton<IResourceAction, UserTokenAction>()
        .AddSingleton<IResourceAction, RevokeTokensAction>()
        .AddSingleton<TokenValidator>()
        .AddSingleton<IdentityResolver>()
        .AddSingleton<ITokenAuthenticator, TokenAuthenticator>();
}
