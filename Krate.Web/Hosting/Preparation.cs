using Krate.Core.Gateway;
using Krate.Core.Identity;
using Krate.Core.Store;
using Krate.Web.Hosting.SignIn;

namespace Krate.Web.Hosting;

/// <summary>Before the first request and the first reconcile: the store is migrated, the indexes are filled, the shipped roles exist, and so does the provider that the operator configured. Kestrel listens after that.</summary>
internal sealed class Preparation(RelationalStore store, BootstrapWriter bootstrap, ConfiguredProvider provider, IResourceGateway gateway, IdentityResolver identities, KrateSettings settings, IServiceProvider services) : IHostedService, IReadiness
{
    public string Name => "store";

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await store.InitializeAsync(cancellationToken);
        await GatewayServices.LoadAsync(services, cancellationToken);
        if (settings.Oidc is null && !identities.HasProvider) settings.Listeners.RefuseOpenDoors();
        await bootstrap.EnsureAsync(gateway, cancellationToken);
        await provider.EnsureAsync(cancellationToken);
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async ValueTask<string?> CheckAsync(CancellationToken ct)
    {
        await store.PingAsync(ct);
        return null;
    }
}
