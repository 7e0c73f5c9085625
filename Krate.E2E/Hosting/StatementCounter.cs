using System.Globalization;
using Krate.Tests.Testing;
using Xunit;

namespace Krate.E2E.Hosting;

/// <summary>How many SQL statements a Krate has sent, by its own <c>/metrics</c>.</summary>
internal sealed class StatementCounter(KrateProcess krate) : IDisposable
{
    private const string Metric = "krate_store_statements";
    private readonly HttpClient client = new() { BaseAddress = krate.Http };

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>The count once it stands still: what was asked before may still be at work.</summary>
    public async Task<long> AtRestAsync()
    {
        // Longer than the exporter keeps an answer.
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(350));
        for (var (before, attempt) = (-1L, 0); attempt < 60; attempt++)
        {
            var now = await ReadAsync();
            if (now == before) return now;
            before = now;
            await timer.WaitForNextTickAsync(Ct);
        }

        throw new InvalidOperationException("Krate sends SQL all the time");
    }

    public async Task<long> ReadAsync()
    {
        var text = await client.GetStringAsync(new Uri("/metrics", UriKind.Relative), Ct);
        var line = text.Split('\n').Single(l => l.StartsWith(Metric, StringComparison.Ordinal));
        return (long)double.Parse(line[(line.IndexOf('}', StringComparison.Ordinal) + 1)..].Trim().Split(' ')[0], CultureInfo.InvariantCulture);
    }

    public void Dispose() => client.Dispose();
}
