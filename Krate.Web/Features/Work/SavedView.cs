using Krate.Core.Resources;

namespace Krate.Web.Features.Work;

/// <summary>A View of a list of issues or pull requests, and the Selector that says what it shows.</summary>
public sealed record SavedView(Resource View, Resource Selector)
{
    public string Title => View.Body.Text("spec.displayName") ?? View.Name;

    /// <summary>As it would be typed.</summary>
    public string Query => Selector.Body.Text("spec.query") ?? "";

    /// <summary>Whether a Selector is about this list: the kind, and this repository or every one.</summary>
    public static bool IsAbout(Resource selector, string kind, string repository) =>
        selector.Body.Texts("spec.kinds").Contains(kind, StringComparer.Ordinal)
        && (selector.Body.Text("spec.repository") ?? repository) == repository
        && (selector.Body.At("spec.labels") is not System.Text.Json.Nodes.JsonObject { Count: > 0 } labels
            || (labels.Count == 1 && labels[WellKnown.RepositoryLabel]?.GetValue<string>() == repository));

    /// <summary>By title. A View whose Selector is about something else is no view of this list.</summary>
    public static IReadOnlyList<SavedView> Join(IEnumerable<Resource> views, IEnumerable<Resource> selectors)
    {
        var byName = selectors.ToDictionary(s => s.Name, StringComparer.Ordinal);
        return [.. views.Select(v => byName.TryGetValue(v.Body.Text("spec.selector") ?? "", out var s) ? new SavedView(v, s) : null).OfType<SavedView>()
            .OrderBy(v => v.Title, StringComparer.OrdinalIgnoreCase).ThenBy(v => v.View.Name, StringComparer.Ordinal)];
    }

    /// <summary>A name that kubectl can type, made of the title.</summary>
    public static string NameOf(string repository, string plural, string title)
    {
        var words = new string([.. title.Trim().ToLowerInvariant().Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-')]);
        var name = string.Join('-', $"{repository}-{plural}-{words}".Split('-', StringSplitOptions.RemoveEmptyEntries));
        return name.Length <= 63 ? name : name[..63].TrimEnd('-');
    }
}
