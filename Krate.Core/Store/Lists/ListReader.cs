using System.Data.Common;
using Krate.Core.Resources;
using Krate.Core.Store.Commits;
using Krate.Core.Store.Sql;

namespace Krate.Core.Store.Lists;

/// <summary>
/// Pages in key order, all of one list showing the same version. A later page reads the rows as they are now and undoes what
/// the change log says has happened since.
/// </summary>
internal sealed class ListReader(Database database)
{
    /// <summary>Beyond this many the rest of a list is not counted.</summary>
    private const int MostCounted = 10_000;

    public async Task<ResourcePage> ListAsync(ListQuery query, CancellationToken ct)
    {
        if (query.Newest is { } newest) return await database.SnapshotAsync(session => NewestAsync(session, query, newest, ct), ct);
        var after = query.Continue is { Length: > 0 } text ? ContinueToken.Parse(text) : null;
        var filter = new ListFilter(query, database);
        var page = filter.Page(after, query.Limit > 0 ? query.Limit + 1 : 0);
        var (heads, rows) = await database.SnapshotAsync(HeadTable.Select, HeadTable.Read, page, r => Row(query.Kind, r), ct);
        rows.Sort(ByKey);
        var head = heads[0];
        if (after is null || after.Version == head.Version) return await PageOfAsync(query, filter, rows, head.Version, ct);
        Check(after, head);
        return await database.SnapshotAsync(session => RewindAsync(session, query, filter, after, ct), ct);
    }

    public async Task<long> CountAsync(ListQuery query, CancellationToken ct) =>
        (await database.QueryAsync(new ListFilter(query, database).Count(null, 0), r => r.GetInt64(0), ct))[0];

    private async Task<ResourcePage> NewestAsync(IQuerySession session, ListQuery query, NewestFirst newest, CancellationToken ct)
    {
        var head = (await session.QueryAsync(HeadTable.Select, HeadTable.Read, ct))[0];
        var page = new ListFilter(query, database).Page(null, query.Limit > 0 ? query.Limit + 1 : 0);
        var rows = await session.QueryAsync(page, r => Row(query.Kind, r), ct);
        rows.Sort((a, b) => NewestFirst.OrderOf(b).CompareTo(NewestFirst.OrderOf(a)));
        var more = query.Limit > 0 && rows.Count > query.Limit;
        if (more) rows.RemoveAt(newest.After is null ? rows.Count - 1 : 0);
        long? matching = null;
        if (newest.Counted)
            matching = (await session.QueryAsync(new ListFilter(query with { Newest = new() }, database).Count(null, NewestFirst.MostCounted), r => r.GetInt64(0), ct))[0];
        return new ResourcePage(rows, head.Version) { HasMore = more, Matching = matching };
    }

    private static int ByKey(Resource a, Resource b) => GroupPlan.KeyOrder.Compare(a.Key, b.Key);

    private static Resource Row(KindDefinition kind, DbDataReader r) =>
        StoredBody.ToResource(kind, r.GetString(0), r.GetString(1), r.GetInt64(2), r.GetFieldValue<byte[]>(3));

    private static void Check(ContinueToken after, Head head)
    {
        if (after.Version < head.Compacted || after.Version > head.Version)
            throw ApiException.Expired("The provided continue parameter is too old to display a consistent list result; list again without it.");
    }

    private async Task<ResourcePage> PageOfAsync(ListQuery query, ListFilter filter, List<Resource> rows, long version, CancellationToken ct)
    {
        if (query.Limit <= 0 || rows.Count <= query.Limit) return new ResourcePage(rows, version, null, 0);
        rows.RemoveRange(query.Limit, rows.Count - query.Limit);
        var last = new ContinueToken(version, rows[^1].Namespace, rows[^1].Name);
        long? remaining = null;
        if (filter.IsPlain)
        {
            var counted = (await database.QueryAsync(filter.Count(last, MostCounted), r => r.GetInt64(0), ct))[0];
            if (counted < MostCounted) remaining = counted;
        }

        return new ResourcePage(rows, version, last.ToString(), remaining);
    }

    /// <summary>The page as it was at the token's version: rows that did not change since, and what the others were.</summary>
    private static async Task<ResourcePage> RewindAsync(IQuerySession session, ListQuery query, ListFilter filter, ContinueToken after, CancellationToken ct)
    {
        Check(after, (await session.QueryAsync(HeadTable.Select, HeadTable.Read, ct))[0]);
        var wanted = query.Limit > 0 ? query.Limit + 1 : int.MaxValue;
        var changed = await ChangedKeysAsync(session, query, after, ct);
        var page = await UnchangedAsync(session, query, filter, after, wanted, changed, ct);
        var end = page.Count >= wanted ? page[^1].Key : (ResourceKey?)null;
        await foreach (var old in OldAsync(session, query, changed, end, ct))
            if (filter.Matches(old)) page.Add(old);
        page.Sort(ByKey);
        if (query.Limit <= 0 || page.Count <= query.Limit) return new ResourcePage(page, after.Version, null, 0);
        page.RemoveRange(query.Limit, page.Count - query.Limit);
        return new ResourcePage(page, after.Version, (after with { Namespace = page[^1].Namespace, Name = page[^1].Name }).ToString());
    }

    /// <summary>Keys behind the token's that changed since its version, each with its first change.</summary>
    private static async Task<SortedDictionary<ResourceKey, long>> ChangedKeysAsync(IQuerySession session, ListQuery query, ContinueToken after, CancellationToken ct)
    {
        var select = Statement.Of($"SELECT namespace, name, MIN(version) FROM changes WHERE version > {after.Version} AND kind = {query.Kind.Kind}");
        if (query.Namespace is { } ns) select.Add($" AND namespace = {ns} AND name > {after.Name}");
        else select.Add($" AND (namespace, name) > ({after.Namespace}, {after.Name})");
        select.Raw(" GROUP BY namespace, name");
        var found = await session.QueryAsync(select, r => (Key: new ResourceKey(query.Kind.Kind, r.GetString(0), r.GetString(1)), Version: r.GetInt64(2)), ct);
        return new(found.ToDictionary(f => f.Key, f => f.Version), GroupPlan.KeyOrder);
    }

    private static async Task<List<Resource>> UnchangedAsync(
        IQuerySession session, ListQuery query, ListFilter filter, ContinueToken after, int wanted, SortedDictionary<ResourceKey, long> changed, CancellationToken ct)
    {
        var unchanged = new List<Resource>();
        for (var at = after; ;)
        {
            var chunk = query.Limit > 0 ? wanted : 0;
            var rows = await session.QueryAsync(filter.Page(at, chunk), r => Row(query.Kind, r), ct);
            rows.Sort(ByKey);
            unchanged.AddRange(rows.Where(r => !changed.ContainsKey(r.Key)).Take(wanted - unchanged.Count));
            if (chunk == 0 || rows.Count < chunk || unchanged.Count >= wanted) return unchanged;
            at = after with { Namespace = rows[^1].Namespace, Name = rows[^1].Name };
        }
    }

    /// <summary>What the changed keys up to <paramref name="end"/> were; those that did not exist are left out.</summary>
    private static async IAsyncEnumerable<Resource> OldAsync(
        IQuerySession session, ListQuery query, SortedDictionary<ResourceKey, long> changed, ResourceKey? end, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        foreach (var (key, version) in changed)
        {
            if (end is { } last && GroupPlan.KeyOrder.Compare(key, last) > 0) yield break;
            var old = await session.QueryAsync(
                new Statement("SELECT before_version, before FROM changes WHERE version = $1 AND before IS NOT NULL", version),
                r => StoredBody.ToResource(query.Kind, key.Namespace, key.Name, r.GetInt64(0), r.GetFieldValue<byte[]>(1)),
                ct);
            foreach (var resource in old) yield return resource;
        }
    }
}
