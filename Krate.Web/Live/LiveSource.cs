using Krate.Core.Resources;

namespace Krate.Web.Live;

/// <summary>What a page looks at: one kind in one namespace (null: all), narrowed by selectors and a text, one page of it.</summary>
public sealed record LiveSource(KindDefinition Kind, string? Namespace)
{
    public Selector Labels { get; init; } = Selector.Everything;

    public Selector Fields { get; init; } = Selector.Everything;

    /// <summary>Only resources whose name, columns or labels contain this. Applied by the page, not by the store.</summary>
    public string Text { get; init; } = "";

    /// <summary>Only resources with this text at this path. Applied by the page, as <see cref="Text"/> is.</summary>
    public (string Path, string Value)? Having { get; init; }

    /// <summary>A test of the page's own, and the words that say which. Applied by the page, as <see cref="Text"/> is.</summary>
    public (string Words, Func<Resource, bool> Admits)? Where { get; init; }

    /// <summary>By falling number, or the newest first; a page of <see cref="Limit"/>; null for by name.</summary>
    public NewestFirst? Newest { get; init; }

    /// <summary>0 for all.</summary>
    public int Limit { get; init; }

    public string? Continue { get; init; }

    /// <summary>Name for carrying the snapshot from prerendering to the circuit.</summary>
    public string Id => string.Join('|', Kind.QualifiedPlural, Namespace, Show(Labels), Show(Fields), Text, Having, Where?.Words, Newest, Limit, Continue);

    /// <summary>One resource by name.</summary>
    public static LiveSource OfOne(KindDefinition kind, string ns, string name) =>
        new(kind, ns.Length == 0 ? null : ns) { Fields = Selector.Everything.And(new SelectorTerm("metadata.name", SelectorOperator.In, [name])) };

    public bool IsFiltered => Text.Length > 0 || Having is not null || Where is not null;

    public bool Admits(Resource resource) =>
        (Text.Length == 0 || TextFilter.Matches(resource, Text)) && (Having is not { } having || resource.Body.Text(having.Path) == having.Value)
        && (Where is not { } where || where.Admits(resource));

    /// <summary>Where a resource stands in the order of the rows.</summary>
    public string KeyOf(Resource resource) =>
        Newest is null ? $"{resource.Namespace}\u0001{resource.Name}" : NumberOf(resource).ToString("D19", System.Globalization.CultureInfo.InvariantCulture);

    public static long NumberOf(Resource resource) => NewestFirst.OrderOf(resource);

    private static string Show(Selector selector) =>
        string.Join(',', selector.Terms.Select(t => $"{t.Key} {t.Operator} {string.Join('/', t.Values)}"));
}

/// <summary>The filter box of lists.</summary>
public static class TextFilter
{
    /// <summary>Every word must be in the name, the name for people, the description, a printer column or a label.</summary>
    public static bool Matches(Resource resource, string text) =>
        text.Split(' ', StringSplitOptions.RemoveEmptyEntries).All(word => Texts(resource).Any(t => t.Contains(word, StringComparison.OrdinalIgnoreCase)));

    private static IEnumerable<string> Texts(Resource resource)
    {
        yield return resource.Name;
        if (resource.Body.Text("spec.displayName") is { } display) yield return display;
        if (resource.Body.Text("spec.description") is { } description) yield return description;
        foreach (var column in resource.Kind.Columns)
            if (column.Read(resource.Body) is { } cell) yield return cell.ToString();
        foreach (var (key, value) in resource.Labels) yield return $"{key}={value}";
    }
}
