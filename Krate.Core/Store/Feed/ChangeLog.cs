using System.Data.Common;
using Krate.Core.Resources;
using Krate.Core.Store.Sql;

namespace Krate.Core.Store.Feed;

/// <summary>Reads the change log from the database: what another process wrote, and what is older than memory.</summary>
internal sealed class ChangeLog(Database database, KindCatalog catalog)
{
    public const int PageSize = 500;
    private const string Columns = "version, type, kind, namespace, name, before_version, before, after";

    /// <summary>The next entries after a version, at most a page.</summary>
    public Task<List<LogEntry>> ReadAsync(long after, CancellationToken ct) =>
        database.QueryAsync(new Statement($"SELECT {Columns} FROM changes WHERE version > $1 ORDER BY version LIMIT {PageSize}", after), Entry, ct);

    /// <summary>The next entries of some kinds in (after, upTo], at most a page, and the newest compacted version as of the same snapshot.</summary>
    public async Task<(List<LogEntry> Entries, long Compacted)> ReadAsync(ChangeFilter filter, long after, long upTo, CancellationToken ct)
    {
        var select = Statement.Of($"SELECT version, type, kind, namespace, name, before_version, before, after FROM changes WHERE version > {after} AND version <= {upTo} AND kind {database.In(filter.Kinds.Select(k => k.Kind))}");
        if (filter.Namespace is { } ns) select.Add($" AND namespace = {ns}");
        select.Raw($" ORDER BY version LIMIT {PageSize}");
        var (heads, entries) = await database.SnapshotAsync(HeadTable.Select, HeadTable.Read, select, Entry, ct);
        return (entries, heads[0].Compacted);
    }

    public async Task<long> HeadAsync(CancellationToken ct) =>
        (await database.QueryAsync(HeadTable.Select, HeadTable.Read, ct))[0].Version;

    private LogEntry Entry(DbDataReader r)
    {
        var version = r.GetInt64(0);
        // A kind of a newer release: nobody here can ask for it.
        if (catalog.Find(r.GetString(2)) is not { } kind) return new(version, null);
        var type = (ChangeType)r.GetInt32(1);
        var (ns, name) = (r.GetString(3), r.GetString(4));
        var before = r.IsDBNull(6) ? null : r.GetFieldValue<byte[]>(6);
        var after = type == ChangeType.Deleted ? before! : r.GetFieldValue<byte[]>(7);
        return new(version, new Change(
            version,
            type,
            before is null ? null : StoredBody.ToResource(kind, ns, name, r.GetInt64(5), before),
            StoredBody.ToResource(kind, ns, name, version, after)));
    }
}

/// <summary>One log entry; the change is null when its kind is unknown to this release.</summary>
internal sealed record LogEntry(long Version, Change? Change);
