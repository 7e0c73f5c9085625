using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Approvals;

public sealed record AgentReviewArtifactSpec : ProductSpec
{
    [Description("AgentDispatchRun that reviewed.")]
    public string? DispatchRun { get; init; }

    [Description("What was reviewed.")]
    public ObjectRef? TargetRef { get; init; }

    [Description("The agent's verdict; it counts for nothing until a person posts it.")]
    [AllowedValues("pending", "approved", "changes-requested", "comment-only")]
    public string? Decision { get; init; }

    [Description("The review in a few sentences.")]
    public string? Summary { get; init; }

    [Description("Remarks on lines.")]
    public IReadOnlyList<ReviewRemark>? Comments { get; init; }

    [Description("How risky the change is in the agent's eyes.")]
    public string? Risk { get; init; }

    [Description("How sure the agent is, from 0 to 1.")]
    [Range(0.0, 1.0)]
    public double? Confidence { get; init; }
}

public sealed record ReviewRemark
{
    [Description("File.")]
    public string? Path { get; init; }

    [Description("Line of the file.")]
    [Range(1, int.MaxValue)]
    public int? Line { get; init; }

    [Description("Side of the diff: left (before) or right (after).")]
    public string? Side { get; init; }

    [Description("The remark, in Markdown.")]
    [Required]
    public string? Body { get; init; }
}

public static class AgentReviewArtifactKind
{
    public static KindDefinition Row { get; } = new()
    {
        Kind = "AgentReviewArtifact", Plural = "agentreviewartifacts", Context = "agents", Storage = "postgres", Scope = KindScope.Org, Area = "Approvals",
        Description = "An agent's review of a change, before a person takes it over.",
        SpecType = typeof(AgentReviewArtifactSpec),
        StatusType = typeof(PlainStatus),
        RequiredSpec = ["dispatchRun", "targetRef", "decision"],
        Mutability = SpecMutability.Fixed,
        ServerMade = true,
        RepositoryPath = "spec.dispatchRun",
        Columns = [new("Run", "spec.dispatchRun"), new("Target", "spec.targetRef.name"), new("Decision", "spec.decision"), new("Risk", "spec.risk", Wide: true), new("Confidence", "spec.confidence", "number", Wide: true)],
        References = [new("spec.dispatchRun", "AgentDispatchRun"), new("spec.targetRef.name", "") { KindField = "kind" }],
        DerivedLabels = [Rows.DispatchRun],
    };
}
