using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Grants;

/// <summary>What both kinds of grant say about where they hold.</summary>
public abstract record GrantSpec : ProductSpec
{
    [Description("Who or what may use it.")]
    public GrantSubject? Subject { get; init; }

    [Description("Allow (unless set) or Deny; an explicit Deny wins over every other grant.")]
    [AllowedValues("Allow", "Deny")]
    public string? Effect { get; init; }

    [Description("Repositories that it holds for; all when empty.")]
    public IReadOnlyList<string>? AllowedRepositories { get; init; }

    [Description("Refs that it holds for; all when empty.")]
    public RefGlobs? AllowedRefs { get; init; }

    [Description("What may have started the run; anything when empty.")]
    [AllowedValues("ci", "webhook", "issue-comment", "pr-comment", "label", "push", "tag", "schedule", "manual", "repository-dispatch")]
    public IReadOnlyList<string>? AllowedTriggerSources { get; init; }

    [Description("Trust tiers that it holds for; trusted unless set.")]
    [TrustTierValues]
    public IReadOnlyList<string>? AllowedTrustTiers { get; init; }

    [Description("When it ends.")]
    public DateTimeOffset? ExpiresAt { get; init; }
}

public sealed record GrantSubject
{
    [Description("Kind of the subject (agent-stack, skill, mcp-server, tool, model-provider, runner-pool, service-account, repository, team, organization).")]
    [Required]
    [MaxLength(63)]
    public string? Kind { get; init; }

    [Description("Name of the subject.")]
    [Required]
    public string? Name { get; init; }

    [Description("Only when the run acts as this ServiceAccount.")]
    public string? ServiceAccountRef { get; init; }

    [Description("Only when the subject is used by this AgentStack.")]
    public string? StackRef { get; init; }
}

public sealed record AgentSecretGrantSpec : GrantSpec
{
    [Description("Keys of a Secret. Never its values.")]
    public SecretKeys? SecretRef { get; init; }

    [Description("What the value is used for.")]
    [AllowedValues("model-provider-token", "git-credential", "mcp-server", "tool", "skill", "webhook-signing", "image-pull", "cache", "deployment")]
    public string? Purpose { get; init; }

    [Description("How the value reaches the process; by reference it never does.")]
    [AllowedValues("env", "file", "projected-volume", "never-mount-pass-by-reference")]
    public string? MountPolicy { get; init; }

    [Description("When a person must approve the use.")]
    [AllowedValues("never", "on-untrusted-ref", "always")]
    public string? RequiredApproval { get; init; }

    [Description("How old the value may get.")]
    public RotationPolicy? RotationPolicy { get; init; }
}

public sealed record SecretKeys
{
    [Description("Namespace of the Secret: the organization's own, also when left out.")]
    [DnsLabel]
    public string? Namespace { get; init; }

    [Description("Name of the Secret.")]
    [Required]
    public string? Name { get; init; }

    [Description("Keys that are granted; all when empty.")]
    public IReadOnlyList<string>? Keys { get; init; }
}

public sealed record RotationPolicy
{
    [Description("Days after which the value is overdue: a warning, not a block.")]
    [Range(1, 36_500)]
    public int? MaxAgeDays { get; init; }
}

/// <summary>What both kinds of grant know beside their conditions.</summary>
public abstract record GrantStatus : ProductStatus
{
    [Description("Stacks, tools, skills, MCP servers, providers and rules that name the grant, what it grants or its subject, also through their parts: sorted, at most 100. What belongs to a repository is only counted.")]
    public IReadOnlyList<ObjectRef>? Consumers { get; init; }

    [Description("How many consumers there are.")]
    public long? ConsumerCount { get; init; }
}

[Phases("Pending", "Ready", "Blocked", "Expired")]
public sealed record AgentSecretGrantStatus : GrantStatus
{
    [Description("Uid of the subject when the grant was first resolved; another subject of the same name inherits nothing.")]
    public string? BoundSubjectUid { get; init; }

    [Description("Uid of the Secret when the grant was first resolved; another Secret of the same name inherits nothing.")]
    public string? BoundSecretUid { get; init; }
}

public sealed record AgentConfigGrantSpec : GrantSpec
{
    [Description("Keys of a ConfigMap.")]
    public ConfigKeys? ConfigMapRef { get; init; }

    [Description("What the configuration is used for.")]
    [AllowedValues("tool-config", "skill-config", "mcp-config", "runner-config", "prompt-template", "repository-policy")]
    public string? Purpose { get; init; }

    [Description("How the configuration reaches the process.")]
    [AllowedValues("env", "file", "projected-volume", "api-read")]
    public string? MountPolicy { get; init; }
}

public sealed record ConfigKeys
{
    [Description("Namespace of the ConfigMap: the organization's own, also when left out.")]
    [DnsLabel]
    public string? Namespace { get; init; }

    [Description("Name of the ConfigMap.")]
    [Required]
    public string? Name { get; init; }

    [Description("Keys that are granted; all when empty.")]
    public IReadOnlyList<string>? Keys { get; init; }
}

[Phases("Pending", "Ready", "Blocked", "Expired")]
public sealed record AgentConfigGrantStatus : GrantStatus
{
    [Description("Uid of the subject when the grant was first resolved.")]
    public string? BoundSubjectUid { get; init; }

    [Description("Uid of the ConfigMap when the grant was first resolved.")]
    public string? BoundConfigMapUid { get; init; }
}

/// <summary>Conditions of grants in order, each ending with Ready.</summary>
public static class GrantConditions
{
    public const string SecretExists = "SecretExists";
    public const string ConfigMapExists = "ConfigMapExists";
    public const string KeysExist = "KeysExist";
    public const string SubjectAuthorized = "SubjectAuthorized";
    public const string PolicyAdmitted = "PolicyAdmitted";
}

public static class AgentSecretGrantKind
{
    public static KindDefinition Row { get; } = new()
    {
        Kind = "AgentSecretGrant", Plural = "agentsecretgrants", Context = "identity", Storage = "etcd", Scope = KindScope.Org, Area = "Grants",
        Description = "Lets one subject use keys of one Secret, for one purpose, within bounds.",
        ShortNames = ["asg"],
        SpecType = typeof(AgentSecretGrantSpec),
        StatusType = typeof(AgentSecretGrantStatus),
        RequiredSpec = ["subject", "secretRef", "purpose"],
        ServerStatus = true,
        WriteOnceStatus = ["boundSubjectUid", "boundSecretUid"],
        CachedBy = ["spec.secretRef.name", .. GrantRules.SubjectNames],
        Columns =
        [
            new("Subject", "spec.subject.name"), new("Secret", "spec.secretRef.name"), new("Purpose", "spec.purpose"), new("Effect", "spec.effect"), Rows.Phase, Rows.Ready,
            new("Keys", "spec.secretRef.keys", Wide: true), new("Mount", "spec.mountPolicy", Wide: true), new("Expires", "spec.expiresAt", Wide: true), new("Consumers", "status.consumerCount", "integer", Wide: true), Rows.Reason,
        ],
        References = [.. GrantRules.References, new("spec.secretRef.name", "Secret") { NamespaceField = "namespace" }],
        DerivedLabels = GrantRules.Labels,
        Default = GrantRules.Default,
        Inspect = GrantRules.NoValues,
        Validate = body => Rows.OwnNamespace(body, "spec.secretRef.namespace"),
    };
}

public static class AgentConfigGrantKind
{
    public static KindDefinition Row { get; } = new()
    {
        Kind = "AgentConfigGrant", Plural = "agentconfiggrants", Context = "identity", Storage = "etcd", Scope = KindScope.Org, Area = "Grants",
        Description = "Lets one subject use keys of one ConfigMap, for one purpose, within bounds.",
        ShortNames = ["acg"],
        SpecType = typeof(AgentConfigGrantSpec),
        StatusType = typeof(AgentConfigGrantStatus),
        RequiredSpec = ["subject", "configMapRef", "purpose"],
        ServerStatus = true,
        WriteOnceStatus = ["boundSubjectUid", "boundConfigMapUid"],
        CachedBy = ["spec.configMapRef.name", .. GrantRules.SubjectNames],
        Columns =
        [
            new("Subject", "spec.subject.name"), new("ConfigMap", "spec.configMapRef.name"), new("Purpose", "spec.purpose"), new("Effect", "spec.effect"), Rows.Phase, Rows.Ready,
            new("Keys", "spec.configMapRef.keys", Wide: true), new("Mount", "spec.mountPolicy", Wide: true), new("Consumers", "status.consumerCount", "integer", Wide: true), Rows.Reason,
        ],
        References = [.. GrantRules.References, new("spec.configMapRef.name", "ConfigMap") { NamespaceField = "namespace" }],
        DerivedLabels = GrantRules.Labels,
        Default = GrantRules.Default,
        Inspect = GrantRules.NoValues,
        Validate = body => Rows.OwnNamespace(body, "spec.configMapRef.namespace"),
    };
}

/// <summary>Rules that both kinds of grant share.</summary>
public static class GrantRules
{
    /// <summary>Names that hold values, without case, dashes and underscores.</summary>
    private static readonly HashSet<string> ValueNames = new(StringComparer.OrdinalIgnoreCase)
    {
        "value", "values", "data", "stringData", "binaryData", "token", "password", "passwd", "passphrase", "secret", "secretValue", "credential", "credentials",
        "apiKey", "accessKey", "secretKey", "privateKey", "clientSecret", "literal", "plaintext",
    };

    internal static readonly KindReference[] References =
    [
        new("spec.subject.name", "") { KindField = "kind", KindNames = Subjects.KindNames },
        new("spec.subject.serviceAccountRef", "ServiceAccount"),
        new("spec.subject.stackRef", "AgentStack"),
        new("spec.allowedRepositories[]", "Repository"),
    ];

    /// <summary>Fields that say for whom a grant is.</summary>
    internal static readonly string[] SubjectNames = ["spec.subject.name", "spec.subject.stackRef", "spec.subject.serviceAccountRef"];

    internal static readonly DerivedLabel[] Labels = [new(WellKnown.ServiceAccountLabel, "spec.subject.serviceAccountRef"), new(WellKnown.AgentStackLabel, "spec.subject.stackRef")];

    /// <summary>A grant names a value and never carries one: every value-like field of the spec, at any depth, is refused (spec 02).</summary>
    public static IEnumerable<FieldError> NoValues(JsonObject body) => body["spec"] is { } spec ? Find(spec, "spec") : [];

    internal static void Default(JsonObject body)
    {
        Rows.Default(body, "spec.effect", "Allow");
        Rows.Default(body, "spec.allowedTrustTiers", new JsonArray(TrustTier.Trusted));
    }

    private static IEnumerable<FieldError> Find(JsonNode node, string path)
    {
        if (node is JsonArray list)
        {
            for (var i = 0; i < list.Count; i++)
            {
                if (list[i] is not { } item) continue;
                foreach (var error in Find(item, $"{path}[{i}]")) yield return error;
            }
        }

        foreach (var (name, child) in node as JsonObject ?? [])
        {
            var field = $"{path}.{name}";
            if (ValueNames.Contains(name.Replace("-", "", StringComparison.Ordinal).Replace("_", "", StringComparison.Ordinal)))
                yield return new FieldError("SECRET_VALUE_REJECTED", field, "a grant names keys and never carries a value; put it into a Secret and name its key");
            else if (child is JsonObject or JsonArray)
                foreach (var error in Find(child, field)) yield return error;
        }
    }
}
