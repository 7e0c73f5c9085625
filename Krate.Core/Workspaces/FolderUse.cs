namespace Krate.Core.Workspaces;

/// <summary>How much of the disk a folder takes that others write to meanwhile.</summary>
internal static class FolderUse
{
    /// <summary>No work needs more; looking at them would take longer than is worth it.</summary>
    public const int MostFiles = 500_000;

    private static readonly EnumerationOptions All = new() { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint, IgnoreInaccessible = true };

    /// <summary>Why it is too much; null when it is not. Links are not followed.</summary>
    public static string? Excess(IEnumerable<string> folders, long mostBytes)
    {
        var (bytes, files) = (0L, 0);
        try
        {
            foreach (var file in folders.Where(Directory.Exists).SelectMany(f => new DirectoryInfo(f).EnumerateFiles("*", All)))
            {
                bytes += file.Length;
                if (bytes > mostBytes) return $"It wrote more than {mostBytes >> 20} MiB.";
                if (++files > MostFiles) return $"It wrote more than {MostFiles:N0} files.";
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What goes away while it is counted is counted the next time.
        }

        return null;
    }
}
