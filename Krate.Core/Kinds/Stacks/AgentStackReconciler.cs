using System.Text.Json.Nodes;
using Krate.Core.ControlPlane;
using Krate.Core.Gateway;
using Krate.Core.Kinds.Review;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Stacks;

/// <summary>Keeps a stack's readiness true to everything that it needs, and writes down what that is.</summary>
internal sealed class AgentStackReconciler : IReconciler
{
    /// <summary>Kinds whose resources decide about stacks.</summary>
    private static readonly string[] Decisive =
    [
        "ServiceAccount", "AgentServiceAccount", "AgentRoleBinding", "AgentSecretGrant", "AgentConfigGrant", "Secret", "ConfigMap", "AgentToolProfile", "AgentMcpServer", "AgentSkill",
        "AgentSubagent", "AgentContextLabel", "AgentWorkspacePolicy", "RunnerPool", "AgentAdapter", "AgentProviderConfig", "OrgSharingPolicy", "Organization", "Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding",
    ];

    private readonly KindCatalog catalog;
    private readonly IAuthorizer authorizer;
    private readonly EventRecorder events;
    private readonly RequirementWriter requirements;
    private readonly StackDependencies dependencies;

    public AgentStackReconciler(KindCatalog catalog, IAuthorizer authorizer, EventRecorder events)
    {
        (this.catalog, this.authorizer, this.events) = (catalog, authorizer, events);
        requirements = new(catalog);
        dependencies = new(catalog);
        For = catalog["AgentStack"];
        WakeUps = [.. Decisive.Select(k => new WakeUp(catalog[k], dependencies.StacksOf))];
    }

    public string Name => "agent-stack";

    public KindDefinition For { get; }

    public IReadOnlyList<WakeUp> WakeUps { get; }

    public async Task<Outcome> ReconcileAsync(ResourceKey key, Resource? resource, ReconcileContext context, CancellationToken ct)
    {
        if (resource is null || resource.IsDeleting)
        {
            dependencies.Forget(key);
            return Outcome.Done;
        }

        var now = context.Time.GetUtcNow();
        StackReview review;
        CachedReviewFacts facts;
        using (var look = dependencies.Begin(key))
        {
            facts = new CachedReviewFacts(resource, catalog, context.Cache, authorizer, now, look);
            review = StackReview.Of(resource, facts, ReviewScope.Anywhere);
        }

        await ReportAsync(resource, review, context, ct);
        // The end of a grant or of a sharing is no change of anything; only the clock tells.
        return facts.NextEnd is { } end ? Outcome.Again(end - now) : Outcome.Done;
    }

    private async Task ReportAsync(Resource stack, StackReview review, ReconcileContext context, CancellationToken ct)
    {
        var conditions = StackReadiness.Conditions(review.Findings);
        var ready = conditions[^1];
        var before = stack.FindCondition(Condition.Ready);
        var status = StatusWriter.Status(StackReadiness.Phase(ready), conditions);
        status["capabilities"] = review.Adapter?.Body.At("status.capabilities")?.DeepClone();
        status["requirementsDigest"] = await requirements.WriteAsync(stack, review, context, ct);
        var written = await context.WriteStatusAsync(stack, status, ct);
        if (before?.Status == ready.Status && before.Reason == ready.Reason) return;
        if (ready.Status == Condition.False) await events.WarningAsync(context, written, ready.Reason, ready.Message, ct);
        else await events.NormalAsync(context, written, ready.Reason, ready.Message, ct);
    }
}
