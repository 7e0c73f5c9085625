using System.Buffers;
using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Core.Agents;

/// <summary>What the other side asks or tells.</summary>
/// <param name="Id">To be given back with the answer; null for what needs none.</param>
internal sealed record AcpMessage(string Method, JsonObject Parameters, JsonNode? Id);

/// <summary>The other side does not keep to the protocol, or refused a request. The message is fit to be shown.</summary>
internal sealed class AcpException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Whether it kept to the protocol and said no.</summary>
    public bool IsRefusal { get; init; }
}

/// <summary>
/// The Agent Client Protocol as its client speaks it: JSON-RPC 2.0, one message a line. One reader handles what comes in its order, so that all
/// updates of a turn have been seen when the turn's answer is. Asking, telling and answering are thread-safe.
/// </summary>
internal sealed class AcpConnection(Stream input, Stream output) : IDisposable
{
    /// <summary>A message of more bytes ends the connection.</summary>
    public const int LongestMessage = 8 << 20;

    private readonly ConcurrentDictionary<long, (string Method, TaskCompletionSource<JsonObject> Answer)> asked = new();
    private readonly SemaphoreSlim writing = new(1, 1);
    private long lastId = -1;
    private Exception? broken;

    /// <summary>Reads until the other side closes.</summary>
    /// <param name="received">Called for one message after the other; while it takes its time nothing more is read.</param>
    /// <exception cref="AcpException">It wrote something else.</exception>
    /// <exception cref="IOException">It cannot be read any more.</exception>
    public async Task ReadAllAsync(Func<AcpMessage, ValueTask> received, CancellationToken ct)
    {
        Exception? why = null;
        try
        {
            var reader = PipeReader.Create(output, new StreamPipeReaderOptions(leaveOpen: true));
            while (await LineAsync(reader, ct) is { } line)
                if (line.Length > 0) await HandleAsync(Parse(line), received);
        }
        catch (Exception e)
        {
            why = e;
            throw;
        }
        finally
        {
            Break(why ?? new IOException("it closed its output"));
        }
    }

    /// <exception cref="AcpException">It was refused, or the other side broke the protocol.</exception>
    /// <exception cref="IOException">The other side is gone.</exception>
    public async Task<JsonObject> AskAsync(string method, JsonObject parameters, CancellationToken ct)
    {
        var id = Interlocked.Increment(ref lastId);
        var answer = new TaskCompletionSource<JsonObject>(TaskCreationOptions.RunContinuationsAsynchronously);
        asked[id] = (method, answer);
        if (Volatile.Read(ref broken) is { } already) throw Gone(already);
        try
        {
            await WriteAsync(new() { ["jsonrpc"] = "2.0", ["id"] = id, ["method"] = method, ["params"] = parameters }, ct);
            return await answer.Task.WaitAsync(ct);
        }
        finally
        {
            asked.TryRemove(id, out _);
        }
    }

    public Task TellAsync(string method, JsonObject parameters, CancellationToken ct) => WriteAsync(new() { ["jsonrpc"] = "2.0", ["method"] = method, ["params"] = parameters }, ct);

    public Task AnswerAsync(JsonNode? id, JsonObject result, CancellationToken ct) => WriteAsync(new() { ["jsonrpc"] = "2.0", ["id"] = id?.DeepClone(), ["result"] = result }, ct);

    public Task RefuseAsync(JsonNode? id, int code, string message, CancellationToken ct) =>
        WriteAsync(new() { ["jsonrpc"] = "2.0", ["id"] = id?.DeepClone(), ["error"] = new JsonObject { ["code"] = code, ["message"] = message } }, ct);

    public void Dispose()
    {
        Break(new IOException("the connection was closed"));
        writing.Dispose();
    }

    private static async ValueTask<byte[]?> LineAsync(PipeReader reader, CancellationToken ct)
    {
        while (true)
        {
            var read = await reader.ReadAsync(ct);
            if (read.Buffer.PositionOf((byte)'\n') is { } end)
            {
                if (read.Buffer.Slice(0, end).Length > LongestMessage) throw TooLong();
                var line = read.Buffer.Slice(0, end).ToArray();
                reader.AdvanceTo(read.Buffer.GetPosition(1, end));
                return line;
            }

            if (read.Buffer.Length > LongestMessage) throw TooLong();
            if (read.IsCompleted) return null;
            reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    private static AcpException TooLong() => new($"it wrote a message of more than {LongestMessage >> 20} MiB");

    private static JsonObject Parse(byte[] line)
    {
        try
        {
            return KrateJson.ParseObject(line);
        }
        catch (Exception e) when (e is JsonException or ArgumentException)
        {
            throw new AcpException($"it wrote something else than JSON-RPC: {ForeignText.Line(Encoding.UTF8.GetString(line.AsSpan(0, Math.Min(line.Length, 400))), 100)}", e);
        }
    }

    private ValueTask HandleAsync(JsonObject message, Func<AcpMessage, ValueTask> received)
    {
        if (message.Text("method") is { } method) return received(new(method, message["params"] as JsonObject ?? [], message["id"]));
        // An answer that nobody waits for is a second one, or one that came too late.
        if (message.Whole("id") is not { } id || !asked.TryRemove(id, out var waiting)) return ValueTask.CompletedTask;
        if (message["error"] is { } error) waiting.Answer.TrySetException(new AcpException($"it refused {waiting.Method}: {ForeignText.Line(error.Text("message") ?? "no reason given", 300)}") { IsRefusal = true });
        else waiting.Answer.TrySetResult(message["result"] as JsonObject ?? []);
        return ValueTask.CompletedTask;
    }

    private async Task WriteAsync(JsonObject message, CancellationToken ct)
    {
        var bytes = Encoding.UTF8.GetBytes(KrateJson.ToText(message) + "\n");
        await writing.WaitAsync(ct);
        try
        {
            await input.WriteAsync(bytes, ct);
            await input.FlushAsync(ct);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // It has ended before it read this. Its output, which is read to the end, says so.
        }
        finally
        {
            writing.Release();
        }
    }

    private void Break(Exception why)
    {
        Interlocked.CompareExchange(ref broken, why, null);
        foreach (var (_, answer) in asked.Values) answer.TrySetException(Gone(why));
    }

    private static Exception Gone(Exception why) => why is AcpException ? new AcpException(why.Message, why) : new IOException(why.Message, why);
}
