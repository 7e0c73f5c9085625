using System.Text.RegularExpressions;

namespace Krate.Core.Git;

public enum RevisionKind
{
    Branch,
    Tag,
    Commit,
}

/// <summary>A place in a repository: a commit, how it was named, and a path below it.</summary>
/// <param name="Name">Branch or tag without its prefix, or the full commit id.</param>
/// <param name="Commit">Full id of the commit.</param>
/// <param name="Path">Without slashes at its ends; empty for the root.</param>
public sealed record Revision(RevisionKind Kind, string Name, string Commit, string Path);

/// <param name="HasMoreBranches">There are more than were asked for.</param>
/// <param name="HasMoreTags">There are more than were asked for.</param>
public sealed record RefNames(IReadOnlyList<string> Branches, IReadOnlyList<string> Tags, bool HasMoreBranches = false, bool HasMoreTags = false);

public sealed partial class GitRepository
{
    private const string Heads = "refs/heads/";
    private const string Tags = "refs/tags/";

    /// <summary>Before the name of a tag that a branch has, too.</summary>
    public const string TagPrefix = Tags;
    private const int MaxRefSegments = 32;

    /// <summary>
    /// What the end of an address names: the longest branch or tag that it starts with (a branch before a tag), else a commit id of
    /// 7 to 64 digits, and the rest as path. A tag may be named in full ("refs/tags/v1"), where a branch has its name, too.
    /// </summary>
    /// <returns>Null when it names nothing here.</returns>
    public async Task<Revision?> ResolveAsync(string refAndPath, CancellationToken ct)
    {
        var segments = refAndPath.Trim('/').Split('/');
        if (segments is ["refs", "tags", _, ..] && await ResolveTagAsync(refAndPath.Trim('/')[Tags.Length..], ct) is { } tag) return tag;
        var names = Enumerable.Range(1, Math.Min(segments.Length, MaxRefSegments)).Select(n => string.Join('/', segments[..n])).Where(IsRefName).ToList();
        if (names.Count > 0 && await FindRefAsync(names, ct) is var (kind, name, commit)) return new Revision(kind, name, commit, PathAfter(refAndPath, name));
        if (!CommitId().IsMatch(segments[0])) return null;
        return await FindCommitAsync(segments[0], ct) is { } id ? new Revision(RevisionKind.Commit, id, id, PathAfter(refAndPath, segments[0])) : null;
    }

    /// <summary>Full id of the commit that an expression of ids, branches and tags names, or null. Never an option, whatever its first letter.</summary>
    public async Task<string?> FindCommitAsync(string revision, CancellationToken ct)
    {
        if (revision.Length is 0 or > 512 || revision.Contains('\0', StringComparison.Ordinal)) return null;
        var found = await RunAsync(["rev-parse", "--verify", "--quiet", "--end-of-options", revision + "^{commit}"], ct, maxBytes: 1024);
        return found.ExitCode == 0 ? found.Text.Trim() : null;
    }

    /// <summary>Names of branches and tags, in order of name.</summary>
    /// <param name="most">Of each.</param>
    public async Task<RefNames> ListRefNamesAsync(int most, CancellationToken ct)
    {
        var (branching, tagging) = (NamesAsync(Heads), NamesAsync(Tags));
        var (branches, tags) = (await branching, await tagging);
        return new([.. branches.Take(most)], [.. tags.Take(most)], branches.Count > most, tags.Count > most);

        async Task<IReadOnlyList<string>> NamesAsync(string prefix) =>
            [.. (await RunOrThrowAsync(["for-each-ref", $"--count={most + 1}", "--format=%(refname)", prefix], ct)).Lines.Select(l => l[prefix.Length..])];
    }

    /// <returns>Keeps the full name, so that links made of it lead to the same place.</returns>
    private async Task<Revision?> ResolveTagAsync(string tagAndPath, CancellationToken ct)
    {
        var segments = tagAndPath.Split('/');
        for (var n = Math.Min(segments.Length, MaxRefSegments); n > 0; n--)
        {
            var name = string.Join('/', segments[..n]);
            if (IsRefName(name) && await FindCommitAsync(Tags + name, ct) is { } commit) return new Revision(RevisionKind.Tag, Tags + name, commit, PathAfter(tagAndPath, name));
        }

        return null;
    }

    private async Task<(RevisionKind Kind, string Name, string Commit)?> FindRefAsync(List<string> names, CancellationToken ct)
    {
        string[] patterns = [.. names.Select(n => Heads + n), .. names.Select(n => Tags + n)];
        var output = await RunAsync(["for-each-ref", "--format=%(refname)%00%(objecttype)%00%(objectname)%00%(*objecttype)%00%(*objectname)", .. patterns], ct, maxBytes: 1 << 20);
        var found = output.Lines.Select(l => l.Split('\0'))
            .Where(f => f.Length == 5 && patterns.Contains(f[0]))
            .Select(f => (Ref: f[0], Commit: f[1] == "commit" ? f[2] : f[3] == "commit" ? f[4] : null))
            .Where(f => f.Commit is not null)
            .OrderByDescending(f => f.Ref.StartsWith(Heads, StringComparison.Ordinal) ? f.Ref.Length - Heads.Length : f.Ref.Length - Tags.Length)
            .ThenByDescending(f => f.Ref.StartsWith(Heads, StringComparison.Ordinal))
            .FirstOrDefault();
        if (found.Ref is null) return null;
        return found.Ref.StartsWith(Heads, StringComparison.Ordinal)
            ? (RevisionKind.Branch, found.Ref[Heads.Length..], found.Commit!)
            : (RevisionKind.Tag, found.Ref[Tags.Length..], found.Commit!);
    }

    private static string PathAfter(string refAndPath, string name) => refAndPath.Trim('/')[name.Length..].Trim('/');

    private static bool IsRefName(string name) => name.Length > 0 && !name.StartsWith('-') && !name.Contains("..", StringComparison.Ordinal) && name.IndexOfAny(['*', '?', '[', '\\', '~', '^', ':', '\0', '\n']) < 0;

    [GeneratedRegex("^[0-9a-fA-F]{7,64}$")]
    private static partial Regex CommitId();
}
