using System.Text;
using Krate.Core.Resources;
using Krate.Core.Store;

namespace Krate.Core.Sessions;

/// <summary>Where sessions are kept: one file for each attempt, one event a line, in the data directory that replicas share (ADR 17).</summary>
internal sealed class SessionFiles(DataDirectory data)
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    public string Root => Path.Combine(data.Path, "sessions");

    public string PathOf(Resource attempt) => Path.Combine(Root, attempt.Namespace, attempt.Uid + ".jsonl");

    /// <summary>Held by the one writer of an attempt, in whichever process; it goes with the process.</summary>
    /// <exception cref="IOException">Another one writes.</exception>
    public FileStream Lock(Resource attempt)
    {
        var path = PathOf(attempt) + ".lock";
        Directory.CreateDirectory(Path.GetDirectoryName(path)!, OwnerOnly | UnixFileMode.UserExecute);
        return new FileStream(path, new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.Write, Share = FileShare.None, UnixCreateMode = OwnerOnly, Options = FileOptions.DeleteOnClose });
    }

    /// <summary>For who holds the lock. What a crash left half written goes.</summary>
    public FileStream OpenForWriting(Resource attempt)
    {
        var path = PathOf(attempt);
        var file = new FileStream(path, new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.ReadWrite | FileShare.Delete, UnixCreateMode = OwnerOnly, BufferSize = 0 });
        file.SetLength(EndOfLastLine(file));
        file.Position = file.Length;
        return file;
    }

    /// <summary>Lines from an offset on, as far as they are whole.</summary>
    public static IReadOnlyList<(long Offset, string Line)> ReadLines(string path, long offset, int most, int mostBytes)
    {
        if (!File.Exists(path)) return [];
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 64 << 10);
        file.Position = offset;
        var lines = new List<(long, string)>();
        var line = new List<byte>();
        var (start, at) = (offset, offset);
        for (int next; lines.Count < most && at - offset < mostBytes && (next = file.ReadByte()) >= 0;)
        {
            at++;
            if (next != '\n')
            {
                line.Add((byte)next);
                continue;
            }

            lines.Add((start, Encoding.UTF8.GetString([.. line])));
            line.Clear();
            start = at;
        }

        return lines;
    }

    private static long EndOfLastLine(FileStream file)
    {
        var buffer = new byte[64 << 10];
        for (var end = file.Length; end > 0;)
        {
            var from = Math.Max(0, end - buffer.Length);
            file.Position = from;
            file.ReadExactly(buffer, 0, (int)(end - from));
            var last = buffer.AsSpan(0, (int)(end - from)).LastIndexOf((byte)'\n');
            if (last >= 0) return from + last + 1;
            end = from;
        }

        return 0;
    }
}
