using System.Text;
using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Diagnoser;

/// <summary>A request that is refused.</summary>
internal sealed class AcpException(int code, string message) : Exception(message)
{
    public const int Parse = -32700, Invalid = -32600, NoMethod = -32601, BadParameters = -32602, Internal = -32603;

    public int Code { get; } = code;
}

/// <summary>Messages of JSON-RPC, one a line. Thread-safe.</summary>
internal sealed class AcpWire(Stream output) : IDisposable
{
    private readonly SemaphoreSlim turn = new(1, 1);

    public Task ResultAsync(JsonNode? id, JsonNode result) => WriteAsync(new() { ["jsonrpc"] = "2.0", ["id"] = id?.DeepClone(), ["result"] = result });

    public Task ErrorAsync(JsonNode? id, int code, string message) =>
        WriteAsync(new() { ["jsonrpc"] = "2.0", ["id"] = id?.DeepClone(), ["error"] = new JsonObject { ["code"] = code, ["message"] = message } });

    public Task NotifyAsync(string method, JsonObject parameters) => WriteAsync(new() { ["jsonrpc"] = "2.0", ["method"] = method, ["params"] = parameters });

    public void Dispose() => turn.Dispose();

    private async Task WriteAsync(JsonObject message)
    {
        var bytes = Encoding.UTF8.GetBytes(KrateJson.ToText(message) + "\n");
        await turn.WaitAsync();
        try
        {
            await output.WriteAsync(bytes);
            await output.FlushAsync();
        }
        finally
        {
            turn.Release();
        }
    }
}
