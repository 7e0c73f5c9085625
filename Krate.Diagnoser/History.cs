using System.Text;
using System.Text.RegularExpressions;
using Krate.Core.Agents;
using Krate.Core.Git;

namespace Krate.Diagnoser;

/// <summary>
/// Who brought a line of a workspace. Its configuration is anybody's and could name programs, so git never opens the repository there: it reads its objects
/// only, through an empty repository of its own.
/// </summary>
internal sealed partial class History : IDisposable
{
    private const int LongestRef = 512, MostRefs = 100_000;
    private readonly DirectoryInfo folder;
    private readonly GitRepository repository;
    private readonly string head;

    private History(DirectoryInfo folder, string head) => (this.folder, this.head, repository) = (folder, head, new(folder.FullName));

    /// <returns>Null when the workspace has no repository of its own, or nothing is committed; with why.</returns>
    public static async Task<(History? History, string? Missing)> OpenAsync(Workspace workspace, CancellationToken ct)
    {
        var git = Path.Combine(workspace.Root, ".git");
        var objects = Path.Combine(git, "objects");
        if (!Directory.Exists(objects) || new DirectoryInfo(git).LinkTarget is not null || new DirectoryInfo(objects).LinkTarget is not null)
            return (null, "The workspace has no git repository of its own.");
        if (objects.Any(char.IsControl)) return (null, "The name of the workspace is none that git can be given.");
        try
        {
            if (await HeadAsync(workspace, ct) is not { } head) return (null, "The workspace has no commit.");
            return (new(await MakeAsync(objects, head, ct), head), null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return (null, $"The repository of the workspace was not read: {ForeignText.Line(e.Message, 200)}.");
        }
    }

    /// <param name="own">The line as it stands in the workspace.</param>
    /// <returns>Who brought it to the commit that is checked out; or why that is not known.</returns>
    public async Task<(Blame? Blame, string? Missing)> BlameAsync(string path, int line, string own, CancellationToken ct)
    {
        try
        {
            if (await CommittedAsync(path, line, ct) is not { } committed) return (null, "The line is not committed.");
            if (committed != own.TrimEnd('\r')) return (null, "The line is not as it is committed.");
            var groups = await repository.BlameAsync(head, path, ct);
            var group = groups?.FirstOrDefault(g => line >= g.First && line < g.First + g.Count);
            return group is null ? (null, "git names nobody for the line.") : (new(group.Commit, ForeignText.Line(group.Author, 100), group.Time, ForeignText.Line(group.Subject, 200)), null);
        }
        catch (Exception e) when (e is TimeoutException or GitException)
        {
            return (null, e is TimeoutException ? "Its history is too long to be walked." : "git could not read the repository.");
        }
    }

    public void Dispose() => folder.Delete(recursive: true);

    private async Task<string?> CommittedAsync(string path, int line, CancellationToken ct)
    {
        const int MostBytes = 8 << 20;
        var output = await repository.RunAsync(["cat-file", "blob", $"{head}:{path}"], ct, MostBytes);
        return output.ExitCode == 0 ? output.Text.Split('\n').Skip(line - 1).FirstOrDefault()?.TrimEnd('\r') : null;
    }

    private static async Task<DirectoryInfo> MakeAsync(string objects, string head, CancellationToken ct)
    {
        var made = Directory.CreateTempSubdirectory("krate-diagnoser-");
        Directory.CreateDirectory(Path.Combine(made.FullName, "refs"));
        Directory.CreateDirectory(Path.Combine(made.FullName, "objects", "info"));
        await File.WriteAllTextAsync(Path.Combine(made.FullName, "HEAD"), "ref: refs/heads/none\n", ct);
        await File.WriteAllTextAsync(Path.Combine(made.FullName, "config"), head.Length == 64 ? "[core]\n\trepositoryformatversion = 1\n\tbare = true\n[extensions]\n\tobjectformat = sha256\n" : "[core]\n\trepositoryformatversion = 0\n\tbare = true\n", ct);
        await File.WriteAllTextAsync(Path.Combine(made.FullName, "objects", "info", "alternates"), objects + "\n", ct);
        return made;
    }

    /// <summary>The commit that is checked out, read as files: a few bytes each.</summary>
    private static async Task<string?> HeadAsync(Workspace workspace, CancellationToken ct)
    {
        if (await FirstLineAsync(workspace, ".git/HEAD", ct) is not { } said) return null;
        if (!said.StartsWith("ref: ", StringComparison.Ordinal)) return Commit().IsMatch(said) ? said : null;
        var name = said[5..].Trim();
        if (!RefName().IsMatch(name) || name.Contains("..", StringComparison.Ordinal)) return null;
        if (await FirstLineAsync(workspace, $".git/{name}", ct) is { } loose && Commit().IsMatch(loose)) return loose;
        return await PackedAsync(workspace, name, ct);
    }

    private static async Task<string?> PackedAsync(Workspace workspace, string name, CancellationToken ct)
    {
        if (!File.Exists(Path.Combine(workspace.Root, ".git/packed-refs"))) return null;
        await using var file = await workspace.OpenAsync(".git/packed-refs", ct);
        var count = 0;
        await foreach (var (text, _) in BoundedLines.ReadAsync(file, LongestRef + 65, ct))
        {
            if (count++ > MostRefs) return null;
            if (text.EndsWith(" " + name, StringComparison.Ordinal) && text[..^(name.Length + 1)] is var commit && Commit().IsMatch(commit)) return commit;
        }

        return null;
    }

    private static async Task<string?> FirstLineAsync(Workspace workspace, string path, CancellationToken ct)
    {
        if (!File.Exists(Path.Combine(workspace.Root, path))) return null;
        await using var file = await workspace.OpenAsync(path, ct);
        await foreach (var (text, _) in BoundedLines.ReadAsync(file, LongestRef, ct)) return text;
        return null;
    }

    [GeneratedRegex(@"\A([0-9a-f]{40}|[0-9a-f]{64})\z")]
    private static partial Regex Commit();

    [GeneratedRegex(@"\Arefs/heads/[^\s\x00-\x20~^:?*\[\\]{1,400}\z")]
    private static partial Regex RefName();
}
