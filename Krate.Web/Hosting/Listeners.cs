using System.Net;
using System.Net.Sockets;
using Krate.Core.Store;
using Microsoft.AspNetCore.Http;

namespace Krate.Web.Hosting;

/// <summary>One address that Krate listens on.</summary>
public sealed record Listener(string Scheme, string Host, int Port)
{
    public bool IsHttps => Scheme == "https";

    private string Bare => Host.Trim('[', ']');

    /// <summary>Reached from this machine only.</summary>
    public bool IsLoopback => string.Equals(Host, "localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(Bare, out var ip) && IPAddress.IsLoopback(ip));

    /// <summary>All addresses of the machine. Kestrel takes any host name that is no address for that, too.</summary>
    public bool IsWildcard => !IsLoopback && (!IPAddress.TryParse(Bare, out var ip) || ip.Equals(IPAddress.Any) || ip.Equals(IPAddress.IPv6Any));

    /// <summary>An address that a client on this machine can use.</summary>
    public string ClientUrl => $"{Scheme}://{(IsWildcard ? "127.0.0.1" : Host)}:{Port}";

    /// <summary>The names for a certificate: a wildcard stands for the machine's own.</summary>
    public IEnumerable<string> Names => IsWildcard ? [Bare, .. MachineNames()] : [Bare];

    public override string ToString() => $"{Scheme}://{Host}:{Port}";

    private static IEnumerable<string> MachineNames()
    {
        yield return Dns.GetHostName();
        IPAddress[] addresses;
        try
        {
            addresses = Dns.GetHostAddresses(Dns.GetHostName());
        }
        catch (SocketException)
        {
            yield break;
        }

        foreach (var address in addresses) yield return address.ToString();
    }
}

/// <summary>The configured addresses: <c>urls</c>, or Kestrel's own endpoints when there are any.</summary>
public sealed record Listeners(IReadOnlyList<Listener> All)
{
    public const string DefaultUrls = "http://127.0.0.1:5080;https://127.0.0.1:5443";

    public Listener? FirstHttps => All.FirstOrDefault(l => l.IsHttps);

    /// <exception cref="StartupException">An address that cannot be read.</exception>
    public static Listeners From(IConfiguration configuration)
    {
        var endpoints = configuration.GetSection("Kestrel:Endpoints").GetChildren().Select(e => e["Url"]).OfType<string>().ToList();
        var urls = endpoints.Count > 0 ? endpoints : [.. Split(configuration["urls"])];
        return Of(urls.Count > 0 ? urls : [.. Split(DefaultUrls)]);
    }

    public static Listeners Of(IEnumerable<string> urls) => new([.. urls.Select(Parse)]);

    /// <summary>Reached from this machine only.</summary>
    public bool AreLoopback => All.All(l => l.IsLoopback);

    /// <summary>Without a sign-in provider nobody could sign in from elsewhere, and an administrator would have to open a door.</summary>
    /// <exception cref="StartupException">An address can be reached from outside this machine.</exception>
    public void RefuseOpenDoors()
    {
        if (All.FirstOrDefault(l => !l.IsLoopback) is { } open)
            throw new StartupException($"Krate will not listen on {open}: it can be reached from other machines, and no sign-in provider is configured. Configure one (Krate:SignIn:Oidc, or an AuthProvider that is ready), or listen on 127.0.0.1 and put a tunnel before it.");
    }

    private static string[] Split(string? urls) => urls?.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];

    private static Listener Parse(string url)
    {
        try
        {
            var address = BindingAddress.Parse(url);
            return new Listener(address.Scheme.ToLowerInvariant(), address.Host, address.Port);
        }
        catch (FormatException e)
        {
            throw new StartupException($"'{url}' is no address that Krate can listen on; write http://127.0.0.1:5080 or https://127.0.0.1:5443", e);
        }
    }
}
