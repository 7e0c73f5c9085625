using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using Krate.Core.Agents;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Stacks;

public sealed record AgentAdapterSpec : ProductSpec
{
    [Description("Entry of the adapter catalog (claude-code, codex, gemini, opencode, krate-diagnoser, custom).")]
    [MaxLength(100)]
    public string? AdapterType { get; init; }

    [Description("How the agent is spoken to: as a child process (acp-stdio) or through an Agent Mux gateway.")]
    [AllowedValues("acp-stdio", "gateway")]
    public string? Transport { get; init; }

    [Description("Program that is started.")]
    [MaxLength(4096)]
    public string? Command { get; init; }

    [Description("Its arguments, one each.")]
    public IReadOnlyList<string>? Args { get; init; }

    [Description("Names of environment variables that the agent may get; values come from grants only.")]
    [RegularExpression("^[A-Za-z_][A-Za-z0-9_]*$")]
    public IReadOnlyList<string>? EnvironmentNames { get; init; }

    [Description("What the adapter says it can do.")]
    public JsonObject? Capabilities { get; init; }
}

public sealed record AgentAdapterStatus : ProductStatus
{
    [Description("What the agent said it can do.")]
    public AgentCapabilities? Capabilities { get; init; }

    [Description("Version that the agent gives itself: untrusted text.")]
    public string? Version { get; init; }

    [Description("When it was last asked with another result than before.")]
    public DateTimeOffset? LastProbeTime { get; init; }
}

public static class AgentAdapterKind
{
    public static KindDefinition Row { get; } = new()
    {
        Kind = "AgentAdapter", Plural = "agentadapters", Context = "agents", Storage = "etcd", Scope = KindScope.Org, Area = "Stacks",
        Description = "How one kind of agent is started and spoken to.",
        ShortNames = ["adapter"],
        SpecType = typeof(AgentAdapterSpec),
        StatusType = typeof(AgentAdapterStatus),
        RequiredSpec = ["adapterType", "transport"],
        ServerStatus = true,
        Actions = [ProbeActions.Probe],
        Columns =
        [
            new("Type", "spec.adapterType"), new("Transport", "spec.transport"), new("Command", "spec.command", Wide: true), new("Version", "status.version"), Rows.Phase, Rows.Ready,
            new("Probed", "status.lastProbeTime", "date", Wide: true), Rows.Reason,
        ],
        Validate = Validate,
    };

    private static IEnumerable<FieldError> Validate(JsonObject body)
    {
        if (body.Text("spec.transport") == "acp-stdio" && body.Text("spec.adapterType") == "custom" && string.IsNullOrEmpty(body.Text("spec.command")))
            yield return Rows.Required("spec.command", "Required value for a custom adapter");
    }
}

public sealed record AgentTransportBindingSpec : ProductSpec
{
    [Description("AgentAdapter that is bound.")]
    public string? AdapterRef { get; init; }

    [Description("Where it is reached.")]
    [MaxLength(2048)]
    public string? Endpoint { get; init; }

    [Description("Protocol that is spoken there.")]
    [MaxLength(63)]
    public string? Protocol { get; init; }
}

public static class AgentTransportBindingKind
{
    public static KindDefinition Row { get; } = new()
    {
        Kind = "AgentTransportBinding", Plural = "agenttransportbindings", Context = "agents", Storage = "etcd", Scope = KindScope.Org, Area = "Stacks",
        Description = "Where an adapter is reached, and by which protocol.",
        SpecType = typeof(AgentTransportBindingSpec),
        StatusType = typeof(PlainStatus),
        PreserveUnknownSpec = true,
        RequiredSpec = ["adapterRef", "endpoint", "protocol"],
        Columns = [new("Adapter", "spec.adapterRef"), new("Endpoint", "spec.endpoint"), new("Protocol", "spec.protocol"), Rows.Phase, Rows.Ready],
        References = [new("spec.adapterRef", "AgentAdapter")],
    };
}

public sealed record AgentProviderConfigSpec : ProductSpec
{
    [Description("Model provider: what is spoken there (anthropic, openai, google, openai-compatible).")]
    [MaxLength(100)]
    public string? Provider { get; init; }

    [Description("How Krate signs in there: api-key in the provider's own way, bearer for a token in the Authorization header, none.")]
    [MaxLength(63)]
    public string? AuthType { get; init; }

    [Description("Where it is reached; the provider's own address unless set. openai-compatible has none of its own.")]
    [HttpUrl]
    [MaxLength(2048)]
    public string? BaseUrl { get; init; }

    [Description("Secret with the credential for it; a stack that uses the provider needs a grant for it.")]
    public SecretKeyRef? SecretRef { get; init; }
}

public static class AgentProviderConfigKind
{
    public static KindDefinition Row { get; } = new()
    {
        Kind = "AgentProviderConfig", Plural = "agentproviderconfigs", Context = "agents", Storage = "etcd", Scope = KindScope.Org, Area = "Stacks",
        Description = "How a model provider is reached.",
        SpecType = typeof(AgentProviderConfigSpec),
        StatusType = typeof(PlainStatus),
        PreserveUnknownSpec = true,
        RequiredSpec = ["provider", "authType"],
        Columns = [new("Provider", "spec.provider"), new("Auth", "spec.authType"), new("URL", "spec.baseUrl", Wide: true), Rows.Phase, Rows.Ready],
        References = [new("spec.secretRef.name", "Secret") { NamespaceField = "namespace" }],
        Validate = body => Rows.NoCredentialsInUrl(body, "spec.baseUrl").Concat(Rows.OwnNamespace(body, "spec.secretRef.namespace")),
    };
}

public sealed record AgentProjectSpec : ProductSpec
{
    [Description("Name for people.")]
    [MaxLength(200)]
    public string? DisplayName { get; init; }
}

public static class AgentProjectKind
{
    public static KindDefinition Row { get; } = new()
    {
        Kind = "AgentProject", Plural = "agentprojects", Context = "agents", Storage = "etcd", Scope = KindScope.Org, Area = "Stacks",
        Description = "A project that work of people and agents is gathered under.",
        SpecType = typeof(AgentProjectSpec),
        StatusType = typeof(PlainStatus),
        PreserveUnknownSpec = true,
        RequiredSpec = ["displayName"],
        Columns = [new("Display Name", "spec.displayName"), Rows.Phase],
    };
}

public sealed record AgentGatewayConfigSpec : ProductSpec
{
    [Description("Address of the Agent Mux gateway.")]
    [HttpUrl]
    [MaxLength(2048)]
    public string? GatewayUrl { get; init; }

    [Description("Secret with the credential for it.")]
    public SecretKeyRef? SecretRef { get; init; }

    [Description("How a lost connection is taken up again.")]
    public ReconnectPolicy? Reconnect { get; init; }
}

public sealed record ReconnectPolicy
{
    [Description("Delay before the first try; it doubles with each.")]
    [Duration]
    public string? InitialDelay { get; init; }

    [Description("Longest delay between two tries.")]
    [Duration]
    public string? MaxDelay { get; init; }
}

public static class AgentGatewayConfigKind
{
    public static KindDefinition Row { get; } = new()
    {
        Kind = "AgentGatewayConfig", Plural = "agentgatewayconfigs", Context = "agents", Storage = "etcd", Scope = KindScope.Org, Area = "Stacks",
        Description = "An external Agent Mux gateway that runs agents.",
        SpecType = typeof(AgentGatewayConfigSpec),
        StatusType = typeof(PlainStatus),
        RequiredSpec = ["gatewayUrl"],
        Columns = [new("URL", "spec.gatewayUrl"), Rows.Phase, Rows.Ready],
        References = [new("spec.secretRef.name", "Secret") { NamespaceField = "namespace" }],
        Validate = body => Rows.NoCredentialsInUrl(body, "spec.gatewayUrl").Concat(Rows.OwnNamespace(body, "spec.secretRef.namespace")),
    };
}
