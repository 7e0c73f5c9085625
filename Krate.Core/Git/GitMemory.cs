using System.Collections.Concurrent;

namespace Krate.Core.Git;

/// <summary>Answers of git that never change, because commits do not. Forgets all when it holds too much. Thread-safe.</summary>
/// <param name="max">How much is kept, in the measure of <see cref="Keep"/>.</param>
internal sealed class GitMemory<TKey, TValue>(int max)
    where TKey : notnull
    where TValue : class
{
    private readonly ConcurrentDictionary<TKey, TValue> known = new();
    private int held;

    public TValue? Find(TKey key) => known.GetValueOrDefault(key);

    public TValue Keep(TKey key, TValue value, int size = 1)
    {
        if (Interlocked.Add(ref held, size) > max)
        {
            known.Clear();
            Interlocked.Exchange(ref held, size);
        }

        return known[key] = value;
    }
}
