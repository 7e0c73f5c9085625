namespace Krate.Core.Store.Commits;

/// <summary>What changes in the label index when a row goes from one state to another. Most writes (statuses) change nothing.</summary>
internal sealed record IndexChange(IReadOnlyList<string> Gone, IReadOnlyList<KeyValuePair<string, string>> Set)
{
    public static IndexChange Between(RowState? before, RowState? after)
    {
        var old = before?.Index ?? [];
        var wanted = after?.Index ?? [];
        if (old.Count == 0) return new([], wanted);
        var had = old.ToDictionary(StringComparer.Ordinal);
        var set = wanted.Where(w => !had.TryGetValue(w.Key, out var value) || value != w.Value).ToList();
        foreach (var (key, _) in wanted) had.Remove(key);
        return new([.. had.Keys], set);
    }
}
