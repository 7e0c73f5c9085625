using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace Krate.Web.Live;

/// <summary>
/// Holds what prerendering loaded for the short time until the page's circuit asks for it. The page carries only the key, so
/// neither the HTML nor the first message of the circuit grows with the data. Each entry is given out once.
/// </summary>
public sealed class Handover(TimeProvider time)
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(30);
    private const int MaxEntries = 1000;

    private readonly ConcurrentDictionary<string, (long At, Dictionary<string, object> Bag)> entries = new(StringComparer.Ordinal);

    /// <summary>Opens an entry that the caller fills while it prerenders.</summary>
    public (string Key, Dictionary<string, object> Bag) Open()
    {
        Sweep();
        var key = Convert.ToHexString(RandomNumberGenerator.GetBytes(16));
        var bag = new Dictionary<string, object>(StringComparer.Ordinal);
        // A flood of page loads without circuits costs a second load, not memory.
        if (entries.Count < MaxEntries) entries[key] = (time.GetTimestamp(), bag);
        return (key, bag);
    }

    /// <summary>What was left under the key; null when it was taken before or is too old.</summary>
    public Dictionary<string, object>? Take(string key) =>
        entries.TryRemove(key, out var entry) && time.GetElapsedTime(entry.At) < Lifetime ? entry.Bag : null;

    private void Sweep()
    {
        foreach (var (key, (at, _)) in entries)
            if (time.GetElapsedTime(at) >= Lifetime) entries.TryRemove(key, out _);
    }
}
