using System.Text;

namespace Krate.Web.Features.Code;

/// <summary>The first rows of a file of separated values (RFC 4180).</summary>
/// <param name="Total">How many rows the file has, the header not counted; at most what was looked at.</param>
public sealed record CsvRows(IReadOnlyList<string> Header, IReadOnlyList<IReadOnlyList<string>> Rows, int Total)
{
    private const int MaxRows = 500;
    private const int MaxColumns = 100;

    /// <returns>Null for what is no table: nothing in it, a quote that never ends, or too many columns.</returns>
    public static CsvRows? Read(string text, char separator)
    {
        var rows = new List<IReadOnlyList<string>>();
        var (at, total) = (0, 0);
        while (at < text.Length)
        {
            if (ReadRow(text, separator, ref at) is not { } row || row.Count > MaxColumns) return null;
            if (row is [""]) continue;
            if (total++ <= MaxRows) rows.Add(row);
        }

        return rows.Count == 0 ? null : new(rows[0], rows[1..], total - 1);
    }

    private static List<string>? ReadRow(string text, char separator, ref int at)
    {
        var row = new List<string>();
        while (true)
        {
            if (ReadCell(text, separator, ref at) is not { } cell) return null;
            row.Add(cell);
            if (at >= text.Length) return row;
            var end = text[at++];
            if (end == separator) continue;
            if (end == '\r' && at < text.Length && text[at] == '\n') at++;
            return row;
        }
    }

    private static string? ReadCell(string text, char separator, ref int at)
    {
        if (at >= text.Length || text[at] != '"') return Unquoted(text, separator, ref at);
        var cell = new StringBuilder();
        for (at++; at < text.Length; at++)
        {
            if (text[at] != '"') cell.Append(text[at]);
            else if (at + 1 < text.Length && text[at + 1] == '"') cell.Append(text[at++]);
            else
            {
                at++;
                return cell.Append(Unquoted(text, separator, ref at)).ToString();
            }
        }

        return null;
    }

    private static string Unquoted(string text, char separator, ref int at)
    {
        var length = text.AsSpan(at).IndexOfAny(separator, '\r', '\n');
        var cell = length < 0 ? text[at..] : text.Substring(at, length);
        at += cell.Length;
        return cell;
    }
}
