using Krate.Core.Agents;

namespace Krate.Diagnoser;

/// <summary>
/// The folder that an agent works in, to read. What is in it was written by anybody: links are not followed, nothing is run, and everything is bounded.
/// </summary>
/// <param name="root">Absolute path.</param>
internal sealed class Workspace(string root)
{
    private const int MostFiles = 200_000, MostFolders = 50_000, LongestLine = 64 << 10, LinesAround = 3;
    private static readonly TimeSpan OpenWithin = TimeSpan.FromSeconds(5);

    /// <summary>Of git, and of packages that are not the repository's own.</summary>
    private static readonly string[] Skipped = [".git", "node_modules"];

    public string Root { get; } = Path.TrimEndingDirectorySeparator(Path.GetFullPath(root));

    /// <summary>The names of its files.</summary>
    public FileTree ReadTree(CancellationToken ct)
    {
        var paths = new List<string>();
        var folders = new Queue<string>([""]);
        var looked = 0;
        while (folders.TryDequeue(out var folder) && paths.Count < MostFiles && looked++ < MostFolders)
        {
            ct.ThrowIfCancellationRequested();
            foreach (var entry in EntriesOf(folder))
            {
                if (paths.Count >= MostFiles || entry.LinkTarget is not null || entry.Name.Any(char.IsControl)) continue;
                var path = folder.Length == 0 ? entry.Name : $"{folder}/{entry.Name}";
                if (entry is FileInfo) paths.Add(path);
                else if (!Skipped.Contains(entry.Name, StringComparer.Ordinal)) folders.Enqueue(path);
            }
        }

        return new(Root, paths);
    }

    private IEnumerable<FileSystemInfo> EntriesOf(string folder)
    {
        try
        {
            return [.. new DirectoryInfo(Path.Combine(Root, folder)).EnumerateFileSystemInfos().OrderBy(e => e.Name, StringComparer.Ordinal)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>Opens a file below the workspace.</summary>
    /// <param name="path">Relative, or absolute and below it.</param>
    /// <exception cref="IOException">There is no such file, or a link is on the way, or it is none that can be read from its beginning to its end.</exception>
    public async Task<FileStream> OpenAsync(string path, CancellationToken ct)
    {
        if (path.Contains('\0', StringComparison.Ordinal) || Path.GetFullPath(path, Root) is not { } full || !full.StartsWith(Root + "/", StringComparison.Ordinal)) throw new IOException("it is not in the workspace");
        for (var step = full; step.Length > Root.Length; step = Path.GetDirectoryName(step)!)
            if (new FileInfo(step).LinkTarget is not null) throw new IOException("it is a link, or in a folder that is one");
        if (!File.Exists(full)) throw new IOException("there is no such file");
        try
        {
            // A pipe that nobody writes to would be waited for.
            var file = await Task.Run(() => new FileStream(full, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 0, FileOptions.SequentialScan), ct).WaitAsync(OpenWithin, ct);
            if (file.CanSeek) return file;
            await file.DisposeAsync();
            throw new IOException("it is no plain file");
        }
        catch (Exception e) when (e is UnauthorizedAccessException or TimeoutException)
        {
            throw new IOException(e is TimeoutException ? "it is no plain file" : "it may not be read", e);
        }
    }

    /// <summary>The lines around a place, and the line itself as it stands there.</summary>
    public async Task<(IReadOnlyList<ShownLine> Lines, string? Line)> LinesAroundAsync(string path, int line, CancellationToken ct)
    {
        await using var file = await OpenAsync(path, ct);
        var lines = new List<ShownLine>();
        string? own = null;
        var number = 0;
        await foreach (var (text, _) in BoundedLines.ReadAsync(file, LongestLine, ct))
        {
            if (++number > line + LinesAround) break;
            if (number == line) own = text;
            if (number >= line - LinesAround) lines.Add(new(number, ForeignText.Paragraph(text, 300)));
        }

        return own is null ? ([], null) : (lines, own);
    }
}
