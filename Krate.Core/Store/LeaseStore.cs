using Krate.Core.Store.Sql;

namespace Krate.Core.Store;

/// <summary>Leases, one statement each.</summary>
internal sealed class LeaseStore(Database database, TimeProvider time) : ILeaseStore
{
    public async Task<Fence?> AcquireAsync(string lease, string holder, TimeSpan duration, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        var taken = Statement.Of($"INSERT INTO leases (name, holder, epoch, expires) VALUES ({lease}, {holder}, 1, {(now + duration).ToUnixTimeMilliseconds()}) ")
            .Raw("ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires = excluded.expires, ")
            .Raw("epoch = CASE WHEN leases.holder = excluded.holder THEN leases.epoch ELSE leases.epoch + 1 END ")
            .Add($"WHERE leases.holder = excluded.holder OR leases.expires <= {now.ToUnixTimeMilliseconds()} RETURNING epoch");
        var epochs = await database.TransactAsync(session => session.QueryAsync(taken, r => r.GetInt64(0), ct), ct);
        return epochs.Count == 0 ? null : new Fence(lease, holder, epochs[0]);
    }

    public Task ReleaseAsync(Fence fence, CancellationToken ct) => database.TransactAsync(
        session => session.ExecuteAsync(Statement.Of($"UPDATE leases SET holder = '', expires = 0 WHERE name = {fence.Lease} AND holder = {fence.Holder} AND epoch = {fence.Epoch}"), ct), ct);
}
