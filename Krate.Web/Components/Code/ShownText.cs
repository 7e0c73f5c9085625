using System.Text;
using Krate.Core.Git;

namespace Krate.Web.Components.Code;

/// <summary>Names, titles and messages as text that shows what it holds: whoever commits or comments writes them freely.</summary>
public static class ShownText
{
    /// <summary>Longer ones are cut; the commit itself has all of it.</summary>
    public const int MaxChars = 300;

    /// <summary>
    /// Characters that steer a terminal become their pictures ("␛"), and those that reorder text or take no room their numbers ("[U+202E]"). Line feeds
    /// and tabs stay.
    /// </summary>
    public static string Of(string text, int maxChars = MaxChars)
    {
        var cut = text.Length > maxChars;
        if (cut) text = text[..(char.IsHighSurrogate(text[maxChars - 1]) ? maxChars - 1 : maxChars)];
        if (!text.Any(IsHidden)) return cut ? text + "…" : text;
        var shown = new StringBuilder(text.Length + 16);
        foreach (var c in text)
            if (!IsHidden(c)) shown.Append(c);
            else if (c < ' ') shown.Append((char)('\u2400' + c));
            else if (c == '\u007F') shown.Append('\u2421');
            else shown.Append(System.Globalization.CultureInfo.InvariantCulture, $"[U+{(int)c:X4}]");
        return cut ? shown.Append('…').ToString() : shown.ToString();
    }

    /// <summary>What a commit is called; a link needs words.</summary>
    public static string Subject(GitCommit commit) => string.IsNullOrWhiteSpace(commit.Subject) ? "(no message)" : Of(commit.Subject);

    public static string Name(GitPerson person) => string.IsNullOrWhiteSpace(person.Name) ? "(no name)" : Of(person.Name, 80);

    private static bool IsHidden(char c) => (char.IsControl(c) && c is not ('\n' or '\t')) || BlobText.HiddenCharacters.Contains(c);
}
