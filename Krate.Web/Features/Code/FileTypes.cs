using Krate.Web.Components;
using Krate.Web.Components.Code;

namespace Krate.Web.Features.Code;

/// <summary>What the name of a file says about it.</summary>
public static class FileTypes
{
    private static readonly Dictionary<string, string> Images = new(StringComparer.OrdinalIgnoreCase)
    {
        [".png"] = "image/png", [".jpg"] = "image/jpeg", [".jpeg"] = "image/jpeg", [".gif"] = "image/gif", [".webp"] = "image/webp", [".avif"] = "image/avif",
        [".bmp"] = "image/bmp", [".ico"] = "image/x-icon", [".svg"] = "image/svg+xml",
    };

    private static readonly HashSet<string> Prose = new([".md", ".markdown", ".txt", ".rst", ".adoc", ".org", ".log"], StringComparer.OrdinalIgnoreCase);
    private static readonly HashSet<string> Plain = new(["LICENSE", "LICENCE", "COPYING", "NOTICE", "AUTHORS", "CHANGELOG"], StringComparer.OrdinalIgnoreCase);

    public static bool IsImage(string name) => Images.ContainsKey(Path.GetExtension(name));

    public static bool IsSvg(string name) => Path.GetExtension(name).Equals(".svg", StringComparison.OrdinalIgnoreCase);

    /// <summary>Media type of an image; null for all others.</summary>
    public static string? ImageType(string name) => Images.GetValueOrDefault(Path.GetExtension(name));

    public static bool IsMarkdown(string name) => Path.GetExtension(name).ToLowerInvariant() is ".md" or ".markdown" or ".mdown";

    /// <summary>What separates the columns of a table; null for what is none.</summary>
    public static char? Separator(string name) => Path.GetExtension(name).ToLowerInvariant() switch { ".csv" => ',', ".tsv" => '\t', _ => null };

    /// <summary>Whether a file is the readme of its folder: 1 is the best, 0 is none.</summary>
    public static int ReadmeRank(string name) => name.ToLowerInvariant() switch { "readme.md" => 1, "readme.markdown" => 2, "readme" => 3, "readme.txt" => 4, _ => 0 };

    public static string Icon(string name)
    {
        if (IsImage(name)) return Lucide.Image;
        if (Prose.Contains(Path.GetExtension(name)) || Plain.Contains(Path.GetFileNameWithoutExtension(name))) return Lucide.FileText;
        return CodeHighlighter.Knows(name) ? Lucide.FileCode : Lucide.File;
    }

    /// <summary>"3.1 KB".</summary>
    public static string Size(long bytes) => bytes switch
    {
        < 1024 => $"{bytes} {(bytes == 1 ? "byte" : "bytes")}",
        < 1 << 20 => FormattableString.Invariant($"{bytes / 1024.0:0.#} KB"),
        < 1 << 30 => FormattableString.Invariant($"{bytes / 1048576.0:0.#} MB"),
        _ => FormattableString.Invariant($"{bytes / 1073741824.0:0.#} GB"),
    };
}
