using System.Globalization;

namespace Krate.Tests.Testing;

/// <summary>What runs on this machine now; what may not be read of it is empty.</summary>
internal static class HostProcesses
{
    internal static IEnumerable<(int Id, string Command, string Environment)> All()
    {
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
            if (int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var id)) yield return (id, TextOf(folder, "cmdline"), TextOf(folder, "environ"));
    }

    /// <summary>Whether a process runs whose command begins with the mark.</summary>
    internal static bool IsAlive(string mark) => All().Any(p => p.Command.StartsWith(mark, StringComparison.Ordinal));

    private static string TextOf(string folder, string name)
    {
        try
        {
            return File.ReadAllText(Path.Combine(folder, name));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It has ended, or is somebody else's.
            return "";
        }
    }
}
