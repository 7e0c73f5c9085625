using System.Data.Common;
using Krate.Core.Resources;
using Krate.Core.Store.Commits;

namespace Krate.Core.Store.Sql;

/// <summary>Runs statements, one after the other, on one connection.</summary>
internal interface IQuerySession
{
    Task<List<T>> QueryAsync<T>(Statement statement, Func<DbDataReader, T> row, CancellationToken ct);

    Task<int> ExecuteAsync(Statement statement, CancellationToken ct);
}

/// <summary>
/// What differs between SQLite and PostgreSQL: connections, transactions, the group commit and who tells of other
/// processes' changes. Lost or slow infrastructure leaves here as <see cref="ApiException.Unavailable"/>.
/// </summary>
internal abstract class Database : IAsyncDisposable
{
    private long commands;

    /// <summary>Statements sent so far; proves that watchers cost none.</summary>
    public long CommandCount => Interlocked.Read(ref commands);

    /// <summary>Reaches the database and brings its schema up to date.</summary>
    /// <exception cref="StartupException">It cannot be used.</exception>
    public abstract Task OpenAsync(CancellationToken ct);

    public abstract Task<List<T>> QueryAsync<T>(Statement statement, Func<DbDataReader, T> row, CancellationToken ct);

    /// <summary>Two queries in one snapshot, in one round trip.</summary>
    public abstract Task<(List<TFirst> First, List<TSecond> Second)> SnapshotAsync<TFirst, TSecond>(
        Statement first, Func<DbDataReader, TFirst> firstRow, Statement second, Func<DbDataReader, TSecond> secondRow, CancellationToken ct);

    /// <summary>Several queries in one snapshot.</summary>
    public abstract Task<T> SnapshotAsync<T>(Func<IQuerySession, Task<T>> body, CancellationToken ct);

    /// <summary>A transaction beside the commit queue: leases, compaction, index rebuild.</summary>
    public abstract Task<T> TransactAsync<T>(Func<IQuerySession, Task<T>> body, CancellationToken ct);

    /// <summary>
    /// One transaction for a group: reads what it touches, lets it decide, takes the head row last, writes, commits. When it
    /// returns the group is durable.
    /// </summary>
    /// <exception cref="GroupRetryException">Nothing was written; another writer came between.</exception>
    /// <exception cref="GroupRefusedException">Nothing was written; the database refuses something in the group.</exception>
    /// <exception cref="ApiException">503: the outcome may be unknown.</exception>
    public abstract Task WriteAsync(GroupPlan plan);

    /// <summary>Tells of commits of other processes until cancelled; also after every new connection, when some may have been missed.</summary>
    public virtual Task ListenAsync(Func<Task> wake, CancellationToken ct) => Task.CompletedTask;

    /// <summary>What follows an operand to say "is one of", with one argument however many values there are.</summary>
    public abstract Statement In(IEnumerable<string> values);

    public abstract ValueTask DisposeAsync();

    protected void Count(int sent = 1) => Interlocked.Add(ref commands, sent);
}

/// <summary>The group was rolled back because of a race with another process; the same group may succeed now.</summary>
internal sealed class GroupRetryException(Exception inner) : Exception(inner.Message, inner);

/// <summary>The group was rolled back because of something in it; each of its commits must try alone.</summary>
internal sealed class GroupRefusedException(Exception inner) : Exception(inner.Message, inner);
