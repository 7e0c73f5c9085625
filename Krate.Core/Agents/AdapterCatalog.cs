namespace Krate.Core.Agents;

/// <summary>What Krate knows about one kind of agent.</summary>
/// <param name="Type">Value of <c>spec.adapterType</c>.</param>
/// <param name="DisplayName">Name for people.</param>
/// <param name="Command">Program that speaks the Agent Client Protocol on its standard input and output; null where a person has to say it.</param>
/// <param name="Arguments">Its arguments.</param>
/// <param name="CredentialNames">Environment variables that it takes the credential of its model provider from.</param>
/// <param name="AskingMode">Session mode in which it asks before each step; null where its own configuration decides that.</param>
public sealed record CatalogEntry(string Type, string DisplayName, string? Command, IReadOnlyList<string> Arguments, IReadOnlyList<string> CredentialNames, string? AskingMode)
{
    /// <summary>It lies beside Krate's own program, and is started from there only.</summary>
    public bool IsShipped { get; init; }
}

/// <summary>The agents that Krate can start without being told how. All but Krate's own are installed by whoever runs Krate.</summary>
public static class AdapterCatalog
{
    /// <summary>An adapter whose command a person writes.</summary>
    public const string Custom = "custom";

    /// <summary>The agent that is shipped with Krate: it diagnoses failed jobs by rules, without a model (docs/diagnoser.md).</summary>
    public const string Diagnoser = "krate-diagnoser";

    public static IReadOnlyList<CatalogEntry> All { get; } =
    [
        new("claude-code", "Claude Code", "claude-agent-acp", [], ["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"], "default"),
        new("codex", "Codex", "codex-acp", [], ["OPENAI_API_KEY", "CODEX_API_KEY"], "workspace-write"),
        new("gemini", "Gemini CLI", "gemini", ["--acp"], ["GEMINI_API_KEY", "GOOGLE_API_KEY"], "default"),
        new("opencode", "opencode", "opencode", ["acp"], ["ANTHROPIC_API_KEY", "OPENAI_API_KEY"], null),
        new(Diagnoser, "krate-diagnoser (rule-based)", "krate-diagnoser", [], [], null) { IsShipped = true },
        new(Custom, "Custom command", null, [], [], null),
    ];

    public static CatalogEntry? Find(string? type) => All.FirstOrDefault(e => e.Type == type);
}
