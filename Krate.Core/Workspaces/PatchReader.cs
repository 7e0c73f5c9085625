using System.Globalization;
using System.Text;
using Krate.Core.Git;

namespace Krate.Core.Workspaces;

/// <summary>
/// Finds what was changed in a workspace by its files alone, with a git directory, an index and a configuration of Krate's own: what the agent has put into
/// the workspace's git (hooks, filters, a configuration, other objects) is never read. Thread-safe.
/// </summary>
public static class PatchReader
{
    private const int MostDiff = 8 << 20, MostFiles = 3_000, MostLooked = 200_000;
    private const long LargestNew = 32L << 20;

    /// <summary>Paths whose change reaches further than the code: what runs elsewhere, what tells agents what to do, what decides what is installed.</summary>
    private static readonly (string Words, Func<string, bool> Is)[] Unsafe =
    [
        ("runs in a CI", p => p.StartsWith(".github/workflows/", StringComparison.Ordinal) || p.StartsWith(".circleci/", StringComparison.Ordinal) || Name(p) is ".gitlab-ci.yml" or "azure-pipelines.yml" or "Jenkinsfile" or "bitbucket-pipelines.yml"),
        ("is a hook of git", p => p.StartsWith(".husky/", StringComparison.Ordinal) || p.StartsWith(".githooks/", StringComparison.Ordinal) || Name(p) is ".pre-commit-config.yaml" or "lefthook.yml"),
        ("tells agents what to do", p => Name(p) is "AGENTS.md" or "CLAUDE.md" or "GEMINI.md" || p.StartsWith(".claude/", StringComparison.Ordinal) || p.StartsWith(".cursor/", StringComparison.Ordinal)),
        ("decides what is installed", p => Name(p) is "package-lock.json" or "yarn.lock" or "pnpm-lock.yaml" or "Cargo.lock" or "go.sum" or "poetry.lock" or "packages.lock.json" or "Gemfile.lock" or "uv.lock"),
        ("changes what git does with files", p => Name(p) is ".gitattributes" or ".gitmodules" or ".gitignore"),
    ];

    /// <exception cref="WorkspaceException">The files cannot be read.</exception>
    public static async Task<WorkspacePatch> ReadAsync(GitRepository hosted, string folder, string start, CancellationToken ct)
    {
        var scratch = Directory.CreateTempSubdirectory("krate-patch-");
        try
        {
            var git = new GitRepository(Path.Combine(scratch.FullName, ".git"));
            Directory.CreateDirectory(git.Directory);
            await WorkspaceFolders.RunAsync(git, ["init", "-q", "--template=", scratch.FullName], null, ct);
            var environment = new Dictionary<string, string> { ["GIT_WORK_TREE"] = folder, ["GIT_ALTERNATE_OBJECT_DIRECTORIES"] = GitRepository.Borrowed(WorkspaceFolders.ObjectsOf(hosted)) };
            var (excluded, warnings, isComplete) = LookAround(folder);
            Directory.CreateDirectory(Path.Combine(git.Directory, "info"));
            await File.WriteAllLinesAsync(Path.Combine(git.Directory, "info", "exclude"), excluded.Select(Pattern), ct);
            await WorkspaceFolders.RunAsync(git, ["read-tree", start], environment, ct);
            // Pipes, sockets and the like are no content: git passes over them, and says so by its exit code.
            await git.RunAsync(["add", "-A", "--ignore-errors"], ct, limit: TimeSpan.FromMinutes(5), environment: environment);
            var tree = (await WorkspaceFolders.RunAsync(git, ["write-tree"], environment, ct)).Text.Trim();
            return await DiffAsync(git, environment, start, tree, warnings, isComplete, ct);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or GitException or TimeoutException)
        {
            throw new WorkspaceException($"what was changed could not be read: {e.Message}", e);
        }
        finally
        {
            scratch.Delete(recursive: true);
        }
    }

    private static async Task<WorkspacePatch> DiffAsync(GitRepository git, Dictionary<string, string> environment, string start, string tree, List<string> warnings, bool isComplete, CancellationToken ct)
    {
        var counts = await git.RunAsync(["diff-tree", "-r", "-M", "--numstat", "-z", "--no-ext-diff", "--no-textconv", start, tree], ct, environment: environment);
        var files = Files(counts.Fields).ToList();
        if (counts.IsCut || files.Count > MostFiles)
        {
            warnings.Add($"More than {MostFiles:N0} files were changed; the patch is left out.");
            return new(start, tree, [], [.. files.Take(MostFiles)], warnings, false);
        }

        var diff = await git.RunAsync(["diff-tree", "-r", "-p", "-M", "--binary", "--full-index", "--no-color", "--no-ext-diff", "--no-textconv", start, tree], ct, MostDiff, environment: environment);
        if (diff.IsCut) warnings.Add($"The patch has more than {MostDiff >> 20} MiB, and is left out.");
        foreach (var file in files)
            foreach (var (words, matches) in Unsafe)
                if (matches(file.Path) || (file.Before is { } before && matches(before))) warnings.Add($"{file.Path} {words}.");
        return new(start, tree, diff.IsCut ? [] : diff.Bytes, files, warnings, isComplete && !diff.IsCut);
    }

    /// <summary>What git should not take in: repositories within the workspace, and new files that are too large.</summary>
    private static (List<string> Excluded, List<string> Warnings, bool IsComplete) LookAround(string folder)
    {
        var (excluded, warnings, looked, isComplete) = (new List<string>(), new List<string>(), 0, true);
        var folders = new Stack<DirectoryInfo>([new DirectoryInfo(folder)]);
        while (folders.TryPop(out var at))
        {
            foreach (var entry in at.EnumerateFileSystemInfos())
            {
                if (++looked > MostLooked) throw new WorkspaceException($"what was changed could not be read: there are more than {MostLooked:N0} files");
                var path = Path.GetRelativePath(folder, entry.FullName);
                if (entry.LinkTarget is not null) continue;
                if (entry.Name == ".git" && path != ".git")
                {
                    excluded.Add(Path.GetDirectoryName(path)! + "/");
                    warnings.Add($"{Path.GetDirectoryName(path)} is a repository of its own, and is left out.");
                    isComplete = false;
                }
                else if (entry is DirectoryInfo inner)
                {
                    if (entry.Name != ".git") folders.Push(inner);
                }
                else if (entry is FileInfo { Length: > LargestNew })
                {
                    excluded.Add(path);
                    warnings.Add($"{path} has more than {LargestNew >> 20} MiB, and is left out if it is new.");
                    isComplete = false;
                }
            }
        }

        return (excluded, warnings, isComplete);
    }

    /// <summary>A path as a line of an exclude file, word for word.</summary>
    private static string Pattern(string path)
    {
        var text = new StringBuilder("/");
        foreach (var c in path) text.Append(c is '*' or '?' or '[' or '\\' or ' ' ? "\\" : "").Append(c is '\n' or '\r' ? '?' : c);
        return text.ToString();
    }

    /// <summary>Fields of <c>--numstat -z</c>: counts and path, or counts alone and then the path before and after.</summary>
    private static IEnumerable<PatchFile> Files(string[] fields)
    {
        for (var at = 0; at < fields.Length; at++)
        {
            if (fields[at].Split('\t', 3) is not [var added, var removed, var path]) continue;
            var before = path.Length == 0 && at + 2 < fields.Length ? fields[at + 1] : null;
            if (before is not null) path = fields[at += 2];
            yield return new(path, before, Count(added), Count(removed));
        }

        static int? Count(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
    }

    private static string Name(string path) => path[(path.LastIndexOf('/') + 1)..];
}
