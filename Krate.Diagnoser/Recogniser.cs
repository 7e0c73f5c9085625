using System.Globalization;
using System.Text.RegularExpressions;

namespace Krate.Diagnoser;

/// <summary>How much a line says.</summary>
internal enum Rank
{
    /// <summary>What is wrong, in which file or test.</summary>
    Place,

    /// <summary>What is wrong.</summary>
    Error,

    /// <summary>That something is.</summary>
    Hint,

    /// <summary>That another tool has failed.</summary>
    Closing,
}

/// <summary>A place as a log says it.</summary>
internal sealed record LoggedPlace(string File, int? Line, int? Column);

/// <summary>What a tool said about its failure.</summary>
/// <param name="LogLine">Where it begins in the log.</param>
/// <param name="Places">The likeliest first.</param>
/// <param name="Test">Name of the test that failed.</param>
/// <param name="Target">What else it is about: a target of make, a program, a package, a project.</param>
internal sealed record Failure(Recogniser By, Cause Cause, long LogLine, string Message, IReadOnlyList<LoggedPlace> Places, string? Test, string? Target);

/// <summary>
/// One way in which a tool says that something failed. The first line is what it is known by; the lines around it may tell the message, the places, the test.
/// Groups of the patterns are called <c>file</c>, <c>line</c>, <c>column</c>, <c>message</c>, <c>test</c> and <c>target</c>.
/// </summary>
internal sealed record Recogniser(string Tool, Rank Rank, Cause Cause, string First)
{
    private const int MostPlaces = 40;

    /// <summary>What has to be near; null for nothing.</summary>
    public string? Needs { get; init; }

    /// <summary>Lines that tell more, looked for after the first line and then before it, nearest first.</summary>
    public string? Around { get; init; }

    /// <summary>What belongs to something else begins here.</summary>
    public string? Until { get; init; }

    public int Before { get; init; }

    public int After { get; init; }

    /// <summary>The message is what follows the first line.</summary>
    public bool SaysNext { get; init; }

    /// <summary>The message is what follows the first line around that is like this.</summary>
    public string? SaysAfter { get; init; }

    /// <summary>What to try next: <c>{file}</c>, <c>{folder}</c>, <c>{test}</c> and <c>{target}</c> stand for what was found.</summary>
    public IReadOnlyList<string> Next { get; init; } = [];

    private readonly Regex first = Patterns.Of(First);
    private Regex? needs, around, until, after;

    /// <returns>Null when the line does not begin such a failure.</returns>
    public Failure? Read(IReadOnlyList<KeptLine> lines, int at)
    {
        var match = first.Match(lines[at].Text);
        if (!match.Success) return null;
        var near = Forward(lines, at).Concat(Backward(lines, at)).ToList();
        if (Needs is not null && !near.Any(l => (needs ??= Patterns.Of(Needs)).IsMatch(l))) return null;
        Match[] told = [match, .. Around is null ? [] : near.Select(l => (around ??= Patterns.Of(Around)).Match(l)).Where(m => m.Success)];
        var message = SaysNext ? Following(Forward(lines, at)) : FirstOf(told, "message");
        if (message is null && SaysAfter is not null) message = Following(Forward(lines, at).SkipWhile(l => !(after ??= Patterns.Of(SaysAfter)).IsMatch(l)).Skip(1));
        message ??= lines[at].Text.Trim();
        var places = told.Where(m => m.Groups["file"].Success).Select(m => new LoggedPlace(m.Groups["file"].Value, NumberOf(m, "line"), NumberOf(m, "column"))).Distinct().Take(MostPlaces).ToList();
        return new(this, Causes.Of($"{lines[at].Text}\n{message}", Cause), lines[at].Number, message, places, FirstOf(told, "test"), FirstOf(told, "target"));
    }

    private IEnumerable<string> Forward(IReadOnlyList<KeptLine> lines, int at) => Near(Enumerable.Range(at + 1, Math.Min(After, lines.Count - at - 1)), lines);

    private IEnumerable<string> Backward(IReadOnlyList<KeptLine> lines, int at) => Near(Enumerable.Range(1, Math.Min(Before, at)).Select(i => at - i), lines);

    private IEnumerable<string> Near(IEnumerable<int> range, IReadOnlyList<KeptLine> lines)
    {
        foreach (var i in range)
        {
            if (Until is not null && (until ??= Patterns.Of(Until)).IsMatch(lines[i].Text)) yield break;
            yield return lines[i].Text;
        }
    }

    /// <summary>The next line that says something, and what it announces with a colon.</summary>
    private static string? Following(IEnumerable<string> lines)
    {
        string? message = null;
        foreach (var line in lines.Select(l => l.Trim()).Where(l => l.Length > 0 && !Announces(l)))
        {
            message = message is null ? line : $"{message} {line}";
            if (!message.EndsWith(':')) break;
        }

        return message;
    }

    /// <summary>Labels of what follows, and of where a test comes from.</summary>
    private static bool Announces(string line) => line is "Error Message:" or "---" || line.StartsWith("from /", StringComparison.Ordinal);

    private static string? FirstOf(Match[] told, string group) => told.Select(m => m.Groups[group].Value.Trim()).FirstOrDefault(v => v.Length > 0);

    private static int? NumberOf(Match match, string group) => int.TryParse(match.Groups[group].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0 ? number : null;
}
