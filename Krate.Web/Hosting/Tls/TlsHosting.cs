using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Krate.Web.Hosting.Tls;

internal static class TlsHosting
{
    /// <summary>Krate's certificate for every https address that has none by configuration of Kestrel.</summary>
    public static void Apply(KestrelServerOptions kestrel, IConfiguration configuration)
    {
        kestrel.AddServerHeader = false;
        if (HasDefault(configuration)) return;
        kestrel.ConfigureHttpsDefaults(https =>
        {
            var server = kestrel.ApplicationServices.GetRequiredService<ServerCertificate>();
            // A selector would win over a certificate that a single endpoint configures.
            if (HasEndpointOnly(configuration)) https.ServerCertificate = server.Current;
            else https.ServerCertificateSelector = (_, _) => server.Current;
        });
    }

    /// <summary>Whether the operator brought certificates; then clients trust them without Krate's authority.</summary>
    public static bool IsReplaced(IConfiguration configuration) => HasDefault(configuration) || HasEndpointOnly(configuration);

    private static bool HasDefault(IConfiguration configuration) => configuration.GetSection("Kestrel:Certificates:Default").Exists();

    private static bool HasEndpointOnly(IConfiguration configuration) =>
        configuration.GetSection("Kestrel:Endpoints").GetChildren().Any(e => e.GetSection("Certificate").Exists());
}
