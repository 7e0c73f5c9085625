using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Stacks;

public sealed record AgentSkillSpec : ProductSpec
{
    [Description("What the skill is for.")]
    [MaxLength(4000)]
    public string? Description { get; init; }

    [Description("What the source is: a file, a directory with SKILL.md, a package, or the fragment written here.")]
    [AllowedValues("file", "directory", "package", "inline")]
    public string? Format { get; init; }

    [Description("Where the source is; empty for inline.")]
    public SkillSource? SourceRef { get; init; }

    [Description("Version for people.")]
    [MaxLength(100)]
    public string? Version { get; init; }

    [Description("Text that is added to the prompt. It grants nothing.")]
    public string? PromptFragment { get; init; }

    [Description("AgentStacks that may use the skill; all when empty.")]
    public IReadOnlyList<string>? AllowedAgentStacks { get; init; }

    [Description("Tools that the skill needs.")]
    public IReadOnlyList<string>? RequiredTools { get; init; }

    [Description("AgentMcpServers that the skill needs.")]
    public IReadOnlyList<string>? RequiredMcpServers { get; init; }

    [Description("Secrets that the skill needs; each needs a grant.")]
    public IReadOnlyList<SecretKeyRef>? RequiredSecretRefs { get; init; }

    [Description("ConfigMaps that the skill needs; each needs a grant.")]
    public IReadOnlyList<ConfigKeyRef>? RequiredConfigRefs { get; init; }

    [Description("Kinds of task that the skill is for; all when empty.")]
    public IReadOnlyList<string>? TaskKinds { get; init; }

    [Description("What an answer that used the skill must look like.")]
    public OutputContract? OutputContract { get; init; }
}

public sealed record SkillSource
{
    [Description("Repository of the source.")]
    public string? Repository { get; init; }

    [Description("Path in the repository.")]
    [MaxLength(4096)]
    public string? Path { get; init; }

    [Description("Branch, tag or commit.")]
    [MaxLength(255)]
    public string? Ref { get; init; }
}

public sealed record AgentSkillStatus : ProductStatus
{
    [Description("What the last check of the source said.")]
    public string? Validation { get; init; }

    [Description("Commit that the source was read from.")]
    [GitSha]
    public string? ResolvedCommit { get; init; }

    [Description("Digest of the source.")]
    [Digest]
    public string? Digest { get; init; }
}

public static class AgentSkillKind
{
    public static KindDefinition Row { get; } = new()
    {
        Kind = "AgentSkill", Plural = "agentskills", Context = "agents", Storage = "etcd", Scope = KindScope.Org, Area = "Stacks",
        Description = "Knowledge that is added to an agent's prompt, with what it needs.",
        ShortNames = ["skill"],
        SpecType = typeof(AgentSkillSpec),
        StatusType = typeof(AgentSkillStatus),
        RequiredSpec = ["format", "sourceRef"],
        ServerStatus = true,
        Columns =
        [
            new("Format", "spec.format"), new("Version", "spec.version"), new("Validation", "status.validation"), Rows.Ready,
            new("Source", "spec.sourceRef.repository", Wide: true), new("Path", "spec.sourceRef.path", Wide: true), new("Commit", "status.resolvedCommit", Wide: true), Rows.Reason,
        ],
        References =
        [
            new("spec.sourceRef.repository", "Repository"), new("spec.requiredMcpServers[]", "AgentMcpServer"), new("spec.allowedAgentStacks[]", "AgentStack"),
            new("spec.requiredSecretRefs[].name", "Secret") { NamespaceField = "namespace" },
            new("spec.requiredConfigRefs[].name", "ConfigMap") { NamespaceField = "namespace" },
        ],
        Validate = Validate,
    };

    private static IEnumerable<FieldError> Validate(JsonObject body)
    {
        if (body.Text("spec.format") == "inline")
        {
            if (string.IsNullOrEmpty(body.Text("spec.promptFragment"))) yield return Rows.Required("spec.promptFragment", "Required value for format inline");
        }
        else
        {
            if (string.IsNullOrEmpty(body.Text("spec.sourceRef.repository"))) yield return Rows.Required("spec.sourceRef.repository");
            if (string.IsNullOrEmpty(body.Text("spec.sourceRef.path"))) yield return Rows.Required("spec.sourceRef.path");
        }

        if (body.Text("spec.sourceRef.path") is { } path && (path.StartsWith('/') || path.Split('/').Contains("..")))
            yield return Rows.Invalid("spec.sourceRef.path", "must stay inside the repository");
        foreach (var error in Rows.OwnNamespace(body, "spec.requiredSecretRefs[].namespace", "spec.requiredConfigRefs[].namespace")) yield return error;
    }
}
