using System.Globalization;
using System.Text;
using Krate.Core.Git;

namespace Krate.Core.Repositories;

/// <summary>A ref as it was reported last: what it pointed to, and how far its log had been read.</summary>
internal sealed record KnownRef(string Id, long LogBytes);

/// <summary>
/// Which refs of one repository have been reported. A page of the ledger is a file in the git directory; the Repository's status names
/// the current one, so that reporting updates and turning the page is one commit. What came after the page is in the logs that git
/// keeps for each ref; so every update is reported once, however Krate or git ended.
/// </summary>
internal sealed class RefLedger(GitRepository git)
{
    /// <summary>Marks a push's entries in the logs of refs: <c>&lt;id&gt;@push.krate.invalid</c>.</summary>
    public const string PushMailDomain = "@push.krate.invalid";

    private const int LongestLine = 4096;
    private const string Pages = "krate/refs";
    private const string Pushing = "krate/pushing";

    /// <summary>Makes the folders that a ledger needs, where they are missing.</summary>
    public static void Prepare(string directory)
    {
        foreach (var folder in new[] { Pages, Pushing }) Directory.CreateDirectory(Path.Combine(directory, folder));
    }

    /// <summary>What has happened since a page, each ref's updates in order, and the page that follows.</summary>
    public async Task<(IReadOnlyList<RecordedUpdate> Updates, IReadOnlyDictionary<string, KnownRef> Next)> SinceAsync(IReadOnlyDictionary<string, KnownRef> known, CancellationToken ct)
    {
        var output = await git.RunOrThrowAsync(["for-each-ref", "--format=%(objectname) %(refname)"], ct, maxBytes: 256 << 20);
        // What Krate itself keeps for pull requests is nobody's push.
        var ids = output.Lines.Select(l => l.Split(' ', 2)).Where(f => !f[1].StartsWith("refs/pull/", StringComparison.Ordinal)).ToDictionary(f => f[1], f => f[0], StringComparer.Ordinal);
        // The logs are looked at after the refs: git writes a log before it moves its ref, and what is not yet moved waits for the next page.
        var lengths = LogLengths();
        var updates = new List<RecordedUpdate>();
        var next = new SortedDictionary<string, KnownRef>(StringComparer.Ordinal);
        foreach (var name in known.Keys.Union(ids.Keys).Order(StringComparer.Ordinal))
        {
            var was = known.GetValueOrDefault(name);
            var length = lengths.GetValueOrDefault(name);
            if (!ids.TryGetValue(name, out var id)) updates.Add(Deletion(name, was!.Id));
            else if (was is not null && was.Id == id && was.LogBytes == length) next[name] = was;
            else updates.AddRange(Follow(name, was, id, length, next));
        }

        return (updates, next);
    }

    /// <summary>The refs of a page; null when there is no such page.</summary>
    public async Task<IReadOnlyDictionary<string, KnownRef>?> ReadAsync(string page, CancellationToken ct)
    {
        if (!File.Exists(PathOf(page))) return null;
        var lines = await File.ReadAllLinesAsync(PathOf(page), ct);
        return lines.Select(l => l.Split(' ', 3)).ToDictionary(f => f[2], f => new KnownRef(f[0], long.Parse(f[1], CultureInfo.InvariantCulture)), StringComparer.Ordinal);
    }

    /// <summary>Writes a page and puts it on disk before it returns.</summary>
    /// <returns>Its name.</returns>
    public async Task<string> WriteAsync(IReadOnlyDictionary<string, KnownRef> refs, CancellationToken ct)
    {
        var page = Ulid.NewUlid().ToString().ToLowerInvariant();
        await using var file = new FileStream(PathOf(page), FileMode.CreateNew, FileAccess.Write);
        var text = string.Concat(refs.Select(r => string.Create(CultureInfo.InvariantCulture, $"{r.Value.Id} {r.Value.LogBytes} {r.Key}\n")));
        await file.WriteAsync(Encoding.UTF8.GetBytes(text), ct);
        file.Flush(flushToDisk: true);
        return page;
    }

    public void Remove(string page) => File.Delete(PathOf(page));

    /// <summary>Remembers who is about to delete what: a deleted ref takes its log along.</summary>
    public void Announce(string pushId, string user, IEnumerable<RefUpdate> updates) =>
        File.WriteAllLines(Path.Combine(git.Directory, Pushing, pushId), [user, .. updates.Where(u => u.IsDelete).Select(u => $"{u.Old} {u.Ref}")]);

    public void Forget(string pushId) => File.Delete(Path.Combine(git.Directory, Pushing, pushId));

    /// <summary>Deletes what a crash left behind: pages that no status names and announcements of pushes that are over.</summary>
    public void Sweep(string? currentPage, DateTimeOffset olderThan)
    {
        foreach (var file in new[] { Pages, Pushing }.Select(f => Path.Combine(git.Directory, f)).SelectMany(Directory.EnumerateFiles).ToList())
            if (Path.GetFileName(file) != currentPage && File.GetLastWriteTimeUtc(file) < olderThan) File.Delete(file);
    }

    private IEnumerable<RecordedUpdate> Follow(string name, KnownRef? was, string id, long length, SortedDictionary<string, KnownRef> next)
    {
        var (from, before) = (was?.LogBytes ?? 0, was?.Id ?? RefUpdate.None);
        var log = ReadLog(name, from, length);
        IEnumerable<RecordedUpdate> first = [];
        if (was is not null && !GoesOn(name, was, length) && ReadLog(name, 0, length) is [{ Entry.Update.IsCreate: true }, ..] whole)
        {
            // The log does not go on where it ended: the ref was deleted and made again.
            (log, from, before, first) = (whole, 0, RefUpdate.None, [Deletion(name, was.Id)]);
        }

        var last = log.FindLastIndex(l => l.Entry.Update.New == id);
        // Moved without a word in the log, or not moved at all.
        if (last < 0) (next[name], log) = (new(id, id == before ? from : length), id == before ? [] : [(new(new(name, before, id), "", ""), length)]);
        else (next[name], log) = (new(id, log[last].End), log[..(last + 1)]);
        // An entry that the next one does not follow is of an update that git did not get to make.
        return first.Concat(log.Where((l, i) => i == log.Count - 1 || log[i + 1].Entry.Update.Old == l.Entry.Update.New).Select(l => l.Entry));
    }

    /// <summary>Whether the log up to where it was read is still the same: its last line there led to what is known.</summary>
    private bool GoesOn(string name, KnownRef was, long length)
    {
        if (was.LogBytes == 0) return true;
        if (length < was.LogBytes) return false;
        // A line begins somewhere in the window; what is before it is the end of another, and no entry.
        return ReadLog(name, Math.Max(0, was.LogBytes - LongestLine), was.LogBytes) is [.., var last] && last.End == was.LogBytes && last.Entry.Update.New == was.Id;
    }

    private RecordedUpdate Deletion(string name, string was)
    {
        var folder = Path.Combine(git.Directory, Pushing);
        var announced = Directory.EnumerateFiles(folder).OrderDescending(StringComparer.Ordinal);
        var update = new RefUpdate(name, was, RefUpdate.None);
        foreach (var file in announced)
        {
            var lines = File.ReadAllLines(file);
            if (lines.Contains($"{was} {name}")) return new(update, lines[0], Path.GetFileName(file));
        }

        return new(update, "", "");
    }

    /// <summary>Entries between two positions, each with the position of its end.</summary>
    private List<(RecordedUpdate Entry, long End)> ReadLog(string name, long from, long to)
    {
        var path = Path.Combine(git.Directory, "logs", name);
        if (!File.Exists(path) || to <= from) return [];
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        file.Seek(from, SeekOrigin.Begin);
        var bytes = new byte[Math.Max(0, Math.Min(to, file.Length) - from)];
        file.ReadExactly(bytes);
        var entries = new List<(RecordedUpdate, long)>();
        for (int start = 0, end; (end = Array.IndexOf(bytes, (byte)'\n', start)) >= 0; start = end + 1)
            if (Entry(name, Encoding.UTF8.GetString(bytes, start, end - start)) is { } entry) entries.Add((entry, from + end + 1));
        return entries;
    }

    /// <summary>A line of a ref's log: <c>old new Name &lt;mail&gt; time zone TAB message</c>.</summary>
    private static RecordedUpdate? Entry(string name, string line)
    {
        var parts = line.Split('\t')[0].Split(' ', 3);
        if (parts.Length < 3) return null;
        var (open, close) = (parts[2].LastIndexOf('<'), parts[2].LastIndexOf('>'));
        if (open < 0 || close < open) return null;
        var mail = parts[2][(open + 1)..close];
        var push = mail.EndsWith(PushMailDomain, StringComparison.Ordinal) ? mail[..^PushMailDomain.Length] : "";
        return new(new RefUpdate(name, parts[0], parts[1]), push.Length > 0 ? parts[2][..open].Trim() : "", push);
    }

    private Dictionary<string, long> LogLengths()
    {
        var root = new DirectoryInfo(Path.Combine(git.Directory, "logs", "refs"));
        if (!root.Exists) return [];
        return root.EnumerateFiles("*", SearchOption.AllDirectories).ToDictionary(f => "refs/" + Path.GetRelativePath(root.FullName, f.FullName), f => f.Length, StringComparer.Ordinal);
    }

    private string PathOf(string page) => Path.Combine(git.Directory, Pages, page);
}
