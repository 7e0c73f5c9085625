using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Orgs;

public sealed record OrgNamespaceBindingSpec : ProductSpec
{
    [Description("Namespace that belongs to the organization, and to no other; fixed after create.")]
    [DnsLabel]
    public string? Namespace { get; init; }
}

public static class OrgNamespaceBindingKind
{
    public static KindDefinition Row { get; } = new()
    {
        Kind = "OrgNamespaceBinding", Plural = "orgnamespacebindings", Context = "core", Storage = "etcd", Scope = KindScope.Platform, Area = "Orgs",
        Description = "Binds one organization to one namespace, both ways.",
        ShortNames = ["orgns"],
        SpecType = typeof(OrgNamespaceBindingSpec),
        StatusType = typeof(PlainStatus),
        RequiredSpec = ["organizationRef", "namespace"],
        FixedSpecFields = ["organizationRef", "namespace"],
        Columns = [new("Organization", "spec.organizationRef"), new("Namespace", "spec.namespace"), Rows.Phase, Rows.Ready],
        References = [new("spec.organizationRef", "Organization"), new("spec.namespace", "Namespace")],
    };
}

public sealed record OrgSharingPolicySpec : ProductSpec
{
    [Description("Organization that shares.")]
    public string? SourceOrg { get; init; }

    [Description("Organization that may refer to what is shared.")]
    public string? TargetOrg { get; init; }

    [Description("What may be referred to. Values of Secrets and ConfigMaps are never shared.")]
    public IReadOnlyList<SharedRef>? AllowedRefs { get; init; }

    [Description("When the sharing ends.")]
    public DateTimeOffset? ExpiresAt { get; init; }
}

public sealed record SharedRef
{
    [Description("Kind of what is shared.")]
    [Required]
    public string? Kind { get; init; }

    [Description("Name of what is shared.")]
    [Required]
    public string? Name { get; init; }

    [Description("What the target may do with it, as verbs.")]
    public IReadOnlyList<string>? Permissions { get; init; }
}

public static class OrgSharingPolicyKind
{
    public static KindDefinition Row { get; } = new()
    {
        Kind = "OrgSharingPolicy", Plural = "orgsharingpolicies", Context = "core", Storage = "etcd", Scope = KindScope.Platform, Area = "Orgs",
        Description = "Lets one organization refer to named resources of another, for a time, while that one agrees to it (spec.shares of its Organization).",
        ShortNames = ["orgshare"],
        SpecType = typeof(OrgSharingPolicySpec),
        StatusType = typeof(PlainStatus),
        RequiredSpec = ["sourceOrg", "targetOrg", "allowedRefs"],
        FixedSpecFields = ["sourceOrg", "targetOrg"],
        Columns = [new("Source", "spec.sourceOrg"), new("Target", "spec.targetOrg"), new("Expires", "spec.expiresAt"), Rows.Ready],
        References = [new("spec.sourceOrg", "Organization"), new("spec.targetOrg", "Organization")],
        Validate = Validate,
    };

    private static IEnumerable<FieldError> Validate(JsonObject body)
    {
        if (body.Text("spec.sourceOrg") is { } source && source == body.Text("spec.targetOrg"))
            yield return Rows.Invalid("spec.targetOrg", "must be another organization than the source");
        foreach (var (field, kind) in FieldPath.Find(body, "spec.allowedRefs[].kind"))
        {
            if (kind.ToString() is "Secret" or "ConfigMap")
                yield return Rows.Invalid(field, "values of Secrets and ConfigMaps are never shared");
        }
    }
}
