using System.Globalization;
using System.Text;

namespace Krate.Core.Git;

/// <summary>Lines of a file, one after another, that one commit brought.</summary>
/// <param name="First">Number of the first line, from 1.</param>
/// <param name="Before">The file before this commit: commit and path; null when the commit brought the file.</param>
public sealed record BlameGroup(int First, int Count, string Commit, string Author, DateTimeOffset Time, string Subject, (string Commit, string Path)? Before);

public sealed partial class GitRepository
{
    private const int MaxBlameGroups = 500_000;
    private static readonly TimeSpan BlameLimit = TimeSpan.FromSeconds(10);
    private static readonly GitMemory<(string Directory, string Commit, string Path), IReadOnlyList<BlameGroup>> Blames = new(MaxBlameGroups);

    /// <summary>
    /// Which commit brought each line of a file. Remembered for the last commit that changed the file, so that commits elsewhere cost
    /// no new walk through the history.
    /// </summary>
    /// <returns>Null when there is no such file, or more to say than 32 MiB.</returns>
    /// <exception cref="TimeoutException">Its history is too long to be walked in 10 seconds.</exception>
    public async Task<IReadOnlyList<BlameGroup>?> BlameAsync(string commit, string path, CancellationToken ct)
    {
        var last = (await RunAsync(["rev-list", "-1", "--end-of-options", commit, "--", path], ct, maxBytes: 1024, limit: BlameLimit)).Text.Trim();
        if (last.Length == 0) return null;
        if (Blames.Find((Directory, last, path)) is { } known) return known;
        var output = await RunAsync(["blame", "--porcelain", last, "--", path], ct, maxBytes: 32 << 20, limit: BlameLimit);
        if (output is not { ExitCode: 0, IsCut: false }) return null;
        var groups = ParseBlame(output.Lines);
        return Blames.Keep((Directory, last, path), groups, 1 + groups.Count);
    }

    private static List<BlameGroup> ParseBlame(IEnumerable<string> lines)
    {
        var groups = new List<BlameGroup>();
        var commits = new Dictionary<string, Dictionary<string, string>>(StringComparer.Ordinal);
        var facts = new Dictionary<string, string>(StringComparer.Ordinal);
        var (id, number, isNew) = ("", 0, false);
        foreach (var line in lines)
        {
            if (line.StartsWith('\t'))
            {
                // The line itself ends what is said about it.
                if (isNew) groups.Add(Group(number, id, facts));
                else if (groups.Count > 0) groups[^1] = groups[^1] with { Count = groups[^1].Count + 1 };
            }
            else if (line.Split(' ') is [{ Length: >= 40 } commit, _, var final, ..] && commit.All(Uri.IsHexDigit))
            {
                (number, isNew) = (int.Parse(final, CultureInfo.InvariantCulture), commit != id);
                id = commit;
                if (!commits.TryGetValue(id, out facts!)) commits[id] = facts = new(StringComparer.Ordinal);
            }
            else if (line.IndexOf(' ', StringComparison.Ordinal) is var space and > 0)
            {
                facts[line[..space]] = line[(space + 1)..];
            }
        }

        return groups;
    }

    private static BlameGroup Group(int first, string id, Dictionary<string, string> facts) => new(
        first, 1, id, facts.GetValueOrDefault("author", ""), GitCommit.TimeOf(facts.GetValueOrDefault("author-time", "")), facts.GetValueOrDefault("summary", ""),
        facts.GetValueOrDefault("previous") is { } previous && previous.Split(' ', 2) is [var commit, var path] ? (commit, Unquote(path)) : null);

    /// <summary>A path as git writes it where a line must hold it: in quotes with escapes when it has characters that would end it.</summary>
    internal static string Unquote(string name)
    {
        if (name is not ['"', .., '"']) return name;
        var inner = name.AsSpan(1, name.Length - 2);
        var bytes = new List<byte>();
        for (var i = 0; i < inner.Length; i++)
        {
            if (inner[i] != '\\' || i + 1 == inner.Length)
            {
                var length = char.IsHighSurrogate(inner[i]) && i + 1 < inner.Length ? 2 : 1;
                bytes.AddRange(Encoding.UTF8.GetBytes(inner.Slice(i, length).ToString()));
                i += length - 1;
            }
            else if (inner[i + 1] is >= '0' and <= '3' && i + 3 < inner.Length)
            {
                bytes.Add((byte)(((inner[i + 1] - '0') << 6) | ((inner[i + 2] - '0') << 3) | (inner[i + 3] - '0')));
                i += 3;
            }
            else
            {
                bytes.Add((byte)(inner[++i] switch { 'a' => '\a', 'b' => '\b', 'f' => '\f', 'n' => '\n', 'r' => '\r', 't' => '\t', 'v' => '\v', var other => other }));
            }
        }

        return Encoding.UTF8.GetString([.. bytes]);
    }
}

