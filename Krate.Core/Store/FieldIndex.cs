using System.Security.Cryptography;
using System.Text;
using Krate.Core.Resources;
using Krate.Core.Store.Sql;

namespace Krate.Core.Store;

/// <summary>Builds the label index anew when a release indexes other fields than the one before.</summary>
internal sealed class FieldIndex(Database database, KindCatalog catalog)
{
    private const int Chunk = 500;

    /// <summary>Grows when the entries of the same fields change.</summary>
    private const int Format = 2;

    private string Wanted => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(
        $"{Format}\n" + string.Join('\n', catalog.All.OrderBy(k => k.Kind, StringComparer.Ordinal).Select(Fields)))));

    private static string Fields(KindDefinition kind) =>
        $"{kind.Kind}{(kind.Numbered ? "#" : kind.OrderedByCreation ? "##" : "")}:{string.Join(',', kind.SelectableFields.Order(StringComparer.Ordinal).Select(f => kind.SelectableLists.Contains(f) ? f + "[]" : f))}";

    public async Task RefreshAsync(CancellationToken ct)
    {
        var wanted = Wanted;
        var select = new Statement("SELECT indexed_fields FROM head WHERE id = 1");
        if ((await database.QueryAsync(select, r => r.GetString(0), ct))[0] == wanted) return;
        await database.TransactAsync(
            async session =>
            {
                // The head row keeps writers out until the index is whole again.
                await session.ExecuteAsync(Statement.Of($"UPDATE head SET indexed_fields = {wanted} WHERE id = 1"), ct);
                await session.ExecuteAsync(new Statement("DELETE FROM resource_labels"), ct);
                foreach (var kind in catalog.All) await BuildAsync(session, kind, ct);
                return 0;
            },
            ct);
    }

    private static async Task BuildAsync(IQuerySession session, KindDefinition kind, CancellationToken ct)
    {
        for (var (ns, name) = ("", ""); ;)
        {
            var rows = await session.QueryAsync(
                Statement.Of($"SELECT namespace, name, body FROM resources WHERE kind = {kind.Kind} AND (namespace, name) > ({ns}, {name}) ORDER BY namespace, name LIMIT {Chunk}"),
                r => (Namespace: r.GetString(0), Name: r.GetString(1), Body: KrateJson.ParseObject(r.GetString(2))),
                ct);
            foreach (var row in rows)
            {
                foreach (var (key, value) in IndexedValues.Of(kind, row.Namespace, row.Body))
                    await session.ExecuteAsync(Statement.Of($"INSERT INTO resource_labels (kind, namespace, name, key, value) VALUES ({kind.Kind}, {row.Namespace}, {row.Name}, {key}, {value})"), ct);
            }

            if (rows.Count < Chunk) return;
            (ns, name) = (rows[^1].Namespace, rows[^1].Name);
        }
    }
}
