using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Stacks;

public sealed record AgentToolProfileSpec : ProductSpec
{
    [Description("Tools of the agent itself that are switched on.")]
    public NativeTools? NativeTools { get; init; }

    [Description("What the agent may touch of the file system.")]
    [AllowedValues("no-fs", "read-only", "repo-write", "workspace-write")]
    public string? FilesystemPolicy { get; init; }

    [Description("What the agent may reach on the network.")]
    public NetworkPolicy? NetworkPolicy { get; init; }

    [Description("Commands that need no question, by first words or pattern.")]
    public IReadOnlyList<string>? AllowedCommands { get; init; }

    [Description("Commands that are refused; they win over the allowed ones.")]
    public IReadOnlyList<string>? DeniedCommands { get; init; }

    [Description("What happens by class of tool when the agent asks.")]
    [AllowedValues("allow", "prompt", "deny", "prompt-on-denied-or-privileged", "allow-workspace")]
    public IReadOnlyDictionary<string, string>? ApprovalPolicyByTool { get; init; }

    [Description("Roles that the tools need the identity to have.")]
    public IReadOnlyList<string>? RequiredRoles { get; init; }

    [Description("Secrets that the tools need; each needs a grant.")]
    public IReadOnlyList<SecretKeyRef>? RequiredSecretRefs { get; init; }

    [Description("ConfigMaps that the tools need; each needs a grant.")]
    public IReadOnlyList<ConfigKeyRef>? RequiredConfigRefs { get; init; }

    [Description("How much of each tool call is kept.")]
    [AllowedValues("metadata", "inputs", "outputs", "full-redacted-transcript")]
    public string? AuditLevel { get; init; }
}

public sealed record NativeTools
{
    [Description("Running commands.")]
    public bool? Shell { get; init; }

    [Description("Reading and writing files.")]
    public bool? Filesystem { get; init; }

    [Description("Opening web pages.")]
    public bool? Browser { get; init; }

    [Description("Searching the code.")]
    public bool? CodeSearch { get; init; }

    [Description("Using git.")]
    public bool? Git { get; init; }

    [Description("Running tests.")]
    public bool? TestRunner { get; init; }

    [Description("Installing packages.")]
    public bool? PackageManager { get; init; }
}

public sealed record NetworkPolicy
{
    [Description("What holds for hosts that are not listed.")]
    [AllowedValues("deny", "allow")]
    public string? Default { get; init; }

    [Description("Hosts that may be reached, by name; * for one label.")]
    public IReadOnlyList<string>? AllowHosts { get; init; }
}

public static class AgentToolProfileKind
{
    public static KindDefinition Row { get; } = new()
    {
        Kind = "AgentToolProfile", Plural = "agenttoolprofiles", Context = "agents", Storage = "etcd", Scope = KindScope.Org, Area = "Stacks",
        Description = "The tools, files, commands and hosts that an agent may use, and what must be asked first.",
        ShortNames = ["toolprofile"],
        SpecType = typeof(AgentToolProfileSpec),
        StatusType = typeof(PlainStatus),
        RequiredSpec = ["filesystemPolicy", "approvalPolicyByTool"],
        Columns =
        [
            new("Filesystem", "spec.filesystemPolicy"), new("Network", "spec.networkPolicy.default"), new("Audit", "spec.auditLevel"), Rows.Phase, Rows.Ready,
            new("Hosts", "spec.networkPolicy.allowHosts", Wide: true), Rows.Reason,
        ],
        References =
        [
            new("spec.requiredSecretRefs[].name", "Secret") { NamespaceField = "namespace" },
            new("spec.requiredConfigRefs[].name", "ConfigMap") { NamespaceField = "namespace" },
        ],
        Default = body => Rows.Default(body, "spec.networkPolicy.default", "deny"),
        Validate = Validate,
    };

    private static IEnumerable<FieldError> Validate(JsonObject body)
    {
        foreach (var error in Rows.OwnNamespace(body, "spec.requiredSecretRefs[].namespace", "spec.requiredConfigRefs[].namespace")) yield return error;
        foreach (var (field, host) in FieldPath.Find(body, "spec.networkPolicy.allowHosts[]"))
        {
            var name = host.ToString();
            if (name.Length is 0 or > 260 || name.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('.' or '-' or '*' or ':' or '[' or ']')))
                yield return Rows.Invalid(field, "must be a host name such as api.anthropic.com or *.example.com, without scheme or path");
        }
    }
}
