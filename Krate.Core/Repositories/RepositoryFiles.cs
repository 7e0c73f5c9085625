using System.Globalization;
using Krate.Core.Git;
using Krate.Core.Store;

namespace Krate.Core.Repositories;

/// <summary>
/// The git directories below the data directory: <c>git/&lt;org&gt;/&lt;name&gt;.git</c>, each marked with the uid of its Repository, so that a
/// name that is used again never shows what another repository held. What is removed goes to <c>trash</c>. Thread-safe for
/// different repositories; one repository has one caller at a time (its reconciler).
/// </summary>
public sealed class RepositoryFiles(DataDirectory data, TimeProvider time)
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>
    /// Settings of every repository. Objects are checked as they come in; Krate does its own upkeep; refs of Krate's own are hidden from
    /// those who push; each ref keeps its log, which says who moved it.
    /// </summary>
    private const string Config = """
        [core]
        	repositoryformatversion = 0
        	filemode = true
        	bare = true
        	logAllRefUpdates = always
        	commitGraph = true
        [gc]
        	auto = 4000
        	autoPackLimit = 30
        	autoDetach = false
        	pruneExpire = 2.weeks.ago
        	reflogExpire = never
        	reflogExpireUnreachable = never
        [receive]
        	autogc = false
        	fsckObjects = true
        	denyDeleteCurrent = ignore
        	hideRefs = refs/pull
        	hideRefs = refs/krate
        [receive "fsck"]
        	zeroPaddedFilemode = warn
        	missingSpaceBeforeDate = warn
        	badTimezone = warn
        	missingNameBeforeEmail = warn
        	badEmail = warn
        [uploadpack]
        	allowFilter = true
        	hideRefs = refs/krate

        """;

    public string DirectoryOf(string org, string name) => Path.Combine(data.Git, org, name + ".git");

    /// <summary>Where removed repositories wait for the end of their retention.</summary>
    public string Trash => Path.Combine(data.Path, "trash");

    /// <summary>Uid of the Repository that a git directory was made for; null when there is none.</summary>
    public static string? OwnerOf(string directory)
    {
        var mark = UidFile(directory);
        return File.Exists(mark) ? File.ReadAllText(mark).Trim() : null;
    }

    /// <summary>Makes an empty bare repository beside the others, whole or not at all.</summary>
    /// <returns>A directory that <see cref="Place"/> puts where it belongs.</returns>
    public async Task<string> PrepareAsync(string org, string name, string uid, string defaultBranch, CancellationToken ct)
    {
        var parent = Path.Combine(data.Git, org);
        Directory.CreateDirectory(parent, Private);
        RemovePrepared(org, name, uid);
        var directory = PreparedOf(org, name, uid);
        await using (var git = GitProcess.Start(null, ["init", "--quiet", "--bare", "--template=", $"--initial-branch={defaultBranch}", directory]))
        {
            git.Input.Close();
            if (await git.WaitAsync(ct) is var exit and not 0) throw new GitException($"git init failed: {git.ErrorText.Trim()}", exit);
        }

        await File.WriteAllTextAsync(Path.Combine(directory, "config"), Config, ct);
        RefLedger.Prepare(directory);
        await File.WriteAllTextAsync(UidFile(directory), uid, ct);
        File.SetUnixFileMode(directory, Private);
        return directory;
    }

    /// <summary>Removes what was prepared for a repository and not placed: its import was cut, perhaps together with Krate.</summary>
    public void RemovePrepared(string org, string name, string uid)
    {
        if (PreparedOf(org, name, uid) is var directory && Directory.Exists(directory)) Directory.Delete(directory, recursive: true);
    }

    private string PreparedOf(string org, string name, string uid) => Path.Combine(data.Git, org, $".{name}-{uid}.new");

    /// <summary>Moves a prepared directory to its place; what is there goes to the trash.</summary>
    public void Place(string prepared, string org, string name)
    {
        var directory = DirectoryOf(org, name);
        if (Directory.Exists(directory)) MoveToTrash(org, name);
        Directory.Move(prepared, directory);
    }

    /// <summary>Removes a repository from sight. Nothing happens when there is none.</summary>
    /// <returns>Where it is now.</returns>
    public string? MoveToTrash(string org, string name)
    {
        var directory = DirectoryOf(org, name);
        if (!Directory.Exists(directory)) return null;
        Directory.CreateDirectory(Trash, Private);
        var target = Path.Combine(Trash, $"{org}-{name}-{OwnerOf(directory) ?? "unknown"}-{Ulid.NewUlid().ToString().ToLowerInvariant()}.git");
        Directory.Move(directory, target);
        Directory.SetLastWriteTimeUtc(target, time.GetUtcNow().UtcDateTime);
        return target;
    }

    /// <summary>Deletes what has been in the trash for longer than this.</summary>
    public void EmptyTrash(TimeSpan retention)
    {
        if (!Directory.Exists(Trash)) return;
        foreach (var old in Directory.EnumerateDirectories(Trash).Where(d => time.GetUtcNow() - Directory.GetLastWriteTimeUtc(d) > retention).ToList())
            Directory.Delete(old, recursive: true);
    }

    /// <summary>Bytes of objects on disk, as git counts them.</summary>
    public static async Task<long> SizeAsync(GitRepository git, CancellationToken ct)
    {
        var counted = await git.RunOrThrowAsync(["count-objects", "-v"], ct, maxBytes: 4096);
        return counted.Lines.Select(l => l.Split(": "))
            .Where(f => f is ["size" or "size-pack", _])
            .Sum(f => long.TryParse(f[1], NumberStyles.None, CultureInfo.InvariantCulture, out var kib) ? kib << 10 : 0);
    }

    private static string UidFile(string directory) => Path.Combine(directory, "krate", "uid");
}
