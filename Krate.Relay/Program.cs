using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Krate.Relay;

/// <summary>
/// Inside the sandbox of an agent, where there is no network: listens on a port of its loopback, hands each connection to a Unix socket behind which Krate
/// decides, and runs the agent for as long as it runs. It decides nothing itself: the agent could do all that it does.
/// </summary>
internal static class Program
{
    private const int Usage = 64, NotStarted = 127;

    private static async Task<int> Main(string[] args)
    {
        if (args is not [var number, var socket, "--", var program, .. var arguments] || !ushort.TryParse(number, CultureInfo.InvariantCulture, out var port))
        {
            await Console.Error.WriteLineAsync("usage: krate-relay PORT SOCKET -- PROGRAM [ARGUMENT ...]");
            return Usage;
        }

        using var listener = new TcpListener(IPAddress.Loopback, port);
        listener.Start(backlog: 128);
        _ = AcceptAsync(listener, socket);
        try
        {
            // Standard input and output are the agent's own.
            using var agent = Process.Start(Inherited(program, arguments))!;
            await agent.WaitForExitAsync();
            return agent.ExitCode;
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return NotStarted;
        }
    }

    private static ProcessStartInfo Inherited(string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { UseShellExecute = false };
        // How this program was started is nothing to the agent.
        foreach (var name in start.Environment.Keys.Where(n => n.StartsWith("DOTNET_", StringComparison.Ordinal)).ToList()) start.Environment.Remove(name);
        return start;
    }

    private static async Task AcceptAsync(TcpListener listener, string path)
    {
        while (true) _ = RelayAsync(await listener.AcceptSocketAsync(), path);
    }

    private static async Task RelayAsync(Socket near, string path)
    {
        using var far = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        using (near)
        {
            try
            {
                await far.ConnectAsync(new UnixDomainSocketEndPoint(path));
                await Task.WhenAll(CopyAsync(near, far), CopyAsync(far, near));
            }
            catch (SocketException)
            {
                // Nobody listens there any more.
            }
        }
    }

    /// <summary>Until the end, which the other side is told: it may have more to say. What breaks ends both ways.</summary>
    private static async Task CopyAsync(Socket from, Socket to)
    {
        var buffer = new byte[16 << 10];
        try
        {
            int count;
            while ((count = await from.ReceiveAsync(buffer)) > 0)
                for (var sent = 0; sent < count;) sent += await to.SendAsync(buffer.AsMemory(sent, count - sent));
            to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            from.Dispose();
            to.Dispose();
        }
    }
}
