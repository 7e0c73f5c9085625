using Krate.Core.Runs;

namespace Krate.Web.Features.Runs;

/// <summary>What was looked for in a log, and the line of it that is looked at.</summary>
/// <param name="Lines">Numbers of the lines that have it, in order.</param>
/// <param name="IsCut">There may be more.</param>
/// <param name="At">Index into <paramref name="Lines"/>.</param>
public sealed record LogFound(string Text, IReadOnlyList<long> Lines, bool IsCut, int At)
{
    private const int MostLines = 10_000;

    /// <param name="near">The line that one looks at, counted from 0: the first found from there on is shown first.</param>
    public static async Task<LogFound> OfAsync(JobLog log, string text, long near, CancellationToken ct)
    {
        var matches = await log.SearchAsync(text, 0, MostLines, ct);
        var at = matches.Lines.TakeWhile(l => l <= near).Count();
        return new(text, matches.Lines, matches.Count > matches.Lines.Count || !matches.IsComplete, at < matches.Lines.Count ? at : 0);
    }
}
