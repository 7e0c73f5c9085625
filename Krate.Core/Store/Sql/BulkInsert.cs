using Npgsql;
using NpgsqlTypes;

namespace Krate.Core.Store.Sql;

/// <summary>
/// Inserts any number of rows with one statement: plain values for one row, the common case, which PostgreSQL plans and runs
/// fastest; arrays for more, so that the text stays the same and the statement prepared.
/// </summary>
internal sealed class BulkInsert<T>
{
    private readonly (NpgsqlDbType Type, Func<T, object?> Value)[] columns;
    private readonly string one;
    private readonly string many;

    public BulkInsert(string table, params (string Name, string Type, Func<T, object?> Value)[] columns)
    {
        this.columns = [.. columns.Select(c => (TypeOf(c.Type), c.Value))];
        var into = $"INSERT INTO {table} ({string.Join(", ", columns.Select(c => c.Name))})";
        one = $"{into} VALUES ({string.Join(", ", columns.Select((_, i) => $"${i + 1}"))})";
        many = $"{into} SELECT * FROM unnest({string.Join(", ", columns.Select((c, i) => $"${i + 1}::{c.Type}[]"))})";
    }

    public void Insert(NpgsqlBatch batch, IReadOnlyList<T> rows, string suffix = "")
    {
        if (rows.Count == 0) return;
        var command = new NpgsqlBatchCommand((rows.Count == 1 ? one : many) + suffix);
        foreach (var (type, value) in columns)
        {
            command.Parameters.Add(rows.Count == 1
                ? new NpgsqlParameter { NpgsqlDbType = type, Value = value(rows[0]) ?? DBNull.Value }
                : new NpgsqlParameter { NpgsqlDbType = type | NpgsqlDbType.Array, Value = ArrayOf(type, rows, value) });
        }

        batch.BatchCommands.Add(command);
    }

    private static NpgsqlDbType TypeOf(string name) => name switch
    {
        "text" => NpgsqlDbType.Text,
        "bigint" => NpgsqlDbType.Bigint,
        "integer" => NpgsqlDbType.Integer,
        _ => NpgsqlDbType.Bytea,
    };

    private static Array ArrayOf(NpgsqlDbType type, IReadOnlyList<T> rows, Func<T, object?> value) => type switch
    {
        NpgsqlDbType.Text => rows.Select(r => (string?)value(r)).ToArray(),
        NpgsqlDbType.Bigint => rows.Select(r => (long?)value(r)).ToArray(),
        NpgsqlDbType.Integer => rows.Select(r => (int?)value(r)).ToArray(),
        _ => rows.Select(r => (byte[]?)value(r)).ToArray(),
    };
}

internal static class NpgsqlBatchExtensions
{
    public static NpgsqlBatch Add(this NpgsqlBatch batch, string sql, params object[] args)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var arg in args) command.Parameters.Add(new NpgsqlParameter { Value = arg });
        batch.BatchCommands.Add(command);
        return batch;
    }

    public static NpgsqlBatch Add(this NpgsqlBatch batch, Statement statement) => batch.Add(statement.Text, [.. statement.Args]);
}
