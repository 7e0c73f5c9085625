using System.Collections.Concurrent;
using System.Data.Common;
using System.Text.Json;
using Krate.Core.Resources;
using Krate.Core.Store.Commits;
using Krate.Core.Store.Model;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;

namespace Krate.Core.Store.Sql;

/// <summary>SQLite in the data directory: WAL, every commit synced, one writing connection, a few reading ones.</summary>
internal sealed class SqliteDatabase(StoreOptions options) : Database
{
    private const int Readers = 4;
    private const string Common = "PRAGMA busy_timeout=30000; PRAGMA temp_store=MEMORY; PRAGMA mmap_size=268435456;";
    private const string Writing = $"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA journal_size_limit=67108864; {Common} PRAGMA cache_size=-32768;";
    private const string Reading = $"{Common} PRAGMA cache_size=-8192; PRAGMA query_only=ON;";
    private readonly SemaphoreSlim writing = new(1, 1);
    private readonly SemaphoreSlim reading = new(Readers, Readers);
    private readonly ConcurrentBag<SqliteSession> readers = [];
    private DataDirectoryLock? held;
    private SqliteSession? writer;

    private string ConnectionString { get; } = new SqliteConnectionStringBuilder
    {
        DataSource = options.DataDirectory.Database,
        Pooling = false,
        DefaultTimeout = 30,
    }.ToString();

    public override async Task OpenAsync(CancellationToken ct)
    {
        held = DataDirectoryLock.Take(options.DataDirectory);
        try
        {
            // The first connection makes the file, so that its mode is set before anything is in it.
            using (File.OpenHandle(options.DataDirectory.Database, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite))
                File.SetUnixFileMode(options.DataDirectory.Database, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            writer = new SqliteSession(ConnectionString, Writing, () => Count());
            if (!IsCurrent(writer)) await MigrateAsync(writer, ct);
        }
        catch (Exception e) when (e is SqliteException or IOException or UnauthorizedAccessException)
        {
            throw new StartupException($"The database {options.DataDirectory.Database} cannot be opened: {e.Message}", e);
        }
    }

    public override Task<List<T>> QueryAsync<T>(Statement statement, Func<DbDataReader, T> row, CancellationToken ct) =>
        ReadAsync(session => session.QueryAsync(statement, row, ct), ct);

    public override Task<(List<TFirst> First, List<TSecond> Second)> SnapshotAsync<TFirst, TSecond>(
        Statement first, Func<DbDataReader, TFirst> firstRow, Statement second, Func<DbDataReader, TSecond> secondRow, CancellationToken ct) =>
        SnapshotAsync(async session => (await session.QueryAsync(first, firstRow, ct), await session.QueryAsync(second, secondRow, ct)), ct);

    public override Task<T> SnapshotAsync<T>(Func<IQuerySession, Task<T>> body, CancellationToken ct) => ReadAsync(
        async session =>
        {
            session.Begin();
            try
            {
                return await body(session);
            }
            finally
            {
                session.Rollback();
            }
        },
        ct);

    public override async Task<T> TransactAsync<T>(Func<IQuerySession, Task<T>> body, CancellationToken ct)
    {
        await writing.WaitAsync(ct);
        try
        {
            writer!.BeginImmediate();
            var result = await body(writer);
            writer.Commit();
            return result;
        }
        catch (Exception e)
        {
            writer!.Rollback();
            if (e is SqliteException s) throw Translate(s);
            throw;
        }
        finally
        {
            writing.Release();
        }
    }

    public override async Task WriteAsync(GroupPlan plan)
    {
        await writing.WaitAsync();
        try
        {
            SqliteGroupWriter.Write(writer!, plan);
        }
        catch (SqliteException e)
        {
            writer!.Rollback();
            // One process holds the lock: a broken constraint is the group's own doing, not a race.
            throw e.SqliteErrorCode is SQLitePCL.raw.SQLITE_CONSTRAINT or SQLitePCL.raw.SQLITE_TOOBIG ? new GroupRefusedException(e) : Translate(e);
        }
        catch
        {
            writer!.Rollback();
            throw;
        }
        finally
        {
            writing.Release();
        }
    }

    public override Statement In(IEnumerable<string> values)
    {
        var json = JsonSerializer.Serialize(values, KrateJson.Options);
        return new Statement().Add($"IN (SELECT value FROM json_each({json}))");
    }

    public override async ValueTask DisposeAsync()
    {
        await writing.WaitAsync();
        for (var i = 0; i < Readers; i++) await reading.WaitAsync();
        foreach (var reader in readers) reader.Dispose();
        writer?.Dispose();
        held?.Dispose();
        writing.Dispose();
        reading.Dispose();
    }

    private static bool IsCurrent(SqliteSession session)
    {
        var tables = session.Query("SELECT name FROM sqlite_master WHERE name = '__EFMigrationsHistory'", [], r => r.GetString(0));
        return tables.Count > 0 && Schema.IsCurrent<SqliteKrateDb>(session.Query(Schema.Applied, [], r => r.GetString(0)));
    }

    private async Task MigrateAsync(SqliteSession session, CancellationToken ct)
    {
        // EF Core's lock outlives a process that is killed while it migrates, and would be waited for without end. The directory is ours alone.
        session.Execute("DROP TABLE IF EXISTS \"__EFMigrationsLock\"");
        await using var context = new SqliteKrateDb(new DbContextOptionsBuilder<SqliteKrateDb>().UseSqlite(ConnectionString).Options);
        await context.Database.MigrateAsync(ct);
    }

    private async Task<T> ReadAsync<T>(Func<SqliteSession, Task<T>> read, CancellationToken ct)
    {
        await reading.WaitAsync(ct);
        try
        {
            if (!readers.TryTake(out var session)) session = new SqliteSession(ConnectionString, Reading, () => Count());
            try
            {
                return await read(session);
            }
            finally
            {
                readers.Add(session);
            }
        }
        catch (SqliteException e)
        {
            throw Translate(e);
        }
        finally
        {
            reading.Release();
        }
    }

    private static Exception Translate(SqliteException e) => e.SqliteErrorCode switch
    {
        SQLitePCL.raw.SQLITE_BUSY or SQLitePCL.raw.SQLITE_LOCKED or SQLitePCL.raw.SQLITE_FULL or SQLitePCL.raw.SQLITE_IOERR
            or SQLitePCL.raw.SQLITE_READONLY or SQLitePCL.raw.SQLITE_CANTOPEN => ApiException.Unavailable($"the database does not answer: {e.Message}"),
        _ => e,
    };
}
