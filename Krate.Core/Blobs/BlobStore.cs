using System.Buffers;
using Krate.Core.Resources;
using Krate.Core.Store;

namespace Krate.Core.Blobs;

/// <summary>
/// Bytes by their SHA-256, as files below <c>blobs/sha256</c> of the data directory, which replicas share. What is put is on disk; what is read is what
/// was put, or an error. Who may read a blob follows from the resource that names it: callers have read that first. Thread-safe.
/// </summary>
public sealed class BlobStore(DataDirectory data, TimeProvider time)
{
    /// <summary>A blob has at most so many bytes.</summary>
    public const long LongestBlob = 256L << 20;

    private const string Prefix = "sha256:";
    private const int DigestChars = 64;
    private static readonly SearchValues<char> Hex = SearchValues.Create("0123456789abcdef");
    private static readonly TimeSpan KeptUnnamed = TimeSpan.FromHours(24);

    private string Root => Path.Combine(data.Blobs, "sha256");

    /// <returns>Its digest.</returns>
    /// <exception cref="ApiException">413 over the limit, 503 when the disk takes no more.</exception>
    public async Task<string> PutAsync(ReadOnlyMemory<byte> bytes, CancellationToken ct)
    {
        if (bytes.Length > LongestBlob) throw new ApiException(413, "RequestEntityTooLarge", $"a blob may have {LongestBlob >> 20} MiB");
        var digest = ContentDigest.Of(bytes.Span);
        var path = PathOf(digest);
        if (File.Exists(path))
        {
            // Named anew: the sweep counts from now.
            File.SetLastWriteTimeUtc(path, time.GetUtcNow().UtcDateTime);
            return digest;
        }

        var draft = $"{path}.{Guid.NewGuid():N}.tmp";
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            await using (var file = new FileStream(draft, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }))
            {
                await file.WriteAsync(bytes, ct);
                file.Flush(flushToDisk: true);
            }

            File.Move(draft, path, overwrite: true);
        }
        catch (IOException)
        {
            throw ApiException.Unavailable("the data directory takes no more bytes");
        }
        finally
        {
            File.Delete(draft);
        }

        return digest;
    }

    /// <exception cref="ApiException">410 when it is not there, or not what was put.</exception>
    public async Task<byte[]> ReadAsync(string digest, CancellationToken ct)
    {
        var path = PathOf(digest);
        byte[] bytes;
        try
        {
            bytes = await File.ReadAllBytesAsync(path, ct);
        }
        catch (IOException e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ApiException(410, "Gone", $"the bytes of {digest} are not there any more");
        }

        return ContentDigest.Of(bytes) == digest ? bytes : throw new ApiException(410, "Gone", $"the bytes of {digest} were altered on the disk, and are not given out");
    }

    /// <summary>Deletes what nothing names, and nobody has put for a day: a blob is there before the resource that names it.</summary>
    /// <param name="named">All digests that resources name; asked only when there is something to delete.</param>
    /// <returns>How many were deleted.</returns>
    public async Task<int> SweepAsync(Func<CancellationToken, Task<IReadOnlySet<string>>> named, CancellationToken ct)
    {
        if (!Directory.Exists(Root)) return 0;
        var latest = time.GetUtcNow().UtcDateTime - KeptUnnamed;
        var old = Directory.EnumerateFiles(Root, "*", SearchOption.AllDirectories).Where(f => File.GetLastWriteTimeUtc(f) < latest).ToList();
        if (old.Count == 0) return 0;
        var kept = await named(ct);
        var gone = old.Where(f => !kept.Contains(DigestOf(f))).ToList();
        foreach (var path in gone) File.Delete(path);
        return gone.Count;
    }

    private static string DigestOf(string path) => Prefix + Path.GetFileName(Path.GetDirectoryName(path)) + Path.GetFileName(path);

    private string PathOf(string digest)
    {
        if (!digest.StartsWith(Prefix, StringComparison.Ordinal) || digest.Length != Prefix.Length + DigestChars || digest.AsSpan(Prefix.Length).ContainsAnyExcept(Hex)) throw new ArgumentException($"{digest} is no digest", nameof(digest));
        return Path.Combine(Root, digest.Substring(Prefix.Length, 2), digest[(Prefix.Length + 2)..]);
    }
}
