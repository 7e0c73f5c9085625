using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Grants;

public sealed record AgentRoleBindingSpec : ProductSpec
{
    [Description("Who gets the role.")]
    public RoleSubject? Subject { get; init; }

    [Description("Where the role holds.")]
    public RoleScope? Scope { get; init; }

    [Description("The role, or the template it is made from.")]
    public RoleReference? RoleRef { get; init; }

    [Description("Rules in place of the template's, as in a Role.")]
    public IReadOnlyList<ResourceRule>? ResourceRules { get; init; }

    [Description("Name of the native binding; made from this resource's name when empty.")]
    [MaxLength(253)]
    public string? NativeRoleBindingName { get; init; }

    [Description("What happens when the role holds more than its author has.")]
    [AllowedValues("deny", "require-admin-approval", "allow-if-owner")]
    public string? EscalationPolicy { get; init; }
}

public sealed record RoleSubject
{
    [Description("Kind of the subject.")]
    [Required]
    [AllowedValues("user", "group", "team", "agent-stack", "runner-pool", "service-account")]
    public string? Kind { get; init; }

    [Description("Name of the subject.")]
    [Required]
    public string? Name { get; init; }

    [Description("ServiceAccount that the subject acts as.")]
    public string? ServiceAccountRef { get; init; }
}

public sealed record RoleScope
{
    [Description("Kind of the scope.")]
    [Required]
    [AllowedValues("namespace", "repository", "organization", "cluster")]
    public string? Kind { get; init; }

    [Description("Name of the namespace, repository or organization; empty for cluster.")]
    public string? Name { get; init; }
}

public sealed record RoleReference
{
    [Description("Kind of the role.")]
    [Required]
    [AllowedValues("Role", "ClusterRole", "RoleTemplate")]
    public string? Kind { get; init; }

    [Description("Name of the role or template (krate-agent-readonly).")]
    [Required]
    public string? Name { get; init; }
}

public sealed record ResourceRule
{
    [Description("Verbs; * for all.")]
    [Required]
    public IReadOnlyList<string>? Verbs { get; init; }

    [Description("API groups; empty text for the core group.")]
    public IReadOnlyList<string>? ApiGroups { get; init; }

    [Description("Plural names of resources.")]
    public IReadOnlyList<string>? Resources { get; init; }

    [Description("Only these names; all when empty.")]
    public IReadOnlyList<string>? ResourceNames { get; init; }
}

[Phases("Pending", "Ready", "Blocked", "Drifted")]
public sealed record AgentRoleBindingStatus : ProductStatus
{
    [Description("Kubernetes user name of whoever last changed the spec; recorded by the server, and checked again for bind and escalate.")]
    public string? RequestedBy { get; init; }

    [Description("Uid of that User or ServiceAccount; another of the same name inherits nothing.")]
    public string? RequestedByUid { get; init; }

    [Description("Groups that they had then; those that they have still count.")]
    public IReadOnlyList<string>? RequestedByGroups { get; init; }
}

public static class AgentRoleBindingKind
{
    public const string RoleResolved = "RoleResolved";
    public const string SubjectsResolved = "SubjectsResolved";
    public const string NativeBindingSynced = "NativeBindingSynced";
    public const string EscalationAdmitted = "EscalationAdmitted";
    public const string NativeBindingDrifted = "NativeBindingDrifted";

    public static KindDefinition Row { get; } = new()
    {
        Kind = "AgentRoleBinding", Plural = "agentrolebindings", Context = "identity", Storage = "etcd", Scope = KindScope.Org, Area = "Grants",
        Description = "Gives a role to an agent's identity and keeps the native binding in step.",
        ShortNames = ["arb"],
        SpecType = typeof(AgentRoleBindingSpec),
        StatusType = typeof(AgentRoleBindingStatus),
        RequiredSpec = ["subject", "roleRef", "scope"],
        ServerStatus = true, RemembersRequester = true,
        CachedBy = ["spec.subject.name"],
        Columns =
        [
            new("Role", "spec.roleRef.name"), new("Subject", "spec.subject.name"), new("Scope", "spec.scope.name"), Rows.Phase, Rows.Ready,
            new("Subject Kind", "spec.subject.kind", Wide: true), new("Scope Kind", "spec.scope.kind", Wide: true), Rows.Reason,
        ],
        References =
        [
            new("spec.subject.serviceAccountRef", "ServiceAccount"),
            new("spec.subject.name", "") { KindField = "kind", KindNames = Subjects.KindNames },
            new("spec.roleRef.name", "") { KindField = "kind" },
            new("spec.scope.name", "") { KindField = "kind", KindNames = new Dictionary<string, string> { ["repository"] = "Repository", ["organization"] = "Organization", ["namespace"] = "Namespace" } },
        ],
        DerivedLabels = [new(WellKnown.ServiceAccountLabel, "spec.subject.serviceAccountRef")],
        Default = body => Rows.Default(body, "spec.escalationPolicy", "deny"),
        Validate = Validate,
    };

    private static IEnumerable<FieldError> Validate(JsonObject body)
    {
        var scope = body.Text("spec.scope.kind");
        if (scope != "cluster" && string.IsNullOrEmpty(body.Text("spec.scope.name")))
            yield return Rows.Required("spec.scope.name", $"Required value for scope {scope}");
        if (scope == "cluster" && body.Text("spec.roleRef.kind") == "Role")
            yield return Rows.Invalid("spec.roleRef.kind", "a Role holds in one namespace; use a ClusterRole for scope cluster");
        var own = scope switch { "namespace" => body.Text("metadata.namespace"), "organization" => body.Text("spec.organizationRef"), _ => null };
        if (own is not null && body.Text("spec.scope.name") is { Length: > 0 } place && place != own)
            yield return new FieldError("CROSS_ORG_REF_DENIED", "spec.scope.name", $"must be {own}: a binding holds in its own organization");
        if (body.Text("spec.nativeRoleBindingName") is { Length: > 0 } name && (!MetadataRules.IsDnsSubdomain(name) || name.StartsWith("krate-", StringComparison.Ordinal)))
            yield return Rows.Invalid("spec.nativeRoleBindingName", "must be an RFC 1123 subdomain that does not begin with krate-");
        foreach (var error in Rules(body)) yield return error;
    }

    private static IEnumerable<FieldError> Rules(JsonObject body)
    {
        foreach (var (field, rule) in FieldPath.Find(body, "spec.resourceRules[]"))
        {
            foreach (var list in (string[])["verbs", "apiGroups", "resources"])
                if (!rule.Texts(list).Any()) yield return Rows.Required($"{field}.{list}", "at least one is required");
        }
    }
}

/// <summary>How grants and bindings spell the kinds of their subjects.</summary>
public static class Subjects
{
    /// <summary>Kind names by the words of a spec (<c>agent-stack</c>).</summary>
    public static readonly IReadOnlyDictionary<string, string> KindNames = new Dictionary<string, string>
    {
        ["user"] = "User",
        ["team"] = "Team",
        ["agent-stack"] = "AgentStack",
        ["runner-pool"] = "RunnerPool",
        ["service-account"] = "ServiceAccount",
        ["skill"] = "AgentSkill",
        ["mcp-server"] = "AgentMcpServer",
        ["tool"] = "AgentToolProfile",
        ["tool-profile"] = "AgentToolProfile",
        ["subagent"] = "AgentSubagent",
        ["model-provider"] = "AgentProviderConfig",
        ["repository"] = "Repository",
        ["organization"] = "Organization",
    };
}
