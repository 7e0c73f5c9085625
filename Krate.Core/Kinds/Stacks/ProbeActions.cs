using System.Text.Json.Nodes;
using Krate.Core.ControlPlane;
using Krate.Core.Gateway;
using Krate.Core.Kinds.Runs;
using Krate.Core.Resources;
using Microsoft.Extensions.DependencyInjection;

namespace Krate.Core.Kinds.Stacks;

/// <summary>Something that is asked how it is.</summary>
internal interface IProbe
{
    /// <summary>Asks now, and writes what it finds.</summary>
    Task<Resource> ProbeAsync(Resource resource, ReconcileContext context, CancellationToken ct);
}

/// <summary>What is done with adapters and MCP servers. Each name is the RBAC verb, too.</summary>
public static class ProbeActions
{
    /// <summary>Asks now ("Test connection"), and answers with the resource as it is then.</summary>
    public const string Probe = "probe";

    internal static IServiceCollection AddProbeActions(this IServiceCollection services) => services
        .AddSingleton<McpServerValues>()
        .AddSingleton<IResourceAction>(p => new ProbeAction("AgentAdapter", p.GetRequiredService<AgentAdapterReconciler>, p))
        .AddSingleton<IResourceAction>(p => new ProbeAction("AgentMcpServer", p.GetRequiredService<AgentMcpServerReconciler>, p))
        .AddSingleton<IResourceAction, ReviewMcpServerAction>()
        .AddSingleton<IResourceAction>(p => new DecideContextLabelAction(p, DecideContextLabelAction.Review, ContextLabelPhase.Reviewed))
        .AddSingleton<IResourceAction>(p => new DecideContextLabelAction(p, DecideContextLabelAction.Reject, ContextLabelPhase.Rejected));

    /// <summary>The gateway holds the actions, so it is asked for only when one runs.</summary>
    internal static ReconcileContext ContextFor(Actor actor, IServiceProvider services) =>
        new(PrivilegedAccess.Probes(actor), services.GetRequiredService<IResourceGateway>(), services.GetRequiredService<IResourceCache>(), services.GetRequiredService<TimeProvider>());
}

internal sealed class ProbeAction(string kind, Func<IProbe> probe, IServiceProvider services) : IResourceAction
{
    public string Kind => kind;

    public string Name => ProbeActions.Probe;

    public (string Verb, string Subresource) Access => (Name, "");

    public async Task<JsonObject> RunAsync(Actor actor, Resource target, JsonObject body, CancellationToken ct)
    {
        RunActions.CheckFields(target, body);
        return (await probe().ProbeAsync(target, ProbeActions.ContextFor(actor, services), ct)).Body.Copy();
    }
}

/// <summary>A person has looked at the tools of a server as they are now; what differs from them later is drift.</summary>
internal sealed class ReviewMcpServerAction(IServiceProvider services) : IResourceAction
{
    public const string Verb = "review";
    private const string Digest = "toolsDigest";

    public string Kind => "AgentMcpServer";

    public string Name => Verb;

    public (string Verb, string Subresource) Access => (Name, "");

    public async Task<JsonObject> RunAsync(Actor actor, Resource target, JsonObject body, CancellationToken ct)
    {
        RunActions.CheckFields(target, body, Digest);
        if (target.Body.At("status.discoveredTools") is not JsonArray tools) throw ApiException.Conflict(target.Kind, target.Name, "its tools are not known yet; probe it first");
        if (body.Text(Digest) is not { Length: > 0 } seen) throw RunActions.Invalid(target, Digest, "is required: status.toolsDigest of the tools that you looked at");
        if (seen != target.Body.Text("status.toolsDigest")) throw ApiException.Conflict(target.Kind, target.Name, "its tools have changed since you looked at them; look again");
        var context = ProbeActions.ContextFor(actor, services);
        var status = new JsonObject
        {
            ["reviewed"] = new JsonArray([.. tools.Select(t => (JsonNode)new JsonObject { ["name"] = t.Text("name"), ["schemaDigest"] = t.Text("schemaDigest") })]),
            ["reviewedBy"] = actor.User,
            ["reviewedAt"] = Timestamps.Format(context.Time.GetUtcNow()),
        };
        return (await context.WriteStatusAsync(target, status, ct)).Body.Copy();
    }
}
