using System.Net;
using Krate.Core.Identity;
using Krate.Core.Resources;
using Krate.Tests.Testing;
using Krate.Web.Hosting;
using Krate.Web.Hosting.Tls;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Krate.Tests.Hosting;

/// <summary>What Krate does by itself while it runs, and what it asks of strangers.</summary>
public sealed class UpkeepTests : IAsyncLifetime
{
    private KrateServer krate = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => krate = await KrateServer.StartAsync();

    public ValueTask DisposeAsync() => krate.DisposeAsync();

    [Fact]
    public async Task The_kubeconfig_is_written_anew_every_six_hours_and_the_certificate_before_it_ends()
    {
        var time = new FakeTimeProvider(krate.Service<TimeProvider>().GetUtcNow());
        var authority = krate.Service<CertificateAuthority>();
        var certificate = new ServerCertificate(authority, krate.Data, krate.Service<Listeners>(), time);
        var first = certificate.Current.Thumbprint;
        await using var services = new ServiceCollection()
            .AddSingleton<TimeProvider>(time)
            .AddSingleton(krate.Service<IConfiguration>())
            .AddSingleton(authority)
            .AddSingleton(certificate)
            .BuildServiceProvider();
        using var kubeconfig = new AdminKubeconfig(
            new ClientAccess(krate.Service<IServer>(), services, krate.Service<KrateSettings>()), services, new TokenIssuer(krate.Service<SigningKeys>(), krate.Service<IdentityOptions>(), time), krate.Data, NullLogger<AdminKubeconfig>.Instance);
        await kubeconfig.StartAsync(Ct);
        var before = await File.ReadAllTextAsync(krate.Kubeconfig, Ct);

        var since = time.GetUtcNow();
        var after = await AdvanceUntilItChangesAsync(time, TimeSpan.FromHours(1), before);
        Assert.True(time.GetUtcNow() - since >= TimeSpan.FromHours(6));
        Assert.Equal(Cluster(before), Cluster(after));
        Assert.Equal(first, certificate.Current.Thumbprint);

        time.Advance(TimeSpan.FromDays(340));
        await AdvanceUntilItChangesAsync(time, TimeSpan.FromHours(1), await File.ReadAllTextAsync(krate.Kubeconfig, Ct));
        Assert.NotEqual(first, certificate.Current.Thumbprint);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(krate.Kubeconfig));
        await kubeconfig.StopAsync(Ct);
    }

    [Theory]
    [InlineData("127.0.0.1", true)]
    [InlineData("::1", true)]
    [InlineData("192.168.7.7", false)]
    public async Task Metrics_are_open_to_this_machine_and_need_the_right_elsewhere(string from, bool open)
    {
        var context = new DefaultHttpContext { RequestServices = krate.Service<IServiceProvider>() };
        context.Request.Path = "/metrics";
        context.Connection.RemoteIpAddress = IPAddress.Parse(from);
        context.Response.Body = Stream.Null;
        var reached = false;

        await Health.GuardMetrics(context, _ =>
        {
            reached = true;
            return Task.CompletedTask;
        });

        Assert.Equal((open, open ? 200 : 403), (reached, context.Response.StatusCode));
    }

    private static string Cluster(string kubeconfig) => KrateJson.ToText(Yaml.ParseObject(kubeconfig)["clusters"]!);

    /// <summary>In steps: what waits for the time to come may only begin to wait after a step.</summary>
    private async Task<string> AdvanceUntilItChangesAsync(FakeTimeProvider time, TimeSpan step, string before)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        for (var i = 0; i < 2000 && await timer.WaitForNextTickAsync(Ct); i++)
        {
            time.Advance(step);
            var now = await File.ReadAllTextAsync(krate.Kubeconfig, Ct);
            if (now != before) return now;
        }

        throw new InvalidOperationException("the kubeconfig stayed as it was");
    }
}
