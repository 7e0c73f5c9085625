using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Work;

public sealed record IssueSpec : ProductSpec
{
    [Description("Repository that the issue belongs to.")]
    public string? Repository { get; init; }

    [Description("Number in the repository, shared with its pull requests; given at create.")]
    [Range(1, int.MaxValue)]
    public long? Number { get; init; }

    [Description("What it is about, in one line. May change.")]
    [MaxLength(256)]
    public string? Title { get; init; }

    [Description("What it is about, in Markdown. May change.")]
    [MaxLength(262_144)]
    public string? Body { get; init; }

    [Description("Labels by name. May change.")]
    public IReadOnlyList<string>? Labels { get; init; }

    [Description("Users who work on it. May change.")]
    public IReadOnlyList<string>? Assignees { get; init; }

    [Description("Kubernetes user name of whoever opened it.")]
    public string? Author { get; init; }
}

[Phases("Open", "Closed")]
public sealed record IssueStatus : ProductStatus
{
    [Description("Kubernetes user names that the text calls with @.")]
    public IReadOnlyList<string>? Mentions { get; init; }

    [Description("Kubernetes user name of whoever closed it.")]
    public string? ClosedBy { get; init; }

    [Description("When it was closed.")]
    public string? ClosedAt { get; init; }

    [Description("Pull request whose merge closed it.")]
    public string? ClosedWith { get; init; }
}

public static class IssueKind
{
    public static KindDefinition Row { get; } = new()
    {
        Kind = "Issue", Plural = "issues", Context = "control-plane", Storage = "postgres", Scope = KindScope.Org, Area = "Work",
        Description = "Something to do or to decide about a repository.",
        Categories = ["krate", "all"],
        SpecType = typeof(IssueSpec),
        StatusType = typeof(IssueStatus),
        RequiredSpec = ["repository", "title"],
        Mutability = SpecMutability.Fixed,
        MutableSpecFields = ["title", "body", "labels", "assignees"],
        Numbered = true, Authored = true, FirstPhase = WorkPhases.Open,
        Actions = [WorkPhases.Close, WorkPhases.Reopen],
        SelectableFields = ["status.phase", "spec.repository", "spec.number", "spec.author", "spec.labels", "spec.assignees", "status.mentions"],
        MentionsIn = "spec.body",
        RepositoryPath = "spec.repository",
        Columns =
        [
            new("Repository", "spec.repository"), new("Number", "spec.number", "integer"), new("Title", "spec.title"), Rows.Phase,
            new("Author", "spec.author"), new("Labels", "spec.labels", Wide: true), new("Assignees", "spec.assignees", Wide: true),
        ],
        References = [new("spec.repository", "Repository", Required: true)],
        DerivedLabels = [Rows.Repository],
    };
}
