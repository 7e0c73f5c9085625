using Krate.Core.Runs;

namespace Krate.Web.Features.Runs;

/// <summary>The groups of a log by their lines. Immutable.</summary>
public sealed class LogGroups
{
    public static readonly LogGroups None = new([], 0);

    private readonly IReadOnlyList<LogGroup> all;
    private readonly Dictionary<long, LogGroup> byLine;
    private readonly long lines;

    /// <param name="all">In order, none in another.</param>
    /// <param name="lines">How many lines the log has: where a group ends that is open.</param>
    public LogGroups(IReadOnlyList<LogGroup> all, long lines)
    {
        this.all = all;
        this.lines = lines;
        byLine = all.ToDictionary(g => g.Line);
    }

    /// <summary>The group that a line opens.</summary>
    public LogGroup? FindAt(long number) => byLine.GetValueOrDefault(number);

    /// <summary>How many lines stand behind the one that opens it.</summary>
    public long LinesIn(LogGroup group) => LastOf(group) - group.Line;

    /// <summary>The line that opens the group around a line.</summary>
    public long? Around(long number) => all.FirstOrDefault(g => g.Line < number && number <= LastOf(g))?.Line;

    /// <summary>First and last line of some groups, counted from 0.</summary>
    /// <param name="closed">The lines that open them.</param>
    public IEnumerable<(long First, long Last)> Ranges(IReadOnlySet<long> closed) => all.Where(g => closed.Contains(g.Line)).Select(g => (g.Line - 1, LastOf(g) - 1));

    private long LastOf(LogGroup group) => group.Last ?? Math.Max(group.Line, lines);
}
