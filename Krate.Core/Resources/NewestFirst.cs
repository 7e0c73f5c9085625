namespace Krate.Core.Resources;

/// <summary>
/// A numbered kind by falling number instead of by name: one repository of one namespace, which the field selector names. For
/// Krate's own pages; the REST API lists by name, as Kubernetes does.
/// </summary>
/// <param name="Before">Only smaller numbers: what is older.</param>
/// <param name="After">Only greater numbers, the nearest of them: what is newer.</param>
public sealed record NewestFirst(long? Before = null, long? After = null)
{
    /// <summary>Beyond this many they are not counted.</summary>
    public const int MostCounted = 10_000;

    /// <summary>Whether to count all that match, wherever the page is.</summary>
    public bool Counted { get; init; }
}
