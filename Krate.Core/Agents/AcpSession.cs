using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Krate.Core.Resources;

namespace Krate.Core.Agents;

/// <summary>A session with an agent that is a child process and speaks ACP.</summary>
internal sealed class AcpSession : IAgentSession
{
    /// <summary>Events that wait for their reader; then the agent waits.</summary>
    private const int MostWaiting = 1024;
    private const int NoSuchMethod = -32601;
    private static readonly TimeSpan SayGoodbyeWithin = TimeSpan.FromMilliseconds(300);
    private readonly AgentProcess process;
    private readonly IDisposable? kept;
    private readonly AcpConnection connection;
    private readonly Channel<AgentEvent> events = Channel.CreateBounded<AgentEvent>(new BoundedChannelOptions(MostWaiting) { SingleReader = true });
    private readonly ConcurrentDictionary<string, (JsonNode? Id, JsonArray Options)> questions = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource closing = new();
    private readonly Task reading;
    private string? askingMode;
    private volatile bool isReplaying;
    private long lastQuestion;

    /// <param name="kept">What it needs for as long as it runs.</param>
    public AcpSession(AgentProcess process, IDisposable? kept = null)
    {
        (this.process, this.kept) = (process, kept);
        connection = new AcpConnection(process.Input, process.Output);
        reading = Task.Run(ReadAsync);
    }

    public string Id { get; private set; } = "";

    public AgentCapabilities Capabilities { get; private set; } = new();

    public IAsyncEnumerable<AgentEvent> Events => events.Reader.ReadAllAsync();

    /// <summary>Says hello; nothing is started by that.</summary>
    /// <exception cref="AcpException">It refused, or does not speak the protocol.</exception>
    /// <exception cref="IOException">It is gone.</exception>
    public async Task<AgentCapabilities> InitializeAsync(CancellationToken ct)
    {
        var result = await connection.AskAsync("initialize", new()
        {
            ["protocolVersion"] = EmbeddedAgentMux.ProtocolVersion,
            // Agents go round the client's files and terminals; the sandbox is the wall, so none are offered.
            ["clientCapabilities"] = new JsonObject { ["fs"] = new JsonObject { ["readTextFile"] = false, ["writeTextFile"] = false }, ["terminal"] = false },
            ["clientInfo"] = new JsonObject { ["name"] = "krate", ["title"] = "Krate", ["version"] = typeof(AcpSession).Assembly.GetName().Version!.ToString(3) },
        }, ct);
        if (result.Whole("protocolVersion") != EmbeddedAgentMux.ProtocolVersion) throw new AcpException($"it does not speak version {EmbeddedAgentMux.ProtocolVersion} of the Agent Client Protocol");
        return Capabilities = AgentCapabilities.From(result);
    }

    /// <summary>Names the way in which it signs in to its model; nothing secret is said.</summary>
    public Task SignInAsync(string way, CancellationToken ct) => connection.AskAsync("authenticate", new() { ["methodId"] = way }, ct);

    /// <summary>Opens the conversation, in the mode in which the agent asks before it does something.</summary>
    /// <param name="before">Session of before that it takes up; null for a new one.</param>
    /// <param name="mode">Null where its own configuration decides that.</param>
    public async Task OpenAsync(string folder, string? before, string? mode, CancellationToken ct)
    {
        var parameters = new JsonObject
        {
            ["cwd"] = folder,
            ["mcpServers"] = new JsonArray(),
            // Else Claude Code takes a variable of the environment for leave to ask nobody.
            ["_meta"] = new JsonObject { ["claudeCode"] = new JsonObject { ["options"] = new JsonObject { ["allowDangerouslySkipPermissions"] = false } } },
        };
        if (before is not null) parameters["sessionId"] = before;
        var method = before is null ? "session/new" : Capabilities.SessionCapabilities?.Contains("resume") == true ? "session/resume" : "session/load";
        // What was said before is kept already.
        isReplaying = before is not null;
        var opened = await connection.AskAsync(method, parameters, ct);
        isReplaying = false;
        Id = (before ?? opened.Text("sessionId")) is { Length: > 0 and <= 255 } id ? id : throw new AcpException("it opened a session without a usable sessionId");
        if (mode is not null) await SetModeAsync(opened, mode, ct);
        await events.Writer.WriteAsync(new(AgentEventTypes.SessionStarted, new() { ["agent"] = Capabilities.AgentName, ["version"] = Capabilities.Version, ["sessionId"] = ForeignText.Line(Id, 255) }), ct);
    }

    public async Task<string> PromptAsync(IReadOnlyList<string> blocks, CancellationToken ct)
    {
        try
        {
            var answer = await connection.AskAsync("session/prompt", new()
            {
                ["sessionId"] = Id, ["prompt"] = new JsonArray([.. blocks.Select(b => (JsonNode)new JsonObject { ["type"] = "text", ["text"] = b })]),
            }, ct);
            if (AcpEvents.CostOf(answer) is { } cost) await events.Writer.WriteAsync(cost, ct);
            var stopped = ForeignText.Line(answer.Text("stopReason") ?? "end_turn", 60);
            await events.Writer.WriteAsync(new(AgentEventTypes.TurnEnded, new() { ["stopReason"] = stopped }), ct);
            return stopped;
        }
        catch (AcpException e)
        {
            throw new AgentEndedException(e.Message, e);
        }
        catch (Exception e) when (e is IOException or ChannelClosedException)
        {
            throw new AgentEndedException(await EndAsync(), e);
        }
    }

    public async Task DecideAsync(string requestId, PermissionOutcome outcome, CancellationToken ct)
    {
        if (!questions.TryRemove(requestId, out var question)) return;
        var wanted = outcome switch { PermissionOutcome.Allowed => "allow_once", PermissionOutcome.Rejected => "reject_once", _ => null };
        // By kind: the names of options and their order differ from agent to agent.
        var option = wanted is null ? null : question.Options.FirstOrDefault(o => o.Text("kind") == wanted).Text("optionId");
        var answer = option is null ? new JsonObject { ["outcome"] = "cancelled" } : new() { ["outcome"] = "selected", ["optionId"] = option };
        await connection.AnswerAsync(question.Id, new() { ["outcome"] = answer }, ct);
    }

    public async Task CancelAsync(CancellationToken ct)
    {
        await connection.TellAsync("session/cancel", new() { ["sessionId"] = Id }, ct);
        foreach (var open in questions.Keys) await DecideAsync(open, PermissionOutcome.Cancelled, ct);
    }

    /// <summary>How its process ended, for people.</summary>
    public Task<string> EndAsync() => process.Budget.IsExceeded ? Task.FromResult($"it wrote more than {process.Budget.Most >> 20} MiB") : process.EndAsync(CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        await closing.CancelAsync();
        await process.DisposeAsync();
        await reading.WaitAsync(SayGoodbyeWithin).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        connection.Dispose();
        closing.Dispose();
        kept?.Dispose();
    }

    private async Task SetModeAsync(JsonObject opened, string mode, CancellationToken ct)
    {
        var offered = (opened.At("modes.availableModes") as JsonArray ?? []).Select(m => m.Text("id")).ToList();
        if (!offered.Contains(mode)) throw new AcpException($"it does not offer the mode {mode}, in which it asks before it does something; without it no agent of this kind is started");
        if (opened.Text("modes.currentModeId") != mode) await connection.AskAsync("session/set_mode", new() { ["sessionId"] = Id, ["modeId"] = mode }, ct);
        askingMode = mode;
    }

    private async Task ReadAsync()
    {
        Exception? end = null;
        try
        {
            await connection.ReadAllAsync(ReceiveAsync, closing.Token);
        }
        catch (Exception e) when (e is AcpException or IOException or OperationCanceledException or ObjectDisposedException)
        {
            end = e;
        }

        if (end is AcpException broken && !closing.IsCancellationRequested) events.Writer.TryWrite(new(AgentEventTypes.Error, new() { ["message"] = broken.Message }));
        events.Writer.TryComplete();
    }

    private async ValueTask ReceiveAsync(AcpMessage message)
    {
        switch (message.Method)
        {
            case "session/update" when message.Parameters["update"] is JsonObject update:
                if (askingMode is not null && ModeOf(update) is { } mode && mode != askingMode) throw new AcpException($"it changed to the mode {ForeignText.Line(mode, 60)}, in which it may not ask");
                if (!isReplaying && AcpEvents.From(update) is { } told) await events.Writer.WriteAsync(told, closing.Token);
                break;
            case "session/request_permission" when message.Id is not null:
                await AskPersonAsync(message);
                break;
            case var _ when message.Id is not null:
                await connection.RefuseAsync(message.Id, NoSuchMethod, "Krate offers no such method", closing.Token);
                break;
        }
    }

    private static string? ModeOf(JsonObject update) => update.Text("sessionUpdate") switch
    {
        "current_mode_update" => update.Text("currentModeId"),
        "config_option_update" => (update["configOptions"] as JsonArray)?.FirstOrDefault(o => o.Text("category") == "mode").Text("currentValue"),
        _ => null,
    };

    private async Task AskPersonAsync(AcpMessage message)
    {
        var id = string.Create(CultureInfo.InvariantCulture, $"question-{Interlocked.Increment(ref lastQuestion)}");
        var options = message.Parameters["options"] as JsonArray ?? [];
        var data = AcpEvents.ToolCall(message.Parameters["toolCall"] as JsonObject ?? []);
        data["requestId"] = id;
        data["options"] = new JsonArray([.. options.Take(20).Select(o => (JsonNode)new JsonObject { ["kind"] = o.Text("kind"), ["name"] = ForeignText.Line(o.Text("name"), 200) })]);
        questions[id] = (message.Id?.DeepClone(), (JsonArray)options.DeepClone());
        await events.Writer.WriteAsync(new(AgentEventTypes.PermissionRequest, data), closing.Token);
    }
}
