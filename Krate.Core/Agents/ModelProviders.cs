namespace Krate.Core.Agents;

/// <summary>What Krate knows about one kind of model provider.</summary>
/// <param name="Provider">Value of <c>spec.provider</c>.</param>
/// <param name="BaseUrl">Where it is; null where a person has to say it.</param>
/// <param name="Header">Header that carries the key.</param>
/// <param name="Prefix">What stands before the key.</param>
public sealed record ModelProvider(string Provider, string? BaseUrl, string Header, string Prefix)
{
    private const string Authorization = "Authorization", Bearer = "Bearer ";

    public const string Anthropic = "anthropic";
    public const string OpenAi = "openai";
    public const string Google = "google";
    public const string OpenAiCompatible = "openai-compatible";

    /// <summary>Value of <c>spec.authType</c> for a provider that asks for nothing.</summary>
    public const string NoAuth = "none";

    /// <summary>Value of <c>spec.authType</c> for a token in the Authorization header, whatever the provider's own way is.</summary>
    public const string BearerAuth = "bearer";

    public static IReadOnlyList<ModelProvider> All { get; } =
    [
        new(Anthropic, "https://api.anthropic.com", "x-api-key", ""),
        new(OpenAi, "https://api.openai.com/v1", Authorization, Bearer),
        new(Google, "https://generativelanguage.googleapis.com", "x-goog-api-key", ""),
        new(OpenAiCompatible, null, Authorization, Bearer),
    ];

    public static ModelProvider? Find(string? provider) => All.FirstOrDefault(p => p.Provider == provider);

    /// <summary>The header that signs a request in.</summary>
    public (string Name, string Value) SignIn(string? authType, string key) => authType == BearerAuth ? (Authorization, Bearer + key) : (Header, Prefix + key);
}
