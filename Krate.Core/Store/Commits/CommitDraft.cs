using Krate.Core.Resources;

namespace Krate.Core.Store.Commits;

/// <summary>One commit of a group, tried on top of the commits before it; its effects count only when all of it holds.</summary>
internal sealed class CommitDraft(
    Dictionary<ResourceKey, RowState?> rows, Dictionary<string, long> counters, Dictionary<string, LeaseState?> leases, SortedSet<ResourceKey> missing)
{
    private readonly Dictionary<ResourceKey, RowState?> myRows = [];
    private readonly Dictionary<string, long> myCounters = new(StringComparer.Ordinal);

    public List<PlannedChange> Changes { get; } = [];

    public List<SecretOp> Secrets { get; } = [];

    /// <summary>Name of the numbered create, when there is one.</summary>
    public string? Numbered { get; private set; }

    /// <summary>False when a row must be read first. Throws the refusal when the commit does not hold.</summary>
    public bool Run(PreparedCommit commit)
    {
        if (commit.Commit.Fence is { } fence && leases.GetValueOrDefault(fence.Lease) != new LeaseState(fence.Holder, fence.Epoch))
            throw ApiException.Unavailable($"the lease {fence.Lease} is no longer held by {fence.Holder} in epoch {fence.Epoch}");
        foreach (var write in commit.Writes)
        {
            var known = write.Write switch
            {
                CreateWrite create => Create(create, write),
                UpdateWrite update => Update(update, write),
                DeleteWrite delete => Delete(delete, write),
                _ => throw new NotSupportedException(write.Write.GetType().Name),
            };
            if (!known) return false;
        }

        return true;
    }

    public void Accept()
    {
        foreach (var (key, row) in myRows) rows[key] = row;
        foreach (var (counter, value) in myCounters) counters[counter] = value;
    }

    private RowState? Current(ResourceKey key) => myRows.TryGetValue(key, out var mine) ? mine : rows[key];

    private bool Create(CreateWrite create, PreparedWrite prepared)
    {
        var after = create.With is { } build ? RowState.Make(create.Kind, prepared.Key!.Value, build(Changes[0].After.Resource.Body)) : prepared.After;
        if (after is null)
        {
            after = Number(create);
            if (after is null) return false;
        }
        else if (Current(after.Key) is not null)
        {
            throw ApiException.AlreadyExists(create.Kind, after.Key.Name);
        }

        Stage(new PlannedChange(ChangeType.Added, null, after), create);
        return true;
    }

    /// <summary>The row under the next number whose name is free; null when that must be looked up first.</summary>
    private RowState? Number(CreateWrite create)
    {
        var number = myCounters.TryGetValue(create.Counter!, out var mine) ? mine : counters[create.Counter!];
        string? last = null;
        while (true)
        {
            var body = create.Numbered!(++number);
            var key = new ResourceKey(create.Kind.Kind, create.Namespace, body.Text("metadata.name") ?? "");
            PreparedWrite.Check(key);
            if (!myRows.ContainsKey(key) && !rows.ContainsKey(key))
            {
                missing.Add(key);
                return null;
            }

            if (Current(key) is null)
            {
                myCounters[create.Counter!] = number;
                Numbered = key.Name;
                return RowState.Make(create.Kind, key, body);
            }

            // Somebody chose a name that looks like the next number's: go on to the one after it. A name that does not
            // follow the number is simply taken.
            if (key.Name == last) throw ApiException.AlreadyExists(create.Kind, key.Name);
            last = key.Name;
        }
    }

    private bool Update(UpdateWrite update, PreparedWrite prepared)
    {
        var before = Expect(update, prepared.Key!.Value, update.Uid, update.ExpectedVersion);
        Stage(new PlannedChange(ChangeType.Modified, before, prepared.After!), update);
        return true;
    }

    private bool Delete(DeleteWrite delete, PreparedWrite prepared)
    {
        var before = Expect(delete, prepared.Key!.Value, delete.Uid, delete.ExpectedVersion);
        var change = new PlannedChange(ChangeType.Deleted, before, before.Again());
        Changes.Add(change);
        myRows[before.Key] = null;
        Secrets.Add(new SecretOp(before.Uid, before.Key.Namespace, null, null));
        return true;
    }

    private RowState Expect(ResourceWrite write, ResourceKey key, string uid, long version)
    {
        if (Current(key) is not { } row || row.Uid != uid) throw ApiException.NotFound(write.Kind, key.Name);
        return row.Version == version ? row : throw ApiException.Conflict(write.Kind, key.Name);
    }

    private void Stage(PlannedChange change, ResourceWrite write)
    {
        // A row of a group that was rolled back may carry a version that did not come to be.
        change.After.Reset();
        Changes.Add(change);
        myRows[change.After.Key] = change.After;
        foreach (var (key, cipher) in write.SecretValues)
            Secrets.Add(new SecretOp(change.After.Uid, change.After.Key.Namespace, key, cipher));
    }
}
