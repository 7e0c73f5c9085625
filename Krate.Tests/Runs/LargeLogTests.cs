using System.Diagnostics;
using System.Globalization;
using System.Text;
using Krate.Core.Resources;
using Krate.Core.Runs;
using Krate.Tests.Repositories;
using Xunit;

namespace Krate.Tests.Runs;

/// <summary>Logs of a size that no test suite should write, but one did.</summary>
[Collection(typeof(GitCollection))]
public sealed class LargeLogTests(GitWorld world) : CiWork(world)
{
    [Fact]
    public async Task A_million_lines_open_jump_and_search_at_once()
    {
        var (_, _, job) = await NewRunAsync();
        await FillAsync(job, Enumerable.Range(1, 1_000_000), i => string.Create(CultureInfo.InvariantCulture, $"{i:0000000} step {i % 977}: the quick brown fox compiles {(i == 777_777 ? "NEEDLE" : "nothing")} in the lazy dog's tree, again and again\n"));
        await Logs.OpenAsync(job, Ct);
        var since = Stopwatch.GetTimestamp();
        var log = (await Logs.OpenAsync(job, Ct))!;
        Assert.Equal(1_000_000, log.LineCount);
        foreach (var number in new long[] { 1, 2, 500_000, 777_777, 999_999, 1_000_000 })
            Assert.StartsWith(number.ToString("0000000", CultureInfo.InvariantCulture), (await log.ReadLinesAsync(number - 1, 1, Ct))[0].Text, StringComparison.Ordinal);
        var (jumped, searching) = (Stopwatch.GetElapsedTime(since), Stopwatch.GetTimestamp());
        var matches = await log.SearchAsync("needle", 0, 100, Ct);
        var searched = Stopwatch.GetElapsedTime(searching);
        TestContext.Current.TestOutputHelper?.WriteLine($"{log.Length:N0} bytes; six jumps {jumped.TotalMilliseconds:0.0} ms; search {searched.TotalMilliseconds:0} ms");
        Assert.Equal((777_777L, 1L, true), (matches.Lines.Single(), matches.Count, matches.IsComplete));
        Assert.True(jumped < TimeSpan.FromSeconds(1) && searched < TimeSpan.FromSeconds(2), $"{jumped} {searched}");
        Assert.Equal(JobLog.MostCounted, (await log.SearchAsync("QUICK", 999_990, 3, Ct)).Count);
        Assert.Equal([999_991L, 999_992L, 999_993L], (await log.SearchAsync("QUICK", 999_990, 3, Ct)).Lines);
    }

    [Fact]
    public async Task One_line_of_a_hundred_megabytes_is_a_line_like_any_other()
    {
        var (_, _, job) = await NewRunAsync();
        var block = new string('a', 1 << 20);
        await FillAsync(job, Enumerable.Range(0, 102), i => i switch { 0 => "first\n", 101 => "end\nlast", _ => block });
        var log = (await Logs.OpenAsync(job, Ct))!;
        Assert.Equal(3, log.LineCount);
        var lines = await log.ReadLinesAsync(0, 10, Ct);
        Assert.Equal(["first", "last"], [lines[0].Text, lines[2].Text]);
        Assert.Equal((JobLog.LongestLine, (100L << 20) + 3 - JobLog.LongestLine), (lines[1].Text.Length, lines[1].CutBytes));
        Assert.Equal([2L], (await log.SearchAsync("AEND", 0, 5, Ct)).Lines);
    }

    /// <summary>Past HTTP, in the largest appends.</summary>
    private async Task FillAsync<T>(Resource job, IEnumerable<T> items, Func<T, string> text)
    {
        var (offset, chunk) = (0L, new MemoryStream());
        foreach (var item in items)
        {
            chunk.Write(Encoding.UTF8.GetBytes(text(item)));
            if (chunk.Length > 7 << 20) await FlushAsync();
        }

        await FlushAsync();
        await Logs.SealAsync(job, Ct);

        async Task FlushAsync()
        {
            chunk.Position = 0;
            offset = await Logs.AppendAsync(job, offset, chunk, Ct);
            chunk.SetLength(0);
        }
    }
}
