using System.Buffers;
using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Krate.Core.Gateway;
using Krate.Core.Resources;

namespace Krate.Core.Runs;

/// <summary>Bounds of logs.</summary>
public sealed record LogLimits
{
    /// <summary>Most bytes of one append.</summary>
    public long ChunkBytes { get; init; } = 8L << 20;

    /// <summary>Most bytes of one job.</summary>
    public long LogBytes { get; init; } = 1L << 30;
}

/// <summary>
/// The logs of jobs: files that only grow, until the job ends. What an append answered is on disk. Whoever calls has asked the
/// gateway. Thread-safe; other processes may write to the same directory.
/// </summary>
public sealed class JobLogs
{
    private const int IndexesKept = 256;
    private const int LongestRevealed = 7;
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);
    private readonly LogFiles files;
    private readonly SecretVault vault;
    private readonly HeldBytes held;
    private readonly LogLimits limits;
    private readonly TimeProvider time;
    private readonly ConcurrentDictionary<string, TaskCompletionSource> news = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (JobLog Log, long Used)> indexes = new(StringComparer.Ordinal);
    private readonly Lock gate = new();
    private long uses;

    internal JobLogs(LogFiles files, SecretVault vault, LogLimits limits, TimeProvider time) =>
        (this.files, this.vault, held, this.limits, this.time) = (files, vault, new HeldBytes(vault), limits, time);

    /// <summary>Puts bytes at the end of a log.</summary>
    /// <param name="offset">Where the sender thinks that the end is.</param>
    /// <returns>The new length, which is on disk.</returns>
    /// <exception cref="ApiException">409 with the right offset, or when the job has ended; 413 over the limits.</exception>
    public async Task<long> AppendAsync(Resource job, long offset, Stream bytes, CancellationToken ct)
    {
        RefuseEnded(job, RunPhase.IsTerminal(job.Body.Text("status.phase")));
        // Before the lock: a sender that is slow keeps nobody waiting.
        var chunk = await ReadAsync(job, bytes, ct);
        var log = files.PathOf(job);
        using (await files.LockAsync(log, ct))
        {
            RefuseEnded(job, LogFiles.IsSealed(log));
            var length = LogFiles.LengthOf(log);
            if (offset != length) throw WrongOffset(job, offset, length);
            if (length + chunk.Length > limits.LogBytes) throw TooLarge(job, $"a log may have {limits.LogBytes:N0} bytes; this one has {length:N0}");
            if (chunk.Length == 0) return length;
            var secrets = await vault.KnownAsync(job.Namespace, ct);
            try
            {
                LogTimes.Note(log, length, time.GetUtcNow());
                await StoreAsync(job, log, length, chunk, secrets);
            }
            catch (IOException)
            {
                // What was written of it stays: the sender is told where it ends.
                throw ApiException.Unavailable("the log cannot be written: the disk of the data directory takes no more");
            }

            Tell(log);
            return length + chunk.Length;
        }
    }

    /// <summary>Ends a log: from now on nothing is added, in no process. May be repeated.</summary>
    /// <returns>Its length.</returns>
    public async Task<long> SealAsync(Resource job, CancellationToken ct)
    {
        var log = files.PathOf(job);
        using (await files.LockAsync(log, ct))
        {
            if (!LogFiles.IsSealed(log))
            {
                await DecideAsync(job, log);
                await File.WriteAllBytesAsync(log + ".end", [], ct);
            }

            Tell(log);
            files.Forget(log);
            return LogFiles.LengthOf(log);
        }
    }

    /// <summary>
    /// Writes bytes behind those that were held back, with stars over secrets. Readers must at no moment see bytes that are not
    /// decided: what is held says where they stop, and is replaced after the log has grown, or made before.
    /// </summary>
    private async Task StoreAsync(Resource job, string log, long length, ReadOnlyMemory<byte> chunk, KnownSecrets secrets)
    {
        var before = held.Read(log, job.Uid, length) ?? [];
        byte[] clear = [.. before, .. chunk.Span], stored = [.. clear];
        var undecided = LogMask.Apply(secrets, stored);
        stored.AsSpan(stored.Length - undecided).Fill((byte)'*');
        var start = length - before.Length;
        if (before.Length == 0) Hold();
        await WriteAsync(log, start, stored);
        if (before.Length > 0) Hold();

        void Hold()
        {
            if (undecided > 0) held.Write(log, job.Uid, start + clear.Length - undecided, clear.AsSpan(clear.Length - undecided));
            else HeldBytes.Remove(log);
        }
    }

    /// <summary>Nothing more comes: a few bytes are what they seem to be, more of them stay stars.</summary>
    private async Task DecideAsync(Resource job, string log)
    {
        var length = LogFiles.LengthOf(log);
        if (held.Read(log, job.Uid, length) is { Length: > 0 and <= LongestRevealed } last)
        {
            var secrets = await vault.KnownAsync(job.Namespace, CancellationToken.None);
            secrets.Mask(last);
            await WriteAsync(log, length - last.Length, last);
        }

        HeldBytes.Remove(log);
    }

    /// <summary>The log as it is now; null when nothing was written.</summary>
    public async Task<JobLog?> OpenAsync(Resource job, CancellationToken ct)
    {
        var path = files.PathOf(job);
        if (LogFiles.LengthOf(path) == 0) return null;
        var log = IndexOf(path);
        await log.ExtendAsync(ct);
        return log;
    }

    /// <summary>The stored bytes from an offset on, as far as they may be seen now; null when nothing was written. The caller disposes it.</summary>
    public Stream? OpenBytes(Resource job, long from, long? most)
    {
        var path = files.PathOf(job);
        var length = LogFiles.VisibleLengthOf(path);
        if (LogFiles.LengthOf(path) == 0) return null;
        var start = Math.Clamp(from, 0, length);
        return new LogBytes(path, start, Math.Min(length - start, most ?? long.MaxValue));
    }

    /// <summary>Lengths as a log grows, beginning with what it is beyond <paramref name="fromLength"/>; ends when the job has ended and all was said.</summary>
    public async IAsyncEnumerable<long> FollowAsync(Resource job, long fromLength, [EnumeratorCancellation] CancellationToken ct)
    {
        var (path, said) = (files.PathOf(job), fromLength);
        var ended = RunPhase.IsTerminal(job.Body.Text("status.phase"));
        while (true)
        {
            var signal = news.GetOrAdd(path, _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
            // Whether it has ended is looked at first: what came before the end is then seen.
            ended |= LogFiles.IsSealed(path);
            var length = LogFiles.VisibleLengthOf(path);
            if (length > said) yield return said = length;
            // A log that was there and is gone went with its job.
            if (ended || (said > 0 && !File.Exists(path))) yield break;
            await signal.WaitAsync(LookEvery, time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            ct.ThrowIfCancellationRequested();
        }
    }

    private JobLog IndexOf(string path)
    {
        lock (gate)
        {
            var log = indexes.TryGetValue(path, out var known) ? known.Log : new JobLog(path);
            indexes[path] = (log, ++uses);
            if (indexes.Count > IndexesKept) indexes.Remove(indexes.MinBy(i => i.Value.Used).Key);
            return log;
        }
    }

    private void Tell(string log)
    {
        if (news.TryRemove(log, out var waiting)) waiting.TrySetResult();
    }

    private async Task<ReadOnlyMemory<byte>> ReadAsync(Resource job, Stream bytes, CancellationToken ct)
    {
        var chunk = new ArrayBufferWriter<byte>(64 << 10);
        while (true)
        {
            var read = await bytes.ReadAsync(chunk.GetMemory(64 << 10), ct);
            if (read == 0) return chunk.WrittenMemory;
            chunk.Advance(read);
            if (chunk.WrittenCount > limits.ChunkBytes) throw TooLarge(job, $"one append may have {limits.ChunkBytes:N0} bytes; send several");
        }
    }

    /// <summary>Not cancelled half-way: what is written is then also told.</summary>
    private static async Task WriteAsync(string log, long at, ReadOnlyMemory<byte> bytes)
    {
        await using var file = new FileStream(log, FileMode.OpenOrCreate, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, 1);
        file.Position = at;
        await file.WriteAsync(bytes, CancellationToken.None);
        file.Flush(flushToDisk: true);
    }

    private static void RefuseEnded(Resource job, bool ended)
    {
        if (ended) throw ApiException.Conflict(job.Kind, job.Name, "the job has ended; its log takes no more");
    }

    private static ApiException WrongOffset(Resource job, long offset, long length) =>
        new(409, "Conflict", $"the log of job \"{job.Name}\" has {length} bytes: go on at offset={length}, not {offset}") { Subject = (job.Kind.Group, job.Kind.Plural, job.Name), Offset = length };

    private static ApiException TooLarge(Resource job, string why) =>
        new(413, "RequestEntityTooLarge", $"the log of job \"{job.Name}\" takes no more: {why}") { Subject = (job.Kind.Group, job.Kind.Plural, job.Name) };
}
