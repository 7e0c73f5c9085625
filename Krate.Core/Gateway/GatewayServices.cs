using Krate.Core.Resources;
using Krate.Core.Store;
using Microsoft.Extensions.DependencyInjection;

namespace Krate.Core.Gateway;

public static class GatewayServices
{
    /// <summary>
    /// The gateway and what it is made of. Needs <see cref="IResourceStore"/>, <see cref="KindCatalog"/>, <see cref="DataDirectory"/>,
    /// <see cref="ITokenMinter"/>, <see cref="ITokenAuthenticator"/> and <see cref="TimeProvider"/>.
    /// Call <see cref="LoadAsync"/> after the store is initialised and before the first request.
    /// </summary>
    public static IServiceCollection AddKrateGateway(this IServiceCollection services) => services
        .AddSingleton<ResourceCache>()
        .AddSingleton<IResourceCache>(p => p.GetRequiredService<ResourceCache>())
        .AddSingleton<SecretVault>()
        .AddSingleton<SecretDocuments>()
        .AddSingleton<AuditTrail>()
        .AddSingleton<IDenialLog>(p => p.GetRequiredService<AuditTrail>())
        .AddSingleton<IPolicyLog>(p => p.GetRequiredService<AuditTrail>())
        .AddSingleton<OrgScope>()
        .AddSingleton<Admission>()
        .AddSingleton<RepositoryScope>()
        .AddSingleton<GatewayActions>()
        .AddSingleton<IResourceAction, ServiceAccountTokenAction>()
        .AddSingleton(p => new RbacAuthorizer(p.GetRequiredService<IResourceCache>(), p.GetRequiredService<IResourceStore>().Feed, p.GetRequiredService<KindCatalog>()))
        .AddSingleton<IAuthorizer>(p => p.GetRequiredService<RbacAuthorizer>())
        .AddSingleton<RbacEscalation>()
        .AddSingleton<RepositoryAdmission>()
        .AddSingleton<IPersonMarks, PersonMarks>()
        .AddSingleton<BootstrapWriter>()
        .AddSingleton<IResourceGateway, ResourceGateway>();

    /// <summary>Fills the in-memory indexes from the store.</summary>
    public static async Task LoadAsync(IServiceProvider services, CancellationToken ct)
    {
        await services.GetRequiredService<ResourceCache>().LoadAsync(ct);
        services.GetRequiredService<RbacAuthorizer>().Initialize();
    }
}
