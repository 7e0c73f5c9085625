using System.Text.Json.Nodes;
using Krate.Core.Resources;
using Krate.Core.Resources.Patching;

namespace Krate.Core.Gateway;

/// <summary>
/// The one way in for every write and every read that matters: pages, the Kubernetes REST API, typed routes, git hooks and
/// reconcilers call it and nothing else. Every call authorises its actor (Kubernetes RBAC and repository scope); every write
/// defaults, validates, checks org scope and references, and commits the row, its change and its audit in one transaction.
/// Thread-safe.
/// </summary>
/// <remarks>Every method throws <see cref="ApiException"/> for what the caller can cause: 401, 403, 404, 405, 409, 410, 422, 429, 503.</remarks>
public interface IResourceGateway
{
    Task<Resource> GetAsync(Actor actor, KindDefinition kind, string ns, string name, CancellationToken ct);

    /// <summary>Lists what the actor may see, narrowed to the repositories that it may get.</summary>
    Task<ResourceList> ListAsync(Actor actor, KindDefinition kind, string? ns, ListOptions options, CancellationToken ct);

    /// <summary>
    /// Streams changes as the actor may see them. Starts with the list as ADDED events when <see cref="WatchOptions.FromVersion"/> is null.
    /// Ends with 410 when the version is gone, when the reader is too slow, or when what the actor may see has changed.
    /// </summary>
    IAsyncEnumerable<WatchEvent> WatchAsync(Actor actor, KindDefinition kind, string? ns, WatchOptions options, CancellationToken ct);

    /// <summary>Changes of several kinds in one namespace after a version, in one order of versions, with bookmarks. Ends as the other watch does.</summary>
    IAsyncEnumerable<WatchEvent> WatchAsync(Actor actor, IReadOnlyCollection<KindDefinition> kinds, string ns, long fromVersion, CancellationToken ct);

    Task<Resource> CreateAsync(Actor actor, KindDefinition kind, string ns, JsonObject document, WriteOptions options, CancellationToken ct);

    /// <summary>Replaces the document (or, with <see cref="WriteOptions.Subresource"/> "status", only its status). An empty resourceVersion in it means "whatever is there".</summary>
    Task<Resource> UpdateAsync(Actor actor, KindDefinition kind, string ns, string name, JsonObject document, WriteOptions options, CancellationToken ct);

    /// <summary>Patches, retrying a few times when another write comes between. Apply creates what is missing; the result says which.</summary>
    Task<(Resource Resource, bool Created)> PatchAsync(Actor actor, KindDefinition kind, string ns, string name, Patch patch, WriteOptions options, CancellationToken ct);

    /// <summary>Deletes, or marks for deletion while finalizers hold it.</summary>
    Task<DeleteResult> DeleteAsync(Actor actor, KindDefinition kind, string ns, string name, DeleteOptions options, CancellationToken ct);

    /// <summary>Runs a product action (POST on a subresource), authorised by the verb of its name.</summary>
    /// <returns>The answer document.</returns>
    Task<JsonObject> ActAsync(Actor actor, KindDefinition kind, string ns, string name, string action, JsonObject? body, CancellationToken ct);

    /// <summary>As the other, for an action whose body is bytes. They are read after the actor was found to have the right.</summary>
    Task<JsonObject> ActAsync(Actor actor, KindDefinition kind, string ns, string name, string action, JsonObject parameters, Stream bytes, CancellationToken ct);

    /// <summary>One resource, for whoever may do this with it: the door to what hangs on it and is no resource (the log of a Job).</summary>
    /// <exception cref="ApiException">403 without the right; 404 also for what the actor may not see.</exception>
    Task<Resource> GetForAsync(Actor actor, string verb, KindDefinition kind, string ns, string name, CancellationToken ct);

    /// <summary>Whether the actor may, and if not what is missing. For pages that show or explain; it writes no audit.</summary>
    Task<AccessDecision> ReviewAsync(Actor actor, AccessRequest request, CancellationToken ct);
}

/// <summary>A page that the actor may see.</summary>
public sealed record ResourceList(KindDefinition Kind, IReadOnlyList<Resource> Items, long Version, string? Continue, long? Remaining)
{
    /// <summary>Of a list of the newest: whether there is more in the direction that was asked for.</summary>
    public bool HasMore { get; init; }

    /// <summary>Of a list of the newest that was to be counted: how many match, at most <see cref="NewestFirst.MostCounted"/>.</summary>
    public long? Matching { get; init; }
}

public sealed record ListOptions
{
    public Selector Labels { get; init; } = Selector.Everything;

    public Selector Fields { get; init; } = Selector.Everything;

    /// <summary>0 for all.</summary>
    public int Limit { get; init; }

    public string? Continue { get; init; }

    /// <summary>By falling number or time of creation, in one namespace; numbered kinds need a field selector with one repository.</summary>
    public NewestFirst? Newest { get; init; }

    /// <summary>Waits up to three seconds until this process has seen that version (another replica's write); the list may be older after that.</summary>
    public long? NotOlderThan { get; init; }
}

public sealed record WatchOptions
{
    public Selector Labels { get; init; } = Selector.Everything;

    public Selector Fields { get; init; } = Selector.Everything;

    public long? FromVersion { get; init; }

    public bool Bookmarks { get; init; }

    /// <summary>Send a BOOKMARK after the initial ADDED events (WatchList).</summary>
    public bool InitialEventsBookmark { get; init; }
}

public enum WatchEventType
{
    Added,
    Modified,
    Deleted,

    /// <summary>Nothing changed up to <see cref="WatchEvent.Version"/>; <see cref="WatchEvent.Resource"/> is null.</summary>
    Bookmark,
}

public sealed record WatchEvent(WatchEventType Type, Resource? Resource, long Version)
{
    /// <summary>Set on the bookmark that ends the initial list.</summary>
    public bool InitialEventsEnd { get; init; }
}

public enum FieldValidation
{
    /// <summary>Unknown fields are dropped silently.</summary>
    Ignore,

    /// <summary>Unknown fields are dropped; <see cref="WriteOptions.Warn"/> hears of each.</summary>
    Warn,

    /// <summary>Unknown fields refuse the request (400).</summary>
    Strict,
}

public sealed record WriteOptions
{
    /// <summary>Everything but the commit.</summary>
    public bool DryRun { get; init; }

    public string FieldManager { get; init; } = "krate";

    public FieldValidation FieldValidation { get; init; } = FieldValidation.Strict;

    /// <summary>Empty for the main resource; <c>status</c> for the status subresource.</summary>
    public string Subresource { get; init; } = "";

    /// <summary>Further audit events for the transaction of this write. Krate itself only.</summary>
    internal IReadOnlyList<System.Text.Json.Nodes.JsonObject> Records { get; init; } = [];

    /// <summary>Receives warnings for the client (HTTP Warning headers).</summary>
    public Action<string>? Warn { get; init; }
}

public sealed record DeleteOptions
{
    public bool DryRun { get; init; }

    public string? Uid { get; init; }

    public long? ResourceVersion { get; init; }

    /// <summary><c>Background</c>, <c>Foreground</c> or <c>Orphan</c>; null means Background.</summary>
    public string? PropagationPolicy { get; init; }
}

/// <param name="Resource">The last state, or the state with a deletionTimestamp.</param>
/// <param name="Gone">False while finalizers hold it.</param>
public sealed record DeleteResult(Resource Resource, bool Gone);
