using System.Text;
using System.Text.RegularExpressions;

namespace Krate.Core.Agents;

/// <summary>Something in a text for a prompt that does not belong there.</summary>
/// <param name="Line">From one; the text itself is not repeated.</param>
public sealed record PromptFinding(int Line, string Problem);

/// <summary>
/// Looks through text that people or repositories add to prompts for what only an attack needs: characters that nobody sees, words that overrule other words,
/// addresses that carry something away, and blobs. It finds the careless and the known; what it does not find is held by the sandbox and by grants. Pure.
/// </summary>
public static partial class PromptSafety
{
    private const int MostFindings = 20;

    public static IReadOnlyList<PromptFinding> Scan(string text)
    {
        var (plain, lines, found) = Read(text);
        foreach (var (pattern, problem) in Patterns)
            foreach (var match in pattern.EnumerateMatches(plain)) found.Add(new(lines[match.Index], problem));
        foreach (Match match in Disclosure().Matches(plain))
            if (!Refusal().IsMatch(match.Groups["before"].Value)) found.Add(new(lines[match.Groups["verb"].Index], "asks to send secrets away"));
        return [.. found.Distinct().OrderBy(f => f.Line).ThenBy(f => f.Problem, StringComparer.Ordinal).Take(MostFindings)];
    }

    private static readonly (Regex Pattern, string Problem)[] Patterns =
    [
        (Override(), "overrules other instructions"),
        (Secrecy(), "asks to hide something from people"),
        (Persona(), "asks to leave the rules"),
        (Roles(), "speaks as another role of the conversation"),
        (Unasked(), "asks to go round approvals"),
        (Carrier(), "an address that carries values away"),
        (Blob(), "a long encoded text that nobody can read"),
    ];

    /// <summary>The text as a model reads it: without what is invisible, compatible forms and spaces made one; with the line of each of its characters.</summary>
    private static (string Plain, List<int> Lines, List<PromptFinding> Found) Read(string text)
    {
        var (plain, lines, found) = (new StringBuilder(), new List<int>(), new List<PromptFinding>());
        var line = 1;
        foreach (var rune in text.EnumerateRunes())
        {
            var isSpace = Rune.IsWhiteSpace(rune);
            if (!isSpace && !ForeignText.IsVisible(rune))
            {
                // Joins the parts of some emoji, and letters of some scripts.
                if (rune.Value is not (0x200C or 0x200D)) found.Add(new(line, "a character that is not seen"));
                continue;
            }

            var form = isSpace ? " " : rune.IsAscii ? rune.ToString() : rune.ToString().Normalize(NormalizationForm.FormKC);
            if (!isSpace || (plain.Length > 0 && plain[^1] != ' '))
            {
                plain.Append(form);
                lines.AddRange(Enumerable.Repeat(line, form.Length));
            }

            if (rune.Value == '\n') line++;
        }

        return (plain.ToString(), lines, found);
    }

    private const RegexOptions Options = RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture;

    [GeneratedRegex(@"\b(ignore|disregard|forget|override|overrule)\b (all |any |every |of |the |these |those |your |my |our )*(previous|prior|above|earlier|preceding|foregoing|existing|system|developer) (instruction|prompt|rule|message|directive|guideline|polic)", Options)]
    private static partial Regex Override();

    [GeneratedRegex(@"\b(do not|don't|don’t|never) (ever )?(tell|inform|notify|alert|mention|reveal|show|disclose) ?(this|it|that|anything)? ?(to )?(the |any |your )?(user|human|person|people|reviewer|operator|maintainer|owner)", Options)]
    private static partial Regex Secrecy();

    [GeneratedRegex(@"\byou are (now )?(in )?(a |an )?(dan\b|jailbroken|unrestricted|developer mode|god mode|no longer bound)|\b(new|updated|real|actual|true) system (prompt|instruction|message)", Options)]
    private static partial Regex Persona();

    [GeneratedRegex(@"<\|?/?(system|assistant|im_start|im_end|endoftext)\|?>|\[/?(inst|sys)\]|<</?sys>>", Options)]
    private static partial Regex Roles();

    [GeneratedRegex(@"\b(skip|bypass|disable|circumvent|evade|avoid) (all |any |every |the |this |its )*(approval|permission|confirmation|sandbox|review|security check|safety)|\bwithout (asking|requesting|waiting) (for )?(any |the |a )?(approval|permission|confirmation|consent)|\b(auto-?approve|yolo mode|dangerously-skip-permissions)", Options)]
    private static partial Regex Unasked();

    [GeneratedRegex(@"https?://[^\s""')\]]*(\{|\$[a-z_(]|<[a-z_]|%7b|%24%7b|\[[a-z_]+\])", Options)]
    private static partial Regex Carrier();

    [GeneratedRegex(@"[a-z0-9+/_=-]{240,}|(\\x[0-9a-f]{2}){40,}|(%[0-9a-f]{2}){40,}", Options)]
    private static partial Regex Blob();

    [GeneratedRegex(@"(?<before>[^.!?;:]{0,60})\b(?<verb>send|post|upload|exfiltrate|leak|e-?mail|forward|transmit|curl|append)\b[^.!?;:]{0,80}\b(secret|credential|api.?key|access token|password|private key|ssh key|environment variable|env var)", Options)]
    private static partial Regex Disclosure();

    [GeneratedRegex(@"\b(never|not|no|nor|avoid|without|refuse)\b|n['’]t\b", Options)]
    private static partial Regex Refusal();
}
