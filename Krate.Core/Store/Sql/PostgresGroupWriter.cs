using Krate.Core.Resources;
using Krate.Core.Store.Commits;
using Npgsql;

namespace Krate.Core.Store.Sql;

/// <summary>
/// The group commit on PostgreSQL in two round trips: lock and read everything, the head row last; then write everything and
/// commit. All inserts come after the head row, so that they never wait for another process in the middle.
/// </summary>
internal static class PostgresGroupWriter
{
    private static readonly BulkInsert<RowState> Resources = new(
        "resources",
        ("kind", "text", s => s.Key.Kind),
        ("namespace", "text", s => s.Key.Namespace),
        ("name", "text", s => s.Key.Name),
        ("uid", "text", s => s.Uid),
        ("version", "bigint", s => s.Version),
        ("body", "text", s => s.Text));

    private static readonly BulkInsert<(ResourceKey Key, string Label, string Value)> Labels = new(
        "resource_labels",
        ("kind", "text", l => l.Key.Kind),
        ("namespace", "text", l => l.Key.Namespace),
        ("name", "text", l => l.Key.Name),
        ("key", "text", l => l.Label),
        ("value", "text", l => l.Value));

    private static readonly BulkInsert<(PlannedChange Change, long At)> Changes = new(
        "changes",
        ("version", "bigint", c => c.Change.After.Version),
        ("type", "integer", c => (int)c.Change.Type),
        ("kind", "text", c => c.Change.After.Key.Kind),
        ("namespace", "text", c => c.Change.After.Key.Namespace),
        ("name", "text", c => c.Change.After.Key.Name),
        ("before_version", "bigint", c => c.Change.Before?.Version),
        ("before", "text", c => c.Change.Before?.Text),
        ("after", "text", c => c.Change.Type == ChangeType.Deleted ? null : c.Change.After.Text),
        ("at", "bigint", c => c.At));

    private static readonly BulkInsert<AuditEntry> Audit = new(
        "audit",
        ("seq", "bigint", a => a.Seq),
        ("at", "bigint", a => a.At),
        ("namespace", "text", a => a.Namespace),
        ("org", "text", a => a.Org),
        ("type", "text", a => a.Type),
        ("actor", "text", a => a.Actor),
        ("correlation", "text", a => a.Correlation),
        ("body", "text", a => a.Body),
        ("prev_hash", "bytea", a => a.PrevHash),
        ("hash", "bytea", a => a.Hash));

    private const string Begin = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";
    private const string LockRow = "SELECT uid, version, body FROM resources WHERE kind = $1 AND namespace = $2 AND name = $3 FOR UPDATE";
    private const string LockLease = "SELECT holder, epoch FROM leases WHERE name = $1 FOR SHARE";
    private const string MakeCounter = "INSERT INTO counters (name, value) VALUES ($1, 0) ON CONFLICT DO NOTHING";
    private const string LockCounter = "SELECT value FROM counters WHERE name = $1 FOR UPDATE";
    private const string LockHead = $"SELECT {HeadTable.Columns} FROM head WHERE id = 1 FOR UPDATE";

    /// <summary>Takes all locks and has the group decided and sealed.</summary>
    public static async Task LockAsync(NpgsqlConnection connection, GroupPlan plan, Action<int> counted)
    {
        // Which rows a numbered create touches is known only when the counter is: the head row, taken last, waits for that.
        var headFirst = plan.Counters.Count == 0;
        var head = await FindAsync(connection, plan, plan.Keys, first: true, headFirst, counted);
        for (var missing = plan.Decide(); missing.Count > 0; missing = plan.Decide())
            await FindAsync(connection, plan, missing, first: false, withHead: false, counted);
        head ??= await FindAsync(connection, plan, [], first: false, withHead: true, counted);
        plan.Seal(head!);
    }

    /// <summary>Writes what was decided and commits.</summary>
    public static async Task ApplyAsync(NpgsqlConnection connection, GroupPlan plan, string notify, Action<int> counted)
    {
        await using var batch = new NpgsqlBatch(connection);
        AddRows(batch, plan);
        AddLog(batch, plan);
        AddSecrets(batch, plan);
        foreach (var (counter, value) in plan.ChangedCounters)
            batch.Add("UPDATE counters SET value = $2 WHERE name = $1", counter, value);
        var head = plan.Sealed!;
        batch.Add("UPDATE head SET version = $1, audit_seq = $2, audit_at = $3, audit_hash = $4 WHERE id = 1", head.Version, head.AuditSeq, head.AuditAt, head.AuditHash);
        batch.Add(notify).Add("COMMIT");
        counted(batch.BatchCommands.Count);
        await batch.ExecuteNonQueryAsync();
    }

    private static async Task<Head?> FindAsync(NpgsqlConnection connection, GroupPlan plan, IReadOnlyList<ResourceKey> keys, bool first, bool withHead, Action<int> counted)
    {
        await using var batch = new NpgsqlBatch(connection);
        if (first) batch.Add(Begin);
        foreach (var key in keys) batch.Add(LockRow, key.Kind, key.Namespace, key.Name);
        if (first)
        {
            foreach (var lease in plan.Leases) batch.Add(LockLease, lease);
            foreach (var counter in plan.Counters) batch.Add(MakeCounter, counter).Add(LockCounter, counter);
        }

        if (withHead) batch.Add(LockHead);
        counted(batch.BatchCommands.Count);
        await using var reader = await batch.ExecuteReaderAsync();
        return await TakeAsync(reader, plan, keys, first, withHead);
    }

    /// <summary>Reads the results in the order of the questions. Statements without rows (BEGIN, the counter's insert) give no result.</summary>
    private static async Task<Head?> TakeAsync(NpgsqlDataReader reader, GroupPlan plan, IReadOnlyList<ResourceKey> keys, bool first, bool withHead)
    {
        foreach (var key in keys)
        {
            plan.Found(key, await reader.ReadAsync()
                ? new RowState(plan.KindOf(key), key, reader.GetString(0), reader.GetString(2)) { Version = reader.GetInt64(1) }
                : null);
            await reader.NextResultAsync();
        }

        if (first)
        {
            foreach (var lease in plan.Leases)
            {
                plan.Found(lease, await reader.ReadAsync() ? new LeaseState(reader.GetString(0), reader.GetInt64(1)) : null);
                await reader.NextResultAsync();
            }

            foreach (var counter in plan.Counters)
            {
                plan.FoundCounter(counter, await reader.ReadAsync() ? reader.GetInt64(0) : 0);
                await reader.NextResultAsync();
            }
        }

        return withHead && await reader.ReadAsync() ? HeadTable.Read(reader) : null;
    }

    private static void AddRows(NpgsqlBatch batch, GroupPlan plan)
    {
        var rows = plan.Rows.ToList();
        foreach (var gone in rows.Where(r => r.After is null).Select(r => r.Before!.Key))
            batch.Add("DELETE FROM resources WHERE kind = $1 AND namespace = $2 AND name = $3", gone.Kind, gone.Namespace, gone.Name);
        Resources.Insert(batch, [.. rows.Where(r => r.Before is null).Select(r => r.After!)]);

        // The rows are there and locked; an upsert finds each by its key whatever the planner thinks of the table.
        Resources.Insert(
            batch,
            [.. rows.Where(r => r.Before is not null && r.After is not null).Select(r => r.After!)],
            " ON CONFLICT (kind, namespace, name) DO UPDATE SET uid = excluded.uid, version = excluded.version, body = excluded.body");
        AddIndex(batch, rows);
    }

    private static void AddIndex(NpgsqlBatch batch, IEnumerable<(RowState? Before, RowState? After)> rows)
    {
        var set = new List<(ResourceKey Key, string Label, string Value)>();
        foreach (var (before, after) in rows)
        {
            var key = (after ?? before!).Key;
            var index = IndexChange.Between(before, after);
            if (index.Gone.Count > 0)
                batch.Add("DELETE FROM resource_labels WHERE kind = $1 AND namespace = $2 AND name = $3 AND key = ANY($4)", key.Kind, key.Namespace, key.Name, index.Gone.ToArray());
            set.AddRange(index.Set.Select(s => (key, s.Key, s.Value)));
        }

        Labels.Insert(batch, set, " ON CONFLICT (kind, namespace, name, key) DO UPDATE SET value = excluded.value");
    }

    private static void AddLog(NpgsqlBatch batch, GroupPlan plan)
    {
        var now = plan.Now;
        Changes.Insert(batch, [.. plan.Changes.Select(c => (c, now))]);
        Audit.Insert(batch, plan.Audit);
    }

    private static void AddSecrets(NpgsqlBatch batch, GroupPlan plan)
    {
        foreach (var s in plan.Secrets)
        {
            if (s.Key is null)
                batch.Add("DELETE FROM secret_values WHERE uid = $1", s.Uid);
            else if (s.Cipher is null)
                batch.Add("DELETE FROM secret_values WHERE uid = $1 AND key = $2", s.Uid, s.Key);
            else
                batch.Add("INSERT INTO secret_values (uid, key, namespace, cipher) VALUES ($1, $2, $3, $4) ON CONFLICT (uid, key) DO UPDATE SET cipher = excluded.cipher", s.Uid, s.Key, s.Namespace, s.Cipher);
        }
    }
}
