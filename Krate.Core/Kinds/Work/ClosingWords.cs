using System.Globalization;
using System.Text.RegularExpressions;

namespace Krate.Core.Kinds.Work;

/// <summary>"closes #12": issues of the same repository that a merge closes.</summary>
public static partial class ClosingWords
{
    public static IReadOnlyList<long> In(string text) =>
        [.. Words().Matches(text).Select(m => long.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture)).Distinct().Take(50)];

    [GeneratedRegex(@"\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?)\s*:?\s+\#([1-9][0-9]{0,8})\b", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Words();
}
