using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Core.Agents;

/// <summary>The model that an agent is told to use.</summary>
/// <param name="Provider">One of <see cref="ModelProvider.All"/>: what is spoken there.</param>
/// <param name="Name">The provider's name for it; null for the agent's own choice.</param>
/// <param name="Url">Where the agent finds it.</param>
public sealed record AgentModel(string Provider, string? Name, string Url);

/// <summary>How each kind of agent is told where its model is, in its own words (its documentation, and notes of runs with it). The key is never among it.</summary>
internal sealed record AgentSettings(IReadOnlyDictionary<string, string> Environment)
{
    /// <summary>Way to sign in that has to be named before a session.</summary>
    public string? SignIn { get; init; }

    /// <summary>Configuration files, by where the agent looks for them.</summary>
    public IReadOnlyDictionary<string, string> Files { get; init; } = new Dictionary<string, string>();

    /// <summary>Agents insist on a key; what they send of it is thrown away.</summary>
    private const string NoKey = "kept-by-krate";

    /// <exception cref="ProbeException">The agent does not speak what the provider speaks.</exception>
    public static AgentSettings For(string adapterType, AgentModel? model) => adapterType switch
    {
        "claude-code" => new(Variables(model, ModelProvider.Anthropic, ("ANTHROPIC_BASE_URL", model?.Url), ("ANTHROPIC_API_KEY", NoKey), ("ANTHROPIC_MODEL", model?.Name), ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1"), ("DISABLE_AUTOUPDATER", "1"), ("CLAUDE_CODE_MAX_RETRIES", "3"))),
        "gemini" => new(Variables(model, ModelProvider.Google, ("GOOGLE_GEMINI_BASE_URL", model?.Url), ("GEMINI_API_KEY", NoKey), ("GEMINI_MODEL", model?.Name))) { SignIn = model is null ? null : "gemini-api-key" },
        "codex" => new(Variables(model, ModelProvider.OpenAi, ("KRATE_MODEL_KEY", NoKey))) { Files = model is null ? new Dictionary<string, string>() : new() { [$"{AgentSandbox.Home}/.codex/config.toml"] = Codex(model) } },
        "opencode" => new(new Dictionary<string, string> { ["OPENCODE_CONFIG_CONTENT"] = OpenCode(model), ["OPENCODE_DISABLE_MODELS_FETCH"] = "1", ["OPENCODE_DISABLE_AUTOUPDATE"] = "1", ["OPENCODE_DISABLE_LSP_DOWNLOAD"] = "1" }),
        _ when model is not null => new(Variables(model, model.Provider, ("KRATE_MODEL_URL", model.Url), ("KRATE_MODEL_PROVIDER", model.Provider), ("KRATE_MODEL", model.Name))),
        _ => new(new Dictionary<string, string>()),
    };

    private static Dictionary<string, string> Variables(AgentModel? model, string speaks, params (string Name, string? Value)[] variables)
    {
        if (model is null) return [];
        if (model.Provider != speaks) throw new ProbeException(ProbeReasons.AdapterHandshakeFailed, $"the agent speaks to a provider of kind {speaks}, and the stack's is {model.Provider}");
        return variables.Where(v => v.Value is not null).ToDictionary(v => v.Name, v => v.Value!, StringComparer.Ordinal);
    }

    /// <summary>What it may do is asked for each time: its own choice is to ask nobody.</summary>
    private static string OpenCode(AgentModel? model)
    {
        var settings = new JsonObject
        {
            ["autoupdate"] = false, ["share"] = "disabled",
            ["permission"] = new JsonObject { ["edit"] = "ask", ["bash"] = "ask", ["webfetch"] = "ask", ["external_directory"] = "deny" },
        };
        if (model is null) return KrateJson.ToText(settings);
        var (package, name) = (model.Provider switch { ModelProvider.Anthropic => "@ai-sdk/anthropic", ModelProvider.Google => "@ai-sdk/google", _ => "@ai-sdk/openai-compatible" }, model.Name ?? "default");
        settings["model"] = $"krate/{name}";
        settings["small_model"] = $"krate/{name}";
        settings["provider"] = new JsonObject
        {
            ["krate"] = new JsonObject
            {
                ["npm"] = package, ["name"] = "Krate", ["options"] = new JsonObject { ["baseURL"] = model.Provider == ModelProvider.Anthropic ? model.Url + "/v1" : model.Url, ["apiKey"] = NoKey },
                ["models"] = new JsonObject { [name] = new JsonObject { ["name"] = name } },
            },
        };
        return KrateJson.ToText(settings);
    }

    private static string Codex(AgentModel model) => $"""
        {(model.Name is null ? "" : $"model = {Quoted(model.Name)}\n")}model_provider = "krate"
        approval_policy = "on-request"

        [model_providers.krate]
        name = "Krate"
        base_url = {Quoted(model.Url)}
        env_key = "KRATE_MODEL_KEY"
        wire_api = "responses"
        """;

    /// <summary>A text of TOML is one of JSON.</summary>
    private static string Quoted(string text) => KrateJson.ToText(JsonValue.Create(text));
}
