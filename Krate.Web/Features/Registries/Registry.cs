using Krate.Core.Resources;
using Krate.Web.Features.Resources;

namespace Krate.Web.Features.Registries;

/// <summary>What the pages of one kind that stacks are put together from show of it: one list and one detail draw all of them.</summary>
/// <param name="Kind">Kind name.</param>
/// <param name="Path">In the address (<c>/orgs/ORG/agents/skills</c>).</param>
/// <param name="Title">Of the list.</param>
/// <param name="Word">One of them.</param>
public sealed record Registry(string Kind, string Path, string Title, string Word)
{
    /// <summary>Of the list, between the name and who uses it.</summary>
    public required IReadOnlyList<ListColumn> Columns { get; init; }

    public required IReadOnlyList<FormSection> Form { get; init; }

    /// <summary>Fields of the spec whose change makes Krate look at the resource anew, so that what its status says no longer counts.</summary>
    public IReadOnlyList<string> Looked { get; init; } = [];

    /// <summary>Component that draws what is most worth knowing of one, with what can be done about it; null where the overview of all kinds says it.</summary>
    public Type? Panel { get; init; }

    /// <summary>Component that says beside the form what a draft would mean, to who may save it; null where launch impact says it all.</summary>
    public Type? Check { get; init; }

    /// <summary>Kinds that <see cref="FormField.From"/> looks at.</summary>
    public IReadOnlyList<string> Offering { get; init; } = [];
}

/// <param name="Legend">Null where the fields speak for themselves.</param>
public sealed record FormSection(string? Legend, params FormField[] Fields);

/// <summary>A field of a form. What it looks like follows from the schema and the references of its kind.</summary>
/// <param name="Path">Below the spec (<c>networkPolicy.default</c>).</param>
public sealed record FormField(string Path, string Label)
{
    /// <summary>What the label does not say.</summary>
    public string? Help { get; init; }

    /// <summary>Lines of a long text.</summary>
    public int Rows { get; init; }

    /// <summary>Values that are offered where the schema lists none.</summary>
    public IReadOnlyList<string> Offered { get; init; } = [];

    /// <summary>Of a list of objects: the fields of each, as paths within it.</summary>
    public IReadOnlyList<(string Path, string Label)> Parts { get; init; } = [];

    /// <summary>Of a map: the keys that are always shown.</summary>
    public IReadOnlyList<string> Keys { get; init; } = [];

    /// <summary>Whether the field means anything in this draft.</summary>
    public Func<ResourceDraft, bool>? When { get; init; }

    /// <summary>Of a list of texts: what is offered in this draft, of the resources that the person may see.</summary>
    public Func<ResourceDraft, IReadOnlyCollection<Resource>, IReadOnlyList<string>>? From { get; init; }
}
