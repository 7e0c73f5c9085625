using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Policy;

public sealed record PolicyProfileSpec : ProductSpec
{
    [Description("Name for people.")]
    [MaxLength(200)]
    public string? DisplayName { get; init; }

    [Description("How far its policies go (audit, preview, enforce).")]
    [MaxLength(63)]
    public string? Mode { get; init; }
}

public static class PolicyProfileKind
{
    public static KindDefinition Row { get; } = new()
    {
        Kind = "PolicyProfile", Plural = "policyprofiles", Context = "policy", Storage = "etcd", Scope = KindScope.Org, Area = "Policy",
        Description = "Policies under one name, for an organization to choose.",
        SpecType = typeof(PolicyProfileSpec),
        StatusType = typeof(PlainStatus),
        PreserveUnknownSpec = true,
        RequiredSpec = ["displayName", "mode"],
        Columns = [new("Display Name", "spec.displayName"), new("Mode", "spec.mode"), Rows.Phase, Rows.Ready],
    };
}

public sealed record PolicyTemplateSpec : ProductSpec
{
    [Description("Name for people.")]
    [MaxLength(200)]
    public string? DisplayName { get; init; }

    [Description("Kinds that the policy is about.")]
    public IReadOnlyList<string>? TargetKinds { get; init; }
}

public static class PolicyTemplateKind
{
    public static KindDefinition Row { get; } = new()
    {
        Kind = "PolicyTemplate", Plural = "policytemplates", Context = "policy", Storage = "etcd", Scope = KindScope.Org, Area = "Policy",
        Description = "A policy with parameters, to be bound.",
        SpecType = typeof(PolicyTemplateSpec),
        StatusType = typeof(PlainStatus),
        PreserveUnknownSpec = true,
        RequiredSpec = ["displayName", "targetKinds"],
        Columns = [new("Display Name", "spec.displayName"), new("Kinds", "spec.targetKinds"), Rows.Phase, Rows.Ready],
    };
}

public sealed record PolicyBindingSpec : ProductSpec
{
    [Description("PolicyTemplate that is bound.")]
    public string? TemplateRef { get; init; }

    [Description("How far it goes (audit, preview, enforce).")]
    [MaxLength(63)]
    public string? Mode { get; init; }
}

public static class PolicyBindingKind
{
    public static KindDefinition Row { get; } = new()
    {
        Kind = "PolicyBinding", Plural = "policybindings", Context = "policy", Storage = "etcd", Scope = KindScope.Org, Area = "Policy",
        Description = "Puts a policy template in force somewhere.",
        SpecType = typeof(PolicyBindingSpec),
        StatusType = typeof(PlainStatus),
        PreserveUnknownSpec = true,
        RequiredSpec = ["templateRef", "mode"],
        Columns = [new("Template", "spec.templateRef"), new("Mode", "spec.mode"), Rows.Phase, Rows.Ready],
        References = [new("spec.templateRef", "PolicyTemplate")],
    };
}

public sealed record PolicyExceptionRequestSpec : ProductSpec
{
    [Description("Policy that an exception is asked from.")]
    public string? PolicyRef { get; init; }

    [Description("Why.")]
    [MaxLength(65_536)]
    public string? Justification { get; init; }

    [Description("When the exception would end.")]
    public DateTimeOffset? ExpiresAt { get; init; }
}

public static class PolicyExceptionRequestKind
{
    public static KindDefinition Row { get; } = new()
    {
        Kind = "PolicyExceptionRequest", Plural = "policyexceptionrequests", Context = "policy", Storage = "etcd", Scope = KindScope.Org, Area = "Policy",
        Description = "Asks for an exception from a policy, for a time.",
        SpecType = typeof(PolicyExceptionRequestSpec),
        StatusType = typeof(PlainStatus),
        PreserveUnknownSpec = true,
        RequiredSpec = ["policyRef", "justification", "expiresAt"],
        Columns = [new("Policy", "spec.policyRef"), Rows.Phase, new("Expires", "spec.expiresAt")],
        References = [new("spec.policyRef", "PolicyBinding")],
    };
}
