using System.Net;
using Krate.Core.Identity;
using Krate.Tests.Testing;
using Krate.Web.Hosting.Tls;
using Xunit;

namespace Krate.Tests.Hosting;

/// <summary>Two processes' worth of Krate on one PostgreSQL and one data directory.</summary>
public sealed class ReplicaTests(PostgresServer postgres) : IDisposable
{
    private readonly string data = Directory.CreateTempSubdirectory("krate-test-").FullName;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(data, recursive: true);

    [Fact]
    public async Task Replicas_share_keys_authority_tokens_and_sessions_and_one_may_go()
    {
        var database = await postgres.CreateDatabaseAsync(Ct);
        var first = await KrateServer.StartAsync(data, database);
        await using var second = await KrateServer.StartAsync(data, database);

        Assert.Equal(first.Service<CertificateAuthority>().CertificatePem, second.Service<CertificateAuthority>().CertificatePem);
        Assert.Equal(first.Service<IdentityOptions>().Issuer, second.Service<IdentityOptions>().Issuer);
        var browser = first.NewBrowser();
        Assert.Equal(HttpStatusCode.Redirect, (await browser.SignInAsync()).StatusCode);
        var session = browser.Cookies.Single(c => c.Name == $"krate-{first.Http.Port}");
        var elsewhere = second.NewClient(http: true);
        elsewhere.DefaultRequestHeaders.Add("Cookie", $"krate-{second.Http.Port}={session.Value}");
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(elsewhere, "/api/v1/namespaces"));

        var token = first.AdminToken;
        await first.DisposeAsync();
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(second.NewClient(token), "/api/v1/namespaces"));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(second.Admin, "/readyz"));
    }

    private static async Task<HttpStatusCode> StatusAsync(HttpClient client, string path)
    {
        using var answer = await client.GetAsync(new Uri(path, UriKind.Relative), Ct);
        return answer.StatusCode;
    }
}
