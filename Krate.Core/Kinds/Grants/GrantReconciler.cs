using System.Text.Json.Nodes;
using Krate.Core.ControlPlane;
using Krate.Core.Gateway;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Grants;

/// <summary>Keeps the status of grants true to what they name, to their subjects, to the clock, and to who relies on them.</summary>
internal abstract class GrantReconciler : IReconciler
{
    /// <summary>Subjects that no stack is made of.</summary>
    private static readonly string[] OtherSubjects = ["ServiceAccount", "RunnerPool", "Repository", "Team", "Organization", "User"];
    private readonly KindCatalog catalog;
    private readonly EventRecorder events;
    private readonly GrantTarget target;
    private readonly GrantConsumers consumers;

    protected GrantReconciler(KindCatalog catalog, EventRecorder events, GrantTarget target)
    {
        (this.catalog, this.events, this.target) = (catalog, events, target);
        consumers = new GrantConsumers(catalog);
        For = catalog[target.GrantKind];
        WakeUps =
        [
            new(catalog[target.Kind], (r, cache) => cache.List(For, r.Namespace).Where(g => target.NameIn(g) == r.Name).Select(g => g.Key)),
            .. consumers.Kinds.Select(k => new WakeUp(k, OfConsumer)),
            .. OtherSubjects.Select(k => new WakeUp(catalog[k], OfSubject)),
        ];
    }

    public abstract string Name { get; }

    public KindDefinition For { get; }

    public IReadOnlyList<WakeUp> WakeUps { get; }

    public async Task<Outcome> ReconcileAsync(ResourceKey key, Resource? resource, ReconcileContext context, CancellationToken ct)
    {
        if (resource is null || resource.IsDeleting) return Outcome.Done;
        var now = context.Time.GetUtcNow();
        var granted = context.Cache.Get(catalog[target.Kind], resource.Namespace, target.NameIn(resource));
        var subject = GrantSubjectState.Of(resource, context.Cache, catalog);
        var evaluation = new GrantEvaluation(resource, target, granted is { IsDeleting: false } ? granted : null, subject, now);
        await ReportAsync(resource, evaluation, context, ct);
        return evaluation.NextChange is { } next ? Outcome.Again(next - now) : Outcome.Done;
    }

    private async Task ReportAsync(Resource grant, GrantEvaluation evaluation, ReconcileContext context, CancellationToken ct)
    {
        var conditions = evaluation.Conditions();
        var ready = conditions[^1];
        var status = StatusWriter.Status(GrantEvaluation.Phase(ready), conditions);
        foreach (var (field, uid) in evaluation.Bound()) status[field] = uid?.DeepClone();
        var (named, count) = consumers.Of(grant, target, context.Cache);
        (status["consumers"], status["consumerCount"]) = (named, count);
        var before = grant.FindCondition(Condition.Ready);
        var written = await context.WriteStatusAsync(grant, status, ct);
        if (before?.Status == ready.Status && before.Reason == ready.Reason) return;
        if (ready is { Status: Condition.True, Reason: Condition.Ready }) await events.NormalAsync(context, written, ready.Reason, ready.Message, ct);
        else await events.WarningAsync(context, written, ready.Reason, ready.Message, ct);
    }

    private IEnumerable<ResourceKey> OfConsumer(Resource consumer, IResourceCache cache)
    {
        var reached = consumers.Reached(consumer, cache);
        return cache.List(For, consumer.Namespace).Where(g => GrantConsumers.Concerns(reached, g, target)).Select(g => g.Key);
    }

    private IEnumerable<ResourceKey> OfSubject(Resource subject, IResourceCache cache) => cache
        .List(For, subject.Kind.Scope == KindScope.Platform ? null : subject.Namespace)
        .Where(g => g.Body.Text("spec.subject.name") == subject.Name || (subject.Kind.Kind == "ServiceAccount" && g.Body.Text("spec.subject.serviceAccountRef") == subject.Name))
        .Select(g => g.Key);
}

/// <summary><see cref="GrantReconciler"/> of AgentSecretGrants.</summary>
internal sealed class AgentSecretGrantReconciler(KindCatalog catalog, EventRecorder events) : GrantReconciler(catalog, events, GrantTarget.Secret)
{
    public override string Name => "agent-secret-grant";
}

/// <summary><see cref="GrantReconciler"/> of AgentConfigGrants.</summary>
internal sealed class AgentConfigGrantReconciler(KindCatalog catalog, EventRecorder events) : GrantReconciler(catalog, events, GrantTarget.ConfigMap)
{
    public override string Name => "agent-config-grant";
}
