using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Krate.Core.Identity;
using Krate.Core.Store;
using Krate.Web.Hosting;
using Krate.Web.Hosting.Tls;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Krate.Tests.Testing;

/// <summary>The real application on free loopback ports, with a data directory of its own, inside the test process.</summary>
public sealed class KrateServer : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly List<HttpClient> clients = [];
    private readonly string? ownData;

    private KrateServer(WebApplication app, string? ownData)
    {
        this.app = app;
        this.ownData = ownData;
        var addresses = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Select(a => new Uri(a)).ToList();
        Http = addresses.First(a => a.Scheme == "http");
        Https = addresses.First(a => a.Scheme == "https");
        Data = app.Services.GetRequiredService<DataDirectory>();
        AdminToken = Service<TokenIssuer>().MintAdmin().Token;
        Admin = NewClient(AdminToken);
    }

    public Uri Http { get; }

    public Uri Https { get; }

    public DataDirectory Data { get; }

    /// <summary>For the real kubectl.</summary>
    public string Kubeconfig => Data.AdminKubeconfig;

    public string AdminToken { get; }

    /// <summary>Over https, as krate-admin.</summary>
    public HttpClient Admin { get; }

    /// <param name="data">A data directory to use again or to share; null for a fresh one that is deleted at the end.</param>
    /// <param name="postgres">Connection string; null for SQLite.</param>
    /// <param name="args">More of the command line (<c>--demo</c>, <c>--Krate:Limits:TokensPerMinute=2</c>).</param>
    public static async Task<KrateServer> StartAsync(string? data = null, string? postgres = null, params string[] args)
    {
        var own = data is null ? Directory.CreateTempSubdirectory("krate-test-").FullName : null;
        var line = new List<string>
        {
            "--urls=http://127.0.0.1:0;https://127.0.0.1:0",
            "--Krate:Data=" + (data ?? Path.Combine(own!, "data")),
            "--Logging:LogLevel:Default=Warning",
            "--Logging:LogLevel:Microsoft.Hosting.Lifetime=Warning",
        };
        if (postgres is not null) line.Add("--ConnectionStrings:Krate=" + postgres);
        var app = KrateHost.Build([.. line, .. args]);
        try
        {
            await app.StartAsync(TestContext.Current.CancellationToken);
            return new(app, own);
        }
        catch
        {
            await app.StopAsync(CancellationToken.None);
            await app.DisposeAsync();
            throw;
        }
    }

    public T Service<T>()
        where T : notnull => app.Services.GetRequiredService<T>();

    /// <summary>A client over https (or http) with this token; without cookies and redirects.</summary>
    public HttpClient NewClient(string? token = null, bool http = false)
    {
        var client = new HttpClient(NewHandler()) { BaseAddress = http ? Http : Https };
        if (token is not null) client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        clients.Add(client);
        return client;
    }

    public Browser NewBrowser(bool https = false)
    {
        var handler = NewHandler();
        handler.UseCookies = true;
        var client = new HttpClient(handler) { BaseAddress = https ? Https : Http };
        client.DefaultRequestHeaders.Add("Origin", client.BaseAddress.ToString().TrimEnd('/'));
        clients.Add(client);
        return new(client, handler.CookieContainer);
    }

    public async ValueTask DisposeAsync()
    {
        clients.ForEach(c => c.Dispose());
        await app.StopAsync();
        await app.DisposeAsync();
        if (ownData is not null) Directory.Delete(ownData, recursive: true);
    }

    private SocketsHttpHandler NewHandler() => new()
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = (_, certificate, _, errors) => IsOurs(certificate, errors) },
    };

    private bool IsOurs(X509Certificate? certificate, SslPolicyErrors errors)
    {
        if ((errors & ~SslPolicyErrors.RemoteCertificateChainErrors) != SslPolicyErrors.None) return false;
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(Service<CertificateAuthority>().Certificate);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        return certificate is X509Certificate2 whole && chain.Build(whole);
    }
}
