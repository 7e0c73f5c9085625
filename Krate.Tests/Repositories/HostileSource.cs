using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Krate.Tests.Repositories;

/// <summary>A web server that says it has git repositories; the first part of a path is what it does to those who believe it.</summary>
public sealed class HostileSource : IAsyncDisposable
{
    private const string Id = "1111111111111111111111111111111111111111";
    private readonly TcpListener listener;
    private readonly CancellationTokenSource stop = new();
    private readonly Task accepting;

    private HostileSource(IPAddress address)
    {
        listener = new TcpListener(address, 0);
        listener.Start();
        accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    public static HostileSource Start(IPAddress? address = null) => new(address ?? IPAddress.Loopback);

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        listener.Dispose();
        await accepting;
        stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        var open = new List<Task>();
        try
        {
            while (true) open.Add(ServeAsync(await listener.AcceptTcpClientAsync(stop.Token)));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException)
        {
            await Task.WhenAll(open);
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        try
        {
            using (client)
            {
                await using var stream = client.GetStream();
                using var reader = new StreamReader(stream, Encoding.ASCII, leaveOpen: true);
                var asked = await reader.ReadLineAsync(stop.Token) ?? "";
                while (await reader.ReadLineAsync(stop.Token) is { Length: > 0 })
                {
                    // What else it says of itself is of no interest.
                }

                await AnswerAsync(asked.Split(' '), stream);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // Whoever asked has had enough.
        }
    }

    private async Task AnswerAsync(string[] asked, Stream to)
    {
        var (isPack, part) = (asked[0] == "POST", asked[1].Split('/')[1]);
        switch (part)
        {
            case "redirect":
                var where = Uri.UnescapeDataString(asked[1].Split('/')[2]);
                await SayAsync(to, $"HTTP/1.1 302 Found\r\nLocation: {where}\r\nContent-Length: 0\r\n\r\n");
                break;
            case "round":
                await SayAsync(to, $"HTTP/1.1 302 Found\r\nLocation: {asked[1]}\r\nContent-Length: 0\r\n\r\n");
                break;
            case "page":
                await SayAsync(to, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<h1>Hello</h1>");
                break;
            case "noise":
                await SayAsync(to, "\0\0\0 no HTTP at all\r\n\r\n");
                break;
            case "lie":
                await SayAsync(to, Head("advertisement") + "zzzz this is no list of refs");
                break;
            case "half-list":
                await SayAsync(to, Head("advertisement", "Content-Length: 100000\r\n") + List()[..60]);
                break;
            case "endless-list":
                await SayAsync(to, Head("advertisement") + Line("# service=git-upload-pack\n") + "0000");
                await ForeverAsync(to, Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(0, 1000).Select(n => Line($"{Id} refs/heads/{n:D40}\n")))));
                break;
            case "silent":
                await Task.Delay(Timeout.Infinite, stop.Token);
                break;
            case "silent-list":
                await SayAsync(to, Head("advertisement"));
                await Task.Delay(Timeout.Infinite, stop.Token);
                break;
            default:
                if (!isPack) await SayAsync(to, Head("advertisement") + List());
                else if (part.StartsWith("half-pack", StringComparison.Ordinal)) await to.WriteAsync((byte[])[.. Encoding.ASCII.GetBytes(Head("result") + Line("NAK\n")), .. PackHead], stop.Token);
                else await EndlessPackAsync(to);
                break;
        }
    }

    /// <summary>A pack of a million files, each of them as git has it.</summary>
    private static byte[] PackHead => [.. "PACK"u8, 0, 0, 0, 2, 0, 0x0f, 0x42, 0x40];

    private async Task EndlessPackAsync(Stream to)
    {
        await to.WriteAsync((byte[])[.. Encoding.ASCII.GetBytes(Head("result") + Line("NAK\n")), .. PackHead], stop.Token);
        using var file = new MemoryStream();
        // A blob of 16,384 bytes: four bits of the size with the kind, the rest in sevens.
        file.Write([0xb0, 0x80, 0x08]);
        await using (var packed = new ZLibStream(file, CompressionLevel.NoCompression, leaveOpen: true)) await packed.WriteAsync(new byte[16384], stop.Token);
        await ForeverAsync(to, file.ToArray());
    }

    private async Task ForeverAsync(Stream to, byte[] bytes)
    {
        while (true) await to.WriteAsync(bytes, stop.Token);
    }

    private async Task SayAsync(Stream to, string text) => await to.WriteAsync(Encoding.Latin1.GetBytes(text), stop.Token);

    private static string Head(string kind, string more = "") => $"HTTP/1.1 200 OK\r\nContent-Type: application/x-git-upload-pack-{kind}\r\nConnection: close\r\n{more}\r\n";

    private static string List() => Line("# service=git-upload-pack\n") + "0000" + Line($"{Id} HEAD\0 symref=HEAD:refs/heads/main agent=git/2\n") + Line($"{Id} refs/heads/main\n") + "0000";

    private static string Line(string text) => (text.Length + 4).ToString("x4", CultureInfo.InvariantCulture) + text;
}
