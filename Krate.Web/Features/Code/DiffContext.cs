using Krate.Core.Git;

namespace Krate.Web.Features.Code;

/// <summary>Lines that a diff leaves out, between its hunks and at its ends, some at a time. Pure.</summary>
public static class DiffContext
{
    private const int Step = 20;

    /// <summary>How many lines are left out above a hunk.</summary>
    public static int HiddenAbove(IReadOnlyList<DiffHunk> hunks, int at) => FirstNew(hunks[at]) - (at == 0 ? 1 : EndNew(hunks[at - 1]));

    /// <summary>Whether the new file goes on below the last hunk, as far as the hunk tells.</summary>
    public static bool MayGoOn(IReadOnlyList<DiffHunk> hunks) => hunks is [.., { Lines: [.., { Kind: DiffLineKind.Context, HasEnd: true }] }];

    /// <summary>Shows more above the hunk; one that reaches the hunk before it becomes one with it.</summary>
    /// <param name="at">Index of the hunk; behind the last one for more at the end.</param>
    /// <param name="lines">Of the new file.</param>
    public static IReadOnlyList<DiffHunk> More(IReadOnlyList<DiffHunk> hunks, int at, IReadOnlyList<string> lines) =>
        at < hunks.Count ? Above(hunks, at, lines) : [.. hunks.SkipLast(1), Below(hunks[^1], lines)];

    private static IReadOnlyList<DiffHunk> Above(IReadOnlyList<DiffHunk> hunks, int at, IReadOnlyList<string> lines)
    {
        var (hunk, hidden) = (hunks[at], HiddenAbove(hunks, at));
        var more = Lines(FirstOld(hunk), FirstNew(hunk), -Math.Min(Step, hidden), lines);
        var grown = Of(hunk.Heading, [.. more, .. hunk.Lines]);
        if (more.Count < hidden || at == 0) return [.. hunks.Take(at), grown, .. hunks.Skip(at + 1)];
        return [.. hunks.Take(at - 1), Of(hunks[at - 1].Heading, [.. hunks[at - 1].Lines, .. grown.Lines]), .. hunks.Skip(at + 1)];
    }

    private static DiffHunk Below(DiffHunk hunk, IReadOnlyList<string> lines) =>
        Of(hunk.Heading, [.. hunk.Lines, .. Lines(EndOld(hunk), EndNew(hunk), Math.Min(Step, lines.Count + 1 - EndNew(hunk)), lines)]);

    /// <param name="count">Below zero: the lines before.</param>
    private static List<DiffLine> Lines(int old, int now, int count, IReadOnlyList<string> lines)
    {
        var back = Math.Min(0, count);
        return [.. Enumerable.Range(back, Math.Abs(count)).Where(n => now + n <= lines.Count).Select(n => new DiffLine(DiffLineKind.Context, old + n, now + n, lines[now + n - 1]))];
    }

    private static DiffHunk Of(string heading, IReadOnlyList<DiffLine> lines) => new(
        lines.Select(l => l.Old).OfType<int>().FirstOrDefault(), lines.Count(l => l.Old is not null),
        lines.Select(l => l.New).OfType<int>().FirstOrDefault(), lines.Count(l => l.New is not null), heading, lines);

    // A side without lines is counted from the line before it.
    private static int FirstOld(DiffHunk hunk) => hunk.OldCount == 0 ? hunk.OldStart + 1 : hunk.OldStart;

    private static int FirstNew(DiffHunk hunk) => hunk.NewCount == 0 ? hunk.NewStart + 1 : hunk.NewStart;

    private static int EndOld(DiffHunk hunk) => FirstOld(hunk) + hunk.OldCount;

    private static int EndNew(DiffHunk hunk) => FirstNew(hunk) + hunk.NewCount;
}
