using System.Globalization;
using System.Text.RegularExpressions;

namespace Krate.Core.Resources;

/// <summary>Durations as specs write them: <c>90s</c>, <c>1h30m</c> (<see cref="DurationAttribute"/>).</summary>
public static partial class DurationText
{
    /// <returns>Null for what is absent or cannot be read; at most 365 days.</returns>
    public static TimeSpan? Parse(string? text)
    {
        if (string.IsNullOrEmpty(text)) return null;
        var (seconds, at) = (0.0, 0);
        foreach (Match part in Part().Matches(text))
        {
            if (part.Index != at) return null;
            at += part.Length;
            var unit = part.Groups[2].Value switch { "ms" => 0.001, "s" => 1, "m" => 60, "h" => 3600, "d" => 86_400, _ => 604_800.0 };
            seconds += double.Parse(part.Groups[1].ValueSpan, CultureInfo.InvariantCulture) * unit;
        }

        return at == text.Length ? TimeSpan.FromSeconds(Math.Min(seconds, 365 * 86_400.0)) : null;
    }

    /// <summary>In the largest units that say it: <c>1h30m</c>, <c>90s</c> as <c>1m30s</c>.</summary>
    public static string Format(TimeSpan time)
    {
        (int Count, string Unit)[] parts = [((int)time.TotalHours, "h"), (time.Minutes, "m"), (time.Seconds, "s")];
        var text = string.Concat(parts.Where(p => p.Count > 0).Select(p => string.Create(CultureInfo.InvariantCulture, $"{p.Count}{p.Unit}")));
        return text.Length > 0 ? text : "0s";
    }

    [GeneratedRegex(@"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d|w)")]
    private static partial Regex Part();
}
