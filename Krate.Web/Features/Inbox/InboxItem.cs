using System.Globalization;
using Krate.Core.Kinds.Work;
using Krate.Core.Resources;
using Krate.Web.Features.Code;
using Krate.Web.Features.Runs;
using Krate.Web.Features.Work;

namespace Krate.Web.Features.Inbox;

public enum InboxReason
{
    /// <summary>A review was asked of this person, who has not said anything about this head yet.</summary>
    Review,

    /// <summary>Somebody called them with @.</summary>
    Mention,

    /// <summary>A run that was started for them has failed, and no newer one took its place.</summary>
    FailedRun,
}

/// <summary>Something that waits for one person.</summary>
/// <param name="Id">Stable; what was put aside is remembered by it.</param>
/// <param name="Version">Another one is something new to look at.</param>
/// <param name="Who">User name of whoever caused it.</param>
public sealed record InboxItem(string Id, string Version, InboxReason Reason, string Title, string Detail, string Repository, string Who, DateTimeOffset? At, string Url)
{
    /// <summary>What waits for somebody, the newest first. Pure.</summary>
    /// <param name="asked">Open pull requests that name the person as a reviewer.</param>
    /// <param name="reviews">By the person.</param>
    /// <param name="mentions">Issues, pull requests and comments that call the person.</param>
    /// <param name="failed">Pipelines that were started for the person, have failed and are the last of their kind.</param>
    public static IReadOnlyList<InboxItem> Of(
        string user, Place place, IEnumerable<Resource> asked, IReadOnlyCollection<Resource> reviews, IEnumerable<Resource> mentions, IEnumerable<Resource> failed) =>
        [.. asked.Where(p => !p.IsDeleting && !p.Body.Flag("spec.draft") && !reviews.Any(r => IsAnswered(p, r))).Select(p => OfReview(place, p))
            .Concat(mentions.Where(m => !m.IsDeleting && m.Body.Text("spec.author") != user && m.Body.Text("status.phase") is WorkPhases.Open or null).Select(m => OfMention(place, m)))
            .Concat(failed.Where(r => !r.IsDeleting).Select(r => OfRun(place, r)))
            .OrderByDescending(i => i.At).ThenBy(i => i.Id, StringComparer.Ordinal)];

    private static bool IsAnswered(Resource pull, Resource review) => review.Body.Text("spec.pullRequest") == pull.Name && review.Body.Text("spec.headSha") == pull.Body.Text("status.headSha");

    private static InboxItem OfReview(Place place, Resource pull) => new(
        "review " + pull.Uid, pull.Body.Text("status.headSha") ?? "", InboxReason.Review, $"Review requested on #{WorkQuery.NumberOf(pull)}", pull.Body.Text("spec.title") ?? "",
        RepositoryOf(pull), pull.Body.Text("spec.author") ?? "", pull.CreatedAt, UrlOf(place, pull));

    private static InboxItem OfMention(Place place, Resource where)
    {
        var isComment = where.Kind.Kind == "Comment";
        var (kind, name) = isComment ? (where.Body.Text("spec.targetRef.kind") ?? "", where.Body.Text("spec.targetRef.name") ?? "") : (where.Kind.Kind, where.Name);
        var number = isComment ? NumberIn(RepositoryOf(where), name) : WorkQuery.NumberOf(where);
        var author = where.Body.Text("spec.author") ?? "somebody";
        var word = kind == "PullRequest" ? "pull request" : "issue";
        return new(
            "mention " + where.Uid, where.Generation.ToString(CultureInfo.InvariantCulture), InboxReason.Mention, $"{author} mentioned you on {word} {(number is { } n ? $"#{n}" : name)}",
            Excerpt(isComment ? where.Body.Text("spec.body") : where.Body.Text("spec.title")), RepositoryOf(where), author, where.CreatedAt,
            isComment ? (number is { } at ? $"{PageOf(place, kind, RepositoryOf(where), at)}#{where.Name}" : $"{place.Resources}/{(kind == "PullRequest" ? "pullrequests" : "issues")}/{Uri.EscapeDataString(name)}") : UrlOf(place, where));
    }

    private static InboxItem OfRun(Place place, Resource run) => new(
        "run " + run.Uid, "", InboxReason.FailedRun, $"{RunWords.TitleOf(run)} failed on {RunWords.BranchOf(run)}", run.Body.Text("status.failureSignature") ?? RunWords.JobsOf(run),
        RepositoryOf(run), run.Body.Text("status.startedBy") ?? "", RunWords.At(run, "status.completedAt") ?? run.CreatedAt, new CodeUrls(place.Org!, RepositoryOf(run)).Run(run.Name));

    private static string RepositoryOf(Resource resource) => resource.Label(WellKnown.RepositoryLabel) ?? resource.Body.Text("spec.repository") ?? "";

    private static string UrlOf(Place place, Resource work) => PageOf(place, work.Kind.Kind, RepositoryOf(work), WorkQuery.NumberOf(work));

    private static string PageOf(Place place, string kind, string repository, long number) => new CodeUrls(place.Org!, repository) is var urls && kind == "PullRequest" ? urls.Pull(number) : urls.Issue(number);

    /// <summary>A name that Krate made ends with the number.</summary>
    private static long? NumberIn(string repository, string name) =>
        name.StartsWith(repository + "-", StringComparison.Ordinal) && long.TryParse(name.AsSpan(repository.Length + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static string Excerpt(string? text) => (text ?? "").ReplaceLineEndings(" ") is { Length: > 160 } longer ? longer[..160] + "…" : (text ?? "").ReplaceLineEndings(" ");
}
