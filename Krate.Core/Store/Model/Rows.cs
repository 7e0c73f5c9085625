namespace Krate.Core.Store.Model;

// The tables. Text that takes part in a key or an order is compared byte by byte (COLLATE "C" on PostgreSQL, BINARY on SQLite).
// Times are milliseconds since 1970, UTC.

/// <summary>The current state of a resource; the body without its resourceVersion.</summary>
internal sealed class ResourceRow
{
    public required string Kind { get; set; }

    public required string Namespace { get; set; }

    public required string Name { get; set; }

    public required string Uid { get; set; }

    public long Version { get; set; }

    public required string Body { get; set; }
}

/// <summary>One label, or one selectable field (<c>IndexedValues</c>), of a resource.</summary>
internal sealed class ResourceLabelRow
{
    public required string Kind { get; set; }

    public required string Namespace { get; set; }

    public required string Name { get; set; }

    public required string Key { get; set; }

    public required string Value { get; set; }
}

/// <summary>One entry of the change log. Versions have no gaps.</summary>
internal sealed class ChangeRow
{
    public long Version { get; set; }

    public int Type { get; set; }

    public required string Kind { get; set; }

    public required string Namespace { get; set; }

    public required string Name { get; set; }

    /// <summary>The version of <see cref="Before"/>.</summary>
    public long? BeforeVersion { get; set; }

    public string? Before { get; set; }

    /// <summary>Null for a delete: the last state is <see cref="Before"/>.</summary>
    public string? After { get; set; }

    public long At { get; set; }
}

/// <summary>What one person has put aside or looked at, of a version of something. No resource: it decides nothing and nobody else sees it.</summary>
internal sealed class PersonMarkRow
{
    public required string Person { get; set; }

    public required string Scope { get; set; }

    public required string Item { get; set; }

    public required string Version { get; set; }

    public long At { get; set; }
}

/// <summary>The last number handed out by a counter.</summary>
internal sealed class CounterRow
{
    public required string Name { get; set; }

    public long Value { get; set; }
}

/// <summary>The single row that orders all writes: taken last in every transaction.</summary>
internal sealed class HeadRow
{
    public int Id { get; set; }

    /// <summary>The newest resource version.</summary>
    public long Version { get; set; }

    /// <summary>The newest change that was removed from the log.</summary>
    public long Compacted { get; set; }

    public long AuditSeq { get; set; }

    /// <summary>Time of the newest audit row; audit times never go back.</summary>
    public long AuditAt { get; set; }

    /// <summary>Hash of the newest audit row: the end of the chain.</summary>
    public required byte[] AuditHash { get; set; }

    /// <summary>The newest audit row that was removed.</summary>
    public long AuditStart { get; set; }

    /// <summary>Hash of the newest audit row that was removed: where the chain begins.</summary>
    public required byte[] AuditStartHash { get; set; }

    /// <summary>Which fields of which kinds are indexed; another value means that the index must be built anew.</summary>
    public required string IndexedFields { get; set; }
}

internal sealed class AuditRow
{
    public long Seq { get; set; }

    public long At { get; set; }

    public required string Namespace { get; set; }

    public required string Org { get; set; }

    public required string Type { get; set; }

    public required string Actor { get; set; }

    public required string Correlation { get; set; }

    public required string Body { get; set; }

    public required byte[] PrevHash { get; set; }

    public required byte[] Hash { get; set; }
}

internal sealed class LeaseRow
{
    public required string Name { get; set; }

    /// <summary>Empty after a release.</summary>
    public required string Holder { get; set; }

    public long Epoch { get; set; }

    public long Expires { get; set; }
}

/// <summary>One encrypted value of a Secret.</summary>
internal sealed class SecretValueRow
{
    public required string Uid { get; set; }

    public required string Key { get; set; }

    public required string Namespace { get; set; }

    public required byte[] Cipher { get; set; }
}
