using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using Krate.Core.Kinds.Code;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Work;

public sealed record PullRequestSpec : ProductSpec
{
    [Description("Repository that the change is for.")]
    public string? Repository { get; init; }

    [Description("Number in the repository, shared with its issues; given at create.")]
    [Range(1, int.MaxValue)]
    public long? Number { get; init; }

    [Description("What it changes, in one line. May change.")]
    [MaxLength(256)]
    public string? Title { get; init; }

    [Description("What it changes and why, in Markdown. May change.")]
    [MaxLength(262_144)]
    public string? Body { get; init; }

    [Description("Ref that the change comes from.")]
    [MaxLength(255)]
    public string? SourceRef { get; init; }

    [Description("Ref that the change is for. May change.")]
    [MaxLength(255)]
    public string? TargetRef { get; init; }

    [Description("Repository of the source ref, when it is a fork.")]
    public string? SourceRepository { get; init; }

    [Description("Kubernetes user name of whoever opened it.")]
    public string? Author { get; init; }

    [Description("Whether it is not yet meant to be merged. May change.")]
    public bool? Draft { get; init; }

    [Description("Users who are asked for a review. May change.")]
    public IReadOnlyList<string>? Reviewers { get; init; }

    [Description("Labels by name. May change.")]
    public IReadOnlyList<string>? Labels { get; init; }
}

[Phases("Open", "Merged", "Closed")]
public sealed record PullRequestStatus : ProductStatus
{
    [Description("Kubernetes user names that the text calls with @.")]
    public IReadOnlyList<string>? Mentions { get; init; }

    [Description("Commit that the source ref points to.")]
    public string? HeadSha { get; init; }

    [Description("Commit of the target ref that it was compared with.")]
    public string? BaseSha { get; init; }

    [Description("Commit of the target ref that it was tried to merge with.")]
    public string? TargetSha { get; init; }

    [Description("A merge that has begun: the commit that it ends with, and who merges.")]
    public PullRequestMerging? Merging { get; init; }

    [Description("Whether it merges without conflict; absent while that is not known.")]
    public bool? Mergeable { get; init; }

    [Description("Pipelines, jobs and agent runs of the head commit.")]
    public IReadOnlyList<PullRequestCheck>? Checks { get; init; }

    [Description("What the reviews say together.")]
    public string? ReviewDecision { get; init; }

    [Description("Kubernetes user name of whoever merged it.")]
    public string? MergedBy { get; init; }

    [Description("Commit that the merge made.")]
    public string? MergeSha { get; init; }

    [Description("When it was merged.")]
    public string? MergedAt { get; init; }

    [Description("Kubernetes user name of whoever closed it without merging.")]
    public string? ClosedBy { get; init; }

    [Description("When it was closed without merging.")]
    public string? ClosedAt { get; init; }
}

public sealed record PullRequestCheck
{
    [Description("Name of the check.")]
    [Required]
    public string? Name { get; init; }

    [Description("Kind of the resource that ran it (Pipeline, Job, AgentDispatchRun).")]
    public string? Kind { get; init; }

    [Description("Name of that resource.")]
    public string? Resource { get; init; }

    [Description("Its phase.")]
    public string? Phase { get; init; }
}

public sealed record PullRequestMerging
{
    [Description("Commit that the target is moved to.")]
    public string? Sha { get; init; }

    [Description("Kubernetes user name of whoever merges.")]
    public string? By { get; init; }
}

public static class PullRequestKind
{
    public static KindDefinition Row { get; } = new()
    {
        Kind = "PullRequest", Plural = "pullrequests", Context = "control-plane", Storage = "postgres", Scope = KindScope.Org, Area = "Work",
        Description = "A change that is proposed to a repository.",
        ShortNames = ["pr", "prs"],
        Categories = ["krate", "all"],
        SpecType = typeof(PullRequestSpec),
        StatusType = typeof(PullRequestStatus),
        RequiredSpec = ["repository", "title", "sourceRef", "targetRef"],
        Mutability = SpecMutability.Fixed,
        MutableSpecFields = ["title", "body", "targetRef", "draft", "labels", "reviewers"],
        Numbered = true, Authored = true, FirstPhase = WorkPhases.Open,
        Actions = [WorkPhases.Close, WorkPhases.Reopen, "merge"],
        SelectableFields = ["status.phase", "spec.repository", "spec.number", "spec.author", "spec.labels", "spec.reviewers", "status.mentions"],
        MentionsIn = "spec.body",
        RepositoryPath = "spec.repository",
        Columns =
        [
            new("Repository", "spec.repository"), new("Number", "spec.number", "integer"), new("Title", "spec.title"), Rows.Phase, new("Author", "spec.author"),
            new("Source", "spec.sourceRef", Wide: true), new("Target", "spec.targetRef", Wide: true), new("Mergeable", "status.mergeable", "boolean", Wide: true),
            new("Review", "status.reviewDecision", Wide: true),
        ],
        References = [new("spec.repository", "Repository", Required: true), new("spec.sourceRepository", "Repository", Required: true)],
        DerivedLabels = [Rows.Repository],
        Validate = Validate,
    };

    private static IEnumerable<FieldError> Validate(JsonObject body)
    {
        foreach (var field in new[] { "sourceRef", "targetRef" })
        {
            if (body.Text($"spec.{field}") is { Length: > 0 } name && !GitRefs.IsBranchName(BranchNames.Of(name))) yield return Rows.Invalid($"spec.{field}", "must be the name of a branch");
        }

        var fork = body.Text("spec.sourceRepository") is { Length: > 0 } source && source != body.Text("spec.repository");
        if (!fork && body.Text("spec.sourceRef") is { Length: > 0 } sourceRef && sourceRef == body.Text("spec.targetRef"))
            yield return Rows.Invalid("spec.sourceRef", "must be another ref than the target");
    }
}
