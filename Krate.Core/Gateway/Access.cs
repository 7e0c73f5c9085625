namespace Krate.Core.Gateway;

/// <summary>One question to RBAC. Resource questions leave <see cref="Path"/> null; nonResourceURL questions set only <see cref="Verb"/> and <see cref="Path"/>.</summary>
public sealed record AccessRequest
{
    public required string Verb { get; init; }

    public string Group { get; init; } = "";

    /// <summary>Plural name; empty for nonResourceURLs.</summary>
    public string Resource { get; init; } = "";

    public string Subresource { get; init; } = "";

    /// <summary>Empty for cluster scope or all namespaces.</summary>
    public string Namespace { get; init; } = "";

    /// <summary>Empty when the request names no single resource.</summary>
    public string Name { get; init; } = "";

    public string? Path { get; init; }
}

/// <param name="Reason">Which rule allowed it, or what is missing: action, resource, identity (spec 01, principle 7).</param>
public sealed record AccessDecision(bool Allowed, string Reason);

/// <summary>A rule as in a Role. Immutable.</summary>
public sealed record PolicyRule(
    IReadOnlyList<string> Verbs,
    IReadOnlyList<string> ApiGroups,
    IReadOnlyList<string> Resources,
    IReadOnlyList<string> ResourceNames,
    IReadOnlyList<string> NonResourceUrls);

/// <summary>
/// Kubernetes RBAC over the roles and bindings in memory. Pure questions; the gateway is the only one that enforces.
/// Read-your-writes within one process. Thread-safe.
/// </summary>
public interface IAuthorizer
{
    AccessDecision Decide(Actor actor, AccessRequest request);

    /// <summary>All rules that hold for the actor in a namespace (cluster-wide ones included): SelfSubjectRulesReview, escalation checks.</summary>
    IReadOnlyList<PolicyRule> RulesFor(Actor actor, string ns);

    /// <summary>
    /// Names the actor may <paramref name="verb"/> of a resource in a namespace: null when all (an unnamed rule), else the set of
    /// resourceNames. An empty set means none.
    /// </summary>
    IReadOnlySet<string>? NamesAllowed(Actor actor, string verb, string group, string resource, string ns);

    /// <summary>Changes whenever the answer for this actor may have changed (roles, bindings, memberships); watches end on it.</summary>
    long EpochOf(Actor actor);

    /// <summary>Completes when <see cref="EpochOf"/> of the actor moves beyond <paramref name="epoch"/>.</summary>
    Task WaitForChangeAsync(Actor actor, long epoch, CancellationToken ct);
}
