using System.Data.Common;
using Krate.Core.Store.Commits;

namespace Krate.Core.Store.Sql;

internal static class HeadTable
{
    public const string Columns = "version, compacted, audit_seq, audit_at, audit_hash";

    public static Statement Select { get; } = new($"SELECT {Columns} FROM head WHERE id = 1");

    public static Head Read(DbDataReader r) =>
        new(r.GetInt64(0), r.GetInt64(1), r.GetInt64(2), r.GetInt64(3), r.GetFieldValue<byte[]>(4));
}
