using Krate.Core.Git;
using Krate.Core.Repositories;
using Krate.Core.Resources;

namespace Krate.Web.Features.Repositories;

/// <summary>The branches and tags of a repository for forms: to choose from, and to show what a pattern catches. Scoped.</summary>
public sealed class RepositoryRefs(HostedRepositories repositories, Workplace workplace)
{
    private const int Most = 2000;

    /// <summary>At most 2,000 of each, in git's order; none for a repository without commits, or that the person may not read.</summary>
    public async Task<IReadOnlyList<NamedRef>> OfAsync(string org, string repository, CancellationToken ct = default)
    {
        try
        {
            var hosted = await repositories.OpenAsync(await workplace.ActorAsync(ct), org, repository, ct);
            if (!hosted.IsHosted) return [];
            var names = await hosted.Git.ListRefNamesAsync(Most, ct);
            return [.. names.Branches.Select(b => new NamedRef(NamedRef.Heads + b)), .. names.Tags.Select(t => new NamedRef(NamedRef.Tags + t))];
        }
        catch (Exception e) when (e is ApiException or GitException or TimeoutException)
        {
            return [];
        }
    }
}

/// <param name="Full"><c>refs/heads/main</c>.</param>
public sealed record NamedRef(string Full)
{
    internal const string Heads = "refs/heads/";
    internal const string Tags = "refs/tags/";

    public bool IsBranch => Full.StartsWith(Heads, StringComparison.Ordinal);

    /// <summary><c>main</c>.</summary>
    public string Name => Full[(IsBranch ? Heads.Length : Tags.Length)..];
}
