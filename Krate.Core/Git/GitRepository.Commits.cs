using System.Globalization;
using System.Text;

namespace Krate.Core.Git;

/// <summary>A file with what is to be in it.</summary>
/// <param name="Path">Without slashes at its ends. A file that is there keeps its mode; one that is not becomes an ordinary one.</param>
public sealed record FileChange(string Path, byte[] Content);

public sealed partial class GitRepository
{
    private const int MaxChangedFiles = 1_000;

    /// <summary>More than this of a log's message makes its lines too long for those who read them backwards.</summary>
    private const int MaxLogMessage = 500;
    private static readonly byte[] ScratchSignature = [.. "Krate <krate@krate.invalid> 0 +0000"u8];

    /// <summary>Makes a commit that changes whole files, and moves no ref. It is made even when nothing differs.</summary>
    /// <param name="parent">Full id of the commit that the new one follows.</param>
    /// <param name="at">The time of both author and committer.</param>
    /// <returns>Full id of the new commit.</returns>
    /// <exception cref="ArgumentException">
    /// The parent is no commit here, a path cannot be that of a file (it is a folder or a submodule, or below a file), two changes have
    /// the same path, there are more than 1,000, or a name is empty.
    /// </exception>
    public async Task<string> CommitFilesAsync(string parent, IReadOnlyList<FileChange> changes, string message, GitPerson author, GitPerson committer, DateTimeOffset at, CancellationToken ct)
    {
        var draft = new CommitDraft("", [parent], Signature(author with { Time = at }), Signature(committer with { Time = at }), MessageBytes(message));
        foreach (var change in changes) CheckPath(change.Path);
        await TreesOfAsync([parent], ct);
        var modes = await ModesAsync(parent, [.. changes.Select(c => c.Path)], ct);
        using var folder = new TempFolder();
        var environment = new Dictionary<string, string> { ["GIT_INDEX_FILE"] = Path.Combine(folder.Path, "index") };
        await RunOrThrowAsync(["read-tree", parent], default, environment, ct);
        using var entries = new MemoryStream();
        foreach (var change in changes)
        {
            var id = await RunOrThrowAsync(["hash-object", "-w", "--stdin"], change.Content, null, ct);
            entries.Write(Encoding.UTF8.GetBytes($"{modes[change.Path]} {id}\t{change.Path}\0"));
        }

        await RunOrThrowAsync(["update-index", "-z", "--index-info"], entries.ToArray(), environment, ct);
        return await WriteCommitAsync(draft with { Tree = await RunOrThrowAsync(["write-tree"], default, environment, ct) }, null, ct);
    }

    /// <summary>Moves a ref if it is where it is expected to be, in one step, with a line in its log.</summary>
    /// <param name="fullRef">From <c>refs/</c> on.</param>
    /// <param name="expected">Full id; zeros for a ref that must not exist.</param>
    /// <param name="message">For the log: one line, cut after 500 characters.</param>
    /// <param name="who">
    /// For the log. Whoever reads events from logs takes the actor's name from here if the mail is that of a push:
    /// <c>&lt;ulid&gt;@push.krate.invalid</c>.
    /// </param>
    /// <returns>False when the ref is elsewhere, or gone.</returns>
    /// <exception cref="ArgumentException">A name or an id that cannot be one.</exception>
    /// <exception cref="GitException">The ref is where it was and cannot be moved: its name, its lock or the commit is the reason.</exception>
    public async Task<bool> TryUpdateRefAsync(string fullRef, string newCommit, string expected, string message, GitPerson who, CancellationToken ct)
    {
        if (!fullRef.StartsWith("refs/", StringComparison.Ordinal) || fullRef.AsSpan().IndexOfAny('\0', '\n') >= 0) throw new ArgumentException("a ref is named from refs/ on, on one line", nameof(fullRef));
        if (!IsFullId(newCommit) || newCommit.All(c => c == '0')) throw new ArgumentException("a ref is moved to the full id of a commit", nameof(newCommit));
        if (!IsFullId(expected)) throw new ArgumentException("a full id is expected, or zeros", nameof(expected));
        if (message.Contains('\0', StringComparison.Ordinal)) throw new ArgumentException("a message has no NUL", nameof(message));
        // git refuses an empty one.
        string[] shown = message.Length == 0 ? [] : ["-m", message.Length > MaxLogMessage ? message[..MaxLogMessage] : message];
        var output = await RunAsync(["update-ref", "--create-reflog", "--no-deref", .. shown, fullRef, newCommit, expected], ct, environment: LogEnvironment(who));
        if (output.ExitCode == 0) return true;
        var now = await RunAsync(["rev-parse", "--verify", "--quiet", "--end-of-options", fullRef], ct, maxBytes: 1024);
        var isThere = now.ExitCode == 0 ? now.Text.Trim() == expected : expected.All(c => c == '0');
        return isThere ? throw output.ToException("update-ref") : false;
    }

    private static Dictionary<string, string> LogEnvironment(GitPerson who) => new()
    {
        ["GIT_COMMITTER_NAME"] = NameOf(who),
        ["GIT_COMMITTER_EMAIL"] = Cleaned(who.Email),
        ["GIT_COMMITTER_DATE"] = "@" + TimeText(who.Time),
        // Others hold the lock for as long as a ref takes to write: whoever waits learns whether the ref has moved.
        ["GIT_CONFIG_COUNT"] = "1",
        ["GIT_CONFIG_KEY_0"] = "core.filesRefLockTimeout",
        ["GIT_CONFIG_VALUE_0"] = "5000",
    };

    private static void CheckPath(string path)
    {
        if (!TempFolder.Takes(path) || path.Contains('\n', StringComparison.Ordinal)) throw new ArgumentException($"\"{path}\" cannot be the path of a file", nameof(path));
    }

    /// <summary>The mode that each file keeps or gets.</summary>
    private async Task<Dictionary<string, string>> ModesAsync(string commit, IReadOnlyList<string> paths, CancellationToken ct)
    {
        if (paths.Count > MaxChangedFiles) throw new ArgumentException($"a commit changes at most {MaxChangedFiles} files", nameof(paths));
        var modes = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var path in paths)
            if (!modes.TryAdd(path, "100644")) throw new ArgumentException($"\"{path}\" is changed twice", nameof(paths));
        var folders = paths.SelectMany(FoldersOf).Where(f => f.Length > 0).Select(f => f[..^1]).ToHashSet(StringComparer.Ordinal);
        if (paths.FirstOrDefault(folders.Contains) is { } both) throw new ArgumentException($"\"{both}\" cannot be both a file and a folder", nameof(paths));
        foreach (var entry in await EntriesAsync(commit, [.. paths, .. folders], ct))
        {
            var isChanged = modes.ContainsKey(entry.Name);
            if (isChanged ? !entry.IsBlob : folders.Contains(entry.Name) && !entry.IsFolder)
                throw new ArgumentException($"\"{entry.Name}\" is a {entry.Kind}", nameof(paths));
            if (isChanged) modes[entry.Name] = entry.Kind switch { TreeEntryKind.Executable => "100755", TreeEntryKind.Symlink => "120000", _ => "100644" };
        }

        return modes;
    }

    /// <summary>What some paths name, with the whole path as name; perhaps more that is above or below them.</summary>
    private async Task<IReadOnlyList<TreeEntry>> EntriesAsync(string tree, IReadOnlyList<string> paths, CancellationToken ct)
    {
        var entries = new List<TreeEntry>();
        // A command takes only so many arguments.
        foreach (var some in paths.Chunk(100)) entries.AddRange(ParseTree(await RunOrThrowAsync(["ls-tree", "-z", "--end-of-options", tree, .. some], ct)));
        return entries;
    }

    /// <summary>Trees of commits that must be here.</summary>
    private async Task<IReadOnlyList<string>> TreesOfAsync(IReadOnlyList<string> commits, CancellationToken ct)
    {
        if (commits.FirstOrDefault(c => !IsFullId(c)) is { } wrong) throw new ArgumentException($"\"{wrong}\" is no full id of a commit", nameof(commits));
        var questions = string.Concat(commits.Select(c => $"{c}\n{c}^{{tree}}\n"));
        var output = await RunAsync(["cat-file", "--batch-check=%(objecttype) %(objectname)"], ct, input: Encoding.ASCII.GetBytes(questions));
        if (output.ExitCode != 0) throw output.ToException("cat-file");
        var answers = output.Lines.ToList();
        // A tag leads to a commit, too, but cannot be the parent of one.
        for (var i = 0; i < commits.Count; i++)
            if (!answers[2 * i].StartsWith("commit ", StringComparison.Ordinal)) throw new ArgumentException($"there is no commit {commits[i]}", nameof(commits));
        return [.. commits.Select((_, i) => answers[(2 * i) + 1]["tree ".Length..])];
    }

    /// <summary>Writes a commit just as it is given: git's own way would put its messages into one encoding.</summary>
    private Task<string> WriteCommitAsync(CommitDraft commit, IReadOnlyDictionary<string, string>? environment, CancellationToken ct) =>
        // Literally: people's histories have authors that the check of newer gits does not let through, and they stay theirs.
        RunOrThrowAsync(["hash-object", "-t", "commit", "-w", "--literally", "--stdin"], commit.ToBytes(), environment, ct);

    /// <returns>What git printed, without the line end.</returns>
    private async Task<string> RunOrThrowAsync(IReadOnlyList<string> arguments, ReadOnlyMemory<byte> input, IReadOnlyDictionary<string, string>? environment, CancellationToken ct)
    {
        var output = await RunAsync(arguments, ct, input: input, environment: environment);
        return output.ExitCode == 0 ? output.Text.Trim() : throw output.ToException(arguments[0]);
    }

    /// <summary>Commits with all that makes them, in the order of the ids.</summary>
    private async Task<IReadOnlyList<PickedCommit>> ReadPicksAsync(IReadOnlyList<string> ids, CancellationToken ct)
    {
        if (ids.Count == 0) return [];
        var questions = string.Concat(ids.Select(id => $"contents {id}\ninfo {id}^^{{tree}}\n"));
        var output = await RunAsync(["cat-file", "--batch-command"], ct, maxBytes: 64 << 20, input: Encoding.ASCII.GetBytes(questions));
        if (output.ExitCode != 0) throw output.ToException("cat-file");
        if (output.IsCut) throw new ArgumentException("the messages of these commits are too long together to rebase them; merge or squash them");
        var (picks, rest) = (new List<PickedCommit>(), output.Bytes.AsMemory());
        foreach (var id in ids)
        {
            var size = int.Parse(NextLine(ref rest).Split(' ')[2], CultureInfo.InvariantCulture);
            var commit = rest[..size];
            rest = rest[(size + 1)..];
            // A first commit has no parent, and so its tree is missing.
            var parentTree = NextLine(ref rest).Split(' ') is [var tree, "tree", _] ? tree : EmptyTree;
            picks.Add(PickedCommit.Parse(id, parentTree, commit));
        }

        return picks;
    }

    private static string NextLine(ref Memory<byte> rest)
    {
        var end = rest.Span.IndexOf((byte)'\n');
        var line = Encoding.ASCII.GetString(rest.Span[..end]);
        rest = rest[(end + 1)..];
        return line;
    }

    public static bool IsFullId(string id) => id.Length is 40 or 64 && id.All(char.IsAsciiHexDigitLower);

    /// <summary>A person as a commit has them.</summary>
    private static byte[] Signature(GitPerson person) => Encoding.UTF8.GetBytes($"{NameOf(person)} <{Cleaned(person.Email)}> {TimeText(person.Time)}");

    private static string NameOf(GitPerson person) => Cleaned(person.Name) is { Length: > 0 } name ? name : throw new ArgumentException("git takes nobody without a name", nameof(person));

    /// <summary>Without what git leaves out of names and mails: marks that delimit them, and all sorts at their ends.</summary>
    private static string Cleaned(string name)
    {
        var kept = string.Concat(name.Where(c => c is not ('<' or '>' or '\n' or '\0')));
        var (start, end) = (0, kept.Length);
        while (start < end && IsCrud(kept[start])) start++;
        while (end > start && IsCrud(kept[end - 1])) end--;
        return kept[start..end];

        static bool IsCrud(char c) => c is <= ' ' or '.' or ',' or ':' or ';' or '"' or '\\' or '\'';
    }

    /// <summary>git knows no time before its epoch.</summary>
    private static string TimeText(DateTimeOffset time) =>
        string.Create(CultureInfo.InvariantCulture, $"{Math.Max(0, time.ToUnixTimeSeconds())} {(time.Offset < TimeSpan.Zero ? '-' : '+')}{time.Offset:hhmm}");

    /// <summary>Browsers end lines in two characters.</summary>
    private static byte[] MessageBytes(string message)
    {
        if (message.Contains('\0', StringComparison.Ordinal)) throw new ArgumentException("a message has no NUL", nameof(message));
        var text = message.Replace("\r\n", "\n", StringComparison.Ordinal).Trim('\n').TrimEnd();
        return Encoding.UTF8.GetBytes(text.Length == 0 ? "" : text + "\n");
    }

    /// <summary>A commit to be written.</summary>
    /// <param name="Encoding">Of the message, where it is not UTF-8.</param>
    private sealed record CommitDraft(string Tree, IReadOnlyList<string> Parents, ReadOnlyMemory<byte> Author, ReadOnlyMemory<byte> Committer, ReadOnlyMemory<byte> Message, ReadOnlyMemory<byte> Encoding = default)
    {
        public byte[] ToBytes()
        {
            using var bytes = new MemoryStream();
            bytes.Write(System.Text.Encoding.ASCII.GetBytes($"tree {Tree}\n" + string.Concat(Parents.Select(p => $"parent {p}\n"))));
            Line("author "u8, Author);
            Line("committer "u8, Committer);
            if (!Encoding.IsEmpty) Line("encoding "u8, Encoding);
            bytes.WriteByte((byte)'\n');
            bytes.Write(Message.Span);
            return bytes.ToArray();

            void Line(ReadOnlySpan<byte> name, ReadOnlyMemory<byte> value)
            {
                bytes.Write(name);
                bytes.Write(value.Span);
                bytes.WriteByte((byte)'\n');
            }
        }
    }

    /// <summary>A commit to be made anew elsewhere: what stays of it, byte for byte.</summary>
    /// <param name="Parent">Null for a first commit.</param>
    /// <param name="ParentTree">The empty one for a first commit.</param>
    private sealed record PickedCommit(string Id, string Tree, string? Parent, string ParentTree, ReadOnlyMemory<byte> Author, ReadOnlyMemory<byte> Encoding, ReadOnlyMemory<byte> Message)
    {
        /// <summary>Changes nothing.</summary>
        public bool IsEmpty { get; } = Tree == ParentTree;

        public static PickedCommit Parse(string id, string parentTree, ReadOnlyMemory<byte> commit)
        {
            var (headers, at) = (new Dictionary<string, ReadOnlyMemory<byte>>(StringComparer.Ordinal), 0);
            while (at < commit.Length && commit.Span[at] != '\n')
            {
                var length = commit.Span[at..].IndexOf((byte)'\n');
                var line = commit.Slice(at, length < 0 ? commit.Length - at : length);
                var space = Math.Max(0, line.Span.IndexOf((byte)' '));
                // Lines that go on from the one before start with a space: a signature has them.
                headers.TryAdd(System.Text.Encoding.ASCII.GetString(line.Span[..space]), line[Math.Min(line.Length, space + 1)..]);
                at += line.Length + 1;
            }

            if (!headers.TryGetValue("tree", out var tree) || !headers.TryGetValue("author", out var author)) throw new GitException($"commit {id} has no tree or no author", 0);
            string? parent = headers.TryGetValue("parent", out var named) ? System.Text.Encoding.ASCII.GetString(named.Span) : null;
            return new(id, System.Text.Encoding.ASCII.GetString(tree.Span), parent, parentTree, author, headers.GetValueOrDefault("encoding"), at < commit.Length ? commit[(at + 1)..] : default);
        }
    }
}
