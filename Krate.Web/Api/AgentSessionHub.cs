using System.Runtime.CompilerServices;
using Krate.Core.Gateway;
using Krate.Core.Kinds.Dispatch;
using Krate.Core.Resources;
using Krate.Core.Sessions;
using Krate.Web.Hosting;
using Microsoft.AspNetCore.SignalR;

namespace Krate.Web.Api;

/// <summary>For programs that follow agents: <c>/hubs/agent-sessions</c>. A stream ends with the session, or with an error when the caller's rights change.</summary>
internal sealed class AgentSessionHub(IResourceGateway gateway, IAuthorizer authorizer, SessionLogs sessions, OrgNamespaces organizations, KindCatalog catalog, TimeProvider time) : Hub
{
    public const string Path = "/hubs/agent-sessions";

    /// <summary>
    /// What the session of a run's last attempt said after a sequence number, and then what it says, in batches. A client that reads slowly keeps the server
    /// from reading on; the agent does not wait for it.
    /// </summary>
    /// <exception cref="HubException">The refusal in words.</exception>
    public async IAsyncEnumerable<IReadOnlyList<SessionEvent>> Subscribe(string org, string run, long fromSequence, [EnumeratorCancellation] CancellationToken ct)
    {
        var actor = Context.GetHttpContext()!.GetActor();
        var epoch = authorizer.EpochOf(actor);
        var attempt = await FindAsync(actor, org, run, fromSequence, ct);
        await foreach (var batch in authorizer.WhileRightsHoldAsync(actor, epoch, time, token => sessions.FollowAsync(attempt, fromSequence, token), ct)) yield return batch;
    }

    private async Task<Resource> FindAsync(Actor actor, string org, string run, long fromSequence, CancellationToken ct)
    {
        try
        {
            if (fromSequence < 0) throw ApiException.BadRequest("fromSequence: must not be negative");
            var ns = await organizations.OfAsync(actor, org, ct);
            var found = await gateway.GetAsync(actor, catalog["AgentDispatchRun"], ns, KubernetesPath.CheckSegment(run), ct);
            return await SessionReading.AttemptAsync(gateway, catalog, actor, found, ct) ?? throw ApiException.NotFound(catalog["AgentDispatchAttempt"], run);
        }
        catch (ApiException refusal)
        {
            throw new HubException(refusal.Message);
        }
    }
}
