using System.Text.Json.Nodes;

namespace Krate.Diagnoser;

/// <summary>What a client is told while a prompt is worked on: the plan, each step as a call of a tool, and the answer.</summary>
internal sealed class SessionUpdates(AcpWire wire, string session)
{
    private const int LongestChunk = 8 << 10;
    private static readonly string[] Steps = ["Read the log", "Find the first error", "Look for its file", "Find who brought the line", "Write the diagnosis"];
    private int calls;

    /// <param name="done">Steps that are behind it; all, when it is the number of steps.</param>
    public Task PlanAsync(int done) => SendAsync(new()
    {
        ["sessionUpdate"] = "plan",
        ["entries"] = new JsonArray([.. Steps.Select((s, i) => new JsonObject { ["content"] = s, ["priority"] = "medium", ["status"] = i < done ? "completed" : i == done ? "in_progress" : "pending" })]),
    });

    public async Task<string> BeginAsync(string title, string kind)
    {
        var id = $"call-{++calls}";
        await SendAsync(new() { ["sessionUpdate"] = "tool_call", ["toolCallId"] = id, ["title"] = title, ["kind"] = kind, ["status"] = "in_progress" });
        return id;
    }

    public Task EndAsync(string call, bool isDone, string said, string? path = null, int? line = null)
    {
        var update = new JsonObject
        {
            ["sessionUpdate"] = "tool_call_update", ["toolCallId"] = call, ["status"] = isDone ? "completed" : "failed",
            ["content"] = new JsonArray(new JsonObject { ["type"] = "content", ["content"] = new JsonObject { ["type"] = "text", ["text"] = said } }),
        };
        if (path is not null)
        {
            var place = new JsonObject { ["path"] = path };
            if (line is { } number) place["line"] = number;
            update["locations"] = new JsonArray(place);
        }

        return SendAsync(update);
    }

    /// <summary>The answer, in parts that are one message.</summary>
    public async Task SayAsync(string text)
    {
        var message = Guid.NewGuid().ToString("N");
        for (var at = 0; at < text.Length;)
        {
            var length = Math.Min(LongestChunk, text.Length - at);
            if (at + length < text.Length && char.IsHighSurrogate(text[at + length - 1])) length--;
            await SendAsync(new() { ["sessionUpdate"] = "agent_message_chunk", ["messageId"] = message, ["content"] = new JsonObject { ["type"] = "text", ["text"] = text.Substring(at, length) } });
            at += length;
        }
    }

    private Task SendAsync(JsonObject update) => wire.NotifyAsync("session/update", new() { ["sessionId"] = session, ["update"] = update });
}
