using Krate.Core.Resources;

namespace Krate.Core.Store.Commits;

/// <summary>The head row as a transaction found it, or will leave it.</summary>
internal sealed record Head(long Version, long Compacted, long AuditSeq, long AuditAt, byte[] AuditHash);

/// <summary>A lease row.</summary>
internal sealed record LeaseState(string Holder, long Epoch);

/// <summary>One change to be logged; versions are set by <see cref="GroupPlan.Seal"/>.</summary>
internal sealed record PlannedChange(ChangeType Type, RowState? Before, RowState After);

/// <summary>Secret values to write, in order. A null key removes all of the uid; a null cipher removes one.</summary>
internal sealed record SecretOp(string Uid, string Namespace, string? Key, byte[]? Cipher);

/// <summary>
/// Decides a group of commits in memory. It is told the rows, leases and counters that the group touches (the database holds
/// their locks), lets each commit succeed or fail alone, seeing the ones before it, and says what to write. No I/O.
/// </summary>
internal sealed class GroupPlan
{
    private readonly IReadOnlyList<PreparedCommit> commits;
    private readonly Dictionary<string, KindDefinition> kinds = new(StringComparer.Ordinal);
    private readonly Dictionary<ResourceKey, RowState?> stored = [];
    private readonly Dictionary<string, LeaseState?> leases = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> storedCounters = new(StringComparer.Ordinal);
    private readonly List<(PreparedCommit Commit, CommitDraft Draft)> admitted = [];
    private Dictionary<ResourceKey, RowState?> rows = [];
    private Dictionary<string, long> counters = new(StringComparer.Ordinal);

    public GroupPlan(IReadOnlyList<PreparedCommit> commits, long now)
    {
        this.commits = commits;
        Now = now;
        foreach (var write in commits.SelectMany(c => c.Commit.Writes)) kinds[write.Kind.Kind] = write.Kind;
        Keys = [.. commits.SelectMany(c => c.Writes).Select(w => w.Key).OfType<ResourceKey>().Distinct().Order(KeyOrder)];
        Leases = [.. commits.Select(c => c.Commit.Fence?.Lease).OfType<string>().Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        Counters = [.. commits.SelectMany(c => c.Commit.Writes).OfType<CreateWrite>().Select(w => w.Counter).OfType<string>().Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
    }

    public static IComparer<ResourceKey> KeyOrder { get; } = Comparer<ResourceKey>.Create((a, b) =>
        string.CompareOrdinal(a.Kind, b.Kind) is not 0 and var k ? k
        : string.CompareOrdinal(a.Namespace, b.Namespace) is not 0 and var n ? n
        : string.CompareOrdinal(a.Name, b.Name));

    public long Now { get; }

    /// <summary>Rows to lock, in this order.</summary>
    public IReadOnlyList<ResourceKey> Keys { get; }

    public IReadOnlyList<string> Leases { get; }

    public IReadOnlyList<string> Counters { get; }

    public IReadOnlyList<PreparedCommit> Commits => commits;

    /// <summary>Nothing to write: every commit failed, or wrote nothing.</summary>
    public bool IsEmpty => Changes.Count == 0 && Audit.Count == 0;

    public List<PlannedChange> Changes { get; } = [];

    public List<AuditEntry> Audit { get; } = [];

    public List<SecretOp> Secrets { get; } = [];

    /// <summary>The head row after the group.</summary>
    public Head? Sealed { get; private set; }

    /// <summary>Rows that change: as stored (null: absent), and as they will be (null: removed).</summary>
    public IEnumerable<(RowState? Before, RowState? After)> Rows =>
        rows.Where(r => !ReferenceEquals(r.Value, stored[r.Key])).Select(r => (stored[r.Key], r.Value));

    public IEnumerable<KeyValuePair<string, long>> ChangedCounters =>
        counters.Where(c => storedCounters.GetValueOrDefault(c.Key) != c.Value);

    public KindDefinition KindOf(ResourceKey key) => kinds[key.Kind];

    public void Found(ResourceKey key, RowState? row) => stored[key] = row;

    public void Found(string lease, LeaseState? state) => leases[lease] = state;

    public void FoundCounter(string counter, long value) => storedCounters[counter] = value;

    /// <summary>Decides every commit. Rows that turn out to matter and are not known yet are returned: find them and decide again.</summary>
    public IReadOnlyList<ResourceKey> Decide()
    {
        Changes.Clear();
        Secrets.Clear();
        admitted.Clear();
        rows = new(stored);
        counters = new(storedCounters, StringComparer.Ordinal);
        var missing = new SortedSet<ResourceKey>(KeyOrder);
        foreach (var commit in commits)
        {
            var draft = new CommitDraft(rows, counters, leases, missing);
            commit.Failure = null;
            try
            {
                if (!draft.Run(commit)) continue;
            }
            catch (Exception e)
            {
                // A refusal, or a broken Numbered callback: either way only this commit's.
                commit.Failure = e;
                continue;
            }

            draft.Accept();
            Changes.AddRange(draft.Changes);
            Secrets.AddRange(draft.Secrets);
            admitted.Add((commit, draft));
        }

        return [.. missing];
    }

    /// <summary>Gives versions and places in the audit chain. The head row is locked from here to the commit.</summary>
    public void Seal(Head head)
    {
        var version = head.Version;
        foreach (var change in Changes)
        {
            change.After.Reset();
            change.After.Version = ++version;
        }

        var (seq, at, hash) = (head.AuditSeq, Math.Max(head.AuditAt, Now), head.AuditHash);
        Audit.Clear();
        foreach (var (commit, draft) in admitted)
        {
            foreach (var audit in commit.Audit)
            {
                var entry = audit.At(++seq, at, hash, draft.Numbered);
                Audit.Add(entry);
                hash = entry.Hash;
            }
        }

        Sealed = head with { Version = version, AuditSeq = seq, AuditAt = Audit.Count > 0 ? at : head.AuditAt, AuditHash = hash };
    }

    /// <summary>The log entries as the feed delivers them.</summary>
    public IReadOnlyList<Change> Published() =>
        [.. Changes.Select(c => new Change(c.After.Version, c.Type, c.Before?.Resource, c.After.Resource))];

    /// <summary>Tells every caller how its commit ended. Call only when the group is durable and published.</summary>
    public void Answer()
    {
        foreach (var (commit, draft) in admitted)
            commit.Succeed([.. draft.Changes.Select(c => c.After.Resource)]);
        foreach (var commit in commits)
            if (commit.Failure is { } why) commit.Fail(why);
    }
}
