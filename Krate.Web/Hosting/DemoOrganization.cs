using Krate.Core.Gateway;
using Krate.Core.Git;
using Krate.Core.Kinds.Demo;
using Krate.Core.Resources;
using Krate.Core.Store;

namespace Krate.Web.Hosting;

/// <summary><c>--demo</c>: makes the demo organization once the control plane runs. Ready when it was tried, so that who waits for readiness finds it.</summary>
internal sealed class DemoOrganization(IResourceGateway gateway, DemoRepository repository, ILogger<DemoOrganization> log) : BackgroundService, IReadiness
{
    private volatile bool tried;

    public string Name => "demo";

    public ValueTask<string?> CheckAsync(CancellationToken ct) => new(tried ? null : "the demo organization is being made");

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await DemoData.EnsureAsync(gateway, repository, stoppingToken);
            log.LogInformation("The demo organization is {Organization}", DemoData.Organization);
        }
        catch (Exception e) when (e is ApiException or GitException or TimeoutException or IOException)
        {
            log.LogError(e, "The demo organization could not be made; the next start with --demo goes on where this one stopped");
        }

        tried = true;
    }
}
