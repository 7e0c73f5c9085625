using Krate.Core.Resources;
using Krate.Core.Store;

namespace Krate.Core.Gateway;

/// <summary>
/// Every place where Krate acts as itself instead of as the person (spec 10, rule 1), and every caller that may see a
/// Secret's value. A new one is a line here with its reason.
/// </summary>
public static class PrivilegedAccess
{
    /// <summary>How Krate's own user names begin; no person and no provider may carry one.</summary>
    internal const string UserPrefix = "system:krate:";

    /// <summary>Reconcilers write statuses and the children they own.</summary>
    public static Actor Controller(string name, string correlationId, Fence? fence = null) => Server($"{UserPrefix}controller:{name}", "controller", correlationId, fence);

    /// <summary>First start: platform namespace, ClusterRoles, the admin binding; and the demo organization.</summary>
    public static Actor Bootstrap(string correlationId) => Server(UserPrefix + "bootstrap", "bootstrap", correlationId);

    /// <summary>Sign-in registers User and IdentityMapping before the person has any right.</summary>
    public static Actor Registration(string correlationId) => Server(UserPrefix + "sign-in", "sign-in", correlationId);

    /// <summary>A person ends their own tokens: the User that keeps the time is not theirs to write.</summary>
    public static Actor Revocation(string correlationId) => Server(UserPrefix + "revocation", "revocation", correlationId);

    /// <summary>Reports moved refs in the Repository's status and the audit log, whoever pushed.</summary>
    public static Actor RefRecorder(string correlationId) => Server(UserPrefix + "git", "git", correlationId);

    /// <summary>Closes, reopens and merges for a person whom the gateway has let: statuses are not theirs to write.</summary>
    public static Actor Work(Actor person) => Server(UserPrefix + "work", "work", person.CorrelationId) with { OnBehalfOf = person.User };

    /// <summary>Starts, ends and repeats pipelines and jobs for whom the gateway has let: statuses are not theirs to write.</summary>
    public static Actor Runs(Actor person) => Server(UserPrefix + "runs", "runs", person.CorrelationId) with { OnBehalfOf = person.User };

    /// <summary>Queues deliveries for a person whom the gateway has let: no client makes them.</summary>
    public static Actor Hooks(Actor person) => Server(UserPrefix + "hooks", "hooks", person.CorrelationId) with { OnBehalfOf = person.User };

    /// <summary>Writes what an adapter or an MCP server answered, and who reviewed it, for a person whom the gateway has let: statuses are not theirs to write.</summary>
    public static Actor Probes(Actor person) => Server("system:krate:probes", "probes", person.CorrelationId) with { OnBehalfOf = person.User };

    private static Actor Server(string user, string source, string correlationId, Fence? fence = null) =>
        new(user, [WellKnown.MastersGroup, WellKnown.AuthenticatedGroup]) { IsServer = true, Source = source, CorrelationId = correlationId, Fence = fence };
}
