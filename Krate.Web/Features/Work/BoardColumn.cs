using Krate.Core.Resources;
using Krate.Web.Live;

namespace Krate.Web.Features.Work;

/// <summary>A column of a board.</summary>
/// <param name="Id">State or label; empty for what has no label.</param>
/// <param name="Count">As it is shown; empty when it is not known.</param>
public sealed record BoardColumn(string Id, string Title, IReadOnlyList<LiveRow> Cards, string Count = "")
{
    /// <summary>Beyond this many labels a board says nothing.</summary>
    private const int MostLabels = 12;

    /// <summary>The most used labels in the order of the alphabet, and what has none of them in front.</summary>
    /// <param name="kept">Columns that stay although nothing is in them any more; grows by those that are given.</param>
    public static IReadOnlyList<BoardColumn> ByLabel(IReadOnlyCollection<LiveRow> rows, ISet<string> kept)
    {
        var used = rows.SelectMany(r => LabelsOf(r.Resource).Distinct(StringComparer.Ordinal)).GroupBy(l => l, StringComparer.Ordinal)
            .OrderByDescending(g => g.Count()).ThenBy(g => g.Key, StringComparer.Ordinal).Select(g => g.Key);
        foreach (var label in used.Where(l => !kept.Contains(l)).Take(Math.Max(0, MostLabels - kept.Count)).ToList()) kept.Add(label);
        var columns = kept.Order(StringComparer.OrdinalIgnoreCase).Select(l => Of(l, l, rows.Where(r => LabelsOf(r.Resource).Contains(l, StringComparer.Ordinal))));
        return [Of("", "No label", rows.Where(r => !LabelsOf(r.Resource).Any())), .. columns];
    }

    /// <summary>The labels after a card has gone from one column to another.</summary>
    public static IEnumerable<string> Moved(Resource work, string from, string to) =>
        LabelsOf(work).Where(l => l != from).Append(to).Where(l => l.Length > 0).Distinct(StringComparer.Ordinal);

    private static IEnumerable<string> LabelsOf(Resource work) => work.Body.Texts("spec.labels");

    private static BoardColumn Of(string id, string title, IEnumerable<LiveRow> cards)
    {
        LiveRow[] all = [.. cards];
        return new(id, title, all, all.Length.ToString(System.Globalization.CultureInfo.InvariantCulture));
    }
}
