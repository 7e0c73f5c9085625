using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Core.Generation;

/// <summary>A generated file: its path below the repository's root, with forward slashes, and its whole text.</summary>
public sealed record Output(string Path, string Text);

/// <summary>Everything that is generated from the table of kinds and checked in. A test compares; the command <c>generate</c> writes.</summary>
public static class Outputs
{
    private static readonly JsonSerializerOptions Indented = new(KrateJson.Options) { WriteIndented = true, IndentSize = 1, NewLine = "\n" };

    /// <summary>Folders that hold generated files only; what <see cref="All"/> does not name does not belong there.</summary>
    public static IReadOnlyList<string> Folders { get; } = ["charts/krate-crds/templates", "docs/openapi"];

    public static IReadOnlyList<Output> All(KindCatalog catalog) =>
    [
        new("charts/krate-crds/Chart.yaml", CrdWriter.Chart),
        .. catalog.All.Where(CrdWriter.Applies).Select(k => new Output($"charts/krate-crds/templates/{k.Plural}.yaml", CrdWriter.Text(k))),
        new("docs/resources.md", ReferenceDocWriter.Write(catalog)),
        .. catalog.All.Select(k => (k.Group, k.Version)).Distinct().Select(g =>
            new Output($"docs/openapi/{(g.Group.Length == 0 ? "core" : g.Group)}_{g.Version}.json", Json(OpenApiWriter.Write(catalog, g.Group, g.Version)))),
    ];

    /// <summary>Writes every file that differs below <paramref name="root"/>, removes what is no longer generated, and returns the paths that changed.</summary>
    public static IReadOnlyList<string> WriteTo(string root, KindCatalog catalog)
    {
        var outputs = All(catalog);
        var changed = new List<string>();
        foreach (var output in outputs)
        {
            var path = Path.Combine(root, output.Path);
            if (File.Exists(path) && File.ReadAllText(path) == output.Text) continue;
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, output.Text, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
            changed.Add(output.Path);
        }

        foreach (var stale in Strays(root, outputs))
        {
            File.Delete(Path.Combine(root, stale));
            changed.Add(stale);
        }

        return changed;
    }

    /// <summary>Files in generated folders that nothing generates.</summary>
    public static IEnumerable<string> Strays(string root, IReadOnlyList<Output> outputs)
    {
        var known = outputs.Select(o => o.Path).ToHashSet(StringComparer.Ordinal);
        return Folders.Select(f => Path.Combine(root, f)).Where(Directory.Exists)
            .SelectMany(f => Directory.EnumerateFiles(f, "*", SearchOption.AllDirectories))
            .Select(f => Path.GetRelativePath(root, f).Replace('\\', '/'))
            .Where(f => !known.Contains(f));
    }

    private static string Json(JsonObject document) => document.ToJsonString(Indented) + "\n";
}
