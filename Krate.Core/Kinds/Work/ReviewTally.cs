using Krate.Core.Resources;

namespace Krate.Core.Kinds.Work;

/// <summary>What one person says of a pull request as a whole: their last approval or request for changes.</summary>
/// <param name="IsStale">The head has moved since.</param>
/// <param name="Counts">An approval that a protection may count.</param>
public sealed record ReviewVerdict(string Author, bool Approves, bool IsStale, bool Counts, Resource Review);

/// <summary>What the reviews of a pull request say together. Pure.</summary>
public static class ReviewTally
{
    public const string Approved = "approved";
    public const string ChangesRequested = "changes-requested";
    public const string Commented = "commented";

    /// <summary>One verdict for each person who has given one, in order of time.</summary>
    /// <param name="mayReview">Whether this person may review now: who has lost the role counts no more.</param>
    public static IReadOnlyList<ReviewVerdict> Of(Resource pull, IEnumerable<Resource> reviews, Func<string, bool> mayReview)
    {
        var (author, head) = (pull.Body.Text("spec.author"), pull.Body.Text("status.headSha"));
        return [.. reviews
            .Where(r => !r.IsDeleting && r.Body.Text("spec.decision") is Approved or ChangesRequested && r.Body.Text("spec.author") is { Length: > 0 } by && by != author && mayReview(by))
            .OrderBy(r => r.CreatedAt).ThenBy(r => r.Name, StringComparer.Ordinal)
            .GroupBy(r => r.Body.Text("spec.author")!, StringComparer.Ordinal).Select(g => g.Last())
            .Select(r => (Review: r, Approves: r.Body.Text("spec.decision") == Approved, IsStale: head is null || r.Body.Text("spec.headSha") != head))
            .Select(r => new ReviewVerdict(r.Review.Body.Text("spec.author")!, r.Approves, r.IsStale, r.Approves && !r.IsStale, r.Review))];
    }

    /// <summary>approved, changes-requested or review-required, for the list.</summary>
    public static string Decision(IReadOnlyList<ReviewVerdict> verdicts) =>
        verdicts.Any(v => !v.Approves) ? ChangesRequested : verdicts.Any(v => v.Counts) ? Approved : "review-required";
}
