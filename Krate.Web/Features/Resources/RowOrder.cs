using System.Globalization;
using Krate.Core.Resources;
using Krate.Web.Components;
using Krate.Web.Live;

namespace Krate.Web.Features.Resources;

/// <summary>The order of a list's rows: as the address asks, else the store's, and events newest first.</summary>
public static class RowOrder
{
    public static IEnumerable<LiveRow> Of(IEnumerable<LiveRow> rows, KindDefinition kind, ListUrl url, IReadOnlyList<ListColumn>? own = null)
    {
        if (url.Sort.Length == 0) return kind.Kind == "Event" ? rows.OrderByDescending(r => EventList.LastSeen(r.Resource)) : rows;
        var sorted = rows.OrderBy(r => Key(r.Resource, url.SortColumn, own), Comparer.Default);
        return url.IsDescending ? sorted.Reverse() : sorted;
    }

    private static object Key(Resource resource, string column, IReadOnlyList<ListColumn>? own) => column switch
    {
        "Name" or "Stack" => resource.Name,
        "Status" or "Readiness" => Status.Of(resource)?.Word ?? "",
        "Base agent" => resource.Body.Text("spec.baseAgent") ?? "",
        "Identity" => resource.Body.Text("spec.runtimeIdentity.serviceAccountRef") ?? "",
        "Generation" => (decimal)resource.Generation,
        // The older, the larger the age.
        "Age" => -(decimal)(resource.CreatedAt?.UtcTicks ?? 0),
        _ => Cell(resource, column, own),
    };

    private static object Cell(Resource resource, string column, IReadOnlyList<ListColumn>? own)
    {
        if (own?.FirstOrDefault(c => c.Name == column)?.Read(resource) is { } cell) return cell.Time is { } time ? (decimal)time.UtcTicks : Sortable(cell.Text);
        return Sortable(resource.Kind.Columns.FirstOrDefault(c => c.Name == column)?.Read(resource.Body)?.ToString() ?? "");
    }

    private static object Sortable(string text) => decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : text;

    private sealed class Comparer : IComparer<object>
    {
        public static readonly Comparer Default = new();

        public int Compare(object? x, object? y) => (x, y) switch
        {
            (decimal a, decimal b) => a.CompareTo(b),
            (decimal, _) => -1,
            (_, decimal) => 1,
            _ => string.Compare(x as string, y as string, StringComparison.OrdinalIgnoreCase),
        };
    }
}
