using System.Data.Common;
using Krate.Core.Resources;
using Krate.Core.Store.Commits;
using Krate.Core.Store.Model;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Krate.Core.Store.Sql;

/// <summary>PostgreSQL: a pool for reads, one connection for the group commit, one that listens.</summary>
internal sealed class PostgresDatabase : Database
{
    private const string Channel = "krate";
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);
    private readonly SemaphoreSlim writing = new(1, 1);
    private readonly NpgsqlConnectionStringBuilder settings;
    private readonly NpgsqlDataSource source;
    private readonly TimeProvider time;

    /// <summary>Marks own notifications: this process publishes its own commits without being told.</summary>
    private readonly string self = Guid.NewGuid().ToString("N");
    private NpgsqlConnection? writer;

    public PostgresDatabase(StoreOptions options, TimeProvider time)
    {
        this.time = time;
        try
        {
            settings = new NpgsqlConnectionStringBuilder(options.PostgresConnectionString);
        }
        catch (ArgumentException e)
        {
            throw new StartupException($"ConnectionStrings__Krate is no PostgreSQL connection string: {e.Message}", e);
        }

        var wait = (long)options.StatementTimeout.TotalMilliseconds;
        settings.Options += $" -c lock_timeout={(long)options.LockTimeout.TotalMilliseconds} -c statement_timeout={wait} -c idle_in_transaction_session_timeout={wait}";
        settings.CommandTimeout = (int)options.StatementTimeout.TotalSeconds + 5;
        settings.MaxAutoPrepare = 100;
        settings.AutoPrepareMinUsages = 2;
        // Npgsql's own default would let two replicas fill a server of default size.
        if (settings.MaxPoolSize == 100) settings.MaxPoolSize = 30;
        settings.TcpKeepAlive = true;
        settings.ApplicationName ??= "krate";
        source = NpgsqlDataSource.Create(settings);
    }

    public override async Task OpenAsync(CancellationToken ct)
    {
        try
        {
            if (!await IsCurrentAsync(ct)) await MigrateAsync(ct);
        }
        catch (NpgsqlException e)
        {
            throw new StartupException($"PostgreSQL at {settings.Host}:{settings.Port} (database {settings.Database}) cannot be used: {e.InnerException?.Message ?? e.Message}", e);
        }
    }

    public override async Task<List<T>> QueryAsync<T>(Statement statement, Func<DbDataReader, T> row, CancellationToken ct)
    {
        try
        {
            await using var connection = await source.OpenConnectionAsync(ct);
            return await new Session(connection, this).QueryAsync(statement, row, ct);
        }
        catch (Exception e) when (Translate(e) is { } unavailable)
        {
            throw unavailable;
        }
    }

    public override async Task<(List<TFirst> First, List<TSecond> Second)> SnapshotAsync<TFirst, TSecond>(
        Statement first, Func<DbDataReader, TFirst> firstRow, Statement second, Func<DbDataReader, TSecond> secondRow, CancellationToken ct)
    {
        try
        {
            await using var connection = await source.OpenConnectionAsync(ct);
            await using var batch = new NpgsqlBatch(connection);
            batch.Add("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").Add(first).Add(second).Add("COMMIT");
            Count(2);
            await using var reader = await batch.ExecuteReaderAsync(ct);
            var firsts = await ReadAsync(reader, firstRow, ct);
            await reader.NextResultAsync(ct);
            return (firsts, await ReadAsync(reader, secondRow, ct));
        }
        catch (Exception e) when (Translate(e) is { } unavailable)
        {
            throw unavailable;
        }
    }

    public override Task<T> SnapshotAsync<T>(Func<IQuerySession, Task<T>> body, CancellationToken ct) =>
        TransactAsync(body, System.Data.IsolationLevel.RepeatableRead, ct);

    public override Task<T> TransactAsync<T>(Func<IQuerySession, Task<T>> body, CancellationToken ct) =>
        TransactAsync(body, System.Data.IsolationLevel.ReadCommitted, ct);

    public override async Task WriteAsync(GroupPlan plan)
    {
        await writing.WaitAsync();
        try
        {
            await WriteAsync(plan, retry: true);
        }
        finally
        {
            writing.Release();
        }
    }

    public override async Task ListenAsync(Func<Task> wake, CancellationToken ct)
    {
        var pause = TimeSpan.Zero;
        while (!ct.IsCancellationRequested)
        {
            try
            {
                await using var connection = await source.OpenConnectionAsync(ct);
                var others = 0;
                connection.Notification += (_, n) => others += n.Payload == self ? 0 : 1;
                await using (var listen = new NpgsqlCommand($"LISTEN {Channel}", connection)) await listen.ExecuteNonQueryAsync(ct);
                pause = TimeSpan.Zero;
                for (others = 1; ; await connection.WaitAsync(ct))
                {
                    if (others == 0) continue;
                    others = 0;
                    await wake();
                }
            }
            catch (Exception e) when (!ct.IsCancellationRequested && (e is ApiException || Translate(e) is not null))
            {
                pause = pause == TimeSpan.Zero ? TimeSpan.FromMilliseconds(100) : TimeSpan.FromTicks(Math.Min(LongestPause.Ticks, pause.Ticks * 2));
                await Task.Delay(pause, time, ct);
            }
        }
    }

    public override Statement In(IEnumerable<string> values) => new Statement().Add($"= ANY({values.ToArray()})");

    public override async ValueTask DisposeAsync()
    {
        await writing.WaitAsync();
        if (writer is not null) await writer.DisposeAsync();
        await source.DisposeAsync();
        writing.Dispose();
    }

    private async Task<bool> IsCurrentAsync(CancellationToken ct)
    {
        try
        {
            await using var connection = await source.OpenConnectionAsync(ct);
            return Schema.IsCurrent<PostgresKrateDb>(await new Session(connection, this).QueryAsync(new Statement(Schema.Applied), r => r.GetString(0), ct));
        }
        catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.InvalidCatalogName)
        {
            return false;
        }
    }

    /// <summary>Makes the database, too, when it is missing. A migration may run longer than a statement may.</summary>
    private async Task MigrateAsync(CancellationToken ct)
    {
        var patient = new NpgsqlConnectionStringBuilder(settings.ToString()) { Options = null, CommandTimeout = 600, Pooling = false };
        await using var context = new PostgresKrateDb(new DbContextOptionsBuilder<PostgresKrateDb>().UseNpgsql(patient.ToString()).Options);
        await context.Database.MigrateAsync(ct);
    }

    private async Task WriteAsync(GroupPlan plan, bool retry)
    {
        var sent = false;
        try
        {
            writer ??= await source.OpenConnectionAsync();
            await PostgresGroupWriter.LockAsync(writer, plan, n => Count(n));
            if (plan.IsEmpty)
            {
                await RollbackAsync();
                return;
            }

            sent = true;
            await PostgresGroupWriter.ApplyAsync(writer, plan, $"SELECT pg_notify('{Channel}', '{self}')", n => Count(n));
        }
        catch (PostgresException e) when (e.Severity is not ("FATAL" or "PANIC"))
        {
            await RollbackAsync();
            if (e.SqlState is PostgresErrorCodes.UniqueViolation or PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected)
                throw new GroupRetryException(e);
            throw (Exception?)Translate(e) ?? new GroupRefusedException(e);
        }
        catch (Exception e) when (Translate(e) is { } unavailable)
        {
            await DropAsync();
            // A connection that died while idle: nothing of this group had been sent to be committed.
            if (!sent && retry) await WriteAsync(plan, retry: false);
            else throw unavailable;
        }
        catch
        {
            await DropAsync();
            throw;
        }
    }

    private async Task RollbackAsync()
    {
        try
        {
            await using var rollback = new NpgsqlCommand("ROLLBACK", writer);
            await rollback.ExecuteNonQueryAsync();
        }
        catch (Exception e) when (e is NpgsqlException or InvalidOperationException)
        {
            await DropAsync();
        }
    }

    private async Task DropAsync()
    {
        if (writer is not { } broken) return;
        writer = null;
        // Not back into the pool with an open transaction.
        NpgsqlConnection.ClearPool(broken);
        await broken.DisposeAsync();
    }

    private async Task<T> TransactAsync<T>(Func<IQuerySession, Task<T>> body, System.Data.IsolationLevel isolation, CancellationToken ct)
    {
        try
        {
            await using var connection = await source.OpenConnectionAsync(ct);
            await using var transaction = await connection.BeginTransactionAsync(isolation, ct);
            var result = await body(new Session(connection, this));
            await transaction.CommitAsync(ct);
            return result;
        }
        catch (Exception e) when (Translate(e) is { } unavailable)
        {
            throw unavailable;
        }
    }

    private static async Task<List<T>> ReadAsync<T>(NpgsqlDataReader reader, Func<DbDataReader, T> row, CancellationToken ct)
    {
        var rows = new List<T>();
        while (await reader.ReadAsync(ct)) rows.Add(row(reader));
        return rows;
    }

    /// <summary>503 when the server is away, overloaded or too slow; null for everything else.</summary>
    private static ApiException? Translate(Exception e) => e switch
    {
        PostgresException p => p.SqlState[..2] is "08" or "53" or "55" or "57" or "40" || p.SqlState == "25P03"
            ? ApiException.Unavailable($"the database does not answer in time: {p.MessageText}") : null,
        NpgsqlException or TimeoutException or IOException or System.Net.Sockets.SocketException =>
            ApiException.Unavailable($"the database does not answer: {e.InnerException?.Message ?? e.Message}"),
        _ => null,
    };

    private sealed class Session(NpgsqlConnection connection, PostgresDatabase database) : IQuerySession
    {
        public async Task<List<T>> QueryAsync<T>(Statement statement, Func<DbDataReader, T> row, CancellationToken ct)
        {
            await using var command = Command(statement);
            await using var reader = await command.ExecuteReaderAsync(ct);
            return await ReadAsync(reader, row, ct);
        }

        public async Task<int> ExecuteAsync(Statement statement, CancellationToken ct)
        {
            await using var command = Command(statement);
            return await command.ExecuteNonQueryAsync(ct);
        }

        private NpgsqlCommand Command(Statement statement)
        {
            database.Count();
            var command = new NpgsqlCommand(statement.Text, connection);
            foreach (var arg in statement.Args) command.Parameters.Add(new NpgsqlParameter { Value = arg });
            return command;
        }
    }
}
