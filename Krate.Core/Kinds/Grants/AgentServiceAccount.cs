using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Grants;

public sealed record AgentServiceAccountSpec : ProductSpec
{
    [Description("Namespace of the native ServiceAccount: the organization's own.")]
    [DnsLabel]
    public string? Namespace { get; init; }

    [Description("Name of the native ServiceAccount that is kept in step.")]
    [MaxLength(253)]
    public string? ServiceAccountName { get; init; }

    [Description("Who is responsible for the identity.")]
    public ObjectRef? Owner { get; init; }

    [Description("Repositories that the identity may be used for; all when empty.")]
    public IReadOnlyList<string>? AllowedRepositories { get; init; }

    [Description("Runner pools that may run as the identity; all when empty.")]
    public IReadOnlyList<string>? AllowedRunnerPools { get; init; }

    [Description("Audience of the tokens that are made for it.")]
    public string? TokenAudience { get; init; }

    [Description("Lifetime of its tokens in seconds: 600 (10 minutes) to 86400 (24 hours).")]
    [Range(600, 86_400)]
    public int? TokenExpirationSeconds { get; init; }

    [Description("Secrets for pulling images.")]
    public IReadOnlyList<string>? ImagePullSecretRefs { get; init; }

    [Description("Whether a token is put into every process that runs as the identity; false unless set.")]
    public bool? AutomountServiceAccountToken { get; init; }
}

public static class AgentServiceAccountKind
{
    public const string ServiceAccountSynced = "ServiceAccountSynced";
    public const string TokenProjectionAllowed = "TokenProjectionAllowed";
    public const string ImagePullSecretsReady = "ImagePullSecretsReady";

    public static KindDefinition Row { get; } = new()
    {
        Kind = "AgentServiceAccount", Plural = "agentserviceaccounts", Context = "identity", Storage = "etcd", Scope = KindScope.Org, Area = "Grants",
        Description = "An agent's identity: a native ServiceAccount with an owner and bounds on its use.",
        ShortNames = ["asa"],
        SpecType = typeof(AgentServiceAccountSpec),
        StatusType = typeof(PlainStatus),
        RequiredSpec = ["namespace", "serviceAccountName"],
        ServerStatus = true,
        Columns =
        [
            new("Service Account", "spec.serviceAccountName"), new("Owner", "spec.owner.name"), Rows.Phase, Rows.Ready,
            new("Synced", "status.conditions[ServiceAccountSynced].status", Wide: true), Rows.Reason,
        ],
        References =
        [
            new("spec.imagePullSecretRefs[]", "Secret"), new("spec.allowedRepositories[]", "Repository"), new("spec.allowedRunnerPools[]", "RunnerPool"),
        ],
        DerivedLabels = [new(WellKnown.ServiceAccountLabel, "spec.serviceAccountName")],
        Default = body => Rows.Default(body, "spec.automountServiceAccountToken", false),
        Validate = Validate,
    };

    private static IEnumerable<FieldError> Validate(JsonObject body)
    {
        foreach (var error in Rows.OwnNamespace(body, "spec.namespace")) yield return error;
        if (body.Text("spec.serviceAccountName") is { Length: > 0 } name && !MetadataRules.IsDnsSubdomain(name))
            yield return Rows.Invalid("spec.serviceAccountName", "must be an RFC 1123 subdomain");
    }
}
