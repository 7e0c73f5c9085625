using System.Text.RegularExpressions;
using Krate.Core.Agents;
using Krate.Core.Runs;

namespace Krate.Diagnoser;

/// <summary>What a log says went wrong. Pure: it knows the log and the names of the files, and follows rules.</summary>
internal static class LogDiagnosis
{
    private const int LongestMessage = 500, LongestLine = 300, LinesBefore = 3, LinesAfter = 12, MostUnknown = 10;

    /// <summary>Lines in which logs say what they run: traces of shells, marks of CIs, what make prints.</summary>
    private static readonly Regex CommandLine = Patterns.Of(
        @"^(\++|\$|>|##\[command\]|##\[group\]Run) ?(?<command>[^\s>+$].*)$"
        + @"|^(?<command>(gcc|g\+\+|cc|c\+\+|clang|clang\+\+) .*-.*|\./\S+( .*)?|pytest .*|python3? (-\S|\S+\.py).*|node (-\S|\S+\.[cm]?js).*|(ba)?sh (-\S|\S+\.sh).*|npm (run|test|ci|install)\b.*|cargo (build|test|check)\b.*)$"
        + @"|^(?<command>(go (test|build|vet|run|generate|install|mod)|dotnet (build|test|restore|publish|format|run)|git (clone|push|pull|fetch|checkout|merge|rebase))\b.*)$");

    private static readonly Regex Trace = Patterns.Of(@"^\++ \S");

    /// <summary>Steps of a script that do not fail by themselves.</summary>
    private static readonly Regex Trifle = Patterns.Of(@"^(\w+=\S*|(set|echo|exit|export|printf|true|shift|local|declare|ulimit)\b.*|\[.*)$");

    public static Diagnosis Diagnose(string name, Log log, FileTree tree, Breadcrumbs crumbs)
    {
        var known = new Diagnosis
        {
            Log = Shown(name, LongestLine)!, LogLines = log.LineCount, Job = Shown(crumbs.Job, LongestLine), Step = Shown(crumbs.Step, LongestLine), ExitCode = crumbs.ExitCode,
            Command = Shown(crumbs.Command, LongestMessage) is { Length: > 0 } command ? new(command, "job") : null,
        };
        return FirstFailure(log) is { } failure ? Recognised(known, failure, log, tree) : Unknown(known, log);
    }

    /// <summary>Of those that say most, the first.</summary>
    private static Failure? FirstFailure(Log log)
    {
        Failure? best = null;
        for (var at = 0; at < log.Lines.Count; at++)
        {
            // What a shell is about to run says nothing of how that went.
            if (log.Lines[at].Text.Length == 0 || Trace.IsMatch(log.Lines[at].Text)) continue;
            foreach (var recogniser in Recognisers.All)
            {
                if (recogniser.Rank >= (best?.By.Rank ?? (Rank)int.MaxValue) || recogniser.Read(log.Lines, at) is not { } found) continue;
                best = found;
                if (best.By.Rank == Rank.Place) return best;
            }
        }

        return best;
    }

    private static Diagnosis Recognised(Diagnosis known, Failure failure, Log log, FileTree tree)
    {
        var (place, missing) = PlaceOf(failure, tree);
        return known with
        {
            Cause = failure.Cause, Tool = failure.By.Tool, Error = Shown(failure.Message, LongestMessage), ErrorLine = failure.LogLine, Test = Shown(failure.Test, LongestLine),
            Place = place, NoPlace = missing, Command = CommandBefore(log, failure.LogLine) ?? known.Command, Next = NextCommand.For(failure, place),
            LogExcerpt = [.. log.Lines.Where(l => l.Number >= failure.LogLine - LinesBefore && l.Number <= failure.LogLine + LinesAfter).Select(Shown)],
        };
    }

    /// <summary>What nothing is known about is quoted.</summary>
    private static Diagnosis Unknown(Diagnosis known, Log log)
    {
        var looks = log.Lines.Where(l => FailureSignature.RankOf(l.Text) is not null).TakeLast(MostUnknown).ToList();
        if (looks.Count == 0) looks = [.. log.Lines.Where(l => l.Text.Length > 0).TakeLast(MostUnknown)];
        var cause = known.ExitCode switch { 124 => Cause.Timeout, 126 => Cause.Permission, 127 => Cause.MissingDependency, 137 => Cause.OutOfMemory, _ => Cause.Unknown };
        return known with { Cause = cause, NoPlace = "No line of the log is one that is known to name a place.", Command = CommandBefore(log, long.MaxValue) ?? known.Command, LogExcerpt = [.. looks.Select(Shown)] };
    }

    private static (Place? Place, string? Missing) PlaceOf(Failure failure, FileTree tree)
    {
        var looked = failure.Places.Select(p => (Logged: p, Found: tree.Find(p.File))).ToList();
        var found = looked.Where(p => p.Found.Path is not null).OrderBy(p => p.Logged.Line is null).ToList();
        if (found.Count > 0) return (new(found[0].Found.Path!, found[0].Logged.Line, found[0].Logged.Column), null);
        if (looked.Count == 0) return (null, "The log names no file.");
        var (logged, many) = looked.MaxBy(p => p.Found.Candidates);
        var name = Shown(logged.File, LongestLine);
        return (null, many.Candidates > 1 ? $"{many.Candidates} files of the workspace may be the {name} that the log names." : $"The log names {name}, which is not in the workspace.");
    }

    private static FailingCommand? CommandBefore(Log log, long line)
    {
        foreach (var one in log.Lines.Reverse().Where(l => l.Number < line))
            if (CommandLine.Match(one.Text) is { Success: true } match && !Trifle.IsMatch(match.Groups["command"].Value)) return new(Shown(match.Groups["command"].Value.Trim(), LongestMessage)!, "log");
        return null;
    }

    private static ShownLine Shown(KeptLine line) => new(line.Number, Shown(line.Text, LongestLine)!);

    private static string? Shown(string? text, int most) => text is null ? null : ForeignText.Line(text, most);
}
