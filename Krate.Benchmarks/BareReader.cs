using System.Data.Common;
using System.Text;
using Krate.Core.Resources;

namespace Krate.Benchmarks;

/// <summary>The reference of lists: the one query by hand, and the bodies written as they are, or parsed and written with their version.</summary>
internal sealed class BareReader(DbConnection connection) : IAsyncDisposable
{
    private const string Page = """
        SELECT r.version, r.body FROM resource_labels l JOIN resources r ON r.kind = l.kind AND r.namespace = l.namespace AND r.name = l.name
        WHERE l.kind = 'AgentStack' AND l.key = 'app' AND l.value = $1 AND l.namespace = $2 ORDER BY l.name LIMIT 500
        """;

    public static async Task<BareReader> OpenAsync(StoreTarget target, CancellationToken ct) => new(await target.ConnectAsync(ct));

    public async Task PageAsync(string ns, string app, bool serialise, CancellationToken ct)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = Page;
        foreach (var (value, i) in new[] { app, ns }.Select((v, i) => (v, i + 1)))
        {
            var parameter = command.CreateParameter();
            if (connection is not Npgsql.NpgsqlConnection) parameter.ParameterName = $"${i}";
            parameter.Value = value;
            command.Parameters.Add(parameter);
        }

        using var answer = new MemoryStream();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            if (!serialise)
            {
                answer.Write(Encoding.UTF8.GetBytes(reader.GetString(1)));
                continue;
            }

            var document = KrateJson.ParseObject(reader.GetString(1));
            document.Set("metadata.resourceVersion", reader.GetInt64(0).ToString(System.Globalization.CultureInfo.InvariantCulture));
            answer.Write(Encoding.UTF8.GetBytes(KrateJson.ToText(document)));
        }
    }

    public ValueTask DisposeAsync() => connection.DisposeAsync();
}
