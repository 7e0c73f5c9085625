using System.Net;
using System.Net.Sockets;

namespace Krate.Tests.Testing;

/// <summary>Ports of this machine.</summary>
public static class Loopback
{
    /// <summary>One that nobody listened on a moment ago.</summary>
    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
