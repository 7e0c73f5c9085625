using Krate.Core.Resources;
using Krate.Core.Store.Commits;

namespace Krate.Core.Store.Sql;

/// <summary>The group commit on SQLite: prepared statements, one by one, there is no round trip to save.</summary>
internal static class SqliteGroupWriter
{
    public static void Write(SqliteSession session, GroupPlan plan)
    {
        session.BeginImmediate();
        Find(session, plan);
        for (var missing = plan.Decide(); missing.Count > 0; missing = plan.Decide()) Find(session, plan, missing);
        plan.Seal(ReadHead(session));
        if (plan.IsEmpty)
        {
            session.Rollback();
            return;
        }

        WriteRows(session, plan);
        WriteLog(session, plan);
        WriteRest(session, plan);
        session.Commit();
    }

    private static void Find(SqliteSession session, GroupPlan plan)
    {
        Find(session, plan, plan.Keys);
        foreach (var lease in plan.Leases)
            plan.Found(lease, session.Query("SELECT holder, epoch FROM leases WHERE name = $1", [lease], r => new LeaseState(r.GetString(0), r.GetInt64(1))).FirstOrDefault());
        foreach (var counter in plan.Counters)
            plan.FoundCounter(counter, session.Query("SELECT value FROM counters WHERE name = $1", [counter], r => r.GetInt64(0)).FirstOrDefault());
    }

    private static void Find(SqliteSession session, GroupPlan plan, IEnumerable<ResourceKey> keys)
    {
        foreach (var key in keys)
        {
            plan.Found(key, session.Query(
                "SELECT uid, version, body FROM resources WHERE kind = $1 AND namespace = $2 AND name = $3",
                [key.Kind, key.Namespace, key.Name],
                r => new RowState(plan.KindOf(key), key, r.GetString(0), r.GetString(2)) { Version = r.GetInt64(1) }).FirstOrDefault());
        }
    }

    private static Head ReadHead(SqliteSession session) =>
        session.Query(HeadTable.Select.Text, [], HeadTable.Read).Single();

    private static void WriteRows(SqliteSession session, GroupPlan plan)
    {
        foreach (var (before, after) in plan.Rows)
        {
            var key = (after ?? before!).Key;
            if (after is null)
                session.Execute("DELETE FROM resources WHERE kind = $1 AND namespace = $2 AND name = $3", key.Kind, key.Namespace, key.Name);
            else if (before is null)
                session.Execute("INSERT INTO resources (kind, namespace, name, uid, version, body) VALUES ($1, $2, $3, $4, $5, $6)", key.Kind, key.Namespace, key.Name, after.Uid, after.Version, after.Text);
            else
                session.Execute("UPDATE resources SET uid = $4, version = $5, body = $6 WHERE kind = $1 AND namespace = $2 AND name = $3", key.Kind, key.Namespace, key.Name, after.Uid, after.Version, after.Text);

            var index = IndexChange.Between(before, after);
            foreach (var gone in index.Gone)
                session.Execute("DELETE FROM resource_labels WHERE kind = $1 AND namespace = $2 AND name = $3 AND key = $4", key.Kind, key.Namespace, key.Name, gone);
            foreach (var (label, value) in index.Set)
                session.Execute("INSERT OR REPLACE INTO resource_labels (kind, namespace, name, key, value) VALUES ($1, $2, $3, $4, $5)", key.Kind, key.Namespace, key.Name, label, value);
        }
    }

    private static void WriteLog(SqliteSession session, GroupPlan plan)
    {
        foreach (var c in plan.Changes)
        {
            session.Execute(
                "INSERT INTO changes (version, type, kind, namespace, name, before_version, before, after, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                c.After.Version, (int)c.Type, c.After.Key.Kind, c.After.Key.Namespace, c.After.Key.Name,
                c.Before?.Version, c.Before?.Text, c.Type == ChangeType.Deleted ? null : c.After.Text, plan.Now);
        }

        foreach (var a in plan.Audit)
        {
            session.Execute(
                "INSERT INTO audit (seq, at, namespace, org, type, actor, correlation, body, prev_hash, hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
                a.Seq, a.At, a.Namespace, a.Org, a.Type, a.Actor, a.Correlation, a.Body, a.PrevHash, a.Hash);
        }
    }

    private static void WriteRest(SqliteSession session, GroupPlan plan)
    {
        foreach (var s in plan.Secrets)
        {
            if (s.Key is null)
                session.Execute("DELETE FROM secret_values WHERE uid = $1", s.Uid);
            else if (s.Cipher is null)
                session.Execute("DELETE FROM secret_values WHERE uid = $1 AND key = $2", s.Uid, s.Key);
            else
                session.Execute("INSERT OR REPLACE INTO secret_values (uid, key, namespace, cipher) VALUES ($1, $2, $3, $4)", s.Uid, s.Key, s.Namespace, s.Cipher);
        }

        foreach (var (counter, value) in plan.ChangedCounters)
            session.Execute("INSERT OR REPLACE INTO counters (name, value) VALUES ($1, $2)", counter, value);
        var head = plan.Sealed!;
        session.Execute("UPDATE head SET version = $1, audit_seq = $2, audit_at = $3, audit_hash = $4 WHERE id = 1", head.Version, head.AuditSeq, head.AuditAt, head.AuditHash);
    }
}
