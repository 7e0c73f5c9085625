using System.Data.Common;
using Microsoft.Data.Sqlite;

namespace Krate.Core.Store.Sql;

/// <summary>One SQLite connection with its prepared statements. SQLite works on the calling thread; nothing here really waits. Used by one caller at a time.</summary>
internal sealed class SqliteSession : IQuerySession, IDisposable
{
    private const int MaxPrepared = 200;
    private readonly Dictionary<string, SqliteCommand> prepared = new(StringComparer.Ordinal);
    private readonly SqliteConnection connection;
    private readonly Action counted;

    public SqliteSession(string connectionString, string pragmas, Action counted)
    {
        this.counted = counted;
        connection = new SqliteConnection(connectionString);
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = pragmas;
        command.ExecuteNonQuery();
    }

    public Task<List<T>> QueryAsync<T>(Statement statement, Func<DbDataReader, T> row, CancellationToken ct) =>
        Task.FromResult(Query(statement.Text, statement.Args, row, ct));

    public Task<int> ExecuteAsync(Statement statement, CancellationToken ct) => Task.FromResult(Execute(statement.Text, statement.Args));

    public List<T> Query<T>(string text, IReadOnlyList<object> args, Func<DbDataReader, T> row, CancellationToken ct = default)
    {
        using var reader = Command(text, args).ExecuteReader();
        var rows = new List<T>();
        while (reader.Read())
        {
            ct.ThrowIfCancellationRequested();
            rows.Add(row(reader));
        }

        return rows;
    }

    public int Execute(string text, params IReadOnlyList<object?> args) => Command(text, args).ExecuteNonQuery();

    public void Begin() => Execute("BEGIN");

    public void BeginImmediate() => Execute("BEGIN IMMEDIATE");

    public void Commit() => Execute("COMMIT");

    public void Rollback()
    {
        // SQLite may have rolled back by itself (disk full, I/O error).
        if (SQLitePCL.raw.sqlite3_get_autocommit(connection.Handle) == 0) Execute("ROLLBACK");
    }

    public void Dispose()
    {
        foreach (var command in prepared.Values) command.Dispose();
        connection.Dispose();
    }

    private SqliteCommand Command(string text, IReadOnlyList<object?> args)
    {
        counted();
        if (!prepared.TryGetValue(text, out var command))
        {
            if (prepared.Count >= MaxPrepared) Forget();
            command = connection.CreateCommand();
            command.CommandText = text;
            for (var i = 0; i < args.Count; i++) command.Parameters.Add(new SqliteParameter { ParameterName = $"${i + 1}" });
            prepared[text] = command;
        }

        for (var i = 0; i < args.Count; i++) command.Parameters[i].Value = args[i] ?? DBNull.Value;
        return command;
    }

    private void Forget()
    {
        foreach (var command in prepared.Values) command.Dispose();
        prepared.Clear();
    }
}
