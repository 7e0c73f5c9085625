using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Krate.Core.Resources;
using Krate.Core.Store;

namespace Krate.Core.Gateway;

/// <summary>The gateway over the relational store. This file: authorisation and reads; the other part: writes.</summary>
internal sealed partial class ResourceGateway(
    IResourceStore store,
    IAuthorizer authorizer,
    AuditTrail audit,
    Admission admission,
    SecretDocuments secrets,
    RepositoryScope repositories,
    GatewayActions actions,
    ITokenAuthenticator tokens,
    IEnumerable<ICommitCompanion> companions,
    IEnumerable<ICreateStep> steps,
    TimeProvider time) : IResourceGateway
{
    private static readonly TimeSpan FutureVersionWait = TimeSpan.FromSeconds(3);

    public Task<AccessDecision> ReviewAsync(Actor actor, AccessRequest request, CancellationToken ct) => Task.FromResult(authorizer.Decide(actor, request));

    public async Task<Resource> GetAsync(Actor actor, KindDefinition kind, string ns, string name, CancellationToken ct)
    {
        if (kind.CreateOnly) throw ApiException.MethodNotAllowed(kind, "get");
        await AuthorizeAsync(actor, "get", kind, ns, name, "", ct);
        return await FindVisibleAsync(actor, kind, ns, name, ct);
    }

    public async Task<ResourceList> ListAsync(Actor actor, KindDefinition kind, string? ns, ListOptions options, CancellationToken ct)
    {
        await AuthorizeAsync(actor, "list", kind, ns ?? "", NameIn(options.Fields), "", ct);
        if (options.NotOlderThan is { } version) await WaitForAsync(version, ct);
        return await ListVisibleAsync(actor, kind, ns, options, ct);
    }

    private async Task WaitForAsync(long version, CancellationToken ct)
    {
        if (store.Feed.Latest >= version) return;
        var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var watching = store.Feed.Observe(change =>
        {
            if (change.Version >= version) seen.TrySetResult();
        });
        // It may have come between the look and the watching.
        if (store.Feed.Latest >= version) return;
        await seen.Task.WaitAsync(FutureVersionWait, time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        ct.ThrowIfCancellationRequested();
    }

    public async IAsyncEnumerable<WatchEvent> WatchAsync(Actor actor, KindDefinition kind, string? ns, WatchOptions options, [EnumeratorCancellation] CancellationToken ct)
    {
        // Before the question, so that a right that goes away between the two ends the watch.
        var epoch = authorizer.EpochOf(actor);
        await AuthorizeWatchAsync(actor, kind, ns, options, ct);
        var from = options.FromVersion;
        if (from is null)
        {
            var list = await ListVisibleAsync(actor, kind, ns, new ListOptions { Labels = options.Labels, Fields = options.Fields }, ct);
            from = list.Version;
            foreach (var item in list.Items) yield return new(WatchEventType.Added, item, item.Version);
        }

        if (options.InitialEventsBookmark) yield return new(WatchEventType.Bookmark, null, from.Value) { InitialEventsEnd = true };
        await foreach (var e in FollowAsync(actor, [kind], ns, options, from.Value, epoch, ct)) yield return e;
    }

    public async IAsyncEnumerable<WatchEvent> WatchAsync(Actor actor, IReadOnlyCollection<KindDefinition> kinds, string ns, long fromVersion, [EnumeratorCancellation] CancellationToken ct)
    {
        var options = new WatchOptions { Bookmarks = true };
        var epoch = authorizer.EpochOf(actor);
        foreach (var kind in kinds)
        {
            await AuthorizeWatchAsync(actor, kind, ns, options, ct);
            // Audit counts in versions of its own.
            if (kind.ReadOnly) throw ApiException.MethodNotAllowed(kind, "watch together with others");
        }

        await foreach (var e in FollowAsync(actor, kinds, ns, options, fromVersion, epoch, ct)) yield return e;
    }

    private async Task AuthorizeWatchAsync(Actor actor, KindDefinition kind, string? ns, WatchOptions options, CancellationToken ct)
    {
        await AuthorizeAsync(actor, "watch", kind, ns ?? "", NameIn(options.Fields), "", ct);
        if (kind.CreateOnly) throw ApiException.MethodNotAllowed(kind, "watch");
        CheckFields(kind, options.Fields);
    }

    private async IAsyncEnumerable<WatchEvent> FollowAsync(
        Actor actor, IReadOnlyCollection<KindDefinition> kinds, string? ns, WatchOptions options, long from, long epoch, [EnumeratorCancellation] CancellationToken ct)
    {
        if (kinds.Any(k => k.ReadOnly))
        {
            await foreach (var rows in WhileRightsHoldAsync(actor, epoch, t => store.Audit.FollowAsync(from, t), ct))
                foreach (var row in rows)
                    if ((ns is null || row.Namespace == ns) && Matches(actor, row, options)) yield return new(WatchEventType.Added, row, row.Version);
            yield break;
        }

        await foreach (var batch in WhileRightsHoldAsync(actor, epoch, t => store.Feed.Subscribe(new ChangeFilter(kinds, ns), from, t), ct))
        {
            foreach (var change in batch.Changes)
                if (Translate(actor, change, options) is { } e) yield return e;
            if (options.Bookmarks && batch.Changes.Count == 0) yield return new(WatchEventType.Bookmark, null, batch.Version);
        }
    }

    /// <summary>Passes a stream on until what the actor may see changes; then it ends with 410.</summary>
    private async IAsyncEnumerable<T> WhileRightsHoldAsync<T>(Actor actor, long epoch, Func<CancellationToken, IAsyncEnumerable<T>> open, [EnumeratorCancellation] CancellationToken ct)
    {
        using var rights = CancellationTokenSource.CreateLinkedTokenSource(ct);
        _ = EndWhenRightsChangeAsync(actor, epoch, rights);
        if (actor.ValidUntil is { } until) rights.CancelAfter(until > time.GetUtcNow() ? until - time.GetUtcNow() : TimeSpan.Zero);
        await using var items = open(rights.Token).GetAsyncEnumerator(rights.Token);
        while (true)
        {
            try
            {
                if (!await items.MoveNextAsync()) yield break;
            }
            catch (OperationCanceledException) when (!ct.IsCancellationRequested)
            {
                throw ApiException.Expired("what you may see has changed, or your credential has ended; list again");
            }

            yield return items.Current;
        }
    }

    public Task<JsonObject> ActAsync(Actor actor, KindDefinition kind, string ns, string name, string action, JsonObject? body, CancellationToken ct) =>
        ActAsync(actor, kind, ns, name, action, (handler, target) => handler.RunAsync(actor, target, body ?? [], ct), ct);

    public Task<JsonObject> ActAsync(Actor actor, KindDefinition kind, string ns, string name, string action, JsonObject parameters, Stream bytes, CancellationToken ct) =>
        ActAsync(actor, kind, ns, name, action, (handler, target) => ((IByteAction)handler).RunAsync(actor, target, parameters, bytes, ct), ct);

    public async Task<Resource> GetForAsync(Actor actor, string verb, KindDefinition kind, string ns, string name, CancellationToken ct)
    {
        await AuthorizeAsync(actor, verb, kind, ns, name, "", ct);
        return await FindVisibleAsync(actor, kind, ns, name, ct);
    }

    private async Task<JsonObject> ActAsync(Actor actor, KindDefinition kind, string ns, string name, string action, Func<IResourceAction, Resource, Task<JsonObject>> run, CancellationToken ct)
    {
        if (actions.Find(kind, action) is not { } handler) throw ApiException.NotFound(kind, $"{name}/{action}");
        await AuthorizeAsync(actor, handler.Access.Verb, kind, ns, name, handler.Access.Subresource, ct);
        var target = await FindVisibleAsync(actor, kind, ns, name, ct);
        var answer = await run(handler, target);
        if (handler.IsRecorded) await store.CommitAsync(new Commit { Audit = [AuditTrail.Admitted(actor, action, target, action, Kubectl.Line(action, kind, ns, name, action))] }, ct);
        return answer;
    }

    private static string NameIn(Selector fields) =>
        fields.Terms.FirstOrDefault(t => t is { Key: "metadata.name", Operator: SelectorOperator.In, Values.Count: 1 })?.Values[0] ?? "";

    private async Task EndWhenRightsChangeAsync(Actor actor, long epoch, CancellationTokenSource rights)
    {
        var token = rights.Token;
        try
        {
            await authorizer.WaitForChangeAsync(actor, epoch, token);
            await rights.CancelAsync();
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
        {
            // The watch ended first.
        }
    }

    /// <summary>A selector watch turns "matches no longer" into DELETED and "matches now" into ADDED.</summary>
    private WatchEvent? Translate(Actor actor, Change change, WatchOptions options)
    {
        var after = change.After;
        var now = change.Type != ChangeType.Deleted && Matches(actor, after, options);
        var was = change.Before is { } before && Matches(actor, before, options);
        return (was, now) switch
        {
            (false, true) => new(WatchEventType.Added, after, change.Version),
            (true, true) => new(WatchEventType.Modified, after, change.Version),
            (true, false) => new(WatchEventType.Deleted, change.Type == ChangeType.Deleted ? after : change.Before!.WithVersion(change.Version), change.Version),
            _ => null,
        };
    }

    private bool Matches(Actor actor, Resource resource, WatchOptions options) =>
        IndexedValues.Matches(resource, options.Labels, options.Fields) && repositories.Sees(actor, resource);

    private async Task<ResourceList> ListVisibleAsync(Actor actor, KindDefinition kind, string? ns, ListOptions options, CancellationToken ct)
    {
        if (kind.CreateOnly) throw ApiException.MethodNotAllowed(kind, "list");
        CheckFields(kind, options.Fields);
        var query = new ListQuery(kind, ns, options.Labels, options.Fields, null, options.Limit, options.Continue) { Newest = options.Newest };
        if (RepositoryScope.AppliesTo(kind) && !kind.ReadOnly && ns is not null && repositories.VisibleIn(actor, ns) is { } visible)
            query = kind.Kind == "Repository" ? query with { Names = visible } : query with { Repositories = visible };
        var page = kind.ReadOnly ? await store.Audit.ListAsync(query, ct) : await store.ListAsync(query, ct);
        // All namespaces at once: what is visible differs by namespace, so each row is asked for.
        var items = (ns is null || kind.ReadOnly) && RepositoryScope.AppliesTo(kind) ? [.. page.Items.Where(r => repositories.Sees(actor, r))] : page.Items;
        return new ResourceList(kind, items, page.Version, page.Continue, items.Count == page.Items.Count ? page.Remaining : null) { HasMore = page.HasMore, Matching = page.Matching };
    }

    private static void CheckFields(KindDefinition kind, Selector fields)
    {
        foreach (var term in fields.Terms)
        {
            if (term.Key is "metadata.name" or "metadata.namespace" || kind.SelectableFields.Contains(term.Key)) continue;
            throw ApiException.BadRequest($"field label not supported: {term.Key}; {kind.Plural} can be selected by metadata.name, metadata.namespace{string.Concat(kind.SelectableFields.Select(f => ", " + f))}");
        }
    }

    /// <summary>404 also for what the actor may not see: an error text must not confirm that it exists.</summary>
    private async Task<Resource> FindVisibleAsync(Actor actor, KindDefinition kind, string ns, string name, CancellationToken ct)
    {
        var found = kind.ReadOnly ? await store.Audit.GetAsync(ns, name, ct) : await store.GetAsync(kind, ns, name, ct);
        return found is not null && repositories.Sees(actor, found) ? found : throw ApiException.NotFound(kind, name);
    }

    /// <exception cref="ApiException">403; the denial is audited.</exception>
    private async Task AuthorizeAsync(Actor actor, string verb, KindDefinition kind, string ns, string name, string subresource, CancellationToken ct)
    {
        if (actor.IsServer) return;
        // As in Kubernetes: a namespace is asked for within itself, so that a RoleBinding in it may give it.
        if (kind is { Kind: "Namespace", Group: "" }) ns = name;
        var request = new AccessRequest { Verb = verb, Group = kind.Group, Resource = kind.Plural, Subresource = subresource, Namespace = ns, Name = name };
        var decision = authorizer.Decide(actor, request);
        if (decision.Allowed) return;
        await audit.DeniedAsync(actor, request, kind, decision.Reason, ct);
        throw new ApiException(403, "Forbidden", $"{kind.QualifiedPlural}{(name.Length > 0 ? $" \"{name}\"" : "")} is forbidden: {decision.Reason}") { Subject = (kind.Group, kind.Plural, name) };
    }

    private static string NewName(KindDefinition kind, string? generateName)
    {
        if (kind.NamePrefix is { } prefix && string.IsNullOrEmpty(generateName)) return prefix + Ulid.NewUlid().ToString().ToLower(CultureInfo.InvariantCulture);
        const string Alphabet = "bcdfghjklmnpqrstvwxz2456789";
        return (generateName!.Length > 58 ? generateName[..58] : generateName) + System.Security.Cryptography.RandomNumberGenerator.GetString(Alphabet, 5);
    }
}

/// <summary>The product actions by kind and name.</summary>
internal sealed class GatewayActions(IEnumerable<IResourceAction> all)
{
    private readonly Dictionary<(string, string), IResourceAction> actions = all.ToDictionary(a => (a.Kind, a.Name));

    public IResourceAction? Find(KindDefinition kind, string action) => actions.GetValueOrDefault((kind.Kind, action));
}
