using System.Text.Json.Nodes;
using Krate.Core.ControlPlane;
using Krate.Core.Gateway;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Stacks;

/// <summary>Keeps a label's review true to its text: another text is a draft again.</summary>
internal sealed class AgentContextLabelReconciler(KindCatalog catalog) : IReconciler
{
    public const string Reviewed = "Reviewed";

    public string Name => "agent-context-label";

    public KindDefinition For { get; } = catalog["AgentContextLabel"];

    public IReadOnlyList<WakeUp> WakeUps => [];

    public static string DigestOf(Resource label) => ContentDigest.Of(label.Body.Text("spec.promptFragment") ?? "");

    public async Task<Outcome> ReconcileAsync(ResourceKey key, Resource? resource, ReconcileContext context, CancellationToken ct)
    {
        if (resource is null or { IsDeleting: true }) return Outcome.Done;
        var isDecided = resource.Body.Text("status.digest") == DigestOf(resource);
        await WriteAsync(context, resource, isDecided ? resource.Body.Text("status.phase") ?? ContextLabelPhase.Draft : ContextLabelPhase.Draft, isDecided ? resource.Body.Text("status.reviewedBy") : null, ct);
        return Outcome.Done;
    }

    /// <param name="by">Who decided; null while nobody has.</param>
    public static Task<Resource> WriteAsync(ReconcileContext context, Resource label, string phase, string? by, CancellationToken ct)
    {
        var reviewed = phase switch
        {
            ContextLabelPhase.Reviewed => new Condition(Reviewed, Condition.True, Reviewed, $"{by} reviewed this text."),
            ContextLabelPhase.Rejected => new(Reviewed, Condition.False, "LabelRejected", $"{by} rejected this text; change it, and ask for another review."),
            _ when label.Body.Flag("spec.requiresReview") => new(Reviewed, Condition.False, "LabelNotReviewed", "Nobody other than its author has reviewed this text yet."),
            _ => new(Reviewed, Condition.True, "NotRequired", "It counts without a review."),
        };
        var safe = PromptConditions.Of([("promptFragment", label.Body.Text("spec.promptFragment") ?? "")]);
        var status = StatusWriter.Status(phase, [safe, reviewed, PromptConditions.Ready(reviewed.Message, safe, reviewed)]);
        (status["digest"], status["reviewedBy"]) = (DigestOf(label), by);
        return context.WriteStatusAsync(label, status, ct);
    }
}

/// <summary>How far the text of a label is.</summary>
public static class ContextLabelPhase
{
    public const string Draft = "Draft";
    public const string Reviewed = "Reviewed";
    public const string Rejected = "Rejected";
}

/// <summary>Somebody other than the author of a label's text says whether it counts.</summary>
/// <remarks>Body: <c>digest</c>, that of the text which was read.</remarks>
internal sealed class DecideContextLabelAction(IServiceProvider services, string name, string phase) : IResourceAction
{
    public const string Review = "review";
    public const string Reject = "reject";

    public string Kind => "AgentContextLabel";

    public string Name => name;

    public (string Verb, string Subresource) Access => (name, "");

    public async Task<JsonObject> RunAsync(Actor actor, Resource target, JsonObject body, CancellationToken ct)
    {
        Runs.RunActions.CheckFields(target, body, "digest");
        if (body.Text("digest") is not { Length: > 0 } seen) throw Runs.RunActions.Invalid(target, "digest", "is required: status.digest of the text that you read");
        if (seen != AgentContextLabelReconciler.DigestOf(target)) throw ApiException.Conflict(target.Kind, target.Name, "its text has changed since you read it; read it again");
        if (phase == ContextLabelPhase.Reviewed && target.Body.Text("status.author") == actor.User)
            throw ApiException.Forbidden($"{target.Kind.Plural} \"{target.Name}\" is forbidden: you wrote this text; its review is for somebody else");
        return (await AgentContextLabelReconciler.WriteAsync(ProbeActions.ContextFor(actor, services), target, phase, actor.User, ct)).Body.Copy();
    }
}
