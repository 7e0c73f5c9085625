using System.Text.Json.Nodes;
using Krate.Core.Agents;
using Krate.Core.ControlPlane;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Stacks;

/// <summary>Keeps true what an adapter's agent can do, by asking it.</summary>
internal sealed class AgentAdapterReconciler(KindCatalog catalog, IAgentMux mux, TimeProvider time) : IReconciler, IProbe
{
    public const string CapabilitiesDiscovered = "CapabilitiesDiscovered";
    private readonly ProbeSchedule schedule = new(time);

    public string Name => "agent-adapter";

    public int? Concurrency => 4;

    public KindDefinition For { get; } = catalog["AgentAdapter"];

    public IReadOnlyList<WakeUp> WakeUps => [];

    public async Task<Outcome> ReconcileAsync(ResourceKey key, Resource? resource, ReconcileContext context, CancellationToken ct)
    {
        if (resource is null or { IsDeleting: true })
        {
            schedule.Forget(key);
            return Outcome.Done;
        }

        var of = $"{resource.Uid} {resource.Generation}";
        if (schedule.Until(key, of) is { } wait) return Outcome.Again(wait);
        var probed = await ProbeAsync(resource, context, ct);
        return Outcome.Again(schedule.Next(key, of, probed.FindCondition(Condition.Ready)?.Status != Condition.False));
    }

    public async Task<Resource> ProbeAsync(Resource adapter, ReconcileContext context, CancellationToken ct)
    {
        if (adapter.Body.Text("spec.transport") != "acp-stdio")
            return await ReportAsync(adapter, context, Condition.Unknown, "NotEvaluated", "It is reached through a gateway, which is asked when a run begins.", null, ct);
        try
        {
            var args = adapter.Body.At("spec.args") is JsonArray ? adapter.Body.Texts("spec.args").ToList() : null;
            var found = await mux.CapabilitiesAsync(new(adapter.Body.Text("spec.adapterType") ?? "", adapter.Body.Text("spec.command"), args), ct);
            var name = $"{found.AgentName} {found.Version}".Trim();
            return await ReportAsync(adapter, context, Condition.True, "CapabilitiesDiscovered", $"{(name.Length > 0 ? name : "The agent")} speaks version {found.ProtocolVersion} of the Agent Client Protocol.", found, ct);
        }
        catch (ProbeException e)
        {
            var status = ProbeReasons.IsUnknown(e.Reason) ? Condition.Unknown : Condition.False;
            return await ReportAsync(adapter, context, status, e.Reason, $"The agent was not asked what it can do: {e.Message}.", null, ct);
        }
    }

    private static async Task<Resource> ReportAsync(Resource adapter, ReconcileContext context, string status, string reason, string message, AgentCapabilities? found, CancellationToken ct)
    {
        var phase = status switch { Condition.True => "Ready", Condition.False => "Blocked", _ => "Pending" };
        var said = StatusWriter.Status(phase, [new(CapabilitiesDiscovered, status, reason, message), new(Condition.Ready, status, reason, message)]);
        // What it could do before says nothing about what it can do now.
        (said["capabilities"], said["version"]) = (found?.ToJson(), found?.Version is { Length: > 0 } version ? version : null);
        try
        {
            return await ProbeReport.WriteAsync(context, adapter, said, ct);
        }
        catch (ApiException e) when (e.Code is 413 or 422 && found is not null)
        {
            return await ReportAsync(adapter, context, Condition.False, ProbeReasons.AdapterHandshakeFailed, "What the agent answered cannot be kept; it may hold the value of a Secret.", null, ct);
        }
    }
}
