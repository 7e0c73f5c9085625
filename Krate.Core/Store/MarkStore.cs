using Krate.Core.Resources;
using Krate.Core.Store.Sql;

namespace Krate.Core.Store;

/// <summary>Marks of people (<see cref="Gateway.IPersonMarks"/>), kept as long as audit. Only the gateway calls this.</summary>
public interface IMarkStore
{
    /// <summary>Versions by item.</summary>
    Task<IReadOnlyDictionary<string, string>> OfAsync(string user, string scope, CancellationToken ct);

    /// <param name="version">Null takes the mark away.</param>
    /// <exception cref="ApiException">422 when a scope would have more than 10,000 marks, or a name is too long.</exception>
    Task SetAsync(string user, string scope, string item, string? version, CancellationToken ct);
}

internal sealed class MarkStore(Database database, TimeProvider time) : IMarkStore
{
    private const int MaxMarks = 10_000;
    private const int MaxName = 256;

    public async Task<IReadOnlyDictionary<string, string>> OfAsync(string user, string scope, CancellationToken ct) =>
        (await database.QueryAsync(Statement.Of($"SELECT item, version FROM person_marks WHERE person = {user} AND scope = {scope}"), r => (Item: r.GetString(0), Version: r.GetString(1)), ct))
            .ToDictionary(m => m.Item, m => m.Version, StringComparer.Ordinal);

    public async Task SetAsync(string user, string scope, string item, string? version, CancellationToken ct)
    {
        if (new[] { user, scope, item, version ?? "" }.Any(n => n.Length > MaxName || !IndexedValues.IsPlain(n))) throw new ApiException(422, "Invalid", "a mark is named by at most 256 plain characters");
        await database.TransactAsync(
            async session =>
            {
                if (version is null) return await session.ExecuteAsync(Statement.Of($"DELETE FROM person_marks WHERE person = {user} AND scope = {scope} AND item = {item}"), ct);
                var others = (await session.QueryAsync(Statement.Of($"SELECT COUNT(*) FROM person_marks WHERE person = {user} AND scope = {scope} AND item <> {item}"), r => r.GetInt64(0), ct))[0];
                if (others >= MaxMarks) throw new ApiException(422, "Invalid", $"there are {MaxMarks} marks already; take some away first");
                var set = Statement.Of($"INSERT INTO person_marks (person, scope, item, version, at) VALUES ({user}, {scope}, {item}, {version}, {time.GetUtcNow().ToUnixTimeMilliseconds()}) ")
                    .Raw("ON CONFLICT (person, scope, item) DO UPDATE SET version = excluded.version, at = excluded.at");
                return await session.ExecuteAsync(set, ct);
            },
            ct);
    }
}
