namespace Krate.Diagnoser;

/// <summary>A file of the workspace that a log speaks of.</summary>
/// <param name="Path">Below the workspace, with slashes; null when there is none, or more than one that it may be.</param>
/// <param name="Candidates">How many files it may be.</param>
internal readonly record struct FoundFile(string? Path, int Candidates);

/// <summary>The files of a workspace by name. What a log says is only ever compared with them, so that no path of a log leads anywhere else. Immutable.</summary>
internal sealed class FileTree
{
    private const int LongestPath = 1000;

    /// <summary>Folders of tools and packages: a frame there is not where somebody made a mistake today.</summary>
    private static readonly string[] Foreign = ["/usr/", "/lib/", "/opt/", "/node_modules/", "/site-packages/", "/dist-packages/", "/.nuget/", "/go/pkg/mod/"];

    private readonly string root;
    private readonly ILookup<string, string> byName;

    /// <param name="root">Where the workspace is, as the log may say it; empty when that is not known.</param>
    public FileTree(string root, IEnumerable<string> paths)
    {
        this.root = root.TrimEnd('/') + "/";
        byName = paths.ToLookup(p => p[(p.LastIndexOf('/') + 1)..], StringComparer.Ordinal);
    }

    /// <summary>The file with the longest end in common; two that are equally good are none.</summary>
    public FoundFile Find(string logged)
    {
        var name = logged.Replace('\\', '/');
        if (name.StartsWith("file://", StringComparison.Ordinal)) name = name[7..];
        if (name.StartsWith(root, StringComparison.Ordinal) && root.Length > 1) name = name[root.Length..];
        else if (Foreign.Any(f => name.Contains(f, StringComparison.Ordinal))) return default;
        if (name.Length is 0 or > LongestPath || name.Any(char.IsControl)) return default;
        var steps = StepsOf(name);
        if (steps.Length == 0) return default;
        var best = byName[steps[^1]].Select(p => (Path: p, Steps: p.Split('/'))).Select(c => (c.Path, Common: Common(c.Steps, steps), c.Steps.Length))
            .Where(c => IsEnough(c.Common, c.Length, steps.Length)).GroupBy(c => c.Common).MaxBy(g => g.Key)?.ToList() ?? [];
        // As the log says it, when that is a file as it stands.
        if (best.FindIndex(c => c.Common == steps.Length && c.Length == steps.Length) is >= 0 and var exact) return new(best[exact].Path, 1);
        return new(best.Count == 1 ? best[0].Path : null, best.Count);
    }

    /// <summary>What stands before a step upwards is not known.</summary>
    private static string[] StepsOf(string name)
    {
        var steps = new List<string>();
        foreach (var step in name.Split('/'))
        {
            if (step == "..") steps.Clear();
            else if (step is not ("" or ".")) steps.Add(step);
        }

        return [.. steps];
    }

    private static int Common(string[] one, string[] other)
    {
        var count = 0;
        while (count < one.Length && count < other.Length && one[^(count + 1)] == other[^(count + 1)]) count++;
        return count;
    }

    /// <summary>One of them is the end of the other, or a folder is the same, too.</summary>
    private static bool IsEnough(int common, int own, int logged) => common == own || common == logged || common >= 2;
}
