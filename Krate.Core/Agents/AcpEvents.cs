using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Core.Agents;

/// <summary>Puts what agents tell by <c>session/update</c> into one form. Pure. What is unknown is kept as it is.</summary>
internal static class AcpEvents
{
    private const int LongestText = 64 << 10;
    private const int MostItems = 200;
    private static readonly string[] ToolFields = ["toolCallId", "title", "kind", "status", "content", "locations", "rawInput", "rawOutput"];

    /// <summary>Long, repeated, and about the agent's own menus.</summary>
    private static readonly string[] Unwanted = ["available_commands_update", "config_option_update", "session_info_update"];

    /// <returns>Null for what nobody reads.</returns>
    public static AgentEvent? From(JsonObject update) => update.Text("sessionUpdate") switch
    {
        "agent_message_chunk" => Chunk(AgentEventTypes.Message, "agent", update),
        "user_message_chunk" => Chunk(AgentEventTypes.Message, "user", update),
        "agent_thought_chunk" => Chunk(AgentEventTypes.Thought, "agent", update),
        "tool_call" => new(AgentEventTypes.ToolCall, Kept(update, ToolFields)),
        "tool_call_update" => new(AgentEventTypes.ToolCallUpdate, Kept(update, ToolFields)),
        "plan" => new(AgentEventTypes.Plan, Kept(update, ["entries"])),
        "usage_update" => new(AgentEventTypes.Cost, Usage(update)),
        "current_mode_update" => new(AgentEventTypes.Mode, new() { ["mode"] = update.Text("currentModeId") }),
        "notice" => new(AgentEventTypes.Notice, new() { ["message"] = Cut($"{update.Text("title")} {update.Text("description")}".Trim()) }),
        null => null,
        var other when Unwanted.Contains(other) => null,
        var other => new(ForeignText.Line(other, 60), Kept(update, update.Select(f => f.Key).Where(k => k is not ("sessionUpdate" or "_meta")))),
    };

    /// <summary>What a tool is asked to do, of a permission request's tool call.</summary>
    public static JsonObject ToolCall(JsonObject call) => Kept(call, ToolFields);

    /// <summary>Tokens of a turn's answer, where the agent tells them there.</summary>
    public static AgentEvent? CostOf(JsonObject answer)
    {
        var usage = answer["usage"] as JsonObject ?? answer.At("_meta.quota.token_count") as JsonObject;
        if (usage is null) return null;
        var cost = new JsonObject();
        Set("inputTokens", usage.Whole("inputTokens") ?? usage.Whole("input_tokens"));
        Set("outputTokens", usage.Whole("outputTokens") ?? usage.Whole("output_tokens"));
        Set("cachedTokens", usage.Whole("cachedReadTokens") ?? usage.Whole("cachedTokens"));
        return cost.Count == 0 ? null : new(AgentEventTypes.Cost, cost);

        void Set(string name, long? value)
        {
            if (value is >= 0) cost[name] = value;
        }
    }

    private static AgentEvent Chunk(string type, string role, JsonObject update) =>
        new(type, new() { ["role"] = role, ["messageId"] = update.Text("messageId") is { } id ? ForeignText.Line(id, 200) : null, ["text"] = Cut(TextOf(update["content"])) });

    private static string TextOf(JsonNode? content) => content.Text("type") switch
    {
        "text" => content.Text("text") ?? "",
        "resource_link" => content.Text("uri") ?? "",
        "resource" => content.Text("resource.text") ?? content.Text("resource.uri") ?? "",
        { } other => $"[{ForeignText.Line(other, 40)}]",
        null => "",
    };

    private static JsonObject Usage(JsonObject update)
    {
        var cost = new JsonObject();
        foreach (var name in new[] { "used", "size" })
            if (update.Whole(name) is >= 0 and var number) cost[name] = number;
        if (update.Text("cost.currency") == "USD" && update.At("cost.amount") is JsonValue amount && amount.TryGetValue<decimal>(out var usd) && usd >= 0) cost["usd"] = usd;
        return cost;
    }

    private static JsonObject Kept(JsonObject from, IEnumerable<string> fields)
    {
        var kept = new JsonObject();
        foreach (var field in fields)
            if (from[field] is { } value) kept[field] = Bounded(value);
        return kept;
    }

    private static JsonNode? Bounded(JsonNode? node) => node switch
    {
        JsonObject map => new JsonObject(map.Where(m => m.Key != "_meta").Take(MostItems).Select(m => KeyValuePair.Create(m.Key, Bounded(m.Value)))),
        JsonArray list => new JsonArray([.. list.Take(MostItems).Select(Bounded)]),
        JsonValue value when value.TryGetValue<string>(out var text) => Cut(text),
        _ => node?.DeepClone(),
    };

    private static string Cut(string text) =>
        text.Length <= LongestText ? text : $"{text[..(char.IsHighSurrogate(text[LongestText - 1]) ? LongestText - 1 : LongestText)]}\n… {text.Length - LongestText} more characters";
}
