using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Stacks;

public sealed record AgentCapabilityRequirementSpec : ProductSpec
{
    [Description("Stack (or part of one) that the requirements are of.")]
    public ObjectRef? OwnerRef { get; init; }

    [Description("Secrets that are needed, and what for.")]
    public IReadOnlyList<RequiredRef>? RequiredSecretRefs { get; init; }

    [Description("ConfigMaps that are needed, and what for.")]
    public IReadOnlyList<RequiredRef>? RequiredConfigRefs { get; init; }

    [Description("Roles that the identity must have.")]
    public IReadOnlyList<string>? RequiredRoles { get; init; }

    [Description("What the ServiceAccount must be able to do (token projection, image pull ...).")]
    public IReadOnlyList<string>? RequiredServiceAccountCapabilities { get; init; }
}

public sealed record RequiredRef
{
    [Description("Why it is needed.")]
    public string? Reason { get; init; }

    [Description("AgentToolProfile that needs it.")]
    public string? ToolRef { get; init; }

    [Description("AgentSkill that needs it.")]
    public string? SkillRef { get; init; }

    [Description("AgentMcpServer that needs it.")]
    public string? McpServerRef { get; init; }

    [Description("Namespace of what is needed: the organization's own.")]
    public string? Namespace { get; init; }

    [Description("Name of the Secret or ConfigMap.")]
    [Required]
    public string? Name { get; init; }

    [Description("Key in it.")]
    public string? Key { get; init; }
}

public sealed record AgentCapabilityRequirementStatus : ProductStatus
{
    [Description("What no grant covers.")]
    public IReadOnlyList<GrantGap>? MissingGrants { get; init; }

    [Description("Grants that are there but do not hold.")]
    public IReadOnlyList<GrantGap>? InvalidGrants { get; init; }
}

public sealed record GrantGap
{
    [Description("Kind of the grant.")]
    public string? Kind { get; init; }

    [Description("Name of the grant, or one that would fit.")]
    public string? Name { get; init; }

    [Description("Secret, ConfigMap or role that it would give.")]
    public string? Target { get; init; }

    [Description("Key of the Secret or ConfigMap.")]
    public string? Key { get; init; }

    [Description("Stable CamelCase code.")]
    public string? Reason { get; init; }

    [Description("What is missing or wrong, for people.")]
    public string? Message { get; init; }
}

public static class AgentCapabilityRequirementKind
{
    public const string RequirementsDiscovered = "RequirementsDiscovered";
    public const string GrantsResolved = "GrantsResolved";

    public static KindDefinition Row { get; } = new()
    {
        Kind = "AgentCapabilityRequirement", Plural = "agentcapabilityrequirements", Context = "agents", Storage = "postgres-projection", Scope = KindScope.Org, Area = "Stacks",
        Description = "What a stack needs in roles, secrets and configuration, computed from its parts.",
        ShortNames = ["capreq"],
        SpecType = typeof(AgentCapabilityRequirementSpec),
        StatusType = typeof(AgentCapabilityRequirementStatus),
        RequiredSpec = ["ownerRef", "requiredRoles"],
        ServerMade = true,
        Columns = [new("Owner Kind", "spec.ownerRef.kind"), new("Owner", "spec.ownerRef.name"), new("Roles", "spec.requiredRoles"), Rows.Ready, new("Missing", "status.missingGrants[].name", Wide: true)],
        References =
        [
            new("spec.ownerRef.name", "") { KindField = "kind" },
            new("spec.requiredSecretRefs[].name", "Secret") { NamespaceField = "namespace" }, new("spec.requiredConfigRefs[].name", "ConfigMap") { NamespaceField = "namespace" },
            new("spec.requiredSecretRefs[].toolRef", "AgentToolProfile"), new("spec.requiredSecretRefs[].skillRef", "AgentSkill"), new("spec.requiredSecretRefs[].mcpServerRef", "AgentMcpServer"),
            new("spec.requiredConfigRefs[].toolRef", "AgentToolProfile"), new("spec.requiredConfigRefs[].skillRef", "AgentSkill"), new("spec.requiredConfigRefs[].mcpServerRef", "AgentMcpServer"),
        ],
    };
}
