using Krate.Core.Store.Sql;

namespace Krate.Core.Store;

/// <summary>Removes what retention no longer asks for, oldest first, in small transactions that let writers through.</summary>
internal sealed class Compactor(Database database, StoreOptions options, TimeProvider time)
{
    private const int Chunk = 1000;

    public async Task CompactAsync(CancellationToken ct)
    {
        while (await CompactChangesAsync(ct)) await Task.Yield();
        while (await CompactAuditAsync(ct)) await Task.Yield();
        await database.TransactAsync(session => session.ExecuteAsync(Statement.Of($"DELETE FROM person_marks WHERE at < {(time.GetUtcNow() - options.AuditRetention).ToUnixTimeMilliseconds()}"), ct), ct);
    }

    private Task<bool> CompactChangesAsync(CancellationToken ct) => database.TransactAsync(
        async session =>
        {
            var cutoff = (time.GetUtcNow() - options.ChangeRetention).ToUnixTimeMilliseconds();
            var oldest = await session.QueryAsync(
                Statement.Of($"SELECT version, at FROM changes WHERE version <= (SELECT version FROM head WHERE id = 1) - {options.ChangesKept} ORDER BY version LIMIT {Chunk}"),
                r => (Version: r.GetInt64(0), At: r.GetInt64(1)),
                ct);
            // Only a prefix may go: the log has no gaps.
            var gone = oldest.TakeWhile(o => o.At < cutoff).ToList();
            if (gone.Count == 0) return false;
            await session.ExecuteAsync(Statement.Of($"DELETE FROM changes WHERE version <= {gone[^1].Version}"), ct);
            await session.ExecuteAsync(Statement.Of($"UPDATE head SET compacted = {gone[^1].Version} WHERE id = 1"), ct);
            return gone.Count == Chunk;
        },
        ct);

    private Task<bool> CompactAuditAsync(CancellationToken ct) => database.TransactAsync(
        async session =>
        {
            var cutoff = (time.GetUtcNow() - options.AuditRetention).ToUnixTimeMilliseconds();
            var oldest = await session.QueryAsync(
                Statement.Of($"SELECT seq, at, hash FROM audit ORDER BY seq LIMIT {Chunk}"),
                r => (Seq: r.GetInt64(0), At: r.GetInt64(1), Hash: r.GetFieldValue<byte[]>(2)),
                ct);
            var gone = oldest.TakeWhile(o => o.At < cutoff).ToList();
            if (gone.Count == 0) return false;
            await session.ExecuteAsync(Statement.Of($"DELETE FROM audit WHERE seq <= {gone[^1].Seq}"), ct);
            await session.ExecuteAsync(Statement.Of($"UPDATE head SET audit_start = {gone[^1].Seq}, audit_start_hash = {gone[^1].Hash} WHERE id = 1"), ct);
            return gone.Count == Chunk;
        },
        ct);
}
