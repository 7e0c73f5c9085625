using Microsoft.Extensions.DependencyInjection;

namespace Krate.Core.Repositories;

public static class RepositoryServices
{
    /// <summary>Everything about git repositories that is not a page or a protocol. Needs the gateway and the data directory.</summary>
    public static IServiceCollection AddKrateRepositories(this IServiceCollection services) => services
        .AddSingleton<HostedRepositories>();
}
