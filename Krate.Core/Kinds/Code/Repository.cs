using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Code;

public sealed record RepositorySpec : ProductSpec
{
    [Description("Who may read: members with permission (private), all members of the organization (internal), everybody (public).")]
    [AllowedValues("private", "internal", "public")]
    public string? Visibility { get; init; }

    [Description("Branch that people see first.")]
    [MaxLength(255)]
    public string? DefaultBranch { get; init; }

    [Description("One line about the repository.")]
    [MaxLength(1000)]
    public string? Description { get; init; }

    [Description("Repository of the same organization that this one was forked from; fixed after create.")]
    public string? ForkOf { get; init; }

    [Description("What agents may do in this repository.")]
    public RepositoryAgentPolicy? AgentPolicy { get; init; }

    [Description("Settings of the git hosting.")]
    public JsonObject? Hosting { get; init; }
}

public sealed record RepositoryAgentPolicy
{
    [Description("Whether whoever started a run may approve its write-backs.")]
    public bool? AllowSelfApproval { get; init; }

    [Description("Whether high-risk approvals need a second person.")]
    public bool? HighRiskSecondPerson { get; init; }

    [Description("Bots whose comments and events count as trusted.")]
    public IReadOnlyList<string>? TrustedBots { get; init; }
}

public sealed record RepositoryStatus : ProductStatus
{
    [Description("Address to clone from.")]
    public string? CloneUrl { get; init; }

    [Description("Commit that the default branch points to.")]
    public string? Head { get; init; }

    [Description("Size on disk in bytes.")]
    public long? Size { get; init; }
}

public static class RepositoryKind
{
    public static KindDefinition Row { get; } = new()
    {
        Kind = "Repository", Plural = "repositories", Context = "data-plane", Storage = "etcd", Scope = KindScope.Org, Area = "Code",
        Description = "A git repository with its pull requests, issues, runs and agents.",
        ShortNames = ["repo", "repos"],
        Categories = ["krate", "all"],
        SpecType = typeof(RepositorySpec),
        StatusType = typeof(RepositoryStatus),
        RequiredSpec = ["visibility"],
        FixedSpecFields = ["forkOf"],
        RepositoryPath = "metadata.name",
        SelectableFields = ["status.phase"],
        Columns =
        [
            new("Visibility", "spec.visibility"), new("Branch", "spec.defaultBranch"), Rows.Phase, Rows.Ready,
            new("Head", "status.head", Wide: true), new("Clone URL", "status.cloneUrl", Wide: true), Rows.Reason,
        ],
        References = [new("spec.forkOf", "Repository")],
        Default = Default,
        Validate = Validate,
    };

    private static void Default(JsonObject body)
    {
        Rows.Default(body, "spec.defaultBranch", "main");
        Rows.Default(body, "spec.agentPolicy.allowSelfApproval", false);
    }

    private static IEnumerable<FieldError> Validate(JsonObject body)
    {
        if (body.Text("spec.defaultBranch") is { Length: > 0 } branch && !GitRefs.IsBranchName(branch))
            yield return Rows.Invalid("spec.defaultBranch", "must be a branch name without refs/heads/");
        if (body.Text("spec.forkOf") is { Length: > 0 } fork && fork == body.Text("metadata.name"))
            yield return Rows.Invalid("spec.forkOf", "must be another repository");
    }
}
