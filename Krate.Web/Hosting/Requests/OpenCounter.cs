using System.Collections.Concurrent;

namespace Krate.Web.Hosting.Requests;

/// <summary>Counts what is open at once, by key. Thread-safe; a key that has nothing open takes no memory.</summary>
internal sealed class OpenCounter
{
    private readonly ConcurrentDictionary<string, int> open = new(StringComparer.Ordinal);

    /// <summary>Counts one more, unless that would be more than the limit.</summary>
    public bool TryEnter(string key, int limit)
    {
        if (open.AddOrUpdate(key, 1, (_, count) => count + 1) <= limit) return true;
        Leave(key);
        return false;
    }

    public void Leave(string key)
    {
        var left = open.AddOrUpdate(key, 0, (_, count) => count - 1);
        if (left <= 0) open.TryRemove(new KeyValuePair<string, int>(key, left));
    }
}
