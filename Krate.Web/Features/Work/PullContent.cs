using Krate.Core.Git;
using Krate.Core.Repositories;
using Krate.Web.Features.Code;

namespace Krate.Web.Features.Work;

/// <summary>What git says of a pull request that is open or might be: its commits and what they change.</summary>
/// <param name="Diff">From where the branches parted to the head; null for unrelated histories.</param>
public sealed record PullContent(string Head, string? Basis, CommitList Commits, DiffContent? Diff)
{
    private const int MaxCommits = 250;

    /// <param name="from">Where the branches parted.</param>
    public static async Task<PullContent> ReadAsync(HostedRepository hosted, string? from, string head, bool ignoreSpace, CancellationToken ct) => new(
        head, from,
        from is null ? new CommitList([], false) : await hosted.Git.CommitsBetweenAsync(from, head, MaxCommits, ct),
        from is null ? null : await DiffReader.ReadAsync(hosted.Git, from, head, ignoreSpace, ct));
}
