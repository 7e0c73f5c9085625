using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Krate.Core.Resources;

namespace Krate.Core.Gateway;

/// <summary>People who are called with @ in a text. Pure.</summary>
public static partial class Mentions
{
    private const int Most = 50;

    /// <summary>Each name once, in order; what stands in code calls nobody.</summary>
    public static IReadOnlyList<string> In(string text) =>
        [.. Name().Matches(Code().Replace(text, " ")).Select(m => m.Groups["name"].Value).Distinct(StringComparer.Ordinal).Take(Most)];

    /// <summary>Writes <c>status.mentions</c> of a kind that has them.</summary>
    internal static void Complete(KindDefinition kind, JsonObject document)
    {
        if (kind.MentionsIn is not { } path) return;
        var names = In(document.Text(path) ?? "");
        if (names.Count > 0) document.Child("status")["mentions"] = new JsonArray([.. names.Select(n => (JsonNode)n)]);
        else (document["status"] as JsonObject)?.Remove("mentions");
    }

    [GeneratedRegex(@"(?<![\w@/.-])@(?<name>[A-Za-z0-9](?:[A-Za-z0-9._:-]{0,250}[A-Za-z0-9])?)", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Name();

    [GeneratedRegex(@"^(?<fence>`{3,}|~{3,})[\s\S]*?(?:^\k<fence>|\z)|`[^`\n]+`", RegexOptions.CultureInvariant | RegexOptions.Multiline, 1000)]
    private static partial Regex Code();
}
