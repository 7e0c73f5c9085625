namespace Krate.Core.Store.Feed;

/// <summary>The newest changes, contiguous, bounded by count and by bytes. Not thread-safe.</summary>
internal sealed class RecentChanges(int capacity, long maxBytes)
{
    private readonly Queue<LogEntry> entries = new();
    private long bytes;

    /// <summary>Everything after this version is here.</summary>
    public long From { get; private set; }

    public void StartAt(long version)
    {
        entries.Clear();
        bytes = 0;
        From = version;
    }

    public void Add(LogEntry entry)
    {
        entries.Enqueue(entry);
        bytes += Weight(entry);
        while (entries.Count > capacity || bytes > maxBytes)
        {
            var oldest = entries.Dequeue();
            bytes -= Weight(oldest);
            From = oldest.Version;
        }
    }

    public List<Change> After(long version, ChangeFilter filter) =>
        [.. entries.Where(e => e.Version > version).Select(e => e.Change).OfType<Change>().Where(filter.Admits)];

    private static int Weight(LogEntry e) => e.Change is { } c ? c.After.Utf8.Length + (c.Before?.Utf8.Length ?? 0) : 0;
}
