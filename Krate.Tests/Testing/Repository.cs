namespace Krate.Tests;

/// <summary>Where the sources of this build are.</summary>
public static class Repository
{
    public static string Root { get; } = Find();

    private static string Find()
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
            if (File.Exists(Path.Combine(at.FullName, "Krate.sln"))) return at.FullName;
        throw new InvalidOperationException("Krate.sln is in no folder above the tests");
    }
}
