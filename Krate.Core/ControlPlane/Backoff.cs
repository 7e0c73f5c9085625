namespace Krate.Core.ControlPlane;

/// <summary>How long to wait after the n-th failure in a row: doubling, bounded, and spread so that equal failures do not come back together.</summary>
/// <param name="First">Longest wait after the first failure.</param>
/// <param name="Most">Never longer than this.</param>
/// <param name="Jitter">Share of the wait that is left to chance, 0 to 1.</param>
internal sealed record Backoff(TimeSpan First, TimeSpan Most, double Jitter = 0.3)
{
    public static Backoff Default { get; } = new(TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(5));

    /// <summary>0 to 1; a test may fix it.</summary>
    public Func<double> Chance { get; init; } = Random.Shared.NextDouble;

    public TimeSpan Delay(int failures)
    {
        // Beyond 2^30 the product only overflows; the bound has long been reached.
        var factor = Math.Pow(2, Math.Clamp(failures - 1, 0, 30));
        var whole = Math.Min(First.TotalMilliseconds * factor, Most.TotalMilliseconds);
        return TimeSpan.FromMilliseconds(whole * (1 - (Jitter * Chance())));
    }
}
