using System.Text.Json.Nodes;

namespace Krate.Core.Resources;

/// <summary>A field that names other resources, as a <see cref="FieldPath"/> (<c>spec.mcpServerRefs[]</c>).</summary>
/// <param name="Path">Path to a string or a list of strings.</param>
/// <param name="TargetKind">Kind name, looked up in the catalog when used (rows may point at each other). Empty when <see cref="KindField"/> says it.</param>
/// <param name="Required">For execution kinds: a missing target refuses the create. Config kinds report it as a condition.</param>
public sealed record KindReference(string Path, string TargetKind, bool Required = false)
{
    /// <summary>For a reference to one of several kinds: the field beside the name that holds the kind, as a sibling's name (<c>kind</c>).</summary>
    public string? KindField { get; init; }

    /// <summary>For <see cref="KindField"/>: the kind that each spelling in the field means. Other spellings name kinds directly, or nothing.</summary>
    public IReadOnlyDictionary<string, string> KindNames { get; init; } = new Dictionary<string, string>();

    /// <summary>What the reference names owns the resource: it goes with its owner, and none is made for one that has ended.</summary>
    public bool IsOwner { get; init; }

    /// <summary>The field beside the name that may hold a namespace; it must be the org's own.</summary>
    public string? NamespaceField { get; init; }

    /// <summary>Every target that a document names here. Empty names and patterns are left out; so are spellings of <see cref="KindField"/> that are no kind.</summary>
    public IEnumerable<ReferenceTarget> Read(JsonObject document, KindCatalog catalog)
    {
        foreach (var (field, value) in FieldPath.Find(document, Path))
        {
            foreach (var (at, name) in Names(field, value))
            {
                if (KindOf(value, catalog) is { } kind)
                    yield return new ReferenceTarget(kind, name, at, NamespaceField is null ? null : value.Parent.Text(NamespaceField));
            }
        }
    }

    private static IEnumerable<(string Field, string Name)> Names(string field, JsonNode value) => value switch
    {
        JsonValue v when v.TryGetValue<string>(out var s) && s.Length > 0 && !s.Contains('*', StringComparison.Ordinal) => [(field, s)],
        JsonArray list => list.SelectMany((item, i) => item is null ? [] : Names($"{field}[{i}]", item)),
        _ => [],
    };

    private KindDefinition? KindOf(JsonNode value, KindCatalog catalog)
    {
        if (KindField is null) return catalog[TargetKind];
        var spelling = value.Parent.Text(KindField) ?? "";
        return catalog.Find(KindNames.GetValueOrDefault(spelling, spelling));
    }
}

/// <summary>One resource that a document names.</summary>
/// <param name="Name">As written: a bare name, or <c>name@org</c>.</param>
/// <param name="Field">Where (<c>spec.skillRefs[1]</c>).</param>
/// <param name="Namespace">The namespace beside the name, when written.</param>
public sealed record ReferenceTarget(KindDefinition Kind, string Name, string Field, string? Namespace);
