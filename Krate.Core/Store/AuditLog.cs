using System.Buffers.Text;
using System.Data.Common;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using Krate.Core.Resources;
using Krate.Core.Store.Commits;
using Krate.Core.Store.Sql;

namespace Krate.Core.Store;

/// <summary>Reads the audit table, newest first, and checks its chain.</summary>
internal sealed class AuditLog(Database database, KindCatalog catalog) : IAuditLog
{
    private const int Chunk = 500;
    private const string Columns = "seq, at, namespace, org, type, actor, correlation, body, prev_hash, hash";

    private TaskCompletionSource appended = Signal();

    private KindDefinition Kind => catalog["AuditEvent"];

    public async Task<ResourcePage> ListAsync(ListQuery query, CancellationToken ct)
    {
        var before = query.Continue is { Length: > 0 } text ? Parse(text) : long.MaxValue;
        var wanted = query.Limit > 0 ? query.Limit + 1 : int.MaxValue;
        var found = new List<Resource>();
        var head = 0L;
        for (var more = true; more && found.Count < wanted;)
        {
            var chunk = Math.Max(Chunk, query.Limit > 0 ? wanted : Chunk);
            var (heads, rows) = await database.SnapshotAsync(HeadTable.Select, HeadTable.Read, Select(query, before, chunk), ToResource, ct);
            if (head == 0) head = heads[0].AuditSeq;
            found.AddRange(rows.Where(r => Matches(query, r)).Take(wanted - found.Count));
            more = rows.Count == chunk;
            if (more) before = rows[^1].Version;
        }

        if (found.Count < wanted) return new ResourcePage(found, head, null, 0);
        found.RemoveAt(found.Count - 1);
        return new ResourcePage(found, head, Token(found[^1].Version));
    }

    public async Task<Resource?> GetAsync(string ns, string name, CancellationToken ct)
    {
        if (AuditEntry.SeqOf(name) is not { } seq) return null;
        var rows = await database.QueryAsync(new Statement($"SELECT {Columns} FROM audit WHERE seq = $1", seq), ToResource, ct);
        return rows.FirstOrDefault(r => r.Name == name && r.Namespace == ns);
    }

    public async IAsyncEnumerable<IReadOnlyList<Resource>> FollowAsync(long afterSeq, [EnumeratorCancellation] CancellationToken ct)
    {
        while (true)
        {
            // Taken before the read: a row that comes between the two rings again.
            var more = Volatile.Read(ref appended).Task;
            var rows = await database.QueryAsync(new Statement($"SELECT {Columns} FROM audit WHERE seq > $1 ORDER BY seq LIMIT {Chunk}", afterSeq), ToResource, ct);
            if (rows.Count > 0) yield return rows;
            if (rows.Count > 0) afterSeq = rows[^1].Version;
            if (rows.Count < Chunk) await more.WaitAsync(ct);
        }
    }

    /// <summary>Wakes the followers: this process appended, or another may have.</summary>
    public void Appended() => Interlocked.Exchange(ref appended, Signal()).TrySetResult();

    public async Task<long?> VerifyAsync(CancellationToken ct)
    {
        var start = await database.QueryAsync(new Statement("SELECT audit_start, audit_start_hash FROM head WHERE id = 1"), r => (Seq: r.GetInt64(0), Hash: r.GetFieldValue<byte[]>(1)), ct);
        var (seq, hash) = start[0];
        while (true)
        {
            var (heads, rows) = await database.SnapshotAsync(
                HeadTable.Select, HeadTable.Read, new Statement($"SELECT {Columns} FROM audit WHERE seq > $1 ORDER BY seq LIMIT {Chunk}", seq), Entry, ct);
            foreach (var row in rows)
            {
                if (row.Seq != seq + 1 || !IsWhole(row, hash)) return seq + 1;
                (seq, hash) = (row.Seq, row.Hash);
            }

            if (rows.Count == Chunk) continue;
            return seq == heads[0].AuditSeq && Same(hash, heads[0].AuditHash) ? null : seq + 1;
        }
    }

    private static bool IsWhole(AuditEntry row, byte[] prevHash)
    {
        if (!Same(row.PrevHash, prevHash) || !Same(row.Hash, AuditEntry.HashOf(prevHash, row.Body))) return false;
        // The columns decide what a filter shows: they must say what the hashed text says.
        var said = AuditEntry.FromBody(row.Seq, row.At, KrateJson.ParseObject(row.Body), row.Body, row.PrevHash, row.Hash);
        return said == row && KrateJson.ParseObject(row.Body).Text("metadata.name") == AuditEntry.NameOf(row.Seq, row.At, prevHash);
    }

    private static TaskCompletionSource Signal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static bool Same(byte[] a, byte[] b) => CryptographicOperations.FixedTimeEquals(a, b);

    /// <summary>What columns can answer is answered by them, the rest by <see cref="Matches"/> on the way.</summary>
    private Statement Select(ListQuery query, long before, int limit)
    {
        var select = Statement.Of($"SELECT seq, at, namespace, org, type, actor, correlation, body, prev_hash, hash FROM audit WHERE seq < {before}");
        if (query.Namespace is { } ns) select.Add($" AND namespace = {ns}");
        foreach (var term in query.Fields.Terms.Where(t => t.Operator == SelectorOperator.In))
        {
            if (Column(term.Key) is { } column) select.Raw($" AND {column} ").Add($"{database.In(term.Values.Select(IndexedValues.Clip))}");
        }

        foreach (var term in query.Labels.Terms.Where(t => t is { Key: WellKnown.OrgLabel, Operator: SelectorOperator.In }))
            select.Add($" AND org {database.In(term.Values.Append(""))}");
        return select.Raw($" ORDER BY seq DESC LIMIT {limit}");
    }

    private static string? Column(string path) => path switch
    {
        "metadata.namespace" => "namespace",
        "spec.type" => "type",
        "spec.actor.name" => "actor",
        "spec.metadata.correlationId" => "correlation",
        "spec.organizationRef" => "org",
        _ => null,
    };

    private static bool Matches(ListQuery query, Resource r) =>
        IndexedValues.Matches(r, query.Labels, query.Fields)
        && (query.Names is null || query.Names.Contains(r.Name))
        && (query.Repositories is null || r.Label(WellKnown.RepositoryLabel) is not { } repository || query.Repositories.Contains(repository));

    private Resource ToResource(DbDataReader r)
    {
        var (seq, at, prevHash) = (r.GetInt64(0), r.GetInt64(1), r.GetFieldValue<byte[]>(8));
        return StoredBody.ToResource(Kind, r.GetString(2), AuditEntry.NameOf(seq, at, prevHash), seq, r.GetFieldValue<byte[]>(7));
    }

    private static AuditEntry Entry(DbDataReader r) => new(
        r.GetInt64(0), r.GetInt64(1), r.GetString(2), r.GetString(3), r.GetString(4), r.GetString(5), r.GetString(6), r.GetString(7), r.GetFieldValue<byte[]>(8), r.GetFieldValue<byte[]>(9));

    private static string Token(long seq) => Base64Url.EncodeToString(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"audit:{seq}")));

    private static long Parse(string text)
    {
        try
        {
            var plain = Encoding.ASCII.GetString(Base64Url.DecodeFromChars(text));
            if (plain.StartsWith("audit:", StringComparison.Ordinal) && long.TryParse(plain[6..], NumberStyles.None, CultureInfo.InvariantCulture, out var seq)) return seq;
        }
        catch (FormatException)
        {
        }

        throw ApiException.BadRequest("continue key is not valid; list again without it");
    }
}
