using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Stacks;

public sealed record AgentContextLabelSpec : ProductSpec
{
    [Description("Name for people.")]
    [MaxLength(200)]
    public string? DisplayName { get; init; }

    [Description("Text that is added to the prompt. It grants nothing.")]
    public string? PromptFragment { get; init; }

    [Description("Where the label may be set (issue, pull-request, dispatch ...).")]
    public IReadOnlyList<string>? AllowedSources { get; init; }

    [Description("AgentStacks that the label works for; all when empty.")]
    public IReadOnlyList<string>? AllowedStacks { get; init; }

    [Description("Who is responsible for the text.")]
    public string? Owner { get; init; }

    [Description("Who reviewed the text; not its author.")]
    public string? ReviewedBy { get; init; }

    [Description("Whether the label counts only after a review.")]
    public bool? RequiresReview { get; init; }
}

[Phases(ContextLabelPhase.Draft, ContextLabelPhase.Reviewed, ContextLabelPhase.Rejected)]
public sealed record AgentContextLabelStatus : ProductStatus
{
    [Description("Digest of the text that the phase speaks of; another text needs another review.")]
    [Digest]
    public string? Digest { get; init; }

    [Description("Who wrote the text as it is; recorded by the server. A review is for somebody else.")]
    public string? Author { get; init; }

    [Description("Who reviewed or rejected the text.")]
    public string? ReviewedBy { get; init; }
}

public static class AgentContextLabelKind
{
    public static KindDefinition Row { get; } = new()
    {
        Kind = "AgentContextLabel", Plural = "agentcontextlabels", Context = "agents", Storage = "etcd", Scope = KindScope.Org, Area = "Stacks",
        Description = "A reviewed piece of prompt that a label adds to runs.",
        ShortNames = ["ctxlabel"],
        SpecType = typeof(AgentContextLabelSpec),
        StatusType = typeof(AgentContextLabelStatus),
        RequiredSpec = ["promptFragment", "allowedSources"],
        ServerStatus = true, AuthorOf = "spec.promptFragment",
        Actions = [DecideContextLabelAction.Review, DecideContextLabelAction.Reject],
        Columns = [new("Display Name", "spec.displayName"), new("Sources", "spec.allowedSources"), new("Owner", "spec.owner"), Rows.Phase, Rows.Ready],
        References = [new("spec.allowedStacks[]", "AgentStack")],
    };
}
