using System.Globalization;

namespace Krate.Benchmarks;

/// <summary>Markdown tables, ready for docs/benchmarks.md, printed row by row as the figures come.</summary>
internal sealed class Report(TextWriter output)
{
    public void Section(string title, params string[] columns)
    {
        output.WriteLine();
        output.WriteLine($"### {title}");
        output.WriteLine();
        output.WriteLine($"| {string.Join(" | ", columns)} |");
        output.WriteLine($"| {string.Join(" | ", columns.Select((_, i) => i == 0 ? "---" : "---:"))} |");
    }

    public void Row(params object[] cells)
    {
        output.WriteLine($"| {string.Join(" | ", cells.Select(Text))} |");
        output.Flush();
    }

    private static string Text(object cell) => cell switch
    {
        double d => d.ToString(d >= 100 ? "N0" : d >= 10 ? "N1" : "N2", CultureInfo.InvariantCulture),
        IFormattable f => f.ToString("N0", CultureInfo.InvariantCulture),
        _ => cell.ToString() ?? "",
    };
}

/// <summary>Rates and percentiles.</summary>
internal static class Measure
{
    public static TimeSpan Since(long start) => TimeProvider.System.GetElapsedTime(start);

    public static long Now => TimeProvider.System.GetTimestamp();

    /// <summary>Operations per second of <paramref name="writers"/> loops that run for a while, after a warm-up.</summary>
    public static async Task<double> RateAsync(int writers, TimeSpan length, Func<int, int, Task> operation)
    {
        await LoopAsync(writers, length / 4, operation, -1_000_000_000);
        var start = Now;
        var done = await LoopAsync(writers, length, operation, 0);
        return done / Since(start).TotalSeconds;
    }

    /// <summary>Milliseconds at the given percentiles.</summary>
    public static double[] Percentiles(List<double> milliseconds, params double[] at)
    {
        milliseconds.Sort();
        return [.. at.Select(p => milliseconds[Math.Min(milliseconds.Count - 1, (int)(milliseconds.Count * p))])];
    }

    /// <summary>Milliseconds of single runs, after a warm-up.</summary>
    public static async Task<List<double>> TimesAsync(int runs, Func<Task> operation)
    {
        for (var i = 0; i < Math.Max(10, runs / 10); i++) await operation();
        var times = new List<double>(runs);
        for (var i = 0; i < runs; i++)
        {
            var start = Now;
            await operation();
            times.Add(Since(start).TotalMilliseconds);
        }

        return times;
    }

    private static async Task<int> LoopAsync(int writers, TimeSpan length, Func<int, int, Task> operation, int first)
    {
        var start = Now;
        var done = 0;
        await Task.WhenAll(Enumerable.Range(0, writers).Select(writer => Task.Run(async () =>
        {
            for (var i = first; Since(start) < length; i++)
            {
                await operation(writer, i);
                Interlocked.Increment(ref done);
            }
        })));
        return done;
    }
}
