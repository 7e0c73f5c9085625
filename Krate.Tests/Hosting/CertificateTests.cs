using System.Security.Cryptography.X509Certificates;
using Krate.Tests.Testing;
using Krate.Web.Hosting;
using Krate.Web.Hosting.Tls;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Krate.Tests.Hosting;

/// <summary>The authority stays, so that every kubeconfig keeps its trust; the server certificate comes and goes.</summary>
public sealed class CertificateTests : IDisposable
{
    private readonly TempData data = new();
    private readonly FakeTimeProvider time = new(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));

    public void Dispose() => data.Dispose();

    [Fact]
    public void The_server_certificate_is_renewed_before_it_ends_and_the_authority_stays()
    {
        using var authority = new CertificateAuthority(data.Directory, time);
        var server = Server(authority, "https://127.0.0.1:5443");
        var first = server.Current;

        time.Advance(TimeSpan.FromDays(334));
        server.Refresh();
        Assert.Equal(first.Thumbprint, server.Current.Thumbprint);

        time.Advance(TimeSpan.FromDays(2));
        server.Refresh();
        Assert.NotEqual(first.Thumbprint, server.Current.Thumbprint);
        Assert.True(server.Current.NotAfter.ToUniversalTime() > time.GetUtcNow().AddDays(300).UtcDateTime);
        Assert.True(authority.IsIssuerOf(server.Current));
        using var later = new CertificateAuthority(data.Directory, time);
        Assert.Equal(authority.CertificatePem, later.CertificatePem);
        Assert.Equal(server.Current.Thumbprint, Server(later, "https://127.0.0.1:5443").Current.Thumbprint);
    }

    [Fact]
    public void An_authority_that_has_ended_is_replaced_with_the_certificates_it_signed()
    {
        using var old = new CertificateAuthority(data.Directory, time);
        var first = Server(old, "https://127.0.0.1:5443").Current;
        time.Advance(TimeSpan.FromDays(3651));

        using var authority = new CertificateAuthority(data.Directory, time);
        var second = Server(authority, "https://127.0.0.1:5443").Current;

        Assert.NotEqual(old.CertificatePem, authority.CertificatePem);
        Assert.NotEqual(first.Thumbprint, second.Thumbprint);
        Assert.True(authority.IsIssuerOf(second));
    }

    [Fact]
    public void The_certificate_names_every_address_and_replicas_add_theirs()
    {
        using var authority = new CertificateAuthority(data.Directory, time);
        Server(authority, "https://127.0.0.1:5443");
        var names = Names(Server(authority, "https://127.0.0.7:5443;https://[::1]:5444;https://krate.example.com:443").Current);

        Assert.Superset(new HashSet<string> { "localhost", "127.0.0.1", "::1", "127.0.0.7", "krate.example.com" }, names);
        Assert.Equal(names, Names(Server(authority, "https://127.0.0.1:5443").Current));
    }

    [Fact]
    public void A_wildcard_address_stands_for_the_machine()
    {
        using var authority = new CertificateAuthority(data.Directory, time);
        var names = Names(Server(authority, "https://*:5443").Current);

        Assert.Contains(System.Net.Dns.GetHostName(), names, StringComparer.OrdinalIgnoreCase);
        Assert.DoesNotContain("*", names);
        Assert.Equal("https://127.0.0.1:5443", Listeners.Of(["https://*:5443"]).FirstHttps!.ClientUrl);
        Assert.Equal("https://127.0.0.1:5443", Listeners.Of(["https://[::]:5443"]).FirstHttps!.ClientUrl);
    }

    [Fact]
    public void Private_keys_are_private()
    {
        using var authority = new CertificateAuthority(data.Directory, time);
        Server(authority, "https://127.0.0.1:5443");

        foreach (var file in Directory.EnumerateFiles(data.Directory.Keys))
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        Assert.DoesNotContain("PRIVATE", authority.CertificatePem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://127.0.0.1:5080;https://localhost:5443;https://[::1]:1", true)]
    [InlineData("http://127.0.0.1:5080;https://0.0.0.0:5443", false)]
    [InlineData("http://*:5080", false)]
    [InlineData("http://[::]:5080", false)]
    [InlineData("http://192.168.1.4:5080", false)]
    [InlineData("http://krate.example.com:5080", false)]
    public void Only_loopback_addresses_are_listened_on_without_a_provider(string urls, bool allowed)
    {
        var listeners = Listeners.Of(urls.Split(';'));

        var refusal = Record.Exception(listeners.RefuseOpenDoors);
        Assert.Equal(allowed, refusal is null);
        if (!allowed) Assert.Contains("no sign-in provider", refusal!.Message, StringComparison.Ordinal);
    }

    private ServerCertificate Server(CertificateAuthority authority, string urls) => new(authority, data.Directory, Listeners.Of(urls.Split(';')), time);

    private static HashSet<string> Names(X509Certificate2 certificate)
    {
        var names = certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().Single();
        return [.. names.EnumerateDnsNames(), .. names.EnumerateIPAddresses().Select(i => i.ToString())];
    }
}
