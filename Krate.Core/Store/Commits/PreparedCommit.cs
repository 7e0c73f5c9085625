using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Core.Store.Commits;

/// <summary>A commit on its way: everything that needs no database is done on its caller's thread, before it queues.</summary>
internal sealed class PreparedCommit
{
    private const int Waiting = 0, Taken = 1, Cancelled = 2;
    private readonly TaskCompletionSource<IReadOnlyList<Resource>> done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int state = Waiting;

    public PreparedCommit(Commit commit, DateTimeOffset now)
    {
        Commit = commit;
        Writes = [.. commit.Writes.Select(w => new PreparedWrite(w))];
        Audit = [.. commit.Audit.Select(a => new PreparedAudit(a, now))];
    }

    public Commit Commit { get; }

    public IReadOnlyList<PreparedWrite> Writes { get; }

    public IReadOnlyList<PreparedAudit> Audit { get; }

    public Task<IReadOnlyList<Resource>> Done => done.Task;

    /// <summary>Why it fails, when it fails alone.</summary>
    public Exception? Failure { get; set; }

    /// <summary>From now on its outcome is the database's; cancelling comes too late.</summary>
    public bool TryTake() => Interlocked.CompareExchange(ref state, Taken, Waiting) == Waiting;

    public bool TryCancel(CancellationToken ct)
    {
        if (Interlocked.CompareExchange(ref state, Cancelled, Waiting) != Waiting) return false;
        done.TrySetCanceled(ct);
        return true;
    }

    public void Succeed(IReadOnlyList<Resource> written) => done.TrySetResult(written);

    public void Fail(Exception why) => done.TrySetException(why);
}

/// <summary>A write with the row that it makes; a numbered create has its row only once it has its number.</summary>
internal sealed class PreparedWrite
{
    public PreparedWrite(ResourceWrite write)
    {
        Write = write;
        if (write is CreateWrite { Numbered: not null }) return;
        Key = new ResourceKey(write.Kind.Kind, write.Namespace, write.Name);
        Check(Key.Value);
        After = write switch
        {
            CreateWrite { With: not null } => null,
            CreateWrite c => RowState.Make(c.Kind, Key.Value, c.Body),
            UpdateWrite u => RowState.Make(u.Kind, Key.Value, u.Body, u.Uid),
            _ => null,
        };
    }

    public ResourceWrite Write { get; }

    public ResourceKey? Key { get; }

    public RowState? After { get; }

    public static void Check(ResourceKey key)
    {
        if (key.Name.Length is 0 or > 253 || key.Namespace.Length > 253 || !IndexedValues.IsPlain(key.Name) || !IndexedValues.IsPlain(key.Namespace))
            throw ApiException.BadRequest($"\"{key}\" is no valid name of a resource");
    }
}

/// <summary>What a row is or will be. The version is known once the head row is taken.</summary>
internal sealed class RowState(KindDefinition kind, ResourceKey key, string uid, string text)
{
    private IReadOnlyList<KeyValuePair<string, string>>? index;
    private Resource? resource;

    public KindDefinition Kind => kind;

    public ResourceKey Key => key;

    public string Uid => uid;

    public string Text => text;

    public long Version { get; set; }

    /// <summary>The resource at <see cref="Version"/>; one instance for everybody.</summary>
    public Resource Resource => resource ??= StoredBody.ToResource(kind, key.Namespace, key.Name, Version, text);

    public IReadOnlyList<KeyValuePair<string, string>> Index => index ??= IndexedValues.Of(kind, key.Namespace, Resource.Body);

    public static RowState Make(KindDefinition kind, ResourceKey key, JsonObject body, string? uid = null) =>
        new(kind, key, uid ?? body.Text("metadata.uid") ?? "", StoredBody.ToText(body)) { index = IndexedValues.Of(kind, key.Namespace, body) };

    /// <summary>The same state at another version: what a delete leaves behind.</summary>
    public RowState Again() => new(kind, key, uid, text);

    /// <summary>Forgets what was made for a version that did not come to be.</summary>
    public void Reset()
    {
        Version = 0;
        resource = null;
    }
}
