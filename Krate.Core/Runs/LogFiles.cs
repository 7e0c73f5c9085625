using System.Buffers.Binary;
using System.Collections.Concurrent;
using Krate.Core.Resources;
using Krate.Core.Store;

namespace Krate.Core.Runs;

/// <summary>
/// The files of one job's log: the bytes; when they came (<c>.times</c>); whether more may come (<c>.end</c>); what is not yet
/// decided to be a secret (<c>.held</c>). Several processes may share them: whoever writes holds a lock that ends with its process.
/// </summary>
internal sealed class LogFiles(DataDirectory data)
{
    private static readonly TimeSpan LockPatience = TimeSpan.FromSeconds(20);
    private readonly ConcurrentDictionary<string, SemaphoreSlim> writers = new(StringComparer.Ordinal);

    public string Root => Path.Combine(data.Path, "logs");

    /// <summary>Path of the log; the other files are beside it.</summary>
    public string PathOf(Resource job)
    {
        // Both are Krate's own words; a path is no place to trust that.
        if (!Guid.TryParse(job.Uid, out var uid) || job.Label(WellKnown.OrgLabel) is not { Length: > 0 } org || !MetadataRules.IsLabelValue(org))
            throw new InvalidOperationException($"{job.Key} has no uid or organization");
        return Path.Combine(Root, org, $"{uid:D}.log");
    }

    /// <summary>Lets one writer in, of all processes. Dispose to let the next one.</summary>
    public async Task<IDisposable> LockAsync(string log, CancellationToken ct)
    {
        var gate = writers.GetOrAdd(log, _ => new SemaphoreSlim(1));
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(ct);
        patience.CancelAfter(LockPatience);
        try
        {
            await gate.WaitAsync(patience.Token);
            try
            {
                Directory.CreateDirectory(Path.GetDirectoryName(log)!, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
                return new Held(await OpenLockAsync(log, patience.Token), gate);
            }
            catch
            {
                gate.Release();
                throw;
            }
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw ApiException.Unavailable("the log is being written by others; try again");
        }
    }

    private static async Task<FileStream> OpenLockAsync(string log, CancellationToken ct)
    {
        while (true)
        {
            try
            {
                return new FileStream(log + ".lock", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1);
            }
            catch (IOException) when (!ct.IsCancellationRequested)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(5), ct);
            }
        }
    }

    /// <summary>Forgets the lock of a log that has ended or is gone. Who still waits for it is held off by the file.</summary>
    public void Forget(string log) => writers.TryRemove(log, out _);

    public static bool IsSealed(string log) => File.Exists(log + ".end");

    /// <summary>Bytes in the file; 0 when there is none.</summary>
    public static long LengthOf(string log) => new FileInfo(log) is { Exists: true } file ? file.Length : 0;

    /// <summary>Bytes that readers may see: not those that are still held back.</summary>
    public static long VisibleLengthOf(string log)
    {
        var length = LengthOf(log);
        return HeldFrom(log) is { } from ? Math.Min(length, from) : length;
    }

    /// <summary>Where the bytes begin that are held back; null for none.</summary>
    private static long? HeldFrom(string log)
    {
        try
        {
            using var file = new FileStream(log + ".held", FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1);
            Span<byte> head = stackalloc byte[8];
            return file.ReadAtLeast(head, 8, throwOnEndOfStream: false) == 8 ? BinaryPrimitives.ReadInt64LittleEndian(head) : null;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    private sealed class Held(FileStream file, SemaphoreSlim gate) : IDisposable
    {
        public void Dispose()
        {
            file.Dispose();
            gate.Release();
        }
    }
}
