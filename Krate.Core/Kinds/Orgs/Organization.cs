using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Orgs;

public sealed record OrganizationSpec : ProductSpec
{
    [Description("Short name used in addresses and labels; fixed after create.")]
    [DnsLabel]
    public string? Slug { get; init; }

    [Description("Name for people.")]
    [MaxLength(200)]
    public string? DisplayName { get; init; }

    [Description("Namespace that holds everything of the organization: krate-org-<slug> unless another is given; fixed after create.")]
    [DnsLabel]
    public string? NamespaceName { get; init; }

    [Description("Visibility of new repositories.")]
    [AllowedValues("private", "internal", "public")]
    public string? DefaultVisibility { get; init; }

    [Description("AgentMemoryRepository that holds the organization's memory.")]
    public string? MemoryRepositoryRef { get; init; }

    [Description("PolicyProfile that applies to the organization.")]
    public string? PolicyProfileRef { get; init; }

    [Description("Upper bounds for all agent runs of the organization.")]
    public AgentLimits? AgentLimits { get; init; }

    [Description("What the organization agrees to let others refer to, while an OrgSharingPolicy says so, too. Only its own members add to it.")]
    [MaxLength(500)]
    public IReadOnlyList<OrganizationShare>? Shares { get; init; }
}

public sealed record OrganizationShare
{
    [Description("Organization that may refer to it.")]
    [Required]
    public string? TargetOrg { get; init; }

    [Description("Kind of what is shared.")]
    [Required]
    public string? Kind { get; init; }

    [Description("Name of what is shared.")]
    [Required]
    public string? Name { get; init; }
}

public sealed record OrganizationStatus : ProductStatus
{
    [Description("The namespace that is bound to the organization.")]
    public string? Namespace { get; init; }

    [Description("What is shared with other organizations, and what they share with this one.")]
    public IReadOnlyList<SharingState>? Sharing { get; init; }
}

public sealed record SharingState
{
    public const string InForce = "InForce";
    public const string AwaitsConsent = "AwaitsConsent";
    public const string AwaitsPolicy = "AwaitsPolicy";
    public const string Expired = "Expired";

    [Description("Organization that shares.")]
    public string? SourceOrg { get; init; }

    [Description("Organization that may refer to it.")]
    public string? TargetOrg { get; init; }

    [Description("Kind of what is shared.")]
    public string? Kind { get; init; }

    [Description("Name of what is shared.")]
    public string? Name { get; init; }

    [Description("OrgSharingPolicy that says so.")]
    public string? Policy { get; init; }

    [Description("When the policy ends.")]
    public DateTimeOffset? ExpiresAt { get; init; }

    [Description("Whether it counts, and if not, what is missing: the consent of the organization that shares, or a policy.")]
    [AllowedValues(InForce, AwaitsConsent, AwaitsPolicy, Expired)]
    public string? State { get; init; }
}

public static class OrganizationKind
{
    public static KindDefinition Row { get; } = new()
    {
        Kind = "Organization", Plural = "organizations", Context = "core", Storage = "etcd", Scope = KindScope.Platform, Area = "Orgs",
        Description = "A tenant: its people, repositories, agents and policies, in one namespace of its own.",
        ShortNames = ["org", "orgs"],
        SpecType = typeof(OrganizationSpec),
        StatusType = typeof(OrganizationStatus),
        RequiredSpec = ["namespaceName", "slug"],
        FixedSpecFields = ["slug", "namespaceName"],
        Columns = [new("Slug", "spec.slug"), new("Display Name", "spec.displayName"), new("Namespace", "spec.namespaceName"), Rows.Phase, Rows.Ready],
        Default = Default,
        References = [new("spec.policyProfileRef", "PolicyProfile"), new("spec.memoryRepositoryRef", "AgentMemoryRepository")],
        Validate = Validate,
    };

    private static void Default(JsonObject body)
    {
        if (body.Text("spec.slug") is { Length: > 0 } slug) Rows.Default(body, "spec.namespaceName", WellKnown.OrgNamespace(slug));
    }

    private static IEnumerable<FieldError> Validate(JsonObject body)
    {
        // References name an organization by its slug and are looked up by name: the two may not part.
        if (body.Text("spec.slug") is { } slug && body.Text("metadata.name") is { Length: > 0 } name && slug != name)
            yield return Rows.Invalid("spec.slug", $"must equal metadata.name ({name})");
        if (body.Text("spec.namespaceName") is WellKnown.PlatformNamespace or "default" or "kube-system" or "kube-public" or "kube-node-lease")
            yield return Rows.Invalid("spec.namespaceName", "is reserved");
        foreach (var (field, kind) in FieldPath.Find(body, "spec.shares[].kind"))
            if (kind.Text() is "Secret" or "ConfigMap") yield return Rows.Invalid(field, "values of Secrets and ConfigMaps are never shared");
        foreach (var (field, target) in FieldPath.Find(body, "spec.shares[].targetOrg"))
            if (target.Text() == body.Text("spec.slug")) yield return Rows.Invalid(field, "must be another organization");
    }
}
