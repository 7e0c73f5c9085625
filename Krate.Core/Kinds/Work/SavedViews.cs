using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Work;

public sealed record ViewSpec : ProductSpec
{
    [Description("Selector that says what is shown.")]
    public string? Selector { get; init; }

    [Description("Repository that it is about; who may not see that does not see this.")]
    public string? Repository { get; init; }

    [Description("Columns in order.")]
    public IReadOnlyList<string>? Columns { get; init; }

    [Description("Column to sort by; with a leading - downwards.")]
    [MaxLength(100)]
    public string? Sort { get; init; }

    [Description("Name for people.")]
    [MaxLength(200)]
    public string? DisplayName { get; init; }
}

public static class ViewKind
{
    public static KindDefinition Row { get; } = new()
    {
        Kind = "View", Plural = "views", Context = "web-ui", Storage = "etcd", Scope = KindScope.Org, Area = "Work",
        Description = "A saved and shareable way of looking at a list.",
        SpecType = typeof(ViewSpec),
        StatusType = typeof(PlainStatus),
        RequiredSpec = ["selector"],
        Columns = [new("Display Name", "spec.displayName"), new("Selector", "spec.selector"), new("Sort", "spec.sort", Wide: true)],
        RepositoryPath = "spec.repository",
        References = [new("spec.selector", "Selector"), new("spec.repository", "Repository")],
        DerivedLabels = [Rows.Repository],
    };
}

public sealed record SelectorSpec : ProductSpec
{
    [Description("Labels that must be there, with their values.")]
    public IReadOnlyDictionary<string, string>? Labels { get; init; }

    [Description("Filter as typed into the filter field (state:open label:bug text).")]
    [MaxLength(4096)]
    public string? Query { get; init; }

    [Description("Repository that it is about; who may not see that does not see this.")]
    public string? Repository { get; init; }

    [Description("Kinds that are selected from.")]
    public IReadOnlyList<string>? Kinds { get; init; }

    [Description("Name for people.")]
    [MaxLength(200)]
    public string? DisplayName { get; init; }
}

public static class SelectorKind
{
    public static KindDefinition Row { get; } = new()
    {
        Kind = "Selector", Plural = "selectors", Context = "web-ui", Storage = "etcd", Scope = KindScope.Org, Area = "Work",
        Description = "A saved filter over resources.",
        SpecType = typeof(SelectorSpec),
        StatusType = typeof(PlainStatus),
        Columns = [new("Display Name", "spec.displayName"), new("Kinds", "spec.kinds"), new("Query", "spec.query")],
        RepositoryPath = "spec.repository",
        References = [new("spec.repository", "Repository")],
        DerivedLabels = [Rows.Repository],
    };
}
