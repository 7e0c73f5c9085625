using System.Globalization;

namespace Krate.Core.Git;

/// <summary>A branch or tag with the commit it leads to.</summary>
/// <param name="Name">Without its prefix.</param>
/// <param name="Commit">Empty for a tag of something that is no commit.</param>
/// <param name="By">Author of the commit, or tagger.</param>
/// <param name="Time">Of the commit, or of the tag.</param>
/// <param name="Message">First line: of the commit, or of an annotated tag.</param>
/// <param name="IsAnnotated">A tag with a message of its own.</param>
public sealed record GitRefDetail(string Name, string Commit, string By, DateTimeOffset Time, string Message, bool IsAnnotated);

/// <summary>How many commits only one side has.</summary>
public sealed record Divergence(int Ahead, int Behind);

public sealed partial class GitRepository
{
    private const string RefFormat = "%(refname)%00%(objecttype)%00%(objectname)%00%(*objecttype)%00%(*objectname)%00%(authorname)%00%(taggername)%00%(creatordate:unix)%00%(contents:subject)";
    private const int MaxDivergences = 20_000;
    private static readonly TimeSpan DivergenceLimit = TimeSpan.FromSeconds(5);
    private static readonly GitMemory<(string From, string To), Divergence> Divergences = new(MaxDivergences);

    /// <summary>Branches, the one that changed last first.</summary>
    public Task<IReadOnlyList<GitRefDetail>> ListBranchesAsync(CancellationToken ct) => ListRefsAsync(Heads, ct);

    /// <summary>Tags, the newest first.</summary>
    public Task<IReadOnlyList<GitRefDetail>> ListTagsAsync(CancellationToken ct) => ListRefsAsync(Tags, ct);

    /// <summary>How far a commit is from another; null when that takes too long to count.</summary>
    public async Task<Divergence?> CompareAsync(string from, string to, CancellationToken ct)
    {
        if (Divergences.Find((from, to)) is { } known) return known;
        try
        {
            var output = await RunAsync(["rev-list", "--left-right", "--count", "--end-of-options", $"{from}...{to}"], ct, maxBytes: 1024, limit: DivergenceLimit);
            if (output.ExitCode != 0 || output.Text.Trim().Split('\t') is not [var behind, var ahead]) return null;
            return Divergences.Keep((from, to), new(int.Parse(ahead, CultureInfo.InvariantCulture), int.Parse(behind, CultureInfo.InvariantCulture)));
        }
        catch (TimeoutException)
        {
            return null;
        }
    }

    /// <summary>The commit that a ref leads to; null when there is no such ref.</summary>
    public async Task<string?> FindRefAsync(string fullRef, CancellationToken ct)
    {
        var output = await RunAsync(["rev-parse", "--verify", "--quiet", "--end-of-options", fullRef + "^{commit}"], ct, maxBytes: 1024);
        return output.ExitCode == 0 ? output.Text.Trim() : null;
    }

    public async Task<bool> IsAncestorAsync(string commit, string of, CancellationToken ct) =>
        (await RunAsync(["merge-base", "--is-ancestor", commit, of], ct, maxBytes: 1024)).ExitCode == 0;

    /// <summary>Brings a commit of another repository that Krate keeps here, under a ref.</summary>
    public async Task FetchAsync(string directory, string commit, string fullRef, CancellationToken ct)
    {
        if (await FindRefAsync(fullRef, ct) == commit) return;
        // Nothing else may be fetched from disk.
        var local = new Dictionary<string, string> { ["GIT_ALLOW_PROTOCOL"] = "file" };
        var output = await RunAsync(["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", directory, $"+{commit}:{fullRef}"], ct, limit: TimeSpan.FromMinutes(1), environment: local);
        if (output.ExitCode != 0) throw output.ToException("fetch");
    }

    private async Task<IReadOnlyList<GitRefDetail>> ListRefsAsync(string prefix, CancellationToken ct)
    {
        var output = await RunOrThrowAsync(["for-each-ref", "--sort=-creatordate", "--format=" + RefFormat, prefix], ct, maxBytes: 64 << 20);
        return [.. output.Lines.Select(l => l.Split('\0')).Where(f => f.Length == 9).Select(f => Detail(f, prefix))];
    }

    private static GitRefDetail Detail(string[] f, string prefix)
    {
        var isAnnotated = f[1] == "tag";
        var commit = f[1] == "commit" ? f[2] : f[3] == "commit" ? f[4] : "";

        return new(f[0][prefix.Length..], commit, isAnnotated ? f[6] : f[5], GitCommit.TimeOf(f[7]), f[8], isAnnotated);
    }
}
