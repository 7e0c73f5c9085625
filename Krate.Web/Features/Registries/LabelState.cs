using Krate.Core.Kinds.Stacks;
using Krate.Core.Resources;
using Krate.Web.Components;

namespace Krate.Web.Features.Registries;

/// <summary>How far the review of an AgentContextLabel is, in the words of pages.</summary>
public static class LabelState
{
    public static Status Of(Resource label) => label.Body.Text("status.phase") switch
    {
        ContextLabelPhase.Reviewed => new("Reviewed", "ok", Lucide.CircleCheck),
        ContextLabelPhase.Rejected => new("Rejected", "bad", Lucide.CircleX),
        _ when !label.Body.Flag("spec.requiresReview") => new("Needs no review", "idle", Lucide.CircleCheck),
        _ => new("Waits for a review", "warn", Lucide.Hand),
    };

    public static bool Waits(Resource label) => label.Body.Flag("spec.requiresReview") && label.Body.Text("status.phase") is not (ContextLabelPhase.Reviewed or ContextLabelPhase.Rejected);
}
