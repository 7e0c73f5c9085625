namespace Krate.Core.Store;

/// <summary>Where the store lives and how much it remembers. The defaults are the product's; tests make them small.</summary>
public sealed record StoreOptions
{
    public required DataDirectory DataDirectory { get; init; }

    /// <summary>Null or empty: SQLite in the data directory.</summary>
    public string? PostgresConnectionString { get; init; }

    /// <summary>Changes kept in memory, so that a watcher that was away for a moment resumes without SQL.</summary>
    public int RecentChanges { get; init; } = 2048;

    /// <summary>Bytes of documents kept in memory for the same purpose.</summary>
    public long RecentBytes { get; init; } = 4 << 20;

    /// <summary>Changes that a subscriber may fall behind before it is dropped.</summary>
    public int SubscriberBuffer { get; init; } = 4096;

    public TimeSpan BookmarkInterval { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Changes younger than this stay in the log.</summary>
    public TimeSpan ChangeRetention { get; init; } = TimeSpan.FromHours(1);

    /// <summary>This many changes stay in the log, however old.</summary>
    public int ChangesKept { get; init; } = 10_000;

    public TimeSpan AuditRetention { get; init; } = TimeSpan.FromDays(400);

    /// <summary>Commits that may share a transaction.</summary>
    public int GroupSize { get; init; } = 64;

    /// <summary>Longest wait for a lock on PostgreSQL.</summary>
    public TimeSpan LockTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Longest run of one statement, and longest pause inside a transaction.</summary>
    public TimeSpan StatementTimeout { get; init; } = TimeSpan.FromSeconds(15);

    public bool IsPostgres => !string.IsNullOrWhiteSpace(PostgresConnectionString);
}
