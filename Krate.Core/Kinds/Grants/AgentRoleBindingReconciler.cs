using System.Text.Json.Nodes;
using Krate.Core.ControlPlane;
using Krate.Core.Gateway;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Grants;

/// <summary>
/// Gives the role of an AgentRoleBinding by a native binding, as long as whoever asked for it may give it: asked anew at each look, with the rights that
/// they have now. What they may not give is given to nobody, and recorded.
/// </summary>
internal sealed class AgentRoleBindingReconciler(KindCatalog catalog, EventRecorder events, RoleBindingReviews reviews, Requesters requesters, IPolicyLog policyLog) : IReconciler
{
    private static readonly WriteOptions Options = new() { FieldManager = "krate-control-plane" };

    public string Name => "agent-role-binding";

    public KindDefinition For { get; } = catalog["AgentRoleBinding"];

    public IReadOnlyList<WakeUp> WakeUps { get; } =
    [
        // Anybody's right may be somebody's right to give.
        .. new[] { "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding", "Team", "User", "ServiceAccount", "AgentServiceAccount", "RunnerPool", "Repository" }
            .Select(kind => new WakeUp(catalog[kind], (r, cache) => In(catalog, r, cache).Select(b => b.Key))),
        new(catalog["AgentStack"], (r, cache) => In(catalog, r, cache).Where(b => b.Body.Text("spec.subject.name") == r.Name).Select(b => b.Key)),
    ];

    public async Task<Outcome> ReconcileAsync(ResourceKey key, Resource? resource, ReconcileContext context, CancellationToken ct)
    {
        if (resource is null) return Outcome.Done;
        var native = new NativeBinding(catalog, context);
        if (resource.IsDeleting) return await ReleaseAsync(resource, native, context, ct);
        if (AgentRolePlan.IsClusterWide(resource) && !resource.Finalizers.Contains(WellKnown.RoleBindingFinalizer)) resource = await HoldAsync(resource, context, ct);

        var plan = AgentRolePlan.For(resource, context.Cache, catalog);
        var admitted = Admit(resource, plan);
        if (admitted.Status == Condition.False) await TellRefusalAsync(resource, admitted, context, ct);
        var wanted = plan.IsResolved && admitted.Status == Condition.True ? native.Wanted(resource, plan) : [];
        var removed = await native.RemoveOthersAsync(resource, wanted, ct);
        if (removed.Count > 0) await events.NormalAsync(context, resource, "Withdrawn", $"Deleted {string.Join(", ", removed)}", ct);
        var state = await native.ApplyAsync(resource, wanted, ct);
        if (state.Repaired.Count > 0) await events.WarningAsync(context, resource, "DriftRepaired", $"Put right after a change by hand: {string.Join(", ", state.Repaired)}", ct);
        await ReportAsync(resource, [plan.Role, plan.Subjects, Synced(resource, wanted.Count > 0, state), admitted, Drifted(state)], context, ct);
        return Outcome.Done;
    }

    private static IEnumerable<Resource> In(KindCatalog catalog, Resource changed, IResourceCache cache) =>
        cache.List(catalog["AgentRoleBinding"], changed.Kind.Scope is KindScope.Cluster or KindScope.Platform || changed.Kind.Kind == "Team" ? null : changed.Namespace);

    private Condition Admit(Resource binding, AgentRolePlan plan)
    {
        if (plan.Role.Status != Condition.True) return RoleBindingReviews.NotKnown(plan);
        return requesters.Now(binding) is { } requester
            ? reviews.Admit(binding, plan, requester with { User = binding.Body.Text("status.requestedBy") ?? requester.User })
            : new(AgentRoleBindingKind.EscalationAdmitted, Condition.False, "EscalationDenied", $"{binding.Body.Text("status.requestedBy") ?? "Whoever asked for it"} is not known here any more, so that nothing is given in their name; somebody else must save the binding.");
    }

    /// <summary>Once for each attempt, and again when the reason is another.</summary>
    private async Task TellRefusalAsync(Resource binding, Condition refused, ReconcileContext context, CancellationToken ct)
    {
        if (binding.FindCondition(refused.Type) is { Status: Condition.False } told && told.Message == refused.Message && told.ObservedGeneration == binding.Generation) return;
        var actor = new Actor(binding.Body.Text("status.requestedBy") ?? "", [.. binding.Body.Texts("status.requestedByGroups")]) { Source = "controller", CorrelationId = context.Actor.CorrelationId };
        await policyLog.JudgedAsync(actor, binding, "escalate", allowed: false, refused.Message, ct);
        await events.WarningAsync(context, binding, refused.Reason, refused.Message, ct);
    }

    private static Condition Synced(Resource binding, bool isWanted, NativeState state)
    {
        const string Type = AgentRoleBindingKind.NativeBindingSynced;
        if (!isWanted) return new(Type, Condition.False, "NotGiven", "There is no native binding.");
        if (state.Problem is { } problem) return new(Type, Condition.False, problem.Reason, problem.Message);
        var kind = AgentRolePlan.IsClusterWide(binding) ? "ClusterRoleBinding" : "RoleBinding";
        return state.Drift is null
            ? new(Type, Condition.True, "Synced", $"{kind} {NativeBinding.NameOf(binding)} is kept as the binding says.")
            : new(Type, Condition.False, "RoleBindingDrifted", $"{kind} {NativeBinding.NameOf(binding)} is left as somebody changed it.");
    }

    private static Condition Drifted(NativeState state)
    {
        const string Type = AgentRoleBindingKind.NativeBindingDrifted;
        return state.Drift is { } drift
            ? new(Type, Condition.True, "RoleBindingDrifted", $"{drift}, which the binding does not say. Take it back or delete the native object, which is then made as it should be.")
            : new(Type, Condition.False, "InStep", "Nobody has added anything to the native objects.");
    }

    private async Task ReportAsync(Resource binding, List<Condition> conditions, ReconcileContext context, CancellationToken ct)
    {
        var ready = ReadyOf(conditions);
        var before = binding.FindCondition(Condition.Ready);
        var phase = ready.Status == Condition.True ? "Ready" : ready.Reason == "RoleBindingDrifted" ? "Drifted" : "Blocked";
        var written = await context.WriteStatusAsync(binding, StatusWriter.Status(phase, [.. conditions, ready]), ct);
        if (before?.Status == ready.Status && before.Reason == ready.Reason) return;
        if (ready.Status == Condition.True) await events.NormalAsync(context, written, ready.Reason, ready.Message, ct);
        else await events.WarningAsync(context, written, ready.Reason, ready.Message, ct);
    }

    /// <summary>The cause before what follows from it: that nothing is given is said last.</summary>
    private static Condition ReadyOf(List<Condition> conditions)
    {
        var drift = conditions.Find(c => c is { Type: AgentRoleBindingKind.NativeBindingDrifted, Status: Condition.True });
        var problem = drift
            ?? conditions.Find(c => c.Type is not (AgentRoleBindingKind.NativeBindingDrifted or AgentRoleBindingKind.NativeBindingSynced) && c.Status == Condition.False)
            ?? conditions.Find(c => c is { Type: AgentRoleBindingKind.NativeBindingSynced, Status: Condition.False });
        return problem is null
            ? new(Condition.Ready, Condition.True, "Ready", "The role is given.")
            : new(Condition.Ready, Condition.False, problem.Reason, problem.Message);
    }

    /// <summary>What is cluster-wide has no owner that it would go with.</summary>
    private async Task<Resource> HoldAsync(Resource binding, ReconcileContext context, CancellationToken ct)
    {
        var document = binding.Edit();
        document.Set("metadata.finalizers", new JsonArray([.. binding.Finalizers.Append(WellKnown.RoleBindingFinalizer).Select(f => (JsonNode)f)]));
        return await context.Gateway.UpdateAsync(context.Actor, For, binding.Namespace, binding.Name, document, Options, ct);
    }

    private async Task<Outcome> ReleaseAsync(Resource binding, NativeBinding native, ReconcileContext context, CancellationToken ct)
    {
        if (!binding.Finalizers.Contains(WellKnown.RoleBindingFinalizer)) return Outcome.Done;
        await native.RemoveOthersAsync(binding, [], ct);
        var document = binding.Edit();
        document.Set("metadata.finalizers", new JsonArray([.. binding.Finalizers.Where(f => f != WellKnown.RoleBindingFinalizer).Select(f => (JsonNode)f)]));
        await context.Gateway.UpdateAsync(context.Actor, For, binding.Namespace, binding.Name, document, Options, ct);
        return Outcome.Done;
    }
}
