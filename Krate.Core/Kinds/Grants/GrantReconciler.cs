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
    private readonly ConsumerIndex index;

    protected GrantReconciler(KindCatalog catalog, EventRecorder events, ConsumerIndex index, GrantTarget target)
    {
        (this.catalog, this.events, this.index, this.target) = (catalog, events, index, target);
        For = catalog[target.GrantKind];
        WakeUps =
        [
            new(catalog[target.Kind], (r, cache) => cache.ListBy(For, r.Namespace, target.Path + ".name", r.Name).Select(g => g.Key)),
            .. index.Consumers.Kinds.Select(k => new WakeUp(k, OfConsumer) { OfSpecOnly = true }),
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
        var (named, count) = GrantConsumers.Shown(index.Of(grant, target));
        (status["consumers"], status["consumerCount"]) = (named, count);
        var before = grant.FindCondition(Condition.Ready);
        var written = await context.WriteStatusAsync(grant, status, ct);
        if (before?.Status == ready.Status && before.Reason == ready.Reason) return;
        if (ready is { Status: Condition.True, Reason: Condition.Ready }) await events.NormalAsync(context, written, ready.Reason, ready.Message, ct);
        else await events.WarningAsync(context, written, ready.Reason, ready.Message, ct);
    }

    private IEnumerable<ResourceKey> OfConsumer(Resource consumer, IResourceCache cache)
    {
        foreach (var (kind, name) in index.Consumers.Reached(consumer, cache))
        {
            if (kind == For.Kind) yield return new(kind, consumer.Namespace, name);
            foreach (var path in target.PathsOf(kind))
                foreach (var grant in cache.ListBy(For, consumer.Namespace, path, name)) yield return grant.Key;
        }
    }

    private IEnumerable<ResourceKey> OfSubject(Resource subject, IResourceCache cache) =>
        (subject.Kind.Scope == KindScope.Platform ? cache.List(For).Where(g => g.Body.Text("spec.subject.name") == subject.Name)
            : GrantRules.SubjectNames.SelectMany(p => cache.ListBy(For, subject.Namespace, p, subject.Name))).Select(g => g.Key);
}

/// <summary><see cref="GrantReconciler"/> of AgentSecretGrants.</summary>
internal sealed class AgentSecretGrantReconciler(KindCatalog catalog, EventRecorder events, ConsumerIndex index) : GrantReconciler(catalog, events, index, GrantTarget.Secret)
{
    public override string Name => "agent-secret-grant";
}

/// <summary><see cref="GrantReconciler"/> of AgentConfigGrants.</summary>
internal sealed class AgentConfigGrantReconciler(KindCatalog catalog, EventRecorder events, ConsumerIndex index) : GrantReconciler(catalog, events, index, GrantTarget.ConfigMap)
{
    public override string Name => "agent-config-grant";
}
