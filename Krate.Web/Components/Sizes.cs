using System.Globalization;

namespace Krate.Web.Components;

/// <summary>Sizes in words: <c>184 KB</c>, <c>1.2 MB</c>; <c>–</c> for none.</summary>
public static class Sizes
{
    private static readonly string[] Units = ["B", "KB", "MB", "GB", "TB"];

    public static string Text(long? bytes)
    {
        if (bytes is not { } size) return "–";
        var (value, unit) = ((double)size, 0);
        while (value >= 1000 && unit < Units.Length - 1)
        {
            value /= 1024;
            unit++;
        }

        return value.ToString(unit == 0 || value >= 10 ? "0" : "0.#", CultureInfo.InvariantCulture) + " " + Units[unit];
    }
}
