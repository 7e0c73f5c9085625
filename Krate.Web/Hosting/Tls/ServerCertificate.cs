using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Krate.Core.Store;

namespace Krate.Web.Hosting.Tls;

/// <summary>
/// The certificate of the https addresses. It names every one of them, and is renewed a month before it expires while Krate
/// runs; the authority stays. Replicas share the file, each adding its names.
/// </summary>
public sealed class ServerCertificate
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(365);
    private static readonly TimeSpan RenewBefore = TimeSpan.FromDays(30);
    private static readonly string[] Always = ["localhost", "127.0.0.1", "::1"];
    private readonly CertificateAuthority authority;
    private readonly TimeProvider time;
    private readonly string path;
    private readonly IReadOnlyList<string> names;

    public ServerCertificate(CertificateAuthority authority, DataDirectory data, Listeners listeners, TimeProvider time)
    {
        this.authority = authority;
        this.time = time;
        path = Path.Combine(data.Keys, "server.pem");
        names = [.. Always.Concat(listeners.All.SelectMany(l => l.Names).Where(IsName)).Distinct(StringComparer.OrdinalIgnoreCase)];
        Current = Load();
    }

    /// <summary>With its private key. Changes when it is renewed.</summary>
    public X509Certificate2 Current { get; private set; }

    /// <summary>Renews it when that is due. Called at intervals of less than the time that is left then.</summary>
    public void Refresh()
    {
        if (IsDue(Current)) Current = Load();
    }

    private static bool IsName(string name) =>
        IPAddress.TryParse(name, out var ip) ? !ip.Equals(IPAddress.Any) && !ip.Equals(IPAddress.IPv6Any) : Uri.CheckHostName(name) == UriHostNameType.Dns;

    private X509Certificate2 Load()
    {
        var kept = Read(PrivateFile.ReadOrCreate(path, () => authority.Issue(names, Lifetime)));
        if (kept is not null && !IsDue(kept) && names.All(NamesOf(kept).Contains)) return kept;
        var all = names.Concat(kept is null ? [] : NamesOf(kept)).Distinct(StringComparer.OrdinalIgnoreCase).Take(100).ToList();
        var pem = authority.Issue(all, Lifetime);
        PrivateFile.Replace(path, pem);
        return Read(pem)!;
    }

    private static X509Certificate2? Read(string pem)
    {
        try
        {
            return X509Certificate2.CreateFromPem(pem, pem);
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    private static HashSet<string> NamesOf(X509Certificate2 certificate)
    {
        var found = certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().ToList();
        return found.SelectMany(e => e.EnumerateDnsNames().Concat(e.EnumerateIPAddresses().Select(ip => ip.ToString()))).ToHashSet(StringComparer.OrdinalIgnoreCase);
    }

    private bool IsDue(X509Certificate2 certificate) =>
        certificate.NotAfter.ToUniversalTime() - RenewBefore < time.GetUtcNow().UtcDateTime || !authority.IsIssuerOf(certificate);
}
