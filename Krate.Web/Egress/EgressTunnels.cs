using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Net.Sockets;
using System.Text;
using Krate.Core.Agents;
using Krate.Core.Outbound;
using Microsoft.AspNetCore.Connections;

namespace Krate.Web.Egress;

/// <summary>
/// The CONNECT method of a proxy (RFC 9110, 9.3.6), which the web server does not carry out: a connection that begins so is taken out of its hands, every
/// other goes on to it. What is said inside a tunnel is between the agent and the host.
/// </summary>
internal sealed class EgressTunnels(EgressRules rules, OutboundGuard guard) : IDisposable
{
    private const int MostHead = 8 << 10;
    private static readonly TimeSpan HeadWithin = TimeSpan.FromSeconds(10), LingerFor = TimeSpan.FromSeconds(2);
    private readonly CancellationTokenSource closing = new();

    public ConnectionDelegate OnConnectionAsync(ConnectionDelegate next) => async connection =>
    {
        if (!await BeginsWithConnectAsync(connection.Transport.Input))
        {
            await next(connection);
            return;
        }

        try
        {
            // Not until the agent has said all: it may want to hear the rest.
            await TunnelAsync(connection.Transport, closing.Token);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or SocketException or ConnectionAbortedException or ConnectionResetException)
        {
            // Either end went away.
        }
    };

    /// <summary>Ends all that are open; no more are opened.</summary>
    public Task CutAsync() => closing.CancelAsync();

    public void Dispose() => closing.Dispose();

    private async Task<bool> BeginsWithConnectAsync(PipeReader input)
    {
        ReadOnlyMemory<byte> method = "CONNECT "u8.ToArray();
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(closing.Token);
        patience.CancelAfter(HeadWithin);
        try
        {
            while (true)
            {
                var read = await input.ReadAsync(patience.Token);
                var begin = read.Buffer.Slice(0, Math.Min(read.Buffer.Length, method.Length)).ToArray();
                var isAll = begin.Length == method.Length || read.IsCompleted || !method.Span.StartsWith(begin);
                input.AdvanceTo(read.Buffer.Start, isAll ? read.Buffer.Start : read.Buffer.End);
                if (isAll) return begin.AsSpan().SequenceEqual(method.Span);
            }
        }
        catch (OperationCanceledException)
        {
            // One that says nothing is the web server's to end.
            return false;
        }
    }

    private async Task TunnelAsync(IDuplexPipe agent, CancellationToken ct)
    {
        if (await HeadAsync(agent.Input, ct) is not { } request)
        {
            await AnswerAsync(agent, "400 Bad Request", "Krate reads CONNECT host:port only.", ct);
            return;
        }

        var verdict = await rules.DecideAsync(request, ct);
        if (!verdict.IsAllowed)
        {
            await AnswerAsync(agent, "403 Forbidden", verdict.Reason, ct);
            return;
        }

        Socket host;
        try
        {
            host = await guard.ConnectAsync(request.Host, request.Port, ct);
        }
        catch (OutboundRefusedException e)
        {
            await AnswerAsync(agent, "403 Forbidden", $"Refused: {e.Message}.", ct);
            return;
        }
        catch (SocketException)
        {
            await AnswerAsync(agent, "502 Bad Gateway", $"{request.Host}:{request.Port} does not answer.", ct);
            return;
        }

        await using var far = new NetworkStream(host, ownsSocket: true);
        await agent.Output.WriteAsync("HTTP/1.1 200 Connection established\r\n\r\n"u8.ToArray(), ct);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var sending = SendAsync(agent.Input, host, far, both.Token);
        // When the host has said all, nobody waits for what else the agent could say.
        await far.CopyToAsync(agent.Output, ct);
        await both.CancelAsync();
        await sending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>What the agent says, until it has said all.</summary>
    private static async Task SendAsync(PipeReader from, Socket host, NetworkStream far, CancellationToken ct)
    {
        await from.CopyToAsync(far, ct);
        host.Shutdown(SocketShutdown.Send);
    }

    /// <returns>Null for what is no such request.</returns>
    private static async Task<EgressRequest?> HeadAsync(PipeReader input, CancellationToken ct)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(ct);
        patience.CancelAfter(HeadWithin);
        while (true)
        {
            var read = await input.ReadAsync(patience.Token);
            var reader = new SequenceReader<byte>(read.Buffer);
            if (reader.TryReadTo(out ReadOnlySequence<byte> head, "\r\n\r\n"u8))
            {
                var words = Encoding.ASCII.GetString(head);
                input.AdvanceTo(reader.Position);
                return Parse(words);
            }

            if (read.IsCompleted || read.Buffer.Length > MostHead)
            {
                input.AdvanceTo(read.Buffer.End);
                return null;
            }

            input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    private static EgressRequest? Parse(string head)
    {
        var words = head.Split("\r\n")[0].Split(' ');
        if (words is not ["CONNECT", var authority, "HTTP/1.1" or "HTTP/1.0"]) return null;
        var at = authority.LastIndexOf(':');
        return at > 0 && ushort.TryParse(authority[(at + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port > 0 && Uri.CheckHostName(authority[..at].Trim('[', ']')) != UriHostNameType.Unknown
            ? new(authority[..at].Trim('[', ']').ToLowerInvariant(), port)
            : null;
    }

    private static async Task AnswerAsync(IDuplexPipe agent, string status, string reason, CancellationToken ct)
    {
        var body = Encoding.UTF8.GetBytes(reason + "\n");
        var head = Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n");
        await agent.Output.WriteAsync((byte[])[.. head, .. body], ct);
        await agent.Output.CompleteAsync();
        await LingerAsync(agent.Input, ct);
    }

    /// <summary>A connection that is cut takes along what it has not delivered: who was answered ends it.</summary>
    private static async Task LingerAsync(PipeReader input, CancellationToken ct)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(ct);
        patience.CancelAfter(LingerFor);
        while (await input.ReadAsync(patience.Token) is { IsCompleted: false } read) input.AdvanceTo(read.Buffer.End);
    }
}
