using System.Data.Common;
using System.Globalization;
using Krate.Core.Resources;

namespace Krate.Benchmarks;

/// <summary>
/// The reference: one transaction in plain ADO.NET with prepared commands that takes the counter row and inserts a resource,
/// its labels and a change, in the store's own tables. No checks, no audit, no publication.
/// </summary>
internal sealed class BareWriter : IAsyncDisposable
{
    private readonly DbConnection connection;
    private readonly DbCommand counter;
    private readonly DbCommand resource;
    private readonly DbCommand labels;
    private readonly DbCommand change;

    private BareWriter(DbConnection connection)
    {
        this.connection = connection;
        counter = Command("UPDATE head SET version = version + 1 WHERE id = 1 RETURNING version", 0);
        resource = Command("INSERT INTO resources (kind, namespace, name, uid, version, body) VALUES ($1, $2, $3, $4, $5, $6)", 6);
        labels = Command("INSERT INTO resource_labels (kind, namespace, name, key, value) VALUES ($1, $2, $3, $4, $5), ($1, $2, $3, $6, $7), ($1, $2, $3, $8, $9)", 9);
        change = Command("INSERT INTO changes (version, type, kind, namespace, name, after, at) VALUES ($1, $2, $3, $4, $5, $6, $7)", 7);
    }

    public static async Task<BareWriter> OpenAsync(StoreTarget target, CancellationToken ct) => new(await target.ConnectAsync(ct));

    public async Task CreateAsync(string ns, string name, string app, CancellationToken ct)
    {
        var document = StoreTarget.Document(ns, name, app);
        var body = KrateJson.ToText(document);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var version = Convert.ToInt64(await Bind(counter, transaction).ExecuteScalarAsync(ct), CultureInfo.InvariantCulture);
        await Bind(resource, transaction, "AgentStack", ns, name, document.Text("metadata.uid")!, version, body).ExecuteNonQueryAsync(ct);
        await Bind(labels, transaction, "AgentStack", ns, name, WellKnown.OrgLabel, "acme", WellKnown.NamespaceLabel, ns, "app", app).ExecuteNonQueryAsync(ct);
        await Bind(change, transaction, version, 0, "AgentStack", ns, name, body, 0L).ExecuteNonQueryAsync(ct);
        await transaction.CommitAsync(ct);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var command in new[] { counter, resource, labels, change }) await command.DisposeAsync();
        await connection.DisposeAsync();
    }

    private DbCommand Command(string text, int parameters)
    {
        var command = connection.CreateCommand();
        command.CommandText = text;
        for (var i = 1; i <= parameters; i++)
        {
            var parameter = command.CreateParameter();
            // PostgreSQL's positional parameters have no name.
            if (connection is not Npgsql.NpgsqlConnection) parameter.ParameterName = $"${i}";
            command.Parameters.Add(parameter);
        }

        return command;
    }

    private static DbCommand Bind(DbCommand command, DbTransaction transaction, params object[] values)
    {
        command.Transaction = transaction;
        var first = command.Parameters.Count > 0 && command.Parameters[0].Value is null;
        for (var i = 0; i < values.Length; i++) command.Parameters[i].Value = values[i];
        if (first && command is Npgsql.NpgsqlCommand) command.Prepare();
        return command;
    }
}
