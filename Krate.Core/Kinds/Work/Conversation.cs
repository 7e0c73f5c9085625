using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Work;

public sealed record CommentSpec : ProductSpec
{
    [Description("What the comment is on.")]
    public ObjectRef? TargetRef { get; init; }

    [Description("The comment, in Markdown. May change.")]
    [MaxLength(262_144)]
    public string? Body { get; init; }

    [Description("Kubernetes user name of whoever wrote it.")]
    public string? Author { get; init; }

    [Description("File that it is about.")]
    [MaxLength(4096)]
    public string? Path { get; init; }

    [Description("Line of the file; the last one of several.")]
    [Range(1, int.MaxValue)]
    public int? Line { get; init; }

    [Description("First of several lines.")]
    [Range(1, int.MaxValue)]
    public int? StartLine { get; init; }

    [Description("Side of the diff that the line is on: left (before) or right (after).")]
    [AllowedValues("left", "right")]
    public string? Side { get; init; }

    [Description("Commit whose file the lines are counted in: the head for the right side, where the branches parted for the left one.")]
    [MaxLength(64)]
    public string? Commit { get; init; }

    [Description("Comment that this one answers.")]
    public string? InReplyTo { get; init; }

    [Description("Text that is suggested in place of the lines; empty to take them out.")]
    [MaxLength(262_144)]
    public string? Suggestion { get; init; }
}

[Phases("Open", "Resolved")]
public sealed record CommentStatus : ProductStatus
{
    [Description("Kubernetes user names that the text calls with @.")]
    public IReadOnlyList<string>? Mentions { get; init; }

    [Description("Kubernetes user name of whoever resolved the thread that this comment begins.")]
    public string? ResolvedBy { get; init; }

    [Description("When it was resolved.")]
    public string? ResolvedAt { get; init; }

    [Description("Commit that the suggestion was applied with.")]
    public string? AppliedSha { get; init; }

    [Description("Kubernetes user name of whoever applied the suggestion.")]
    public string? AppliedBy { get; init; }
}

public static class CommentKind
{
    public static KindDefinition Row { get; } = new()
    {
        Kind = "Comment", Plural = "comments", Context = "control-plane", Storage = "postgres", Scope = KindScope.Org, Area = "Work",
        Description = "A remark on an issue, a pull request or a line of its diff.",
        SpecType = typeof(CommentSpec),
        StatusType = typeof(CommentStatus),
        Actions = [WorkPhases.Resolve, WorkPhases.Reopen, "apply", "edit", "withdraw"],
        RequiredSpec = ["targetRef", "body"],
        Mutability = SpecMutability.Fixed,
        MutableSpecFields = ["body"],
        NamePrefix = "comment-", Authored = true,
        SelectableFields = ["spec.targetRef.kind", "spec.targetRef.name", "status.mentions"],
        MentionsIn = "spec.body",
        RepositoryPath = "spec.targetRef",
        Columns = [new("Target Kind", "spec.targetRef.kind"), new("Target", "spec.targetRef.name"), new("Author", "spec.author"), new("Path", "spec.path", Wide: true), new("Body", "spec.body", Wide: true)],
        References = [new("spec.targetRef.name", "", Required: true) { KindField = "kind" }, new("spec.inReplyTo", "Comment", Required: true)],
        Validate = Validate,
    };

    private static IEnumerable<FieldError> Validate(JsonObject body)
    {
        var (line, start) = (body.Whole("spec.line"), body.Whole("spec.startLine"));
        if (line is not null && string.IsNullOrEmpty(body.Text("spec.path"))) yield return Rows.Required("spec.path", "Required value: a line is in a file");
        if (line is null && (start is not null || body.At("spec.suggestion") is not null)) yield return Rows.Required("spec.line", "Required value: a suggestion, and a first line, are for a line");
        if (start > line) yield return Rows.Invalid("spec.startLine", "must not be after spec.line");
        if (body.At("spec.suggestion") is not null && body.Text("spec.side") == "left") yield return Rows.Invalid("spec.side", "must be right: what was taken out cannot be edited");
        if (body.Text("spec.commit") is { Length: > 0 } commit && !Git.GitRepository.IsFullId(commit)) yield return Rows.Invalid("spec.commit", "must be the full id of a commit");
    }
}

public sealed record ReviewSpec : ProductSpec
{
    [Description("Name of the PullRequest.")]
    public string? PullRequest { get; init; }

    [Description("The verdict.")]
    [AllowedValues("approved", "changes-requested", "commented")]
    public string? Decision { get; init; }

    [Description("Why, in Markdown.")]
    [MaxLength(262_144)]
    public string? Body { get; init; }

    [Description("Kubernetes user name of the reviewer.")]
    public string? Author { get; init; }

    [Description("Commit that was reviewed; a later head makes an approval stale.")]
    public string? HeadSha { get; init; }
}

public static class ReviewKind
{
    public static KindDefinition Row { get; } = new()
    {
        Kind = "Review", Plural = "reviews", Context = "control-plane", Storage = "postgres", Scope = KindScope.Org, Area = "Work",
        Description = "A person's verdict on a pull request at one commit.",
        SpecType = typeof(ReviewSpec),
        StatusType = typeof(PlainStatus),
        RequiredSpec = ["pullRequest", "decision"],
        Mutability = SpecMutability.Fixed,
        NamePrefix = "review-", Authored = true,
        SelectableFields = ["spec.pullRequest", "spec.author"],
        RepositoryPath = "spec.pullRequest",
        Columns = [new("Pull Request", "spec.pullRequest"), new("Decision", "spec.decision"), new("Author", "spec.author"), new("Head", "spec.headSha", Wide: true)],
        References = [new("spec.pullRequest", "PullRequest", Required: true)],
    };
}
