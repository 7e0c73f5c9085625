using Krate.Core.Kinds.Review;
using Krate.Core.Resources;
using Krate.Web.Features.Resources;

namespace Krate.Web.Features.Agents;

/// <summary>One reason for which stacks are not ready.</summary>
/// <param name="Finding">As one of the stacks has it.</param>
/// <param name="Stacks">Whom it blocks, by name.</param>
public sealed record StackBlocker(Finding Finding, IReadOnlyList<Resource> Stacks);

/// <summary>Why stacks are not ready, over all of them: what blocks most of them comes first. One review for each state of a stack. Not thread-safe.</summary>
public sealed class StackBlockers(PermissionReviews reviews)
{
    /// <summary>Stacks that are looked at; those that are ready are none of them.</summary>
    public const int Most = 200;

    private readonly Dictionary<string, (long Version, IReadOnlyList<Finding> Findings)> known = new(StringComparer.Ordinal);

    public IReadOnlyList<StackBlocker> Of(IEnumerable<Resource> stacks) =>
    [
        .. stacks.Where(s => s.FindCondition(Condition.Ready) is not { Status: Condition.True }).Take(Most)
            .SelectMany(s => FindingsOf(s).Where(f => f.IsBlocking).DistinctBy(KeyOf).Select(f => (Stack: s, Finding: f)))
            .GroupBy(b => KeyOf(b.Finding))
            .Select(g => new StackBlocker(g.First().Finding, [.. g.Select(b => b.Stack).OrderBy(s => s.Name, StringComparer.Ordinal)]))
            .OrderByDescending(b => b.Stacks.Count).ThenBy(b => b.Finding.Reason, StringComparer.Ordinal).ThenBy(b => b.Finding.Message, StringComparer.Ordinal),
    ];

    /// <summary>Where a finding is mended best: the page of the part that is wrong, a form for what is missing, or what its stack says of it.</summary>
    public static (string Url, string Label) Mend(StackBlocker blocker, Place place, KindCatalog catalog)
    {
        var finding = blocker.Finding;
        if (FindingLink.Of(finding, place, catalog) is { } link) return link;
        var stack = blocker.Stacks[0];
        return (place.Stack(stack.Name, "permissions"), finding.Suggestion is { } suggestion ? $"Create {suggestion.Kind}" : $"Open {stack.Name}");
    }

    /// <summary>A status says anew what changed, so that its version stands for what a review would find.</summary>
    private IReadOnlyList<Finding> FindingsOf(Resource stack)
    {
        if (!known.TryGetValue(stack.Uid, out var found) || found.Version != stack.Version) known[stack.Uid] = found = (stack.Version, reviews.Readiness(stack).Findings);
        return found.Findings;
    }

    /// <summary>The same thing missing, whoever needs it: what a finding is about, else its words.</summary>
    private static (string, string) KeyOf(Finding finding) => (finding.Reason, finding.Need is { } need ? $"{need.Kind}/{need.Name}/{need.Key}" : finding.Part is { } part ? $"{part.Kind}/{part.Name}" : finding.Message);
}
