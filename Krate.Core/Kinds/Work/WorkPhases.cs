using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Resources;
using Krate.Core.Resources.Patching;
using Microsoft.Extensions.DependencyInjection;

namespace Krate.Core.Kinds.Work;

/// <summary>Phases of issues and pull requests, and the actions that change them.</summary>
public static class WorkPhases
{
    public const string Open = "Open";
    public const string Closed = "Closed";
    public const string Merged = "Merged";

    /// <summary>Name of the action.</summary>
    public const string Close = "close";

    /// <summary>Name of the action.</summary>
    public const string Reopen = "reopen";

    internal static IServiceCollection AddWorkActions(this IServiceCollection services)
    {
        foreach (var kind in new[] { "Issue", "PullRequest" })
        {
            services.AddSingleton<IResourceAction>(s => new PhaseAction(s, s.GetRequiredService<TimeProvider>(), kind, Close));
            services.AddSingleton<IResourceAction>(s => new PhaseAction(s, s.GetRequiredService<TimeProvider>(), kind, Reopen));
        }

        return services.AddSingleton<PullRequestFacts>().AddSingleton<IResourceAction, MergeAction>();
    }
}

/// <summary>Closes or opens again. Whoever may update the resource may do so; doing it twice is doing it once.</summary>
internal sealed class PhaseAction(IServiceProvider services, TimeProvider time, string kind, string name) : IResourceAction
{
    public string Kind => kind;

    public string Name => name;

    public (string Verb, string Subresource) Access => ("update", "");

    /// <summary>The gateway holds the actions, so it is asked for only when one runs.</summary>
    private IResourceGateway Gateway => (IResourceGateway)services.GetService(typeof(IResourceGateway))!;

    public async Task<JsonObject> RunAsync(Actor actor, Resource target, JsonObject body, CancellationToken ct)
    {
        var closes = name == WorkPhases.Close;
        var phase = target.Body.Text("status.phase");
        if (phase == WorkPhases.Merged) throw ApiException.Conflict(target.Kind, target.Name, "it was merged, and stays so");
        if (phase == (closes ? WorkPhases.Closed : WorkPhases.Open)) return target.Body.Copy();
        var status = new JsonObject
        {
            ["phase"] = closes ? WorkPhases.Closed : WorkPhases.Open,
            ["closedBy"] = closes ? actor.User : null,
            ["closedAt"] = closes ? Timestamps.Format(time.GetUtcNow()) : null,
        };
        if (kind == "Issue") status["closedWith"] = null;
        // The version that was decided on: a merge that came between is not undone.
        var patch = new JsonObject { ["metadata"] = new JsonObject { ["resourceVersion"] = target.Body.Text("metadata.resourceVersion") }, ["status"] = status };
        var (changed, _) = await Gateway.PatchAsync(
            PrivilegedAccess.Work(actor.CorrelationId), target.Kind, target.Namespace, target.Name, new Patch(PatchType.Merge, patch, "krate"), new WriteOptions { Subresource = "status" }, ct);
        return changed.Body.Copy();
    }
}
