using Krate.Core.Gateway;
using Krate.Core.Store;

namespace Krate.Web.Hosting;

/// <summary>Before the first request and the first reconcile: the store is migrated, the indexes are filled, the shipped roles exist.</summary>
internal sealed class Preparation(RelationalStore store, BootstrapWriter bootstrap, IResourceGateway gateway, IServiceProvider services) : IHostedService, IReadiness
{
    public string Name => "store";

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await store.InitializeAsync(cancellationToken);
        await GatewayServices.LoadAsync(services, cancellationToken);
        await bootstrap.EnsureAsync(gateway, cancellationToken);
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async ValueTask<string?> CheckAsync(CancellationToken ct)
    {
        await store.PingAsync(ct);
        return null;
    }
}
