using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Core.Agents;

/// <summary>Agents as child processes that speak the Agent Client Protocol: JSON-RPC, one message a line, on standard input and output.</summary>
internal sealed class EmbeddedAgentMux(AgentProcesses processes, AgentOptions options) : IAgentMux
{
    private const int Version = 1;
    private const long MostOutput = 1L << 20;

    public async Task<AgentCapabilities> CapabilitiesAsync(AdapterLaunch adapter, CancellationToken ct)
    {
        await using var process = await StartAsync(CommandOf(adapter), ct);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(options.HandshakeWithin);
        try
        {
            return AgentCapabilities.From(await InitializeAsync(process, limit.Token));
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw new ProbeException(ProbeReasons.AdapterTimedOut, $"it gave no answer to initialize within {options.HandshakeWithin.TotalSeconds:0.#} s");
        }
        catch (IOException e)
        {
            throw Failed(process.Budget.IsExceeded ? $"it wrote more than {MostOutput >> 20} MiB before it answered" : await process.EndAsync(ct), e);
        }
    }

    private static AgentCommand CommandOf(AdapterLaunch adapter)
    {
        var known = AdapterCatalog.Find(adapter.Type) ?? throw Failed($"the catalog has no adapter {ForeignText.Line(adapter.Type, 100)}");
        var command = adapter.Command is { Length: > 0 } own ? own : known.Command ?? throw Failed("spec.command says which program to start, and is empty");
        return new(command, adapter.Arguments ?? known.Arguments);
    }

    private async Task<AgentProcess> StartAsync(AgentCommand command, CancellationToken ct)
    {
        try
        {
            return await processes.StartAsync(command, MostOutput, ct);
        }
        catch (ProbeException e) when (e.Reason == ProbeReasons.CommandNotInstalled)
        {
            throw new ProbeException(ProbeReasons.AdapterNotInstalled, e.Message, e);
        }
    }

    private static async Task<JsonObject> InitializeAsync(AgentProcess process, CancellationToken ct)
    {
        var request = new JsonObject
        {
            ["jsonrpc"] = "2.0",
            ["id"] = 0,
            ["method"] = "initialize",
            ["params"] = new JsonObject
            {
                ["protocolVersion"] = Version,
                // Agents go round the client's files and terminals; the sandbox is the wall, so none are offered.
                ["clientCapabilities"] = new JsonObject { ["fs"] = new JsonObject { ["readTextFile"] = false, ["writeTextFile"] = false }, ["terminal"] = false },
                ["clientInfo"] = new JsonObject { ["name"] = "krate", ["title"] = "Krate", ["version"] = typeof(EmbeddedAgentMux).Assembly.GetName().Version!.ToString(3) },
            },
        };
        await WriteAsync(process, request, ct);
        using var reader = new StreamReader(process.Output, new UTF8Encoding(false), detectEncodingFromByteOrderMarks: false, leaveOpen: true);
        while (await reader.ReadLineAsync(ct) is { } line)
        {
            var message = Parse(line);
            if (message["method"] is null && message.Whole("id") == 0) return ResultOf(message);
        }

        throw Failed(await process.EndAsync(ct));
    }

    private static async Task WriteAsync(AgentProcess process, JsonObject message, CancellationToken ct)
    {
        try
        {
            await process.Input.WriteAsync(Encoding.UTF8.GetBytes(KrateJson.ToText(message) + "\n"), ct);
            await process.Input.FlushAsync(ct);
        }
        catch (IOException)
        {
            // It has ended before it read anything; its output says so.
        }
    }

    private static JsonObject Parse(string line)
    {
        try
        {
            return KrateJson.ParseObject(line);
        }
        catch (Exception e) when (e is JsonException or ArgumentException)
        {
            throw Failed($"it wrote something else than JSON-RPC: {ForeignText.Line(line, 100)}", e);
        }
    }

    private static JsonObject ResultOf(JsonObject answer)
    {
        if (answer["result"] is not JsonObject result) throw Failed($"it refused initialize: {ForeignText.Line(answer.Text("error.message") ?? "no result and no error", 200)}");
        return result.Whole("protocolVersion") == Version ? result : throw Failed($"it does not speak version {Version} of the Agent Client Protocol");
    }

    private static ProbeException Failed(string message, Exception? inner = null) => new(ProbeReasons.AdapterHandshakeFailed, message, inner);
}
