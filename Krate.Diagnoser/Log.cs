using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Krate.Core.Runs;

namespace Krate.Diagnoser;

/// <summary>A line of a log as it is looked at: without colours, the time before it, and what is too long to say something.</summary>
/// <param name="Number">In the log, from 1.</param>
internal readonly record struct KeptLine(long Number, string Text);

/// <summary>What is kept of a log: all of a short one; of a long one its beginning, what is around its errors, and its end. Immutable.</summary>
/// <param name="Lines">In order.</param>
/// <param name="LineCount">Lines of the whole log.</param>
/// <param name="IsCut">Lines are missing in between.</param>
internal sealed record Log(IReadOnlyList<KeptLine> Lines, long LineCount, bool IsCut);

/// <summary>Reads a log of any length into bounded memory.</summary>
internal sealed partial class LogReader
{
    /// <summary>Bytes of a line that are looked at.</summary>
    private const int LongestLine = 4000;

    /// <summary>Characters of the beginning, and of all that is around errors: the log that a prompt carries is below the first.</summary>
    private const int Beginning = 512 << 10, AroundErrors = 1 << 20;

    private const int LinesBefore = 80, LinesAfter = 80, LinesAtEnd = 400;
    private readonly List<KeptLine> kept = [];
    private readonly Queue<KeptLine> last = new(LinesAtEnd + 1);
    private long number;
    private int begun, around, wanted;
    private bool isCut;

    public static Task<Log> ReadAsync(string text, CancellationToken ct) => ReadAsync(new MemoryStream(Encoding.UTF8.GetBytes(text)), ct);

    public static async Task<Log> ReadAsync(Stream stream, CancellationToken ct)
    {
        var reader = new LogReader();
        await foreach (var line in BoundedLines.ReadAsync(stream, LongestLine, ct)) reader.Take(line.Text);
        return reader.Finish();
    }

    private void Take(string raw)
    {
        number++;
        // A step of progress writes over the one before it.
        var text = FailureSignature.Clean(raw[(raw.LastIndexOf('\r') + 1)..]);
        if (LeftOut().Match(text) is { Success: true } gap && long.TryParse(gap.Groups["to"].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var to) && to > number)
        {
            (number, isCut) = (to, true);
            return;
        }

        var line = new KeptLine(number, text);
        if (begun + text.Length < Beginning)
        {
            begun += text.Length + 1;
            kept.Add(line);
            return;
        }

        begun = Beginning;
        last.Enqueue(line);
        if (around < AroundErrors && FailureSignature.RankOf(text) is not null) KeepLast(LinesBefore);
        else if (wanted > 0 && around < AroundErrors) KeepLast(1);
        if (last.Count > LinesAtEnd) (_, isCut) = (last.Dequeue(), true);
    }

    /// <summary>The latest lines, of those that are not kept yet.</summary>
    private void KeepLast(int count)
    {
        wanted = count == 1 ? wanted - 1 : LinesAfter;
        while (last.Count > count) (_, isCut) = (last.Dequeue(), true);
        foreach (var line in last) around += line.Text.Length + 1;
        kept.AddRange(last);
        last.Clear();
    }

    private Log Finish() => new([.. kept, .. last], number, isCut);

    /// <summary>How a prompt says that it does not carry the whole log.</summary>
    [GeneratedRegex(@"^\[lines \d{1,15} to (?<to>\d{1,15}) are left out\]$", RegexOptions.CultureInvariant)]
    private static partial Regex LeftOut();
}
