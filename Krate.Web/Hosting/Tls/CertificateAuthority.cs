using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Krate.Core.Store;

namespace Krate.Web.Hosting.Tls;

/// <summary>
/// Krate's own certificate authority: key and certificate in one private file of the data directory, made once and kept while it
/// is valid, so that a kubeconfig keeps its trust. Replicas share it.
/// </summary>
public sealed class CertificateAuthority : IDisposable
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(3650);
    private readonly TimeProvider time;

    public CertificateAuthority(DataDirectory data, TimeProvider time)
    {
        this.time = time;
        var path = Path.Combine(data.Keys, "ca.pem");
        Certificate = Load(PrivateFile.ReadOrCreate(path, Make));
        if (Certificate.NotAfter.ToUniversalTime() > time.GetUtcNow().UtcDateTime) return;
        Certificate.Dispose();
        PrivateFile.Replace(path, Make());
        Certificate = Load(File.ReadAllText(path));
    }

    /// <summary>With its private key.</summary>
    public X509Certificate2 Certificate { get; }

    /// <summary>What a client needs in order to trust Krate.</summary>
    public string CertificatePem => Certificate.ExportCertificatePem() + "\n";

    /// <summary>A server certificate with a new key, as PEM (certificate first).</summary>
    public string Issue(IReadOnlyCollection<string> names, TimeSpan lifetime)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Krate", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(AlternativeNames(names));
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(Certificate, true, false));
        var now = time.GetUtcNow();
        var end = now + lifetime;
        var last = new DateTimeOffset(Certificate.NotAfter);
        using var certificate = request.Create(Certificate, now.AddMinutes(-5), end < last ? end : last, SerialNumber());
        return $"{certificate.ExportCertificatePem()}\n{key.ExportPkcs8PrivateKeyPem()}\n";
    }

    /// <summary>Whether this authority signed it.</summary>
    public bool IsIssuerOf(X509Certificate2 certificate)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(Certificate);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.VerificationFlags = X509VerificationFlags.IgnoreNotTimeValid;
        return chain.Build(certificate);
    }

    public void Dispose() => Certificate.Dispose();

    private static X509Certificate2 Load(string pem) => X509Certificate2.CreateFromPem(pem, pem);

    private static X509Extension AlternativeNames(IEnumerable<string> names)
    {
        var builder = new SubjectAlternativeNameBuilder();
        foreach (var name in names)
        {
            if (IPAddress.TryParse(name, out var ip)) builder.AddIpAddress(ip);
            else builder.AddDnsName(name);
        }

        return builder.Build();
    }

    private static byte[] SerialNumber()
    {
        var serial = RandomNumberGenerator.GetBytes(16);
        serial[0] = (byte)((serial[0] & 0x7f) | 0x40);
        return serial;
    }

    private string Make()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4));
        var request = new CertificateRequest($"CN=Krate CA {id}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        var now = time.GetUtcNow();
        using var certificate = request.CreateSelfSigned(now.AddMinutes(-5), now + Lifetime);
        return $"{certificate.ExportCertificatePem()}\n{key.ExportPkcs8PrivateKeyPem()}\n";
    }
}
