using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Krate.Core.Store;

public static class StoreServices
{
    /// <summary>
    /// Registers the store: <see cref="IResourceStore"/> for the gateway, <see cref="RelationalStore"/> for the composition
    /// root, which calls <see cref="RelationalStore.InitializeAsync"/> before anything else. Needs a KindCatalog and logging.
    /// </summary>
    public static IServiceCollection AddKrateStore(this IServiceCollection services, StoreOptions options)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(options);
        services.AddSingleton(options.DataDirectory);
        services.AddSingleton<RelationalStore>();
        services.AddSingleton<IResourceStore>(s => s.GetRequiredService<RelationalStore>());
        return services;
    }
}
