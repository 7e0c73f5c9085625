namespace Krate.Core.Gateway;

/// <summary>Who asks. Groups are resolved at each request, never taken from a token.</summary>
/// <param name="User">Kubernetes user name (<c>krate-admin</c>, <c>system:serviceaccount:ns:name</c>, <c>github:mira</c>).</param>
/// <param name="Groups">All groups, <c>system:authenticated</c> included.</param>
public sealed record Actor(string User, IReadOnlyList<string> Groups)
{
    public string? Uid { get; init; }

    /// <summary>The identity behind an impersonation; both are audited.</summary>
    public Actor? Impersonator { get; init; }

    /// <summary>Ties together logs, audit and error texts of one request or reconcile.</summary>
    public string CorrelationId { get; init; } = "";

    /// <summary>The door the request came through: <c>api</c>, <c>ui</c>, <c>git</c>, <c>controller</c>.</summary>
    public string Source { get; init; } = "api";

    /// <summary>When the credential ends, and every watch begun with it; null when it does not end by itself.</summary>
    public DateTimeOffset? ValidUntil { get; init; }

    /// <summary>Epoch under which a reconciler acts; null for everybody else.</summary>
    public Store.Fence? Fence { get; init; }

    /// <summary>User name of the person for whom Krate itself writes what is not theirs to write; null for everybody else.</summary>
    public string? OnBehalfOf { get; init; }

    /// <summary>Krate itself: may write server-made kinds and statuses. Only <see cref="PrivilegedAccess"/> makes such actors.</summary>
    public bool IsServer { get; internal init; }

    public bool InGroup(string group) => Groups.Contains(group, StringComparer.Ordinal);

    public static Actor Anonymous { get; } = new(Resources.WellKnown.AnonymousUser, [Resources.WellKnown.UnauthenticatedGroup]);
}
