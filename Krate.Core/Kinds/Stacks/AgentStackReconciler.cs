using Krate.Core.ControlPlane;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Stacks;

/// <summary>Keeps a stack's readiness true to what it refers to.</summary>
internal sealed class AgentStackReconciler : IReconciler
{
    private readonly AgentStackReferences references;
    private readonly EventRecorder events;

    public AgentStackReconciler(KindCatalog catalog, EventRecorder events)
    {
        this.events = events;
        references = new AgentStackReferences(catalog);
        For = catalog["AgentStack"];
        WakeUps = [.. references.Kinds.Select(k => new WakeUp(k, references.StacksOf)), new(catalog["OrgSharingPolicy"], references.StacksOfPolicy)];
    }

    public string Name => "agent-stack";

    public KindDefinition For { get; }

    public IReadOnlyList<WakeUp> WakeUps { get; }

    public async Task<Outcome> ReconcileAsync(ResourceKey key, Resource? resource, ReconcileContext context, CancellationToken ct)
    {
        if (resource is null || resource.IsDeleting) return Outcome.Done;
        var now = context.Time.GetUtcNow();
        var conditions = AgentStackRules.Evaluate(resource, references.For(resource, context.Cache, now));
        await ReportAsync(resource, conditions, context, ct);
        // The end of a sharing is no change of anything; only the clock tells.
        return references.NextExpiry(resource, context.Cache, now) is { } expiry ? Outcome.Again(expiry - now) : Outcome.Done;
    }

    private async Task ReportAsync(Resource stack, IReadOnlyList<Condition> conditions, ReconcileContext context, CancellationToken ct)
    {
        var ready = conditions[^1];
        var before = stack.FindCondition(Condition.Ready);
        var written = await context.WriteStatusAsync(stack, StatusWriter.Status(AgentStackRules.Phase(ready), conditions), ct);
        if (before?.Status == ready.Status && before.Reason == ready.Reason) return;
        if (ready.Status == Condition.False) await events.WarningAsync(context, written, ready.Reason, ready.Message, ct);
        else await events.NormalAsync(context, written, ready.Reason, ready.Message, ct);
    }
}
