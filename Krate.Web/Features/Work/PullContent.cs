using Krate.Core.Git;
using Krate.Core.Repositories;
using Krate.Web.Features.Code;

namespace Krate.Web.Features.Work;

/// <summary>What git says of a pull request that is open or might be: its commits, what they change, or both.</summary>
/// <param name="Diff">From where the branches parted to the head; null for unrelated histories.</param>
public sealed record PullContent(string Head, string? Basis, CommitList Commits, DiffContent? Diff)
{
    private const int MaxCommits = 250;

    private static readonly CommitList NoCommits = new([], false);

    /// <param name="from">Where the branches parted.</param>
    public static async Task<PullContent> ReadAsync(HostedRepository hosted, string? from, string head, bool ignoreSpace, CancellationToken ct) =>
        from is null ? new(head, from, NoCommits, null) : (await ReadDiffAsync(hosted, from, head, ignoreSpace, ct)) with { Commits = (await ReadCommitsAsync(hosted, from, head, ct)).Commits };

    public static async Task<PullContent> ReadCommitsAsync(HostedRepository hosted, string from, string head, CancellationToken ct) =>
        new(head, from, await hosted.Git.CommitsBetweenAsync(from, head, MaxCommits, ct), null);

    public static async Task<PullContent> ReadDiffAsync(HostedRepository hosted, string from, string head, bool ignoreSpace, CancellationToken ct) =>
        new(head, from, NoCommits, await DiffReader.ReadAsync(hosted.Git, from, head, ignoreSpace, ct));
}
