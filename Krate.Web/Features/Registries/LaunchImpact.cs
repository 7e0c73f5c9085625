using System.Text.Json.Nodes;
using Krate.Core.Kinds.Review;
using Krate.Core.Resources;
using Krate.Web.Components;

namespace Krate.Web.Features.Registries;

/// <summary>A stack that would stand otherwise.</summary>
/// <param name="Worse">What would newly be missing or unknown.</param>
/// <param name="Better">What would be missing or unknown no more.</param>
public sealed record StackImpact(Resource Stack, Status Before, Status After, IReadOnlyList<Finding> Worse, IReadOnlyList<Finding> Better);

/// <summary>Which stacks would change if something were saved or deleted: the same review as their readiness and their runs, with the draft in its place.</summary>
public static class LaunchImpact
{
    /// <summary>Stacks that are reviewed for one answer.</summary>
    public const int Most = 200;

    /// <summary>By name; those that would stay as they are are left out.</summary>
    public static IReadOnlyList<StackImpact> Of(PermissionReviews reviews, ReviewDrafts drafts, IEnumerable<Resource> stacks)
    {
        var drafted = reviews.With(drafts);
        return [.. stacks.OrderBy(s => s.Name, StringComparer.Ordinal).Take(Most).Select(s => Of(s, reviews.Readiness(s).Findings, drafted.Readiness(s).Findings)).OfType<StackImpact>()];
    }

    /// <summary>
    /// A draft as it would be right after it is saved: what a probe, a review or a look at the source said no longer counts when what it looked at is
    /// another.
    /// </summary>
    public static Resource AsSaved(Resource draft, Resource? saved, Registry registry)
    {
        if (saved is null || registry.Looked.All(f => JsonNode.DeepEquals(saved.Body.At("spec." + f), draft.Body.At("spec." + f)))) return draft;
        var document = draft.Edit();
        if (document["status"] is JsonObject status)
            foreach (var said in new[] { "conditions", "phase", "health" }) status.Remove(said);
        return new Resource(draft.Kind, document);
    }

    private static StackImpact? Of(Resource stack, IReadOnlyList<Finding> before, IReadOnlyList<Finding> after)
    {
        var (was, would) = (Open(before), Open(after));
        var worse = would.ExceptBy(was.Select(Key), Key).ToList();
        var better = was.ExceptBy(would.Select(Key), Key).ToList();
        return worse.Count + better.Count == 0 ? null : new(stack, Status.OfReadiness(StackReadiness.Conditions(before)), Status.OfReadiness(StackReadiness.Conditions(after)), worse, better);
    }

    private static List<Finding> Open(IReadOnlyList<Finding> findings) => [.. findings.Where(f => f.IsBlocking || f.State == FindingState.Unknown)];

    private static (string, string, string) Key(Finding finding) => (finding.Condition, finding.Reason, finding.Message);
}
