using System.Globalization;

namespace Krate.Core.Git;

/// <param name="HasMore">There are older ones.</param>
public sealed record CommitList(IReadOnlyList<GitCommit> Commits, bool HasMore);

/// <summary>The last commit of each entry of a folder, by name.</summary>
/// <param name="IsCut">The time was up; entries that are not named changed longer ago.</param>
public sealed record LastCommits(IReadOnlyDictionary<string, GitCommit> ByName, bool IsCut);

public sealed partial class GitRepository
{
    private const int MaxListBytes = 16 << 20;

    /// <summary>Entries of all remembered folders together.</summary>
    private const int MaxRemembered = 200_000;
    private const int MaxLastCommits = 1_000;
    private const int MaxWalked = 20_000;
    private static readonly TimeSpan LastCommitsLimit = TimeSpan.FromSeconds(3);
    private static readonly GitMemory<(string Directory, string Commit, string Folder), LastCommits> LastCommitsMemory = new(MaxRemembered);

    /// <summary>One commit with its body, or null when there is none of that id.</summary>
    public async Task<GitCommit?> FindCommitDetailAsync(string id, CancellationToken ct)
    {
        var output = await RunAsync(["log", "-z", "--format=" + GitCommit.Format, "-1", "--end-of-options", id, "--"], ct, MaxListBytes);
        return output.ExitCode == 0 ? GitCommit.Parse(output).FirstOrDefault() : null;
    }

    /// <summary>The commits that lead to a commit, the newest first; with a path, those that changed it. Without bodies; renames are not followed.</summary>
    /// <param name="path">It need not be there any more.</param>
    /// <param name="skip">How many newer ones to leave out.</param>
    public async Task<CommitList> HistoryAsync(string commit, string path, int skip, int count, CancellationToken ct)
    {
        if (!IsTreePath(path)) return new([], false);
        string[] paths = path.Length == 0 ? [] : [path];
        return await ListAsync([string.Create(CultureInfo.InvariantCulture, $"--skip={skip}"), "--end-of-options", commit, "--", .. paths], count, ct);
    }

    /// <summary>The commits of one side of a comparison: those that <paramref name="to"/> has and <paramref name="from"/> has not.</summary>
    public async Task<CommitList> CommitsBetweenAsync(string from, string to, int count, CancellationToken ct)
    {
        return await ListAsync([to, "^" + from, "--"], count, ct);
    }

    /// <summary>
    /// The last commit of the first 1,000 entries of a folder, from one walk through the history of the folder that ends when all are
    /// found, after 3 seconds or 20,000 commits. What was found whole is remembered.
    /// </summary>
    public async Task<LastCommits> LastCommitsAsync(string commit, string folder, CancellationToken ct)
    {
        if (LastCommitsMemory.Find((Directory, commit, folder)) is { } known) return known;
        var wanted = (await ListFolderAsync(commit, folder, ct))?.Entries.Where(e => e.IsNamed).Take(MaxLastCommits).ToDictionary(e => e.Name, e => e.IsFolder ? null : e.Id, StringComparer.Ordinal) ?? [];
        var found = new Dictionary<string, string>(StringComparer.Ordinal);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(ct);
        patience.CancelAfter(LastCommitsLimit);
        try
        {
            await WalkAsync(commit, folder, wanted, found, patience.Token);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            // What was found in time is the answer.
        }

        var commits = (await ReadCommitsAsync([.. found.Values.Distinct(StringComparer.Ordinal)], ct)).ToDictionary(c => c.Id, StringComparer.Ordinal);
        var last = new LastCommits(found.Where(f => commits.ContainsKey(f.Value)).ToDictionary(f => f.Key, f => commits[f.Value], StringComparer.Ordinal), wanted.Count > 0);
        return last.IsCut ? last : LastCommitsMemory.Keep((Directory, commit, folder), last, 1 + last.ByName.Count);
    }

    /// <param name="wanted">Names with what they are now, null for folders; those that are found are taken out.</param>
    private async Task WalkAsync(string commit, string folder, Dictionary<string, string?> wanted, Dictionary<string, string> found, CancellationToken ct)
    {
        if (wanted.Count == 0) return;
        var prefix = folder.Length == 0 ? "" : folder + "/";
        string[] paths = folder.Length == 0 ? [] : [folder];
        // A merge is named where it differs from its first parent: that is what a reader of the branch saw arrive.
        string[] arguments = ["log", "-z", "--format=%H", "--raw", "--no-abbrev", "--no-renames", "--diff-merges=first-parent", "--end-of-options", commit, "--", .. paths];
        var (at, change, walked) = ("", "", 0);
        await foreach (var field in FieldsAsync(arguments, ct))
        {
            // An id of a commit, or ":100644 100644 ID ID M" and in the next field the path, which may be any words.
            if (change.Length == 0)
            {
                if (field.TrimStart('\n') is [':', ..] head) change = head;
                else if (field.Length > 0) (at, walked) = (field, walked + 1);
                if (walked > MaxWalked) return;
                continue;
            }

            var blob = change.Split(' ')[3];
            change = "";
            if (!field.StartsWith(prefix, StringComparison.Ordinal)) continue;
            var name = field[prefix.Length..].Split('/', 2)[0];
            // A file counts where the change made it what it is: what another branch made of it may have lost in a merge.
            if (!wanted.TryGetValue(name, out var now) || (now is not null && now != blob)) continue;
            wanted.Remove(name);
            found[name] = at;
            if (wanted.Count == 0) return;
        }
    }

    private async Task<CommitList> ListAsync(IReadOnlyList<string> arguments, int count, CancellationToken ct)
    {
        var output = await RunOrThrowAsync(["log", "-z", "--format=" + GitCommit.ListFormat, string.Create(CultureInfo.InvariantCulture, $"-{count + 1}"), .. arguments], ct, MaxListBytes);
        var commits = GitCommit.Parse(output).ToList();
        return new([.. commits.Take(count)], commits.Count > count || output.IsCut);
    }

    /// <summary>Commits by their full ids, without bodies.</summary>
    private async Task<IEnumerable<GitCommit>> ReadCommitsAsync(IReadOnlyCollection<string> ids, CancellationToken ct)
    {
        if (ids.Count == 0) return [];
        var output = await RunAsync(["log", "-z", "--format=" + GitCommit.ListFormat, "--no-walk=unsorted", "--stdin"], ct, MaxListBytes, input: System.Text.Encoding.ASCII.GetBytes(string.Join('\n', ids) + "\n"));
        return output.ExitCode == 0 ? GitCommit.Parse(output) : throw output.ToException("log");
    }
}
