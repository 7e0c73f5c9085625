using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Krate.Core.Workspaces;

/// <summary>Files that somebody else has made: a pipe by the name of a file would keep its reader waiting for ever.</summary>
internal static partial class ForeignFile
{
    // Of Linux, on every processor that .NET runs on.
    private const int ReadOnly = 0, NonBlocking = 0x800, CloseOnExec = 0x80000;

    /// <returns>Null for what is no file, or has more than <paramref name="most"/> bytes.</returns>
    public static async Task<byte[]?> ReadAsync(string path, int most, CancellationToken ct)
    {
        using var handle = Open(path, ReadOnly | NonBlocking | CloseOnExec);
        if (handle.IsInvalid) return null;
        using var file = new FileStream(handle, FileAccess.Read, 0);
        if (!file.CanSeek || file.Length > most) return null;
        var bytes = new byte[file.Length];
        await file.ReadExactlyAsync(bytes, ct);
        return bytes;
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle Open(string path, int flags);
}
