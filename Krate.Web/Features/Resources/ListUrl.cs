using Krate.Core.Resources;

namespace Krate.Web.Features.Resources;

/// <summary>What a list page's address says: the filter text, the label selector and the page. The address is the state.</summary>
public sealed record ListUrl(string Path, string Text, string Labels, string? Continue, int Page, string Sort = "")
{
    /// <summary>A filter that only this list has (<c>visibility=private</c>).</summary>
    public (string Key, string Value)? Also { get; init; }

    /// <summary>What the address says that is no filter (<c>layout=board</c>); it stays when the filter changes.</summary>
    public IReadOnlyList<(string Key, string Value)> Keep { get; init; } = [];

    /// <summary>From 1; what is no number is the first page.</summary>
    public static int PageOf(string? text) => int.TryParse(text, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var page) ? Math.Clamp(page, 1, 100_000) : 1;

    public bool IsFiltered => Text.Length > 0 || Labels.Length > 0 || Also is not null;

    /// <summary>Column to sort by; a dash before it turns the order round.</summary>
    public string SortColumn => Sort.TrimStart('-');

    public bool IsDescending => Sort.StartsWith('-');

    public string Clear => (this with { Also = null, Sort = "" }).Build("", "", null, 1);

    public string First => With(Text, Labels);

    public string With(string text, string labels) => Build(text, labels, null, 1);

    public string Next(string token) => Build(Text, Labels, token, Page + 1);

    /// <summary>Sorted by this column; once more turns the order round, a third time ends it.</summary>
    public string By(string column) =>
        (this with { Sort = SortColumn != column ? column : IsDescending ? "" : "-" + column }).Build(Text, Labels, null, 1);

    /// <exception cref="ApiException">400: the label selector cannot be read.</exception>
    public Selector ParseLabels() => Selector.Parse(Labels);

    private string Build(string text, string labels, string? token, int page)
    {
        var query = new List<string>();
        if (text.Length > 0) query.Add("q=" + Uri.EscapeDataString(text));
        if (labels.Length > 0) query.Add("labels=" + Uri.EscapeDataString(labels));
        if (Also is { } also) query.Add($"{also.Key}={Uri.EscapeDataString(also.Value)}");
        query.AddRange(Keep.Select(k => $"{k.Key}={Uri.EscapeDataString(k.Value)}"));
        if (Sort.Length > 0) query.Add("sort=" + Uri.EscapeDataString(Sort));
        if (token is not null) query.Add($"continue={Uri.EscapeDataString(token)}&page={page}");
        return query.Count == 0 ? Path : Path + "?" + string.Join('&', query);
    }
}
