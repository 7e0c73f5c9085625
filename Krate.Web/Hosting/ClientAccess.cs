using System.Text;
using Krate.Core.Gateway;
using Krate.Core.Identity;
using Krate.Core.Resources;
using Krate.Web.Hosting.Tls;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace Krate.Web.Hosting;

/// <summary>Where git and kubectl reach this Krate, and what they need in order to trust it. Known once Krate listens.</summary>
public sealed class ClientAccess(IServer server, IServiceProvider services, KrateSettings settings)
{
    /// <summary>The https listener that Krate really has: a port may have been chosen by the system.</summary>
    public Listener? Https => Listeners.Of(server.Features.Get<IServerAddressesFeature>()?.Addresses ?? []).FirstHttps;

    /// <summary>Address before <c>/git/&lt;org&gt;/&lt;repository&gt;.git</c>.</summary>
    public string GitUrl => settings.PublicUrl;

    /// <summary>Address for kubectl, which sends no credentials over plain http; null when there is none.</summary>
    public string? KubectlUrl => IsPublished ? settings.PublicUrl : Https?.ClientUrl;

    /// <summary>Krate's own authority; null where clients know the certificate's authority already.</summary>
    public string? AuthorityPem =>
        TlsHosting.IsReplaced(services.GetRequiredService<IConfiguration>()) ? null : services.GetRequiredService<CertificateAuthority>().CertificatePem;

    /// <summary>The authority that git needs to be told of.</summary>
    public string? GitAuthorityPem => GitUrl.StartsWith("https:", StringComparison.Ordinal) && !IsPublished ? AuthorityPem : null;

    /// <summary>Somebody else's certificate stands before Krate.</summary>
    private bool IsPublished => settings.PublicUrl.StartsWith("https:", StringComparison.Ordinal) && settings.Listeners.All.All(l => l.ClientUrl != settings.PublicUrl);

    /// <summary>The record of a person, for whom a token can be made; null for who is no User.</summary>
    public Resource? UserOf(Actor actor) => services.GetRequiredService<IdentityResolver>().UserOf(actor);

    /// <summary>A kubeconfig with one user. Holds the token, so whoever makes it guards it.</summary>
    /// <exception cref="InvalidOperationException">There is no https address.</exception>
    public string Kubeconfig(string user, string token, string ns) =>
        Document(KubectlUrl ?? throw new InvalidOperationException("there is no https address"), IsPublished ? null : AuthorityPem, user, token, ns);

    internal static string Document(string url, string? authorityPem, string user, string token, string ns) =>
        $"""
        apiVersion: v1
        kind: Config
        clusters:
        - name: krate
          cluster:
            server: {url}{(authorityPem is null ? "" : "\n    certificate-authority-data: " + Convert.ToBase64String(Encoding.ASCII.GetBytes(authorityPem)))}
        users:
        - name: {Quoted(user)}
          user:
            token: {token}
        contexts:
        - name: krate
          context:
            cluster: krate
            user: {Quoted(user)}
            namespace: {ns}
        current-context: krate

        """;

    /// <summary>Names from a sign-in provider may hold what YAML would read otherwise (<c>github:mira</c>).</summary>
    private static string Quoted(string name) => name.All(c => char.IsAsciiLetterOrDigit(c) || c == '-') ? name : System.Text.Json.JsonSerializer.Serialize(name);
}
