using System.Net;
using System.Net.Sockets;

namespace Krate.Core.Outbound;

/// <summary>Which addresses Krate may be sent to by what people write into resources.</summary>
/// <param name="AllowedHosts">Host names and addresses that are reached although they are not public, as the operator says.</param>
public sealed record OutboundOptions(IReadOnlyList<string> AllowedHosts);

/// <summary>Krate will not connect there. The message is for the person who wrote the address.</summary>
public sealed class OutboundRefusedException(string message) : Exception(message);

/// <summary>
/// Keeps requests that people cause from reaching what only Krate can reach: loopback, link-local, private and other special addresses
/// (spec 10). The address that was checked is the one that is connected to, so that a second answer of DNS changes nothing. Thread-safe.
/// </summary>
public sealed class OutboundGuard(OutboundOptions options)
{
    private static readonly TimeSpan ConnectWithin = TimeSpan.FromSeconds(10);

    /// <summary>IPv4 and IPv6 networks that are not the public internet, or that hide an IPv4 address.</summary>
    private static readonly IPNetwork[] Special =
    [
        .. new[]
        {
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16",
            "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
            "::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
        }.Select(IPNetwork.Parse),
    ];

    /// <summary>Whether everybody may be sent to this address.</summary>
    public static bool IsPublic(IPAddress address)
    {
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return !Special.Any(n => n.BaseAddress.AddressFamily == plain.AddressFamily && n.Contains(plain));
    }

    /// <summary>Whether the operator has named this host.</summary>
    public bool IsAllowed(string host) => options.AllowedHosts.Contains(host.Trim('[', ']'), StringComparer.OrdinalIgnoreCase);

    /// <summary>The addresses that a host may be reached at.</summary>
    /// <exception cref="OutboundRefusedException">It has no address, or one that is not public while the operator has not allowed the host.</exception>
    public async Task<IReadOnlyList<IPAddress>> ResolveAsync(string host, CancellationToken ct)
    {
        var name = host.Trim('[', ']');
        IPAddress[] addresses;
        try
        {
            addresses = IPAddress.TryParse(name, out var literal) ? [literal] : await Dns.GetHostAddressesAsync(name, ct);
        }
        catch (SocketException)
        {
            throw new OutboundRefusedException($"the host {host} was not found");
        }

        if (addresses.Length == 0) throw new OutboundRefusedException($"the host {host} was not found");
        // One private answer among public ones is how the check is usually got round.
        if (!IsAllowed(name) && addresses.Any(a => !IsPublic(a)))
            throw new OutboundRefusedException($"the host {host} is on a loopback, link-local, private or reserved address, and the operator has not allowed it (Krate:Outbound:AllowedHosts)");
        return addresses;
    }

    /// <summary>A client that connects only where <see cref="ResolveAsync"/> lets it, follows no redirect and uses no proxy.</summary>
    public HttpClient CreateClient() => new(CreateHandler());

    /// <summary>The same for a client with more handlers of its own.</summary>
    public SocketsHttpHandler CreateHandler() => new() { AllowAutoRedirect = false, UseProxy = false, UseCookies = false, ConnectTimeout = ConnectWithin, ConnectCallback = ConnectAsync };

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken ct) =>
        new NetworkStream(await ConnectAsync(context.DnsEndPoint.Host, context.DnsEndPoint.Port, ct), ownsSocket: true);

    /// <summary>A connection to a host, where <see cref="ResolveAsync"/> lets it.</summary>
    /// <exception cref="OutboundRefusedException">As there.</exception>
    /// <exception cref="SocketException">Nobody answers.</exception>
    public async Task<Socket> ConnectAsync(string host, int port, CancellationToken ct)
    {
        var addresses = await ResolveAsync(host, ct);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync([.. addresses], port, ct);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
