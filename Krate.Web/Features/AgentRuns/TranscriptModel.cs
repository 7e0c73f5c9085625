using System.Text;
using System.Text.Json.Nodes;
using Krate.Core.Agents;
using Krate.Core.Resources;
using Krate.Core.Sessions;

namespace Krate.Web.Features.AgentRuns;

/// <summary>A thing in a transcript, as it is now.</summary>
/// <param name="Key">Stays when the item changes.</param>
/// <param name="Kind">What draws it.</param>
public sealed record TranscriptItem(string Key, TranscriptKind Kind, DateTimeOffset At)
{
    /// <summary>Of a message or a thought; of others what they say in a line.</summary>
    public string Text { get; init; } = "";

    /// <summary>Fields of a tool call, a plan or a question, as far as they are known.</summary>
    public JsonObject Data { get; init; } = [];

    /// <summary>Of a question: how it was decided; null while it is open.</summary>
    public JsonObject? Decision { get; init; }
}

public enum TranscriptKind
{
    Message,
    Asked,
    Thought,
    Tool,
    Plan,
    Question,
    Note,
    Refused,
    Error,
    End,
}

/// <summary>Events of a session, put together into what people read. Takes each event once, in order; what is unknown is a note. One caller.</summary>
public sealed class TranscriptModel
{
    private readonly List<TranscriptItem> items = [];
    private readonly Dictionary<string, int> byKey = new(StringComparer.Ordinal);
    private readonly StringBuilder text = new();

    public IReadOnlyList<TranscriptItem> Items => items;

    /// <summary>Number of the last event that was taken.</summary>
    public long Sequence { get; private set; }

    /// <summary>Tokens and money, as the agent said last.</summary>
    public JsonObject Cost { get; } = [];

    public bool IsEnded { get; private set; }

    public void Take(SessionEvent said)
    {
        if (said.Sequence <= Sequence) return;
        Sequence = said.Sequence;
        switch (said.Type)
        {
            case AgentEventTypes.Message:
                Speak(said, said.Data.Text("role") == "user" ? TranscriptKind.Asked : TranscriptKind.Message);
                break;
            case AgentEventTypes.Thought:
                Speak(said, TranscriptKind.Thought);
                break;
            case AgentEventTypes.ToolCall or AgentEventTypes.ToolCallUpdate:
                Upsert(said, TranscriptKind.Tool, "tool " + said.Data.Text("toolCallId"));
                break;
            case AgentEventTypes.Plan:
                Upsert(said, TranscriptKind.Plan, "plan");
                break;
            case AgentEventTypes.PermissionRequest:
                Upsert(said, TranscriptKind.Question, "question " + said.Data.Text("requestId"));
                break;
            case AgentEventTypes.PermissionDecision when byKey.TryGetValue("question " + said.Data.Text("requestId"), out var at):
                items[at] = items[at] with { Decision = said.Data };
                break;
            case AgentEventTypes.Cost:
                foreach (var (name, value) in said.Data) Cost[name] = value?.DeepClone();
                break;
            case AgentEventTypes.Network:
                Add(said, said.Data.Text("outcome") == "allowed" ? TranscriptKind.Note : TranscriptKind.Refused, $"{said.Data.Text("host")}, port {said.Data.Text("port") ?? said.Data.Whole("port")?.ToString(System.Globalization.CultureInfo.InvariantCulture)}: {said.Data.Text("reason")}");
                break;
            case AgentEventTypes.SessionStarted:
                Add(said, TranscriptKind.Note, $"{said.Data.Text("agent")} {said.Data.Text("version")} began.".Trim());
                break;
            case AgentEventTypes.Error:
                Add(said, TranscriptKind.Error, said.Data.Text("message") ?? "");
                break;
            case AgentEventTypes.Ended:
                Add(said, TranscriptKind.End, said.Data.Text("message") ?? said.Data.Text("reason") ?? "");
                IsEnded = true;
                break;
            case AgentEventTypes.TurnEnded or AgentEventTypes.Mode:
                break;
            default:
                Add(said, TranscriptKind.Note, said.Data.Text("message") ?? said.Type);
                break;
        }
    }

    /// <summary>A piece of the message before it, or a new one.</summary>
    private void Speak(SessionEvent said, TranscriptKind kind)
    {
        var key = $"{kind} {said.Data.Text("messageId")}";
        if (items.Count > 0 && items[^1] is { } last && last.Kind == kind && last.Key.StartsWith(key + "#", StringComparison.Ordinal))
        {
            text.Append(said.Data.Text("text"));
            items[^1] = last with { Text = text.ToString() };
            return;
        }

        text.Clear().Append(said.Data.Text("text"));
        items.Add(new($"{key}#{said.Sequence}", kind, said.At) { Text = text.ToString(), Data = said.Data.Text("by") is { } by ? new() { ["by"] = by } : [] });
    }

    /// <summary>An agent may tell of a call for the first time by an update.</summary>
    private void Upsert(SessionEvent said, TranscriptKind kind, string key)
    {
        if (!byKey.TryGetValue(key, out var at))
        {
            byKey[key] = items.Count;
            items.Add(new(key, kind, said.At) { Data = said.Data.Copy() });
            return;
        }

        var data = items[at].Data.Copy();
        foreach (var (name, value) in said.Data) data[name] = value?.DeepClone();
        items[at] = items[at] with { Data = data };
    }

    private void Add(SessionEvent said, TranscriptKind kind, string words) => items.Add(new($"{said.Type}#{said.Sequence}", kind, said.At) { Text = words });
}
