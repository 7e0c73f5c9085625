using System.Text.Json.Nodes;

namespace Krate.Core.Agents;

/// <summary>Something that an agent said or did, in one form for all agents. What is in it are the agent's words: untrusted text.</summary>
/// <param name="Type">One of <see cref="AgentEventTypes"/>.</param>
/// <param name="Data">Its fields, as <see cref="AgentEventTypes"/> names them.</param>
public sealed record AgentEvent(string Type, JsonObject Data);

/// <summary>Kinds of events, with their fields. Readers keep what they do not know.</summary>
public static class AgentEventTypes
{
    /// <summary><c>agent</c>, <c>version</c>, <c>sessionId</c>.</summary>
    public const string SessionStarted = "session-started";

    /// <summary><c>role</c> (user or agent), <c>messageId</c>, <c>text</c>: a piece of a message.</summary>
    public const string Message = "message";

    /// <summary>As <see cref="Message"/>.</summary>
    public const string Thought = "thought";

    /// <summary><c>toolCallId</c>, <c>title</c>, <c>kind</c>, <c>status</c>, <c>content[]</c>, <c>locations[]</c>, <c>rawInput</c>, <c>rawOutput</c>.</summary>
    public const string ToolCall = "tool-call";

    /// <summary>As <see cref="ToolCall"/>, with what has changed only.</summary>
    public const string ToolCallUpdate = "tool-call-update";

    /// <summary><c>entries[]</c> of <c>content</c>, <c>priority</c>, <c>status</c>: always the whole plan.</summary>
    public const string Plan = "plan";

    /// <summary><c>requestId</c>, <c>toolCallId</c>, <c>title</c>, <c>kind</c>, <c>rawInput</c>, <c>options[]</c> of <c>kind</c> and <c>name</c>; <c>approval</c> once there is one.</summary>
    public const string PermissionRequest = "permission-request";

    /// <summary><c>requestId</c>, <c>outcome</c> (allowed, rejected or cancelled), <c>by</c>, <c>reason</c>.</summary>
    public const string PermissionDecision = "permission-decision";

    /// <summary><c>path</c>, <c>change</c>.</summary>
    public const string FileChange = "file-change";

    /// <summary><c>inputTokens</c>, <c>outputTokens</c>, <c>cachedTokens</c>, <c>usd</c>, <c>turns</c>, <c>used</c>, <c>size</c>: cumulative.</summary>
    public const string Cost = "cost";

    public const string SubagentStarted = "subagent-started";

    public const string SubagentEnded = "subagent-ended";

    public const string RuntimeSurface = "runtime-surface";

    /// <summary><c>mode</c>.</summary>
    public const string Mode = "mode";

    /// <summary><c>host</c>, <c>port</c>, <c>outcome</c> (allowed or rejected), <c>reason</c>: a connection that it asked for.</summary>
    public const string Network = "network";

    /// <summary><c>message</c>.</summary>
    public const string Error = "error";

    /// <summary><c>message</c>.</summary>
    public const string Notice = "notice";

    /// <summary><c>stopReason</c>.</summary>
    public const string TurnEnded = "turn-ended";

    /// <summary><c>reason</c> (of the attempt), <c>message</c>. Nothing comes after it.</summary>
    public const string Ended = "ended";
}
