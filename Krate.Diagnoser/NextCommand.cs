using System.Text;
using System.Text.RegularExpressions;
using Krate.Core.Agents;

namespace Krate.Diagnoser;

/// <summary>The command that tells more. Names of a log or a repository stand in it as one word each, whatever they hold.</summary>
internal static partial class NextCommand
{
    private const int LongestWord = 200;

    /// <returns>Null when what it needs was not found.</returns>
    public static string? For(Failure failure, Place? place)
    {
        var folder = place is null ? null : Path.GetDirectoryName(place.Path);
        var values = new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["file"] = place?.Path.StartsWith('-') is true ? "./" + place.Path : place?.Path, ["folder"] = folder, ["test"] = failure.Test, ["target"] = failure.Target,
        };
        return failure.By.Next.Select(template => Fill(template, values)).FirstOrDefault(c => c is not null);
    }

    private static string? Fill(string template, Dictionary<string, string?> values)
    {
        var command = new StringBuilder();
        foreach (var word in template.Split(' '))
        {
            var isWhole = true;
            var filled = Slot().Replace(word, m =>
            {
                isWhole &= values[m.Groups[1].Value] is { } value && IsWord(value);
                return values[m.Groups[1].Value] ?? "";
            });
            if (!isWhole) return null;
            command.Append(command.Length == 0 ? "" : " ").Append(Quoted(filled));
        }

        return command.ToString();
    }

    /// <summary>What looks like an option or hides something is not put into a command.</summary>
    private static bool IsWord(string value) => value.Length <= LongestWord && !value.StartsWith('-') && value.EnumerateRunes().All(ForeignText.IsVisible);

    private static string Quoted(string word) => Plain().IsMatch(word) ? word : "'" + word.Replace("'", @"'\''", StringComparison.Ordinal) + "'";

    [GeneratedRegex(@"\{(\w+)\}")]
    private static partial Regex Slot();

    [GeneratedRegex(@"^[\w./:=@%+,-]+$", RegexOptions.ECMAScript)]
    private static partial Regex Plain();
}
