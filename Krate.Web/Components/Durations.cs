using System.Globalization;

namespace Krate.Web.Components;

/// <summary>Ages in words. krate.js does the same in the browser.</summary>
public static class Durations
{
    public static string Ago(TimeSpan age, bool isShort)
    {
        var seconds = Math.Max(0, age.TotalSeconds);
        var words = seconds switch
        {
            < 5 => isShort ? "now" : "just now",
            < 60 => Unit(seconds, "s"),
            < 3600 => Unit(seconds / 60, "min"),
            < 86400 => Unit(seconds / 3600, "h"),
            < 86400 * 60 => Unit(seconds / 86400, "d"),
            < 86400 * 365 => Unit(seconds / (86400 * 30), "mo"),
            _ => Unit(seconds / (86400 * 365), "y"),
        };
        return isShort || seconds < 5 ? words : words + " ago";
    }

    private static string Unit(double value, string unit) => string.Create(CultureInfo.InvariantCulture, $"{(long)value} {unit}");
}
