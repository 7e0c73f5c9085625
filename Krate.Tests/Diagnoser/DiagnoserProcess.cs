using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Tests.Diagnoser;

/// <summary>The program as a client of the Agent Client Protocol has it.</summary>
internal sealed class DiagnoserProcess : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly Process? process;
    private readonly Stream input;
    private readonly StreamReader output;
    private long requests;

    /// <param name="input">What it reads; its process belongs to the caller.</param>
    public DiagnoserProcess(Stream input, Stream output) => (this.input, this.output) = (input, new StreamReader(output));

    private DiagnoserProcess(Process process)
        : this(process.StandardInput.BaseStream, process.StandardOutput.BaseStream) => this.process = process;

    /// <summary>Notifications of the last request.</summary>
    public List<JsonObject> Updates { get; } = [];

    public string Said => string.Concat(Updates.Select(u => u.At("params.update")).Where(u => u.Text("sessionUpdate") == "agent_message_chunk").Select(u => u.Text("content.text")));

    public Process Process => process!;

    public static DiagnoserProcess Start(string? artifacts)
    {
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "krate-diagnoser")) { RedirectStandardInput = true, RedirectStandardOutput = true };
        start.Environment["KRATE_ARTIFACTS"] = artifacts;
        return new(Process.Start(start)!);
    }

    public async Task SendAsync(string line)
    {
        await input.WriteAsync(Encoding.UTF8.GetBytes(line + "\n"));
        await input.FlushAsync();
    }

    public async Task<long> BeginAsync(string method, JsonObject parameters)
    {
        await SendAsync(new JsonObject { ["jsonrpc"] = "2.0", ["id"] = ++requests, ["method"] = method, ["params"] = parameters }.ToJsonString());
        return requests;
    }

    public async Task<JsonObject> AskAsync(string method, JsonObject parameters) => await AnswerAsync(await BeginAsync(method, parameters));

    /// <summary>The answer to a request, with the notifications before it in <see cref="Updates"/>.</summary>
    public async Task<JsonObject> AnswerAsync(long? request)
    {
        Updates.Clear();
        while (true)
        {
            var message = await ReadAsync();
            if (message["method"] is not null) Updates.Add(message);
            else if (message.Whole("id") == request) return message;
        }
    }

    public async Task<JsonObject> ReadAsync() => KrateJson.ParseObject(await output.ReadLineAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(Patience, TestContext.Current.CancellationToken) ?? throw new EndOfStreamException("the diagnoser has ended"));

    public async Task<string> NewSessionAsync(string folder) => (await AskAsync("session/new", new() { ["cwd"] = folder, ["mcpServers"] = new JsonArray() })).Text("result.sessionId")!;

    /// <summary>Sends a prompt and waits for its end.</summary>
    public Task<JsonObject> PromptAsync(string session, params JsonObject[] content) => AskAsync("session/prompt", Prompt(session, content));

    public static JsonObject Prompt(string session, params JsonObject[] content) => new() { ["sessionId"] = session, ["prompt"] = new JsonArray([.. content]) };

    public static JsonObject Log(string text) => new() { ["type"] = "resource", ["resource"] = new JsonObject { ["uri"] = "krate:log", ["text"] = text } };

    public static JsonObject LinkTo(string path) => new() { ["type"] = "resource_link", ["name"] = "log", ["uri"] = path };

    public async ValueTask DisposeAsync()
    {
        output.Dispose();
        if (process is null) return;
        process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync(CancellationToken.None);
        process.Dispose();
    }
}
