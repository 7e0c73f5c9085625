using System.Buffers.Binary;

namespace Krate.Core.Runs;

/// <summary>
/// When the bytes of a log came: pairs of an offset and a time beside it, at most four a second. For people; a crash may lose
/// the last of them.
/// </summary>
internal static class LogTimes
{
    private const int Size = 16;
    private const int SparseMilliseconds = 250;

    /// <summary>Notes that the bytes from here on came now. Only under the lock of the log.</summary>
    public static void Note(string log, long offset, DateTimeOffset now)
    {
        using var file = new FileStream(log + ".times", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete, 1);
        var count = file.Length / Size;
        if (count > 0 && now.ToUnixTimeMilliseconds() - Read(file, count - 1).At < SparseMilliseconds) return;
        Span<byte> entry = stackalloc byte[Size];
        BinaryPrimitives.WriteInt64LittleEndian(entry, offset);
        BinaryPrimitives.WriteInt64LittleEndian(entry[8..], now.ToUnixTimeMilliseconds());
        file.Position = count * Size;
        file.Write(entry);
    }

    /// <summary>The times of rising offsets; null where nothing is known.</summary>
    public static DateTimeOffset?[] Of(string log, IReadOnlyList<long> offsets)
    {
        var times = new DateTimeOffset?[offsets.Count];
        if (offsets.Count == 0 || !File.Exists(log + ".times")) return times;
        using var file = new FileStream(log + ".times", FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 4096);
        var count = file.Length / Size;
        var at = LastUpTo(file, count, offsets[0]);
        for (var i = 0; i < offsets.Count; i++)
        {
            while (at + 1 < count && Read(file, at + 1).Offset <= offsets[i]) at++;
            if (at >= 0) times[i] = DateTimeOffset.FromUnixTimeMilliseconds(Read(file, at).At);
        }

        return times;
    }

    /// <summary>Index of the last entry at or before an offset; -1 for none.</summary>
    private static long LastUpTo(FileStream file, long count, long offset)
    {
        var (low, high) = (0L, count);
        while (low < high)
        {
            var middle = low + ((high - low) / 2);
            if (Read(file, middle).Offset <= offset) low = middle + 1;
            else high = middle;
        }

        return low - 1;
    }

    private static (long Offset, long At) Read(FileStream file, long index)
    {
        Span<byte> entry = stackalloc byte[Size];
        file.Position = index * Size;
        file.ReadExactly(entry);
        return (BinaryPrimitives.ReadInt64LittleEndian(entry), BinaryPrimitives.ReadInt64LittleEndian(entry[8..]));
    }
}
