using Krate.Core.Git;
using Microsoft.Extensions.Caching.Memory;

namespace Krate.Web.Features.Code;

/// <summary>Paths of all files of a commit, kept for the next search; and the search. Thread-safe.</summary>
public sealed class FilePaths : IDisposable
{
    /// <summary>Paths of all kept commits together.</summary>
    private const int MaxKept = 1_000_000;

    private readonly MemoryCache kept = new(new MemoryCacheOptions { SizeLimit = MaxKept });

    public async Task<PathListing> OfAsync(GitRepository git, string commit, CancellationToken ct)
    {
        if (kept.TryGetValue((git.Directory, commit), out PathListing? known)) return known!;
        var read = await git.ListPathsAsync(commit, ct);
        return kept.Set((git.Directory, commit), read, new MemoryCacheEntryOptions { Size = 1 + read.Paths.Count, SlidingExpiration = TimeSpan.FromMinutes(10) });
    }

    /// <summary>The paths that have the letters of the text in their order, the best first.</summary>
    public static IReadOnlyList<string> Find(IReadOnlyList<string> paths, string text, int most)
    {
        var wanted = text.Replace(" ", "", StringComparison.Ordinal).ToLowerInvariant();
        if (wanted.Length == 0) return [.. paths.Take(most)];
        return [.. paths.Select(p => (Path: p, Score: Score(p, wanted))).Where(p => p.Score > 0).OrderByDescending(p => p.Score).ThenBy(p => p.Path.Length).ThenBy(p => p.Path, StringComparer.Ordinal).Take(most).Select(p => p.Path)];
    }

    public void Dispose() => kept.Dispose();

    /// <summary>Counts letters that follow each other, begin a word or stand in the file's own name; 0 when one is missing.</summary>
    private static int Score(string path, string wanted)
    {
        var name = path.LastIndexOf('/') + 1;
        if (path.AsSpan(name).Contains(wanted, StringComparison.OrdinalIgnoreCase)) return 10_000 + (path.AsSpan(name).StartsWith(wanted, StringComparison.OrdinalIgnoreCase) ? 1000 : 0);
        if (path.Contains(wanted, StringComparison.OrdinalIgnoreCase)) return 5_000;
        var (score, last) = (0, -1);
        foreach (var letter in wanted)
        {
            var at = IndexOf(path, letter, last + 1);
            if (at < 0) return 0;
            score += 1 + (at == last + 1 ? 4 : 0) + (at == 0 || path[at - 1] is '/' or '.' or '-' or '_' || (char.IsUpper(path[at]) && char.IsLower(path[at - 1])) ? 3 : 0) + (at >= name ? 2 : 0);
            last = at;
        }

        return score;
    }

    private static int IndexOf(string path, char letter, int from)
    {
        for (var i = from; i < path.Length; i++)
            if (char.ToLowerInvariant(path[i]) == letter) return i;
        return -1;
    }
}
