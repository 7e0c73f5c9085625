using Krate.Core.Identity;
using Krate.Core.Resources;
using Krate.Core.Store;
using Krate.Web.Hosting.Tls;

namespace Krate.Web.Hosting;

/// <summary>
/// Writes <c>admin.kubeconfig</c> with the https address that Krate really listens on, when it has begun to listen and every six
/// hours; its token lasts twelve. Renews the server certificate on the same occasions.
/// </summary>
public sealed class AdminKubeconfig(
    ClientAccess access,
    IServiceProvider services,
    TokenIssuer issuer,
    DataDirectory data,
    ILogger<AdminKubeconfig> log) : BackgroundService, IHostedLifecycleService, IReadiness
{
    private static readonly TimeSpan Interval = TimeSpan.FromHours(6);
    private static readonly TimeSpan AfterFailure = TimeSpan.FromMinutes(10);
    private bool written;

    public string Name => "kubeconfig";

    public ValueTask<string?> CheckAsync(CancellationToken ct) => new(written ? null : "admin.kubeconfig is not written yet");

    /// <summary>The addresses are known only now: a port may have been chosen by the system.</summary>
    public Task StartedAsync(CancellationToken cancellationToken)
    {
        if (access.Https is null)
        {
            log.LogWarning("There is no https address: kubectl will not work, because it sends no credentials over http");
            written = true;
        }
        else
        {
            Write();
        }

        return Task.CompletedTask;
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Writes it anew. Safe at any time: readers see the old file or the new one.</summary>
    public void Write()
    {
        if (access.Https is not { } address) return;
        var (token, _) = issuer.MintAdmin();
        PrivateFile.Replace(data.AdminKubeconfig, ClientAccess.Document(address.ClientUrl, access.AuthorityPem, WellKnown.AdminUser, token, "default"));
        written = true;
        log.LogInformation("kubectl --kubeconfig {Path} reaches {Address}", data.AdminKubeconfig, address.ClientUrl);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var time = services.GetRequiredService<TimeProvider>();
        var wait = Interval;
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(wait, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!stoppingToken.IsCancellationRequested) wait = Renew() ? Interval : AfterFailure;
        }
    }

    private bool Renew()
    {
        try
        {
            services.GetRequiredService<ServerCertificate>().Refresh();
            Write();
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            log.LogError(e, "admin.kubeconfig could not be renewed; trying again in {Wait}", AfterFailure);
            return false;
        }
    }
}
