using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Diagnoser;

/// <summary>The side of the Agent Client Protocol that answers. What it is sent may be anything: it answers with an error and goes on.</summary>
internal sealed class AcpAgent(AcpWire wire, TimeProvider time, string? artifacts)
{
    private const int LongestMessage = 16 << 20, MostSessions = 16;
    private static readonly TimeSpan EndWithin = TimeSpan.FromSeconds(3);
    private readonly Dictionary<string, Session> sessions = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<Session, Task> turns = new();

    public static string Version { get; } = typeof(AcpAgent).Assembly.GetName().Version!.ToString(3);

    /// <summary>Answers until there is nothing more to read.</summary>
    public async Task RunAsync(Stream input, CancellationToken ct)
    {
        await foreach (var line in BoundedLines.ReadAsync(input, LongestMessage, ct))
        {
            if (line.IsCut) await wire.ErrorAsync(null, AcpException.Invalid, $"a message has at most {LongestMessage >> 20} MiB");
            else if (line.Text.Trim().Length > 0) await TakeAsync(line.Text);
        }

        foreach (var session in sessions.Values) session.Cancel();
        await Task.WhenAll(turns.Values).WaitAsync(EndWithin, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var session in sessions.Values) session.Dispose();
    }

    private async Task TakeAsync(string text)
    {
        JsonObject message;
        try
        {
            message = KrateJson.ParseObject(text);
        }
        catch (Exception e) when (e is JsonException or ArgumentException)
        {
            await wire.ErrorAsync(null, AcpException.Parse, "a line is one JSON-RPC message");
            return;
        }

        JsonNode? id = null;
        try
        {
            id = IdOf(message["id"]);
            if (message.Text("method") is not { } method)
            {
                if (message["result"] is null && message["error"] is null) throw new AcpException(AcpException.Invalid, "method is missing");
            }
            else if (message.ContainsKey("id"))
            {
                await AnswerAsync(id, method, message["params"]);
            }
            else if (method is "session/cancel" && message.Text("params.sessionId") is { } name && sessions.TryGetValue(name, out var session))
            {
                session.Cancel();
            }
        }
        catch (Exception e) when (e is not IOException)
        {
            // Whatever a message made of it, the next one is answered.
            await wire.ErrorAsync(id, e is AcpException refused ? refused.Code : AcpException.Internal, e is AcpException ? e.Message : "the message could not be worked on");
        }
    }

    /// <summary>A copy that can be written again, which is not so of everything that can be read.</summary>
    private static JsonValue? IdOf(JsonNode? id)
    {
        if (id is null) return null;
        if (id.Text() is { } text) return JsonValue.Create(text);
        return new JsonObject { ["id"] = id.DeepClone() }.Whole("id") is { } number ? JsonValue.Create(number) : throw new AcpException(AcpException.Invalid, "id is a string or a whole number");
    }

    private Task AnswerAsync(JsonNode? id, string method, JsonNode? parameters) => method switch
    {
        "initialize" => wire.ResultAsync(id, Initialize(parameters)),
        "session/new" => wire.ResultAsync(id, NewSession(parameters)),
        "session/close" => wire.ResultAsync(id, Close(SessionOf(parameters))),
        "session/prompt" => BeginAsync(id, SessionOf(parameters), parameters),
        _ => throw new AcpException(AcpException.NoMethod, "there is no such method"),
    };

    private static JsonObject Initialize(JsonNode? parameters)
    {
        if (parameters.Whole("protocolVersion") is null) throw new AcpException(AcpException.BadParameters, "protocolVersion is a whole number");
        return new()
        {
            ["protocolVersion"] = 1,
            ["agentCapabilities"] = new JsonObject
            {
                ["loadSession"] = false,
                ["promptCapabilities"] = new JsonObject { ["image"] = false, ["audio"] = false, ["embeddedContext"] = true },
                ["mcpCapabilities"] = new JsonObject { ["http"] = false, ["sse"] = false },
                ["sessionCapabilities"] = new JsonObject { ["close"] = new JsonObject() },
            },
            ["authMethods"] = new JsonArray(),
            ["agentInfo"] = new JsonObject { ["name"] = "krate-diagnoser", ["title"] = "krate-diagnoser (rule-based)", ["version"] = Version },
        };
    }

    private JsonObject NewSession(JsonNode? parameters)
    {
        if (parameters.Text("cwd") is not { } cwd || !Path.IsPathRooted(cwd) || cwd.Contains('\0', StringComparison.Ordinal) || !Directory.Exists(cwd)) throw new AcpException(AcpException.BadParameters, "cwd is the absolute path of a folder");
        if (sessions.Count >= MostSessions) throw new AcpException(AcpException.Invalid, $"there are {MostSessions} sessions already: close one");
        var session = new Session(Guid.NewGuid().ToString("N"), new(cwd));
        sessions[session.Id] = session;
        return new() { ["sessionId"] = session.Id };
    }

    private Session SessionOf(JsonNode? parameters) =>
        parameters.Text("sessionId") is { } name && sessions.TryGetValue(name, out var session) ? session : throw new AcpException(AcpException.BadParameters, "sessionId is none of session/new");

    private JsonObject Close(Session session)
    {
        session.Cancel();
        sessions.Remove(session.Id);
        return [];
    }

    /// <summary>Works on a prompt while other messages are read: one of them may take it back.</summary>
    private Task BeginAsync(JsonNode? id, Session session, JsonNode? parameters)
    {
        if (parameters.At("prompt") is not JsonArray blocks) throw new AcpException(AcpException.BadParameters, "prompt is a list of content");
        if (turns.ContainsKey(session)) throw new AcpException(AcpException.Invalid, "the session works on a prompt already");
        var prompt = Prompt.Of(blocks);
        var (ct, updates) = (session.Begin(), new SessionUpdates(wire, session.Id));
        var begun = new TaskCompletionSource();
        turns[session] = RunAsync();
        begun.SetResult();
        return Task.CompletedTask;

        async Task RunAsync()
        {
            await begun.Task.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            var reason = "end_turn";
            try
            {
                await new Turn(prompt, session.Workspace, updates, time, artifacts).RunAsync(ct);
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                reason = "cancelled";
            }
            catch (Exception e) when (e is not IOException)
            {
                await wire.ErrorAsync(id, AcpException.Internal, $"the prompt could not be worked on ({e.GetType().Name})");
                reason = "";
            }

            // Whoever hears of the end may send the next prompt.
            turns.TryRemove(session, out _);
            if (reason.Length > 0) await wire.ResultAsync(id, new JsonObject { ["stopReason"] = reason });
        }
    }

    /// <summary>A conversation about one folder.</summary>
    private sealed class Session(string id, Workspace workspace) : IDisposable
    {
        private CancellationTokenSource turn = new();

        public string Id { get; } = id;

        public Workspace Workspace { get; } = workspace;

        public CancellationToken Begin()
        {
            turn = new();
            return turn.Token;
        }

        public void Cancel() => turn.Cancel();

        public void Dispose() => turn.Dispose();
    }
}
