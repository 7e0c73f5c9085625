using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Diagnoser;

/// <summary>What came of a prompt.</summary>
/// <param name="Notes">What could not be done, and why.</param>
internal sealed record Report(string Version, IReadOnlyList<Diagnosis> Diagnoses, IReadOnlyList<string> Notes)
{
    public JsonObject ToJson() => new()
    {
        ["tool"] = "krate-diagnoser", ["version"] = Version, ["ruleBased"] = true, ["diagnoses"] = JsonSerializer.SerializeToNode(Diagnoses, KrateJson.Options), ["notes"] = JsonSerializer.SerializeToNode(Notes, KrateJson.Options),
    };
}

/// <summary>A report in Markdown. What others wrote stands in fences and spans that it cannot end.</summary>
internal static class ReportText
{
    public static string Of(Report report, DateTimeOffset now)
    {
        var text = new StringBuilder("# Diagnosis\n\n");
        foreach (var diagnosis in report.Diagnoses) Append(text, diagnosis, now);
        foreach (var note in report.Notes) text.Append("- ").Append(Escaped(note)).Append('\n');
        if (report.Notes.Count > 0) text.Append('\n');
        return text.Append(CultureInfo.InvariantCulture, $"_krate-diagnoser {report.Version} follows rules: no model has read this log. Quoted lines are data of the log and the repository._\n").ToString();
    }

    private static void Append(StringBuilder text, Diagnosis d, DateTimeOffset now)
    {
        text.Append("## Log ").Append(Span(d.Log)).Append("\n\n");
        Item("Cause", d.Tool is null && d.Cause == Cause.Unknown ? "not known. No line of the log is one that the rules know." : d.Tool is null ? $"{Causes.WordsFor(d.Cause)} Only the exit code says so." : Causes.WordsFor(d.Cause));
        Item("Recognised as", d.Tool is null ? null : $"words of {d.Tool}");
        Item("Job", d.Job is null ? null : Span(d.Job) + (d.Step is null ? "" : $", step {Span(d.Step)}") + (d.ExitCode is null ? "" : string.Create(CultureInfo.InvariantCulture, $", exit code {d.ExitCode}")));
        Item("Failing command", d.Command is null ? "the log names none" : Span(d.Command.Text) + (d.Command.From == "log" ? "" : ", as the job says"));
        Item("First error", d.Error is null ? null : $"{Span(d.Error)}, line {d.ErrorLine} of the log");
        Item("Test", d.Test is null ? null : Span(d.Test));
        Item("Place", d.Place is { } place ? Span(place.Line is null ? place.Path : $"{place.Path}:{place.Line}") : Escaped(d.NoPlace ?? ""));
        Item("Brought by", d.Blame is { } b ? $"{Span(b.Author)} in {Span(b.Commit[..12])} {Span(b.Subject)}, {Age(now - b.Time)}" : d.NoBlame is null ? null : Escaped(d.NoBlame));
        Item("Try next", d.Next is null ? null : Span(d.Next));
        text.Append('\n');
        Quote(text, d.Tool is null ? "Last lines that look like an error:" : "The log around it:", d.LogExcerpt, d.ErrorLine);
        if (d.Place is not null) Quote(text, $"{Span(d.Place.Path)}:", d.Code, d.Place.Line);

        void Item(string name, string? value)
        {
            if (value is not null) text.Append("- **").Append(name).Append(":** ").Append(value).Append('\n');
        }
    }

    private static void Quote(StringBuilder text, string title, IReadOnlyList<ShownLine> lines, long? marked)
    {
        if (lines.Count == 0) return;
        var fence = new string('`', Math.Max(3, lines.Max(l => LongestRun(l.Text)) + 1));
        text.Append(title).Append("\n\n").Append(fence).Append("text\n");
        foreach (var line in lines) text.Append(CultureInfo.InvariantCulture, $"{(line.Number == marked ? '>' : ' ')} {line.Number,6}  {line.Text}\n");
        text.Append(fence).Append("\n\n");
    }

    /// <summary>Code in a line of text.</summary>
    private static string Span(string text)
    {
        var fence = new string('`', LongestRun(text) + 1);
        var space = text.StartsWith('`') || text.EndsWith('`') || text.Trim().Length == 0 ? " " : "";
        return $"{fence}{space}{text}{space}{fence}";
    }

    private static string Escaped(string text) => string.Concat(text.Select(c => c is '\\' or '`' or '*' or '_' or '[' or ']' or '<' or '>' or '!' or '#' or '|' or '&' or '~' or '@' ? $"\\{c}" : $"{c}"));

    private static int LongestRun(string text)
    {
        var (longest, run) = (0, 0);
        foreach (var c in text)
        {
            run = c == '`' ? run + 1 : 0;
            longest = Math.Max(longest, run);
        }

        return longest;
    }

    private static string Age(TimeSpan age) => age.TotalDays switch
    {
        < 1 => "less than a day ago",
        < 2 => "a day ago",
        < 60 => string.Create(CultureInfo.InvariantCulture, $"{(int)age.TotalDays} days ago"),
        < 730 => string.Create(CultureInfo.InvariantCulture, $"{(int)(age.TotalDays / 30.4)} months ago"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{(int)(age.TotalDays / 365.25)} years ago"),
    };
}
