using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Core.Store;

/// <summary>
/// The shelf behind the gateway: resources, their change log, audit, Secret values, counters and leases in one relational
/// database. Thread-safe. Only the gateway and the composition root hold one.
/// </summary>
/// <remarks>
/// Promises, the same on SQLite and PostgreSQL and proved by one contract:
/// a commit is all or nothing; resource versions are strictly increasing in commit order without gaps in the change log;
/// <see cref="CommitAsync"/> returns after <see cref="Feed"/> of this process has published the commit.
/// </remarks>
public interface IResourceStore
{
    /// <summary>What happened, in commit order, from memory.</summary>
    IChangeFeed Feed { get; }

    /// <summary>Audit rows; append happens with a commit.</summary>
    IAuditLog Audit { get; }

    ILeaseStore Leases { get; }

    /// <summary>What people have looked at or put aside.</summary>
    IMarkStore Marks { get; }

    Task<Resource?> GetAsync(KindDefinition kind, string ns, string name, CancellationToken ct);

    /// <exception cref="ApiException">400 for a bad continue token, 410 when the token's version is compacted.</exception>
    Task<ResourcePage> ListAsync(ListQuery query, CancellationToken ct);

    /// <summary>How many resources match, without reading them.</summary>
    Task<long> CountAsync(ListQuery query, CancellationToken ct);

    /// <summary>
    /// Applies everything in <paramref name="commit"/> in one transaction, or nothing. Concurrent commits of one process may
    /// share a transaction; each still succeeds or fails alone.
    /// </summary>
    /// <returns>The written resources with their versions, in the order of <see cref="Commit.Writes"/>; a delete gives the last state at the version of its deletion.</returns>
    /// <exception cref="ApiException">404, 409 (AlreadyExists, Conflict), 503 when the database does not answer in time or the fence is stale.</exception>
    Task<IReadOnlyList<Resource>> CommitAsync(Commit commit, CancellationToken ct);

    /// <summary>Encrypted Secret values by key; empty when there are none. Only the vault calls this.</summary>
    Task<IReadOnlyDictionary<string, byte[]>> ReadSecretValuesAsync(string uid, CancellationToken ct);

    /// <summary>Uids of all resources that hold Secret values in a namespace, with their values: for the vault's scanner only.</summary>
    IAsyncEnumerable<(string Uid, string Key, byte[] Cipher)> ReadAllSecretValuesAsync(string ns, CancellationToken ct);

    /// <summary>Removes change log entries beyond the retention (at least 1 h and 10,000 entries) and audit rows beyond 400 days. Called by one replica.</summary>
    Task CompactAsync(CancellationToken ct);

    /// <summary>Answers when the database does. Throws otherwise.</summary>
    Task PingAsync(CancellationToken ct);
}

/// <summary>A page of one kind.</summary>
/// <param name="Namespace">Null for all namespaces (or a cluster-scoped kind).</param>
/// <param name="Fields">Terms over <c>metadata.name</c>, <c>metadata.namespace</c> and the kind's <see cref="KindDefinition.SelectableFields"/>.</param>
/// <param name="Names">When not null, only these names (RBAC by resourceNames); answered by the key index.</param>
/// <param name="Limit">0 for all.</param>
/// <param name="Continue">Opaque token of the page before; a consistent snapshot across pages.</param>
public sealed record ListQuery(
    KindDefinition Kind,
    string? Namespace,
    Selector Labels,
    Selector Fields,
    IReadOnlyCollection<string>? Names = null,
    int Limit = 0,
    string? Continue = null)
{
    /// <summary>Of a kind that is narrowed to repositories: only resources whose repository label is in this set, or absent. Null: no narrowing.</summary>
    public IReadOnlyCollection<string>? Repositories { get; init; }

    /// <summary>By falling number; <see cref="Continue"/> does not apply.</summary>
    public NewestFirst? Newest { get; init; }

    public ListQuery(KindDefinition kind, string? ns = null)
        : this(kind, ns, Selector.Everything, Selector.Everything)
    {
    }
}

/// <param name="Version">Resource version of the snapshot; a watch from here misses nothing.</param>
/// <param name="Continue">Token of the next page; null at the end.</param>
/// <param name="Remaining">How many follow, when known.</param>
public sealed record ResourcePage(IReadOnlyList<Resource> Items, long Version, string? Continue = null, long? Remaining = null)
{
    /// <summary>Of a list of the newest: whether there is more in the direction that was asked for.</summary>
    public bool HasMore { get; init; }

    /// <summary>Of a list of the newest that was to be counted: how many match, at most <see cref="NewestFirst.MostCounted"/>.</summary>
    public long? Matching { get; init; }
}

/// <summary>One transaction, declared. No I/O happens between its parts.</summary>
public sealed record Commit
{
    public IReadOnlyList<ResourceWrite> Writes { get; init; } = [];

    /// <summary>Audit events (spec 03), appended to the hash chain in the same transaction. Documents of kind AuditEvent without name, sequence and hashes.</summary>
    public IReadOnlyList<JsonObject> Audit { get; init; } = [];

    /// <summary>The lease under which a reconciler writes; a stale epoch fails the commit.</summary>
    public Fence? Fence { get; init; }
}

/// <summary>One change in a commit. Bodies carry no resourceVersion; the store sets it.</summary>
public abstract record ResourceWrite(KindDefinition Kind, string Namespace, string Name)
{
    /// <summary>Encrypted Secret values to set (by key) or to remove (null), with the resource, in the same transaction.</summary>
    public IReadOnlyDictionary<string, byte[]?> SecretValues { get; init; } = new Dictionary<string, byte[]?>();
}

/// <summary>Fails with AlreadyExists when the key is taken.</summary>
public sealed record CreateWrite(KindDefinition Kind, string Namespace, string Name, JsonObject Body) : ResourceWrite(Kind, Namespace, Name)
{
    /// <summary>
    /// Allocates the next number of this counter (a repository's uid) in the transaction and hands it to <see cref="Numbered"/>,
    /// which returns the final body; its metadata.name decides the key. Both null, or both set.
    /// </summary>
    public string? Counter { get; init; }

    public Func<long, JsonObject>? Numbered { get; init; }

    /// <summary>Returns the final body, which keeps name and uid, from that of the commit's first write: what cannot be said before that one has its number. Pure.</summary>
    public Func<JsonObject, JsonObject>? With { get; init; }
}

/// <summary>Fails with NotFound when the key or uid is gone and with Conflict when the stored version is not <paramref name="ExpectedVersion"/>.</summary>
public sealed record UpdateWrite(KindDefinition Kind, string Namespace, string Name, string Uid, long ExpectedVersion, JsonObject Body) : ResourceWrite(Kind, Namespace, Name);

/// <summary>Removes the row. Same failures as <see cref="UpdateWrite"/>. Secret values of the uid go with it.</summary>
public sealed record DeleteWrite(KindDefinition Kind, string Namespace, string Name, string Uid, long ExpectedVersion) : ResourceWrite(Kind, Namespace, Name);

/// <summary>A lease epoch that must still be the current one.</summary>
public sealed record Fence(string Lease, string Holder, long Epoch);

public enum ChangeType
{
    Added,
    Modified,
    Deleted,
}

/// <summary>One entry of the change log. <paramref name="After"/> is the last state for a delete (at the version of the deletion); <paramref name="Before"/> is null for an add.</summary>
public sealed record Change(long Version, ChangeType Type, Resource? Before, Resource After)
{
    /// <summary>Made, deleted (or about to be), or of another generation.</summary>
    public bool IsOfSpec => Type == ChangeType.Deleted || Before is null || Before.Generation != After.Generation || Before.IsDeleting != After.IsDeleting;
}

/// <summary>What a subscriber wants to see. Null namespace: all.</summary>
public sealed record ChangeFilter(IReadOnlyCollection<KindDefinition> Kinds, string? Namespace = null)
{
    public bool Admits(Change c) => Kinds.Contains(c.After.Kind) && (Namespace is null || c.After.Namespace == Namespace);
}

/// <summary>
/// The change log as a live feed: one reader per process fills it; subscribers cost no SQL.
/// </summary>
public interface IChangeFeed
{
    /// <summary>Version of the newest published change.</summary>
    long Latest { get; }

    /// <summary>
    /// Batches of matching changes after <paramref name="fromVersion"/> (null: from now), in version order, each once, until cancelled. An
    /// empty batch says "nothing for you up to <see cref="ChangeBatch.Version"/>" at most about once a minute, for bookmarks.
    /// Registration happens when the method is called, not at the first MoveNext.
    /// </summary>
    /// <exception cref="ApiException">410 when <paramref name="fromVersion"/> is compacted or the subscriber falls more than its buffer behind.</exception>
    IAsyncEnumerable<ChangeBatch> Subscribe(ChangeFilter filter, long? fromVersion, CancellationToken ct);

    /// <summary>
    /// Calls <paramref name="observer"/> for every change, in order, before the commit that made it returns (same process) or as
    /// soon as the log shows it (another process). For small in-memory indexes only: it must be quick and must not throw.
    /// </summary>
    /// <returns>Dispose to stop.</returns>
    IDisposable Observe(Action<Change> observer);
}

public sealed record ChangeBatch(IReadOnlyList<Change> Changes, long Version);

/// <summary>The append-only audit table, hash-chained.</summary>
public interface IAuditLog
{
    /// <summary>Newest first. Documents of kind AuditEvent, named <c>audit-</c> and a sequence-ordered ULID.</summary>
    Task<ResourcePage> ListAsync(ListQuery query, CancellationToken ct);

    Task<Resource?> GetAsync(string ns, string name, CancellationToken ct);

    /// <summary>
    /// Rows appended after a sequence number, oldest first, until cancelled: those of this process at once, those of others as
    /// soon as they are told. Never an empty batch. Each follower reads for itself; meant for a few, not for every page.
    /// </summary>
    IAsyncEnumerable<IReadOnlyList<Resource>> FollowAsync(long afterSeq, CancellationToken ct);

    /// <summary>Walks the chain; the first broken sequence number, or null when whole.</summary>
    Task<long?> VerifyAsync(CancellationToken ct);
}

/// <summary>Leases with fencing epochs, in a table outside the change log.</summary>
public interface ILeaseStore
{
    /// <summary>Takes or renews the lease. The epoch grows whenever the holder changes.</summary>
    /// <returns>The fence, or null when another holder's lease has not expired.</returns>
    Task<Fence?> AcquireAsync(string lease, string holder, TimeSpan duration, CancellationToken ct);

    Task ReleaseAsync(Fence fence, CancellationToken ct);
}
