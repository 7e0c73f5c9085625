using System.Text.Json.Nodes;
using Krate.Core.Resources;
using Krate.Core.Store;

namespace Krate.Core.Gateway;

/// <summary>
/// Kubernetes RBAC over the roles and bindings in memory, kept right by the feed: a commit of this process counts for the
/// next question. Members of <c>system:masters</c> may everything. Call <see cref="Initialize"/> once the cache is loaded.
/// </summary>
public sealed class RbacAuthorizer : IAuthorizer
{
    private static readonly AccessDecision Master = new(true, $"allowed by group \"{WellKnown.MastersGroup}\"");
    private readonly IResourceCache cache;
    private readonly IChangeFeed feed;
    private readonly KindDefinition[] roleKinds;
    private readonly KindDefinition[] bindingKinds;
    private readonly KindDefinition users;
    private readonly KindDefinition teams;
    private readonly KindDefinition serviceAccounts;
    private readonly RbacIndex index = new();
    private readonly RbacEpochs epochs = new();
    private readonly Lock gate = new();
    private List<Change>? early = [];

    /// <summary>Odd while the index is being written.</summary>
    private long writes;

    public RbacAuthorizer(IResourceCache cache, IChangeFeed feed, KindCatalog catalog)
    {
        this.cache = cache;
        this.feed = feed;
        roleKinds = [catalog["Role"], catalog["ClusterRole"]];
        bindingKinds = [catalog["RoleBinding"], catalog["ClusterRoleBinding"]];
        users = catalog["User"];
        teams = catalog["Team"];
        serviceAccounts = catalog["ServiceAccount"];
    }

    /// <summary>Fills the index from the cache and follows the feed from then on. The cache observes before this, so it is never behind.</summary>
    public void Initialize()
    {
        feed.Observe(OnChange);
        lock (gate)
        {
            foreach (var role in roleKinds.SelectMany(k => cache.List(k))) index.PutRole(role);
            foreach (var binding in bindingKinds.SelectMany(k => cache.List(k))) index.PutBinding(binding);
            foreach (var change in early ?? []) epochs.Touch(Apply(change));
            early = null;
        }
    }

    public AccessDecision Decide(Actor actor, AccessRequest request)
    {
        if (actor.InGroup(WellKnown.MastersGroup)) return Master;
        return Settled(() => Find(actor, request), whenFound: true) ?? new AccessDecision(false, Refusal(actor, request));
    }

    public IReadOnlyList<PolicyRule> RulesFor(Actor actor, string ns)
    {
        if (actor.InGroup(WellKnown.MastersGroup)) return RbacRules.Everything;
        return Settled<PolicyRule[]>(() => [.. GrantsOf(actor, ns).SelectMany(g => g.Rules)])!;
    }

    public IReadOnlySet<string>? NamesAllowed(Actor actor, string verb, string group, string resource, string ns)
    {
        if (actor.InGroup(WellKnown.MastersGroup)) return null;
        var parts = resource.Split('/', 2);
        var request = new AccessRequest { Verb = verb, Group = group, Resource = parts[0], Subresource = parts.Length > 1 ? parts[1] : "", Namespace = ns };
        return Settled(() =>
        {
            var names = new HashSet<string>(StringComparer.Ordinal);
            return GrantsOf(actor, ns).All(grants => grants.CollectNames(request, names)) ? names : null;
        });
    }

    public long EpochOf(Actor actor) => epochs.Of(actor);

    public Task WaitForChangeAsync(Actor actor, long epoch, CancellationToken ct) => epochs.WaitAsync(actor, epoch, ct);

    /// <summary>What is missing, in Kubernetes' own words.</summary>
    internal static string Refusal(Actor actor, AccessRequest request) => request.Path is { } path
        ? $"User \"{actor.User}\" cannot {request.Verb} path \"{path}\""
        : $"User \"{actor.User}\" cannot {request.Verb} resource \"{RbacEvaluator.Combined(request.Resource, request.Subresource)}\" in API group \"{request.Group}\" "
            + (request.Namespace.Length > 0 ? $"in the namespace \"{request.Namespace}\"" : "at the cluster scope");

    /// <summary>
    /// Reading takes no lock, so it may fall between two steps of a write and miss a right that only moves from one subject to
    /// another. What was read counts when no write was under way; after a few tries the writer is waited for.
    /// </summary>
    /// <param name="whenFound">A result that is not null counts in any case: the old state or the new one gave it.</param>
    private T? Settled<T>(Func<T?> read, bool whenFound = false)
        where T : class
    {
        for (var attempt = 0; attempt < 3; attempt++)
        {
            var before = Volatile.Read(ref writes);
            var result = read();
            Interlocked.MemoryBarrier();
            if ((whenFound && result is not null) || (before % 2 == 0 && before == Volatile.Read(ref writes))) return result;
        }

        lock (gate) return read();
    }

    private AccessDecision? Find(Actor actor, AccessRequest request)
    {
        var decision = FindIn("", actor, request);
        // Paths belong to no namespace: only ClusterRoleBindings speak of them.
        return decision is null && request.Path is null && request.Namespace.Length > 0 ? FindIn(request.Namespace, actor, request) : decision;
    }

    private AccessDecision? FindIn(string ns, Actor actor, AccessRequest request)
    {
        if (index.Find(ns) is not { } scope) return null;
        var decision = scope.User(actor.User)?.Find(request);
        for (var i = 0; decision is null && i < actor.Groups.Count; i++) decision = scope.Group(actor.Groups[i])?.Find(request);
        return decision;
    }

    private IEnumerable<RbacSubjectRules> GrantsOf(Actor actor, string ns)
    {
        foreach (var name in ns.Length == 0 ? new[] { "" } : ["", ns])
        {
            if (index.Find(name) is not { } scope) continue;
            if (scope.User(actor.User) is { } own) yield return own;
            foreach (var group in actor.Groups)
                if (scope.Group(group) is { } grants) yield return grants;
        }
    }

    private void OnChange(Change change)
    {
        if (!Concerns(change.After.Kind)) return;
        lock (gate)
        {
            if (early is not null) early.Add(change);
            else epochs.Touch(Apply(change));
        }
    }

    private bool Concerns(KindDefinition kind) => roleKinds.Contains(kind) || bindingKinds.Contains(kind) || kind == teams || kind == users || kind == serviceAccounts;

    private IReadOnlyCollection<SubjectKey> Apply(Change change)
    {
        Interlocked.Increment(ref writes);
        try
        {
            return Write(change);
        }
        finally
        {
            Interlocked.Increment(ref writes);
        }
    }

    private IReadOnlyCollection<SubjectKey> Write(Change change)
    {
        var kind = change.After.Kind;
        var gone = change.Type == ChangeType.Deleted;
        if (roleKinds.Contains(kind)) return gone ? index.RemoveRole(change.After) : index.PutRole(change.After);
        if (bindingKinds.Contains(kind)) return gone ? index.RemoveBinding(change.After) : index.PutBinding(change.After);
        if (kind == teams) return TouchedByTeam(change);
        return kind == users ? TouchedByUser(change) : TouchedByServiceAccount(change);
    }

    /// <summary>Who entered or left. A member is named by its User or by its Kubernetes name.</summary>
    private HashSet<SubjectKey> TouchedByTeam(Change change)
    {
        var gone = change.Type == ChangeType.Deleted;
        var members = Members(gone ? change.Before ?? change.After : change.Before);
        if (!gone) members.SymmetricExceptWith(Members(change.After));
        var touched = new HashSet<SubjectKey>();
        foreach (var member in members)
        {
            touched.Add(SubjectKey.User(member));
            if (cache.Get(users, WellKnown.PlatformNamespace, member)?.Body.Text("spec.username") is { Length: > 0 } name) touched.Add(SubjectKey.User(name));
        }

        return touched;
    }

    private static HashSet<string> Members(Resource? team) =>
        team is null ? [] : [.. team.Body.Texts("spec.members"), .. team.Body.Texts("spec.maintainers")];

    /// <summary>Disabled, renamed, made an admin, tokens invalidated: anything in the spec may count.</summary>
    private static HashSet<SubjectKey> TouchedByUser(Change change)
    {
        if (change is { Type: ChangeType.Modified, Before: { } before } && before.IsDeleting == change.After.IsDeleting && JsonNode.DeepEquals(before.Body["spec"], change.After.Body["spec"])) return [];
        var touched = new HashSet<SubjectKey>();
        foreach (var user in new[] { change.Before, change.After }.OfType<Resource>())
        {
            touched.Add(SubjectKey.User(user.Name));
            if (user.Body.Text("spec.username") is { Length: > 0 } name) touched.Add(SubjectKey.User(name));
        }

        return touched;
    }

    /// <summary>The tokens of a ServiceAccount end with it.</summary>
    private static SubjectKey[] TouchedByServiceAccount(Change change) =>
        change.Type == ChangeType.Deleted || (change.After.IsDeleting && change.Before is { IsDeleting: false })
            ? [SubjectKey.User($"system:serviceaccount:{change.After.Namespace}:{change.After.Name}")]
            : [];
}
