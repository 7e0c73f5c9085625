using System.Globalization;
using Krate.Core.Git;
using Krate.Core.Store;

namespace Krate.Core.Workspaces;

/// <summary>A workspace cannot be made or read. The message is for people.</summary>
public sealed class WorkspaceException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>What a workspace starts from.</summary>
/// <param name="Branch">Of the work, without <c>refs/heads/</c>.</param>
/// <param name="Target">Branch that changes go to, without <c>refs/heads/</c>; agents find it as <c>origin/TARGET</c>.</param>
/// <param name="Pin">Name below <c>refs/krate/bases</c> that keeps the commit, whatever becomes of its branch.</param>
public sealed record WorkspaceStart(string Commit, string Branch, string Target, string Pin);

/// <param name="Path">Its files.</param>
/// <param name="Objects">Folder of the objects that its own git borrows, at <see cref="WorkspaceFolders.ObjectsInside"/> for who works in it.</param>
public sealed record WorkspaceFolder(string Path, string Objects);

/// <summary>
/// Where agents work: a repository of their own for each workspace, with its own refs and configuration, whose objects are borrowed, so that nothing that
/// is done in it touches the hosted one. Krate runs git in it before the agent does, and never after. Thread-safe for different workspaces.
/// </summary>
public sealed class WorkspaceFolders(DataDirectory data)
{
    /// <summary>Where a workspace's git looks for what it has not itself.</summary>
    public const string ObjectsInside = "/krate-objects";

    private const long MostBytes = 2L << 30;
    private const int MostFiles = 200_000;
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    public string Root => Path.Combine(data.Path, "workspaces");

    /// <param name="path">As the AgentWorkspace names it: two or more names below the root.</param>
    /// <exception cref="WorkspaceException">It leads elsewhere.</exception>
    public string PathOf(string path)
    {
        var names = path.Split('/');
        if (names.Length < 2 || names.Any(n => n.Length is 0 or > 253 || n is "." or ".." || n.Contains('\\', StringComparison.Ordinal) || n.Contains('\0', StringComparison.Ordinal))) throw new WorkspaceException($"{path} is no path below the workspace root");
        var full = Root;
        foreach (var name in names)
        {
            full = Path.Combine(full, name);
            if (new FileInfo(full).LinkTarget is not null) throw new WorkspaceException($"{path} has a link in it, and is left alone");
        }

        return full;
    }

    /// <summary>Makes a workspace anew: what was there under the path goes.</summary>
    /// <exception cref="WorkspaceException">It cannot be made.</exception>
    public async Task<WorkspaceFolder> ProvisionAsync(GitRepository hosted, string path, WorkspaceStart start, CancellationToken ct)
    {
        var folder = PathOf(path);
        try
        {
            await RunAsync(hosted, ["update-ref", $"refs/krate/bases/{start.Pin}", start.Commit], null, ct);
            await CheckSizeAsync(hosted, start.Commit, ct);
            Remove(folder);
            Directory.CreateDirectory(folder, Private);
            var git = Path.Combine(folder, ".git");
            Directory.CreateDirectory(git, Private);
            await RunAsync(new GitRepository(git), ["init", "-q", "--template=", "-b", start.Branch, folder], null, ct);
            var borrowed = new Dictionary<string, string> { ["GIT_ALTERNATE_OBJECT_DIRECTORIES"] = GitRepository.Borrowed(ObjectsOf(hosted)), ["GIT_WORK_TREE"] = folder };
            var own = new GitRepository(git);
            await RunAsync(own, ["update-ref", $"refs/heads/{start.Branch}", start.Commit], borrowed, ct);
            await RunAsync(own, ["update-ref", $"refs/remotes/origin/{start.Target}", start.Commit], borrowed, ct);
            await RunAsync(own, ["read-tree", "-u", "--reset", start.Commit], borrowed, ct);
            Directory.CreateDirectory(Path.Combine(git, "objects", "info"));
            await File.WriteAllTextAsync(Path.Combine(git, "objects", "info", "alternates"), ObjectsInside + "\n", ct);
            return new(folder, ObjectsOf(hosted));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or GitException or TimeoutException)
        {
            throw new WorkspaceException($"the workspace could not be made: {e.Message}", e);
        }
    }

    /// <summary>Changes the files of a workspace that nobody works in yet, as <see cref="PatchReader"/> found them.</summary>
    /// <exception cref="WorkspaceException">The patch does not fit.</exception>
    public static async Task ApplyAsync(WorkspaceFolder workspace, byte[] diff, CancellationToken ct)
    {
        var environment = new Dictionary<string, string> { ["GIT_ALTERNATE_OBJECT_DIRECTORIES"] = GitRepository.Borrowed(workspace.Objects), ["GIT_WORK_TREE"] = workspace.Path };
        // Elsewhere git passes over all files that are not below its own folder, and says nothing.
        var output = await new GitRepository(Path.Combine(workspace.Path, ".git")).RunAsync(["-C", workspace.Path, "apply", "--index", "--whitespace=nowarn", "-"], ct, limit: Patience, input: diff, environment: environment);
        if (output.ExitCode != 0) throw new WorkspaceException("what was changed before could not be put back: " + output.ToException("apply").Message);
    }

    /// <summary>Deletes a workspace and what kept its commit; one that is gone already is no fault. Links are deleted, not followed.</summary>
    public async Task RemoveAsync(GitRepository? hosted, string path, string pin, CancellationToken ct)
    {
        Remove(PathOf(path));
        if (hosted is not null) await hosted.RunAsync(["update-ref", "-d", $"refs/krate/bases/{pin}"], ct);
    }

    internal static string ObjectsOf(GitRepository hosted) => Path.GetFullPath(Path.Combine(hosted.Directory, "objects"));

    internal static async Task<GitOutput> RunAsync(GitRepository git, string[] arguments, IReadOnlyDictionary<string, string>? environment, CancellationToken ct)
    {
        var output = await git.RunAsync(arguments, ct, limit: Patience, environment: environment);
        return output.ExitCode == 0 ? output : throw output.ToException(arguments[0]);
    }

    private static async Task CheckSizeAsync(GitRepository hosted, string commit, CancellationToken ct)
    {
        var (files, bytes) = (0, 0L);
        await foreach (var size in hosted.LinesAsync(["ls-tree", "-r", "--format=%(objectsize)", commit], null, ct))
        {
            bytes += long.TryParse(size, NumberStyles.None, CultureInfo.InvariantCulture, out var length) ? length : 0;
            if (++files > MostFiles) throw new WorkspaceException($"the workspace could not be made: the commit has more than {MostFiles:N0} files");
            if (bytes > MostBytes) throw new WorkspaceException($"the workspace could not be made: the files of the commit have more than {MostBytes >> 30} GiB");
        }
    }

    /// <summary>With all that is in it; links are deleted, not followed.</summary>
    internal static void Remove(string folder)
    {
        if (!Directory.Exists(folder)) return;
        // Who worked there may have taken the right to write away.
        foreach (var inner in Directory.EnumerateDirectories(folder, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint, IgnoreInaccessible = true }))
            File.SetUnixFileMode(inner, Private);
        Directory.Delete(folder, recursive: true);
    }
}
