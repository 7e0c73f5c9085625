using TextMateSharp.Grammars;

namespace Krate.Web.Components.Code;

/// <summary>Which grammar a file has, and which of the design's colours a scope of a grammar.</summary>
internal static class Languages
{
    private static readonly Dictionary<string, string> ByName = new(StringComparer.OrdinalIgnoreCase)
    {
        ["Dockerfile"] = ".dockerfile", ["Containerfile"] = ".dockerfile", ["Makefile"] = ".mak", ["GNUmakefile"] = ".mak", ["Jenkinsfile"] = ".groovy",
        ["Gemfile"] = ".rb", ["Rakefile"] = ".rb", [".bashrc"] = ".sh", [".profile"] = ".sh", [".gitignore"] = ".gitignore", [".dockerignore"] = ".gitignore",
        [".editorconfig"] = ".editorconfig", [".gitattributes"] = ".gitattributes", [".gitmodules"] = ".gitmodules",
    };

    private static readonly Dictionary<string, string> ByExtension = new(StringComparer.OrdinalIgnoreCase)
    {
        [".csproj"] = ".xml", [".fsproj"] = ".xml", [".props"] = ".xml", [".targets"] = ".xml", [".slnx"] = ".xml", [".config"] = ".xml", [".resx"] = ".xml", [".svg"] = ".xml",
        [".yml"] = ".yaml", [".mts"] = ".ts", [".cts"] = ".ts", [".toml"] = ".ini", [".env"] = ".properties", [".tf"] = ".ini", [".kt"] = ".java", [".scala"] = ".java", [".proto"] = ".java",
    };

    /// <summary>From the most telling scope to the least: the first that begins a scope of the token decides.</summary>
    private static readonly (string Scope, string Class)[] Classes =
    [
        ("comment", "k-cm"), ("punctuation.definition.comment", "k-cm"),
        ("constant.character.escape", "k-nu"), ("string.key", "k-ky"), ("support.type.property-name", "k-ky"), ("entity.name.tag", "k-ky"), ("entity.other.attribute-name", "k-fn"),
        ("string", "k-st"), ("punctuation.definition.string", "k-st"), ("markup.inline.raw", "k-st"), ("markup.fenced_code", "k-st"),
        ("constant.numeric", "k-nu"), ("constant.language", "k-kw"), ("constant", "k-nu"),
        ("markup.heading", "k-ky"), ("entity.name.section", "k-ky"), ("markup.inserted", "k-st"), ("markup.deleted", "k-kw"), ("meta.diff", "k-ty"),
        ("entity.name.function", "k-fn"), ("support.function", "k-fn"), ("entity.name.type", "k-ty"), ("entity.name.class", "k-ty"), ("entity.name.namespace", "k-ty"),
        ("support.type", "k-ty"), ("support.class", "k-ty"), ("entity.other.inherited-class", "k-ty"),
        ("keyword.operator", "k-pu"), ("keyword", "k-kw"), ("storage", "k-kw"), ("variable.language", "k-kw"), ("punctuation", "k-pu"),
    ];

    /// <returns>Null for what has no grammar.</returns>
    public static string? ScopeOf(RegistryOptions options, string fileName)
    {
        var name = fileName[(fileName.LastIndexOf('/') + 1)..];
        if (!ByName.TryGetValue(name, out var extension)) extension = Path.GetExtension(name);
        if (ByExtension.TryGetValue(extension, out var other)) extension = other;
        return extension.Length == 0 ? null : options.GetScopeByExtension(extension.ToLowerInvariant());
    }

    /// <returns>Null for what has no grammar.</returns>
    public static string? ScopeOfFence(RegistryOptions options, string language)
    {
        var id = language.ToLowerInvariant();
        return ScopeOf(options, "x." + id) ?? options.GetScopeByLanguageId(id switch { "bash" or "shell" or "console" or "zsh" => "shellscript", "c#" => "csharp", "golang" => "go", _ => id });
    }

    /// <summary>Scopes go from the outside in; the innermost that has a colour counts.</summary>
    public static string ClassOf(List<string> scopes)
    {
        for (var i = scopes.Count - 1; i >= 0; i--)
            foreach (var (scope, css) in Classes)
                if (scopes[i].StartsWith(scope, StringComparison.Ordinal)) return css;
        return "";
    }
}
