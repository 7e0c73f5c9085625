using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Krate.Core.Agents;
using Krate.Tests.ControlPlane;
using Krate.Tests.Testing;
using Xunit;

namespace Krate.Tests.Agents;

/// <summary>The way out of an agent, over its socket as the relay in the sandbox uses it. Of the machine's own hosts only localhost is one that the operator allows.</summary>
[Collection(typeof(AgentCollection))]
public sealed class EgressTests(AgentWorld agents) : IAsyncLifetime
{
    private readonly HttpListener upstream = new();
    private readonly ConcurrentQueue<(string Path, string? Authorization, string? ApiKey)> seen = new();
    private readonly int port = Loopback.FreePort();
    private IEgressGate gate = null!;

    private static CancellationToken Ct => ControlPlaneWorld.Ct;

    public async ValueTask InitializeAsync()
    {
        upstream.Prefixes.Add($"http://localhost:{port}/");
        upstream.Start();
        _ = AnswerAsync();
        gate = await OpenAsync(asked => new(asked.Host is "localhost" or "127.0.0.1" or "169.254.169.254", "The tool profile does not list it."));
    }

    public async ValueTask DisposeAsync()
    {
        await gate.DisposeAsync();
        upstream.Close();
    }

    [Fact]
    public async Task What_goes_to_a_route_is_signed_in_by_Krate_and_the_agents_own_credentials_go_nowhere()
    {
        using var client = ClientOf(gate);
        client.DefaultRequestHeaders.Add("Authorization", "Bearer of-the-agent");
        client.DefaultRequestHeaders.Add("x-api-key", "of-the-agent");
        using var answer = await client.GetAsync(new Uri("http://127.0.0.1:3128/model/chat/completions?stream=1"), Ct);
        Assert.Equal("answer to /v1/chat/completions?stream=1", await answer.Content.ReadAsStringAsync(Ct));
        Assert.Equal(("/v1/chat/completions?stream=1", "Bearer kept", null), seen.Single());
        Assert.False(answer.Headers.Contains("Set-Cookie"));
    }

    [Fact]
    public async Task What_a_model_says_comes_piece_by_piece()
    {
        using var client = ClientOf(gate);
        using var answer = await client.GetAsync(new Uri("http://127.0.0.1:3128/model/slow"), HttpCompletionOption.ResponseHeadersRead, Ct);
        using var words = new StreamReader(await answer.Content.ReadAsStreamAsync(Ct));
        // The second comes only when the first has been read here.
        Assert.Equal("first", await words.ReadLineAsync(Ct));
        read.SetResult();
        Assert.Equal("second", await words.ReadLineAsync(Ct));
    }

    [Theory]
    [InlineData("GET /other HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "403", "Krate has no such address for agents.")]
    [InlineData("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "403", "Krate has no such address for agents.")]
    [InlineData("GET http://localhost:PORT/v1/x HTTP/1.1\r\nHost: localhost:PORT\r\nConnection: close\r\n\r\n", "403", "Krate opens tunnels only (https).")]
    [InlineData("CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n", "403", "The tool profile does not list it.")]
    [InlineData("CONNECT 169.254.169.254:80 HTTP/1.1\r\n\r\n", "403", "Refused: the host 169.254.169.254 is on a loopback, link-local, private or reserved address")]
    [InlineData("CONNECT 127.0.0.1:PORT HTTP/1.1\r\n\r\n", "403", "Refused: the host 127.0.0.1 is on a loopback")]
    [InlineData("CONNECT localhost:1 HTTP/1.1\r\n\r\n", "502", "localhost:1 does not answer.")]
    [InlineData("CONNECT localhost HTTP/1.1\r\n\r\n", "400", "Krate reads CONNECT host:port only.")]
    [InlineData("CONNECT user@localhost:443 HTTP/1.1\r\n\r\n", "400", "Krate reads CONNECT host:port only.")]
    [InlineData("CONNECT localhost:99999 HTTP/1.1\r\n\r\n", "400", "Krate reads CONNECT host:port only.")]
    public async Task Everything_else_is_refused_in_words_that_the_agent_can_read(string request, string status, string words)
    {
        var answer = await SayAsync(request.Replace("PORT", $"{port}", StringComparison.Ordinal));
        Assert.StartsWith($"HTTP/1.1 {status}", answer, StringComparison.Ordinal);
        Assert.Contains(words, answer, StringComparison.Ordinal);
        Assert.Empty(seen);
    }

    [Fact]
    public async Task A_tunnel_carries_bytes_both_ways_and_ends_with_its_gate()
    {
        var own = await OpenAsync(_ => new(true, ""));
        using var echo = new TcpListener(IPAddress.Loopback, 0);
        echo.Start();
        using var socket = await ConnectAsync(own);
        await socket.SendAsync(Encoding.ASCII.GetBytes($"CONNECT localhost:{((IPEndPoint)echo.LocalEndpoint).Port} HTTP/1.1\r\n\r\nhello"), Ct);
        using var host = await echo.AcceptSocketAsync(Ct);
        var buffer = new byte[100];
        Assert.Equal("hello", Encoding.ASCII.GetString(buffer, 0, await host.ReceiveAsync(buffer, Ct)));
        Assert.StartsWith("HTTP/1.1 200", Encoding.ASCII.GetString(buffer, 0, await socket.ReceiveAsync(buffer, Ct)), StringComparison.Ordinal);
        await host.SendAsync("there"u8.ToArray(), Ct);
        Assert.Equal("there", Encoding.ASCII.GetString(buffer, 0, await socket.ReceiveAsync(buffer, Ct)));
        await own.DisposeAsync();
        Assert.Equal(0, await host.ReceiveAsync(buffer, Ct));
        Assert.False(File.Exists(own.SocketPath));
    }

    [Fact]
    public async Task A_head_without_an_end_is_given_up_and_a_socket_is_for_its_owner_only()
    {
        Assert.StartsWith("HTTP/1.1 400", await SayAsync("CONNECT " + new string('a', 9000)), StringComparison.Ordinal);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(Path.GetDirectoryName(gate.SocketPath)!));
    }

    private readonly TaskCompletionSource read = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private Task<IEgressGate> OpenAsync(Func<EgressRequest, EgressVerdict> decide)
    {
        var headers = new Dictionary<string, string> { ["Authorization"] = "Bearer kept" };
        var route = new EgressRoute("model", new Uri($"http://localhost:{port}/v1/"), _ => Task.FromResult<IReadOnlyDictionary<string, string>>(headers));
        return agents.World.Service<IEgress>().OpenAsync(new() { Routes = [route], DecideAsync = (asked, _) => Task.FromResult(decide(asked)) }, Ct);
    }

    private async Task AnswerAsync()
    {
        try
        {
            while (true)
            {
                var context = await upstream.GetContextAsync();
                seen.Enqueue((context.Request.RawUrl!, context.Request.Headers["Authorization"], context.Request.Headers["x-api-key"]));
                context.Response.SendChunked = true;
                context.Response.AddHeader("Set-Cookie", "a=b");
                await using (var words = new StreamWriter(context.Response.OutputStream) { AutoFlush = true })
                {
                    if (context.Request.RawUrl != "/v1/slow")
                    {
                        await words.WriteAsync($"answer to {context.Request.RawUrl}");
                        continue;
                    }

                    await words.WriteLineAsync("first");
                    await read.Task;
                    await words.WriteLineAsync("second");
                }
            }
        }
        catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
        {
            // The test has ended.
        }
    }

    private static HttpClient ClientOf(IEgressGate gate) => new(new SocketsHttpHandler
    {
        UseProxy = false, ConnectCallback = async (_, _) => new NetworkStream(await ConnectAsync(gate), ownsSocket: true),
    });

    private static async Task<Socket> ConnectAsync(IEgressGate gate)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(gate.SocketPath), Ct);
        return socket;
    }

    /// <summary>All that comes until the end.</summary>
    private async Task<string> SayAsync(string request)
    {
        using var socket = await ConnectAsync(gate);
        await socket.SendAsync(Encoding.ASCII.GetBytes(request), Ct);
        var answer = new StringBuilder();
        var buffer = new byte[4096];
        int count;
        while ((count = await socket.ReceiveAsync(buffer, Ct)) > 0) answer.Append(Encoding.UTF8.GetString(buffer, 0, count));
        return answer.ToString();
    }
}
