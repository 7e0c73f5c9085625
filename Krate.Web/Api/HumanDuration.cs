using System.Globalization;

namespace Krate.Web.Api;

/// <summary>An age in two figures at most, as kubectl's tables print it (<c>5m3s</c>, <c>3d4h</c>, <c>2y10d</c>).</summary>
internal static class HumanDuration
{
    public static string Of(TimeSpan span)
    {
        if (span < TimeSpan.FromSeconds(-1)) return "<invalid>";
        var (seconds, minutes, hours, days) = ((long)span.TotalSeconds, (long)span.TotalMinutes, (long)span.TotalHours, (long)span.TotalDays);
        if (seconds < 0) return "0s";
        if (seconds < 120) return Text($"{seconds}s");
        if (minutes < 10) return Two(minutes, "m", seconds % 60, "s");
        if (minutes < 180) return Text($"{minutes}m");
        if (hours < 8) return Two(hours, "h", minutes % 60, "m");
        if (hours < 48) return Text($"{hours}h");
        if (hours < 192) return Two(days, "d", hours % 24, "h");
        if (days < 730) return Text($"{days}d");
        return days < 2920 ? Two(days / 365, "y", days % 365, "d") : Text($"{days / 365}y");
    }

    private static string Two(long large, string largeUnit, long small, string smallUnit) =>
        small == 0 ? Text($"{large}{largeUnit}") : Text($"{large}{largeUnit}{small}{smallUnit}");

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
