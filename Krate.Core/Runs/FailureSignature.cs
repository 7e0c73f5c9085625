using System.Buffers;
using System.Text.RegularExpressions;

namespace Krate.Core.Runs;

/// <summary>
/// The first error of a log that somebody could act on, without what differs from run to run, so that equal failures have equal
/// texts. Pure; linear in the length of the log.
/// </summary>
public static partial class FailureSignature
{
    /// <summary>Longest text.</summary>
    public const int Longest = 200;

    private const int LongestLine = 2000;
    private const RegexOptions Options = RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture;

    /// <summary>Nothing else is worth a closer look.</summary>
    private static readonly SearchValues<string> Words = SearchValues.Create(
        ["error", "fail", "panic", "exception", "fatal", "not ok", "not found", "denied", "\u2716", ".go:", "no such file", "assert"], StringComparison.OrdinalIgnoreCase);

    /// <summary>By how much they say, from the most on: of the best that there is, the first counts.</summary>
    private static readonly Regex[] Ranks = [Precise(), Plain(), Vague(), Closing()];

    /// <param name="lines">In order, without line ends.</param>
    /// <returns>The text and its line, the first of which is 1; null when nothing looks like an error.</returns>
    public static (string Text, long Line)? Find(IEnumerable<string> lines)
    {
        var search = new FailureSearch();
        foreach (var line in lines)
            if (search.Take(line)) break;
        return search.Found;
    }

    /// <summary>How much a line says of a failure, from 0 for the most on; null for nothing.</summary>
    public static int? RankOf(string line)
    {
        if (!line.AsSpan().ContainsAny(Words)) return null;
        var text = Clean(line);
        if (Harmless().IsMatch(text)) return null;
        var closes = Ranks[^1].IsMatch(text);
        for (var rank = 0; rank < Ranks.Length - 1; rank++)
            if (!closes && Ranks[rank].IsMatch(text)) return rank;
        return closes ? Ranks.Length - 1 : null;
    }

    /// <summary>A line without what differs between two runs of the same.</summary>
    internal static string Normalise(string line)
    {
        var text = Clean(line);
        text = Duration().Replace(text, "");
        text = Guid().Replace(text, "<id>");
        text = Folder().Replace(text, "");
        text = Hex().Replace(text, "<hex>");
        text = LongNumber().Replace(text, "<n>");
        text = Spaces().Replace(text, " ").Trim();
        return text.Length <= Longest ? text : text[..(char.IsHighSurrogate(text[Longest - 1]) ? Longest - 1 : Longest)];
    }

    /// <summary>A line without what colours terminals.</summary>
    public static string WithoutEscapes(string line) => Ansi().Replace(line, "");

    /// <summary>A line without colours and the time before it; of a very long one its beginning.</summary>
    public static string Clean(string line)
    {
        var text = Ansi().Replace(line.Length > LongestLine ? line[..LongestLine] : line, "");
        return Time().Replace(text, "").TrimEnd();
    }

    /// <summary>What compilers and test programs say about one place.</summary>
    [GeneratedRegex(@"^\s*(?:.+\(\d+(,\d+)?\)|\S.*?:\d+(:\d+)?): (fatal )?error\b|^\s*error(\[| CS| MSB| NU| TS)[A-Z]?\d+|^\S+\.go:\d+:\d+: |^\s*--- FAIL: |^FAILED \S+(::\S+)?|^ERROR \S+\.py|^\s*(Failed|failed) \S+.* [\[(]\d+|\[FAIL\]|^\s*not ok \d+|^\s*\u2716 \S.* \(|^test \S+ \.\.\. FAILED|^panic: |^(FAIL|ERROR): \w+ \(", Options)]
    private static partial Regex Precise();

    /// <summary>Errors in the words of a language or a tool.</summary>
    [GeneratedRegex(@"^\s*(E\s{2,}\S|(Unhandled exception\. |Uncaught |Exception in thread \S+ )?[A-Za-z_][\w.]*(Error|Exception)( \[\w+\])?(:|$)|fatal: |(fatal )?error(\[\w+\])?: |(##\[error\]|::error[^:]*::)\s*\S)|: (command not found|not found|No such file or directory|Permission denied)$|cannot access ", Options)]
    private static partial Regex Plain();

    [GeneratedRegex(@"\b([Ee]rror|ERROR|FATAL|[Ff]atal|FAILED|[Pp]anic)\b|\bFAIL\b", Options)]
    private static partial Regex Vague();

    /// <summary>What a tool says when another one has failed.</summary>
    [GeneratedRegex(@"^\S*make(\[\d+\])?: \*\*\*|npm ERR!|npm error|exit(ed with)? (code|status) \d+|^(FAILED|FAIL)$|^Build FAILED|[Tt]est run (summary: )?[Ff]ailed|^FAIL\t|^\s*\d+ (Error\(s\)|failed)|error: test failed|could not compile", Options)]
    private static partial Regex Closing();

    [GeneratedRegex(@"\b(0|no) (errors?|fail(ed|ures?))\b|\b([Ee]rrors?|[Ff]ail(ed|ures?)):? 0\b|^\s*0 Error\(s\)", Options)]
    private static partial Regex Harmless();

    [GeneratedRegex(@"\u001b(\[[0-9;:?]*[ -/]*[@-~]|\][^\u0007\u001b]*(\u0007|\u001b\\)|[@-_])|[\u0000-\u0008\u000b-\u001f\u007f]", Options)]
    private static partial Regex Ansi();

    [GeneratedRegex(@"^\s*\[?(\d{4}-\d\d-\d\d[T ])?\d\d:\d\d:\d\d([.,]\d+)?(Z|[+-]\d\d:?\d\d)?\]?\s*", Options)]
    private static partial Regex Time();

    [GeneratedRegex(@"\s*[\[(](\d+ ?h ?)?(\d+ ?m(in)? ?)?(\d+ ?s )?<? ?\d+([.,]\d+)? ?(ms|s|seconds?|\u00b5s)[\])]| in \d+([.,]\d+)? ?(ms|s|seconds?)\b", Options)]
    private static partial Regex Duration();

    [GeneratedRegex(@"\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b", Options)]
    private static partial Regex Guid();

    /// <summary>Folders of an absolute path; its last name stays.</summary>
    [GeneratedRegex(@"(?<![\w.])([A-Za-z]:[\\/]|file://|/)([\w.@+~-]+[\\/])+", Options)]
    private static partial Regex Folder();

    [GeneratedRegex(@"\b0x[0-9a-fA-F]+\b|\b(?=\w*\d)[0-9a-f]{12,}\b", Options)]
    private static partial Regex Hex();

    [GeneratedRegex(@"(?<![\w])\d{5,}\b", Options)]
    private static partial Regex LongNumber();

    [GeneratedRegex(@"\s+", Options)]
    private static partial Regex Spaces();
}

/// <summary>Goes through a log once, in parts.</summary>
internal sealed class FailureSearch
{
    private int best = int.MaxValue;
    private long line;

    public (string Text, long Line)? Found { get; private set; }

    /// <returns>True when nothing better can come.</returns>
    public bool Take(string text)
    {
        line++;
        if (FailureSignature.RankOf(text) is not { } rank || rank >= best) return best == 0;
        if (FailureSignature.Normalise(text) is not { Length: > 0 } found) return false;
        (best, Found) = (rank, (found, line));
        return best == 0;
    }
}
