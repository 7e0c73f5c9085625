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
    public RepositoryHosting? Hosting { get; init; }
}

public sealed record RepositoryHosting
{
    [Description("Where the contents come from at first; removing it cancels an import that runs.")]
    public RepositoryImport? ImportFrom { get; init; }
}

public sealed record RepositoryImport
{
    [Description("Address of a git repository over https or http, without a user name or password.")]
    [MaxLength(2000)]
    public string? Url { get; init; }

    [Description("Absolute path of a git directory on Krate's own machine, below a root that the operator allows; platform administrators only.")]
    [MaxLength(4000)]
    public string? Path { get; init; }
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

    [Description("The latest push.")]
    public RepositoryPush? LastPush { get; init; }

    [Description("How the import goes, or went.")]
    public RepositoryImportStatus? Import { get; init; }

    [Description("Page of the ledger up to which moved refs have been reported.")]
    public string? RefsPage { get; init; }
}

public sealed record RepositoryPush
{
    [Description("When it was received.")]
    public DateTimeOffset? Time { get; init; }

    [Description("Who pushed.")]
    public string? By { get; init; }

    [Description("A ref that it moved.")]
    public string? Ref { get; init; }
}

public sealed record RepositoryImportStatus
{
    [Description("Running, Succeeded, Failed or Cancelled.")]
    [AllowedValues("Running", "Succeeded", "Failed", "Cancelled")]
    public string? Phase { get; init; }

    [Description("Where the contents come from.")]
    public string? Source { get; init; }

    [Description("Branch that the source shows first.")]
    public string? Head { get; init; }

    [Description("What it does now, or why it failed.")]
    public string? Message { get; init; }

    [Description("Hundredths of the objects that have come in.")]
    public int? Percent { get; init; }

    [Description("Objects that have come in.")]
    public long? ReceivedObjects { get; init; }

    [Description("Objects that are to come.")]
    public long? TotalObjects { get; init; }

    [Description("When it began.")]
    public DateTimeOffset? StartedAt { get; init; }

    [Description("When it ended.")]
    public DateTimeOffset? FinishedAt { get; init; }
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
        // Part of addresses: the pages and git find no other name, and "new" is a page beside the repositories.
        if (body.Text("metadata.name") is { Length: > 0 } name && (!MetadataRules.IsDnsLabel(name) || name == "new"))
            yield return Rows.Invalid("metadata.name", "must be lower case letters, digits or '-', starting and ending with a letter or digit, and not \"new\"");
        if (body.Text("spec.defaultBranch") is { Length: > 0 } branch && !GitRefs.IsBranchName(branch))
            yield return Rows.Invalid("spec.defaultBranch", "must be a branch name without refs/heads/");
        if (body.Text("spec.forkOf") is { Length: > 0 } fork && fork == body.Text("metadata.name"))
            yield return Rows.Invalid("spec.forkOf", "must be another repository");
        foreach (var error in ValidateImport(body)) yield return error;
    }

    private static IEnumerable<FieldError> ValidateImport(JsonObject body)
    {
        const string field = "spec.hosting.importFrom";
        if (body.At(field) is not JsonObject import) yield break;
        var (url, path) = (import.Text("url"), import.Text("path"));
        if (string.IsNullOrEmpty(url) == string.IsNullOrEmpty(path)) yield return Rows.Invalid(field, "must have a url or a path, and not both");
        if (body.Text("spec.forkOf") is { Length: > 0 }) yield return Rows.Invalid(field, "a fork takes its contents from the repository it is forked from");
        foreach (var error in Rows.NoCredentialsInUrl(body, field + ".url")) yield return error;
        if (url is { Length: > 0 } && Uri.TryCreate(url, UriKind.Absolute, out var address) && address.Scheme is not ("https" or "http"))
            yield return Rows.Invalid(field + ".url", "must begin with https:// or http://");
        if (path is { Length: > 0 } && !Path.IsPathRooted(path)) yield return Rows.Invalid(field + ".path", "must be absolute");
    }
}
