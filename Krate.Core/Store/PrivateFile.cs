using System.Runtime.InteropServices;

namespace Krate.Core.Store;

/// <summary>
/// Small files that only Krate may read (mode 0600), written whole or not at all. Several replicas may share the directory.
/// </summary>
public static partial class PrivateFile
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>The content of the file; made by <paramref name="make"/> when there is none. When several processes try at once, one wins and all return its content.</summary>
    public static string ReadOrCreate(string path, Func<string> make)
    {
        if (File.Exists(path)) return Read(path);
        var draft = WriteDraft(path, make());
        try
        {
            // A hard link, because File.Move looks whether there is a file and then replaces it: two processes would both win.
            if (Link(draft, path) != 0 && !File.Exists(path)) throw new IOException($"{path} cannot be made: {Marshal.GetLastPInvokeErrorMessage()}");
        }
        finally
        {
            File.Delete(draft);
        }

        return Read(path);
    }

    /// <summary>Replaces the file in one step: readers see the old content or the new.</summary>
    public static void Replace(string path, string content) => File.Move(WriteDraft(path, content), path, overwrite: true);

    private static string Read(string path)
    {
        if ((File.GetUnixFileMode(path) & ~OwnerOnly) != 0) File.SetUnixFileMode(path, OwnerOnly);
        return File.ReadAllText(path);
    }

    private static string WriteDraft(string path, string content)
    {
        var draft = $"{path}.{Guid.NewGuid():N}.tmp";
        using var file = new FileStream(draft, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly });
        using var writer = new StreamWriter(file);
        writer.Write(content);
        writer.Flush();
        file.Flush(flushToDisk: true);
        return draft;
    }

    [LibraryImport("libc", EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Link(string from, string to);
}
