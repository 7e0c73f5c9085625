using System.Collections.Concurrent;
using System.Globalization;

namespace Krate.Core.Git;

/// <param name="HasMore">There are older ones.</param>
public sealed record CommitList(IReadOnlyList<GitCommit> Commits, bool HasMore);

/// <summary>The last commit of each entry of a folder, by name.</summary>
/// <param name="IsCut">The time was up; entries that are not named changed longer ago.</param>
public sealed record LastCommits(IReadOnlyDictionary<string, GitCommit> ByName, bool IsCut);

public sealed partial class GitRepository
{
    private const int MaxMessageBytes = 4 << 20;
    private const int MaxRemembered = 2_000;
    private static readonly TimeSpan LastCommitsLimit = TimeSpan.FromSeconds(4);
    private static readonly ConcurrentDictionary<(string Directory, string Commit, string Folder), LastCommits> Remembered = new();

    /// <summary>One commit, or null when there is none of that id.</summary>
    public async Task<GitCommit?> FindCommitDetailAsync(string id, CancellationToken ct) =>
        await LogAsync(["-1", id], ct) is [var commit] ? commit : null;

    /// <summary>The commits that lead to a commit, the newest first; with a path, those that changed it.</summary>
    /// <param name="skip">How many newer ones to leave out.</param>
    public async Task<CommitList> HistoryAsync(string commit, string path, int skip, int count, CancellationToken ct)
    {
        string[] paths = path.Length == 0 ? [] : ["--", path];
        var commits = await LogAsync([string.Create(CultureInfo.InvariantCulture, $"--skip={skip}"), string.Create(CultureInfo.InvariantCulture, $"-{count + 1}"), commit, .. paths], ct);
        return new([.. commits.Take(count)], commits.Count > count);
    }

    /// <summary>The commits of one side of a comparison: those that <paramref name="to"/> has and <paramref name="from"/> has not.</summary>
    public async Task<CommitList> CommitsBetweenAsync(string from, string to, int count, CancellationToken ct)
    {
        var commits = await LogAsync([string.Create(CultureInfo.InvariantCulture, $"-{count + 1}"), to, "^" + from], ct);
        return new([.. commits.Take(count)], commits.Count > count);
    }

    /// <summary>
    /// The last commit of every entry of a folder, from one walk through the history of the folder that ends when all are found or the
    /// time is up. What was found whole is remembered.
    /// </summary>
    public async Task<LastCommits> LastCommitsAsync(string commit, string folder, CancellationToken ct)
    {
        if (Remembered.TryGetValue((Directory, commit, folder), out var known)) return known;
        var wanted = (await ListFolderAsync(commit, folder, ct))?.Entries.Where(e => e.IsNamed).Select(e => e.Name).ToHashSet(StringComparer.Ordinal) ?? [];
        var found = new Dictionary<string, GitCommit>(StringComparer.Ordinal);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(ct);
        patience.CancelAfter(LastCommitsLimit);
        var isCut = false;
        try
        {
            await WalkAsync(commit, folder, wanted, found, patience.Token);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            isCut = true;
        }

        var last = new LastCommits(found, isCut);
        if (isCut) return last;
        if (Remembered.Count >= MaxRemembered) Remembered.Clear();
        return Remembered[(Directory, commit, folder)] = last;
    }

    private async Task WalkAsync(string commit, string folder, HashSet<string> wanted, Dictionary<string, GitCommit> found, CancellationToken ct)
    {
        var prefix = folder.Length == 0 ? "" : folder + "/";
        string[] paths = folder.Length == 0 ? [] : ["--", folder];
        // A merge is named where it differs from its first parent: that is what a reader of the branch saw arrive.
        string[] arguments = ["log", "--format=%x1d" + GitCommit.Format, "--name-only", "-z", "--no-renames", "--diff-merges=first-parent", commit, .. paths];
        GitCommit? at = null;
        await foreach (var chunk in ChunksAsync(arguments, '\x1d', ct))
        {
            var end = chunk.IndexOf(GitCommit.End, StringComparison.Ordinal);
            if (end < 0 || (at = GitCommit.Parse(chunk[..end])) is null) continue;
            foreach (var path in chunk[(end + 1)..].Split(['\0', '\n'], StringSplitOptions.RemoveEmptyEntries))
            {
                if (!path.StartsWith(prefix, StringComparison.Ordinal)) continue;
                var name = path[prefix.Length..].Split('/', 2)[0];
                if (wanted.Remove(name)) found[name] = at;
            }

            if (wanted.Count == 0) return;
        }
    }

    /// <summary>Streams what lies between separators.</summary>
    private async IAsyncEnumerable<string> ChunksAsync(IReadOnlyList<string> arguments, char separator, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        await Slots.WaitAsync(ct);
        try
        {
            await using var git = GitProcess.Start(Directory, arguments);
            git.Input.Close();
            using var reader = new StreamReader(git.Output, System.Text.Encoding.UTF8);
            var chunk = new System.Text.StringBuilder();
            var buffer = new char[16 << 10];
            int count;
            while ((count = await reader.ReadAsync(buffer, ct)) > 0)
            {
                var from = 0;
                for (int at; (at = Array.IndexOf(buffer, separator, from, count - from)) >= 0; from = at + 1)
                {
                    chunk.Append(buffer, from, at - from);
                    if (chunk.Length > 0) yield return chunk.ToString();
                    chunk.Clear();
                }

                chunk.Append(buffer, from, count - from);
            }

            if (chunk.Length > 0) yield return chunk.ToString();
        }
        finally
        {
            Slots.Release();
        }
    }

    private async Task<IReadOnlyList<GitCommit>> LogAsync(IReadOnlyList<string> arguments, CancellationToken ct)
    {
        var output = await RunAsync(["log", "--format=" + GitCommit.Format, .. arguments], ct, maxBytes: MaxMessageBytes);
        if (output.ExitCode != 0 && !output.IsCut) return [];
        return [.. output.Text.Split(GitCommit.End).Select(GitCommit.Parse).OfType<GitCommit>()];
    }
}
