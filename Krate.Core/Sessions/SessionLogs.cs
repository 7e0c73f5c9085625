using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Text;
using Krate.Core.Agents;
using Krate.Core.Resources;

namespace Krate.Core.Sessions;

/// <summary>
/// What happened in sessions, in the order in which it happened. Whoever calls has asked the gateway. Thread-safe; other processes may write to the same
/// directory, each attempt has one writer.
/// </summary>
public sealed class SessionLogs
{
    /// <summary>A session keeps at most so many events, and bytes; then only its end.</summary>
    public const int MostEvents = 200_000;

    /// <summary>As <see cref="MostEvents"/>.</summary>
    public const long MostBytes = 256L << 20;

    private const int KeptInMemory = 4 << 20, PageEvents = 500, PageBytes = 4 << 20, IndexesKept = 128;
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1), Young = TimeSpan.FromHours(1);
    private readonly SessionFiles files;
    private readonly TimeProvider time;
    private readonly ConcurrentDictionary<string, SessionTail> tails = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, LineStarts> indexes = new(StringComparer.Ordinal);

    internal SessionLogs(SessionFiles files, TimeProvider time) => (this.files, this.time) = (files, time);

    /// <summary>Events after a sequence number, a page of them.</summary>
    public IReadOnlyList<SessionEvent> Read(Resource attempt, long after)
    {
        var path = files.PathOf(attempt);
        if (tails.TryGetValue(path, out var tail) && tail.After(after, PageEvents) is { } recent) return recent;
        if (indexes.Count > IndexesKept) indexes.Clear();
        var starts = indexes.GetOrAdd(path, _ => new LineStarts());
        return [.. SessionFiles.ReadLines(path, starts.Find(path, after), PageEvents, PageBytes).Select(l => SessionEvent.Read(KrateJson.ParseObject(l.Line)))];
    }

    /// <summary>Events after a sequence number and then as they come, in batches, until the session has ended and all was said.</summary>
    public async IAsyncEnumerable<IReadOnlyList<SessionEvent>> FollowAsync(Resource attempt, long after, [EnumeratorCancellation] CancellationToken ct)
    {
        var path = files.PathOf(attempt);
        while (true)
        {
            // Before the look: what comes after it wakes.
            var news = tails.TryGetValue(path, out var tail) ? tail.Next : null;
            var batch = Read(attempt, after);
            if (batch.Count > 0)
            {
                after = batch[^1].Sequence;
                yield return batch;
                if (batch[^1].IsLast) yield break;
                continue;
            }

            // Written by another process, or not begun: it is looked for.
            await (news ?? new TaskCompletionSource().Task).WaitAsync(LookEvery, time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            ct.ThrowIfCancellationRequested();
        }
    }

    /// <summary>Deletes what was said in attempts that are gone; a file may be younger than a list of all.</summary>
    /// <param name="alive">Uids of attempts; asked only when there is something old.</param>
    /// <returns>How many were deleted.</returns>
    internal async Task<int> SweepAsync(Func<CancellationToken, Task<IReadOnlySet<string>>> alive, CancellationToken ct)
    {
        if (!Directory.Exists(files.Root)) return 0;
        var latest = time.GetUtcNow().UtcDateTime - Young;
        var old = Directory.EnumerateFiles(files.Root, "*.jsonl", SearchOption.AllDirectories).Where(f => File.GetLastWriteTimeUtc(f) < latest).ToList();
        if (old.Count == 0) return 0;
        var kept = await alive(ct);
        var gone = old.Where(f => !kept.Contains(Path.GetFileNameWithoutExtension(f))).ToList();
        foreach (var path in gone) File.Delete(path);
        return gone.Count;
    }

    /// <summary>The one writer of an attempt.</summary>
    /// <exception cref="IOException">Another one writes.</exception>
    internal SessionWriter Open(Resource attempt)
    {
        var path = files.PathOf(attempt);
        var held = files.Lock(attempt);
        try
        {
            var file = files.OpenForWriting(attempt);
            var last = LastOf(path);
            var tail = tails[path] = new SessionTail(last, KeptInMemory);
            return new SessionWriter(file, tail, last, time, () =>
            {
                tails.TryRemove(path, out _);
                held.Dispose();
            });
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    private static long LastOf(string path)
    {
        long last = 0, offset = 0;
        while (SessionFiles.ReadLines(path, offset, PageEvents, PageBytes) is { Count: > 0 } lines)
        {
            last += lines.Count;
            offset = lines[^1].Offset + Encoding.UTF8.GetByteCount(lines[^1].Line) + 1;
        }

        return last;
    }

    /// <summary>Where every so many lines begin. Thread-safe.</summary>
    private sealed class LineStarts
    {
        private const int Every = 256;
        private readonly List<long> starts = [0];
        private readonly Lock gate = new();

        /// <returns>Offset of the line after so many; the end where there are fewer.</returns>
        public long Find(string path, long lines)
        {
            lock (gate)
            {
                var at = (int)Math.Min(lines / Every, starts.Count - 1);
                var (line, offset) = ((long)at * Every, starts[at]);
                while (line < lines)
                {
                    var read = SessionFiles.ReadLines(path, offset, (int)Math.Min(Every - (line % Every), lines - line), PageBytes);
                    if (read.Count == 0) break;
                    line += read.Count;
                    offset = read[^1].Offset + Encoding.UTF8.GetByteCount(read[^1].Line) + 1;
                    if (line % Every == 0 && line / Every == starts.Count) starts.Add(offset);
                }

                return offset;
            }
        }
    }
}

/// <summary>The last events of a session that is written here, for all who follow it. Thread-safe.</summary>
/// <param name="most">Characters that are kept.</param>
internal sealed class SessionTail(long before, int most)
{
    private readonly Lock gate = new();
    private readonly Queue<(SessionEvent Event, int Size)> events = new();
    private long kept;
    private TaskCompletionSource next = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long last = before;

    /// <summary>Ends when something more is there.</summary>
    public Task Next => Volatile.Read(ref next).Task;

    /// <returns>Null when they are not all here any more.</returns>
    public IReadOnlyList<SessionEvent>? After(long sequence, int page)
    {
        lock (gate)
        {
            if (sequence >= last) return [];
            if (events.Count == 0 || events.Peek().Event.Sequence > sequence + 1) return null;
            return [.. events.Select(e => e.Event).SkipWhile(e => e.Sequence <= sequence).Take(page)];
        }
    }

    public void Add(IReadOnlyList<(SessionEvent Event, int Size)> batch)
    {
        lock (gate)
        {
            foreach (var e in batch)
            {
                events.Enqueue(e);
                kept += e.Size;
            }

            while (kept > most && events.Count > 1) kept -= events.Dequeue().Size;
            last = batch[^1].Event.Sequence;
        }

        Interlocked.Exchange(ref next, new(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
    }
}

/// <summary>Appends to a session; what an append answered is on disk. One caller.</summary>
internal sealed class SessionWriter(FileStream file, SessionTail tail, long before, TimeProvider time, Action closed) : IDisposable
{
    private long last = before;

    public long Last => last;

    /// <exception cref="IOException">The disk takes no more.</exception>
    public async Task AppendAsync(IEnumerable<AgentEvent> events)
    {
        var now = time.GetUtcNow();
        var batch = new List<(SessionEvent Event, int Size)>();
        var text = new StringBuilder();
        foreach (var e in events)
        {
            var isFull = last + batch.Count >= SessionLogs.MostEvents || file.Length + text.Length >= SessionLogs.MostBytes;
            if (isFull && e.Type != AgentEventTypes.Ended) continue;
            var said = new SessionEvent(last + batch.Count + 1, now, e.Type, e.Data);
            var line = KrateJson.ToText(said.ToJson());
            text.Append(line).Append('\n');
            batch.Add((said, line.Length));
        }

        if (batch.Count == 0) return;
        // Not cancelled half-way: what is written is then also told.
        await file.WriteAsync(Encoding.UTF8.GetBytes(text.ToString()), CancellationToken.None);
        file.Flush(flushToDisk: true);
        last = batch[^1].Event.Sequence;
        tail.Add(batch);
    }

    public void Dispose()
    {
        file.Dispose();
        closed();
    }
}
