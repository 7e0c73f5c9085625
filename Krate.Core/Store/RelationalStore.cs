using System.Runtime.CompilerServices;
using Krate.Core.Resources;
using Krate.Core.Store.Commits;
using Krate.Core.Store.Feed;
using Krate.Core.Store.Lists;
using Krate.Core.Store.Sql;
using Microsoft.Extensions.Logging;

namespace Krate.Core.Store;

/// <summary>
/// The store on SQLite or PostgreSQL. <see cref="InitializeAsync"/> comes before everything else.
/// </summary>
public sealed class RelationalStore : IResourceStore, IAsyncDisposable
{
    private readonly Database database;
    private readonly ChangeFeed feed;
    private readonly ListReader lists;
    private readonly Compactor compactor;
    private readonly FieldIndex fieldIndex;
    private readonly AuditLog audit;
    private readonly StoreMetrics metrics;
    private readonly CommitQueue queue;
    private readonly ILogger logger;
    private readonly CancellationTokenSource stopping = new();
    private readonly TaskCompletionSource hearing = new();
    private Task listening = Task.CompletedTask;
    private bool disposed;

    public RelationalStore(StoreOptions options, KindCatalog catalog, TimeProvider time, ILogger<RelationalStore> logger)
    {
        this.logger = logger;
        database = options.IsPostgres ? new PostgresDatabase(options, time) : new SqliteDatabase(options);
        feed = new ChangeFeed(new ChangeLog(database, catalog), options, time, logger);
        lists = new ListReader(database);
        compactor = new Compactor(database, options, time);
        fieldIndex = new FieldIndex(database, catalog);
        metrics = new StoreMetrics(() => database.CommandCount, () => feed.SubscriberCount);
        audit = new AuditLog(database, catalog);
        queue = new CommitQueue(database, feed, audit, metrics, options, time, logger);
        Leases = new LeaseStore(database, time);
        Marks = new MarkStore(database, time);
    }

    public IChangeFeed Feed => feed;

    public IAuditLog Audit => audit;

    public ILeaseStore Leases { get; }

    public IMarkStore Marks { get; }

    /// <summary>For tests that look beneath.</summary>
    internal Database Database => database;

    /// <summary>Statements sent to the database so far.</summary>
    public long CommandCount => database.CommandCount;

    /// <summary>Subscribers of the feed, for metrics.</summary>
    public int Subscribers => feed.SubscriberCount;

    /// <summary>Reaches the database, migrates it, and starts the feed at its newest version.</summary>
    /// <exception cref="StartupException">The directory or the database cannot be used; the message is for the person who starts Krate.</exception>
    public async Task InitializeAsync(CancellationToken ct)
    {
        await database.OpenAsync(ct);
        await fieldIndex.RefreshAsync(ct);
        await feed.StartAsync(ct);
        listening = Task.Run(ListenAsync, CancellationToken.None);
        await Task.WhenAny(hearing.Task, listening).WaitAsync(ct);
    }

    public async Task<Resource?> GetAsync(KindDefinition kind, string ns, string name, CancellationToken ct)
    {
        if (!IndexedValues.IsPlain(name) || !IndexedValues.IsPlain(ns)) return null;
        var found = await database.QueryAsync(
            new Statement("SELECT version, body FROM resources WHERE kind = $1 AND namespace = $2 AND name = $3", kind.Kind, ns, name),
            r => StoredBody.ToResource(kind, ns, name, r.GetInt64(0), r.GetFieldValue<byte[]>(1)),
            ct);
        return found.FirstOrDefault();
    }

    public Task<ResourcePage> ListAsync(ListQuery query, CancellationToken ct) => lists.ListAsync(query, ct);

    public Task<long> CountAsync(ListQuery query, CancellationToken ct) => lists.CountAsync(query, ct);

    public Task<IReadOnlyList<Resource>> CommitAsync(Commit commit, CancellationToken ct) => queue.CommitAsync(commit, ct);

    public async Task<IReadOnlyDictionary<string, byte[]>> ReadSecretValuesAsync(string uid, CancellationToken ct)
    {
        var rows = await database.QueryAsync(
            new Statement("SELECT key, cipher FROM secret_values WHERE uid = $1", uid), r => (r.GetString(0), r.GetFieldValue<byte[]>(1)), ct);
        return rows.ToDictionary(r => r.Item1, r => r.Item2, StringComparer.Ordinal);
    }

    public async IAsyncEnumerable<(string Uid, string Key, byte[] Cipher)> ReadAllSecretValuesAsync(string ns, [EnumeratorCancellation] CancellationToken ct)
    {
        var rows = await database.QueryAsync(
            new Statement("SELECT uid, key, cipher FROM secret_values WHERE namespace = $1", ns), r => (r.GetString(0), r.GetString(1), r.GetFieldValue<byte[]>(2)), ct);
        foreach (var row in rows) yield return row;
    }

    public Task CompactAsync(CancellationToken ct) => compactor.CompactAsync(ct);

    public async Task PingAsync(CancellationToken ct)
    {
        if (feed.Lost is { } lost) throw ApiException.Unavailable(lost);
        await database.QueryAsync(HeadTable.Select, HeadTable.Read, ct);
    }

    /// <summary>Lets queued commits finish, ends subscriptions, closes the database.</summary>
    public async ValueTask DisposeAsync()
    {
        // A container disposes a singleton once for each service it is registered as.
        if (Interlocked.Exchange(ref disposed, true)) return;
        await stopping.CancelAsync();
        await queue.DisposeAsync();
        await listening;
        feed.Dispose();
        await database.DisposeAsync();
        metrics.Dispose();
        stopping.Dispose();
    }

    private async Task ListenAsync()
    {
        try
        {
            await database.ListenAsync(
                async () =>
                {
                    await feed.CatchUpAsync(stopping.Token);
                    audit.Appended();
                    hearing.TrySetResult();
                },
                stopping.Token);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
        }
        catch (Exception e)
        {
            logger.LogCritical(e, "Nobody listens to other processes any more");
        }
    }
}
