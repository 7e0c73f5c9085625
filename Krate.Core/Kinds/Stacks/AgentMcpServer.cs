using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Stacks;

public sealed record AgentMcpServerSpec : ProductSpec
{
    [Description("How the server is spoken to.")]
    [AllowedValues("stdio", "sse", "streamable-http")]
    public string? Transport { get; init; }

    [Description("Program that is started (stdio).")]
    [MaxLength(4096)]
    public string? Command { get; init; }

    [Description("Its arguments, one each.")]
    public IReadOnlyList<string>? Args { get; init; }

    [Description("Address of the server (sse, streamable-http).")]
    [HttpUrl]
    [MaxLength(2048)]
    public string? Url { get; init; }

    [Description("Environment variables from Secrets and ConfigMaps (stdio).")]
    public IReadOnlyList<ValueSource>? EnvFrom { get; init; }

    [Description("HTTP headers from Secrets and ConfigMaps (sse, streamable-http).")]
    public IReadOnlyList<ValueSource>? HeadersFrom { get; init; }

    [Description("Secrets that the server needs; each needs a grant.")]
    public IReadOnlyList<SecretKeyRef>? SecretRefs { get; init; }

    [Description("ConfigMaps that the server needs; each needs a grant.")]
    public IReadOnlyList<ConfigKeyRef>? ConfigMapRefs { get; init; }

    [Description("For whom one instance of the server is.")]
    [AllowedValues("global", "org", "repository", "stack", "dispatch")]
    public string? Scope { get; init; }

    [Description("AgentStacks that may use the server; all when empty.")]
    public IReadOnlyList<string>? AllowedAgentStacks { get; init; }

    [Description("When a person must be asked.")]
    public ApprovalPolicy? ApprovalPolicy { get; init; }
}

public sealed record ValueSource
{
    [Description("Name of the variable or header.")]
    [Required]
    [MaxLength(255)]
    public string? Name { get; init; }

    [Description("Secret that the value is in.")]
    public SecretKeyRef? SecretRef { get; init; }

    [Description("ConfigMap that the value is in.")]
    public ConfigKeyRef? ConfigMapRef { get; init; }
}

public sealed record AgentMcpServerStatus : ProductStatus
{
    [Description("What the last probe found.")]
    [AllowedValues("Unknown", "Ready", "Degraded", "Denied", "Failed", "Disabled")]
    public string? Health { get; init; }

    [Description("Tools that the server offers.")]
    public IReadOnlyList<DiscoveredTool>? DiscoveredTools { get; init; }

    [Description("When the server was last probed with another result than before.")]
    public DateTimeOffset? LastProbeTime { get; init; }

    [Description("Digest of all discovered tools; a review names it.")]
    [Digest]
    public string? ToolsDigest { get; init; }

    [Description("Tools as they were when a person reviewed them.")]
    public IReadOnlyList<ReviewedTool>? Reviewed { get; init; }

    [Description("Who reviewed them.")]
    public string? ReviewedBy { get; init; }

    [Description("When they were reviewed.")]
    public DateTimeOffset? ReviewedAt { get; init; }
}

public sealed record ReviewedTool
{
    [Description("Name of the tool.")]
    [Required]
    public string? Name { get; init; }

    [Description("Digest of the tool at the review.")]
    [Digest]
    public string? SchemaDigest { get; init; }
}

public sealed record DiscoveredTool
{
    [Description("Name of the tool.")]
    [Required]
    public string? Name { get; init; }

    [Description("What it does, in the server's words: untrusted text.")]
    public string? Description { get; init; }

    [Description("Digest of its name, description and schemas; a change after review is drift.")]
    [Digest]
    public string? SchemaDigest { get; init; }
}

public static class AgentMcpServerKind
{
    public static KindDefinition Row { get; } = new()
    {
        Kind = "AgentMcpServer", Plural = "agentmcpservers", Context = "agents", Storage = "etcd", Scope = KindScope.Org, Area = "Stacks",
        Description = "A server of tools in the Model Context Protocol, with its health and what it offers.",
        ShortNames = ["mcp"],
        SpecType = typeof(AgentMcpServerSpec),
        StatusType = typeof(AgentMcpServerStatus),
        RequiredSpec = ["transport", "scope"],
        ServerStatus = true,
        Actions = [ProbeActions.Probe, ReviewMcpServerAction.Verb],
        Columns =
        [
            new("Transport", "spec.transport"), new("Scope", "spec.scope"), new("Health", "status.health"), Rows.Ready,
            new("URL", "spec.url", Wide: true), new("Command", "spec.command", Wide: true), new("Probed", "status.lastProbeTime", "date", Wide: true), Rows.Reason,
        ],
        References =
        [
            new("spec.secretRefs[].name", "Secret") { NamespaceField = "namespace" },
            new("spec.configMapRefs[].name", "ConfigMap") { NamespaceField = "namespace" },
            new("spec.envFrom[].secretRef.name", "Secret") { NamespaceField = "namespace" },
            new("spec.envFrom[].configMapRef.name", "ConfigMap") { NamespaceField = "namespace" },
            new("spec.headersFrom[].secretRef.name", "Secret") { NamespaceField = "namespace" },
            new("spec.headersFrom[].configMapRef.name", "ConfigMap") { NamespaceField = "namespace" },
            new("spec.allowedAgentStacks[]", "AgentStack"),
        ],
        Validate = Validate,
    };

    private static IEnumerable<FieldError> Validate(JsonObject body)
    {
        var stdio = body.Text("spec.transport") == "stdio";
        if (stdio && string.IsNullOrEmpty(body.Text("spec.command"))) yield return Rows.Required("spec.command", "Required value for transport stdio");
        if (stdio && !string.IsNullOrEmpty(body.Text("spec.url"))) yield return Rows.Invalid("spec.url", "is not for transport stdio");
        if (!stdio && string.IsNullOrEmpty(body.Text("spec.url"))) yield return Rows.Required("spec.url", "Required value for transports sse and streamable-http");
        if (!stdio && !string.IsNullOrEmpty(body.Text("spec.command"))) yield return Rows.Invalid("spec.command", "is only for transport stdio");
        foreach (var error in Rows.NoCredentialsInUrl(body, "spec.url")) yield return error;
        foreach (var list in new[] { "envFrom", "headersFrom" })
        {
            foreach (var (field, source) in FieldPath.Find(body, $"spec.{list}[]"))
            {
                if ((source.At("secretRef") is null) == (source.At("configMapRef") is null))
                    yield return Rows.Invalid(field, "must have either secretRef or configMapRef");
            }
        }

        string[] namespaces =
        [
            "spec.secretRefs[].namespace", "spec.configMapRefs[].namespace", "spec.envFrom[].secretRef.namespace", "spec.envFrom[].configMapRef.namespace",
            "spec.headersFrom[].secretRef.namespace", "spec.headersFrom[].configMapRef.namespace",
        ];
        foreach (var error in Rows.OwnNamespace(body, namespaces)) yield return error;
    }
}
