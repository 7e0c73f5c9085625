using System.Text.Json.Nodes;
using Krate.Core.ControlPlane;
using Krate.Core.Gateway;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Orgs;

/// <summary>Gives an organization its namespace, binding, roles and defaults, and takes everything away again when it is deleted.</summary>
internal sealed class OrganizationReconciler(KindCatalog catalog, EventRecorder events, OrganizationRemoval removal) : IReconciler
{
    private static readonly WriteOptions Options = new() { FieldManager = "krate-control-plane" };
    private static readonly TimeSpan RefusedRetry = TimeSpan.FromMinutes(1);

    public string Name => "organization";

    public KindDefinition For { get; } = catalog["Organization"];

    public IReadOnlyList<WakeUp> WakeUps { get; } =
    [
        .. new[] { "Namespace", "OrgNamespaceBinding", "Role", "RoleBinding", "ServiceAccount", "RunnerPool", "Team" }.Select(kind => new WakeUp(catalog[kind], OwnerOf)),
        new(catalog["ClusterRole"], (role, cache) => OrganizationPlan.ClusterRoles.Contains(role.Name) ? cache.List(catalog["Organization"]).Select(o => o.Key) : []),
        new(catalog["OrgSharingPolicy"], (policy, _) => OrganizationSharing.Concerned(policy)),
        // What one organization agrees to shows in the others.
        new(catalog["Organization"], (organization, cache) => cache.List(catalog["OrgSharingPolicy"], WellKnown.PlatformNamespace).Where(p => p.Body.Text("spec.sourceOrg") == organization.Name).SelectMany(OrganizationSharing.Concerned)),
    ];

    public async Task<Outcome> ReconcileAsync(ResourceKey key, Resource? resource, ReconcileContext context, CancellationToken ct)
    {
        if (resource is null) return Outcome.Done;
        if (resource.IsDeleting) return await removal.RunAsync(resource, context, ct);

        var results = new List<Condition>();
        foreach (var step in OrganizationPlan.For(resource, Creator(resource)).GroupBy(p => p.Condition))
        {
            // Nothing lives in a namespace that is not there or not bound.
            var waitsFor = results.FirstOrDefault(r => r.Status != Condition.True && r.Type is OrganizationPlan.NamespaceReady or OrganizationPlan.BindingReady);
            results.Add(waitsFor is null
                ? await EnsureAsync(resource, step.Key, [.. step], context, ct)
                : new(step.Key, Condition.Unknown, "Waiting", $"Waits for {waitsFor.Type}: {waitsFor.Message}"));
        }

        results.Add(Ready(results));
        var sharing = OrganizationSharing.Of(resource, context.Cache, catalog, context.Time.GetUtcNow());
        await ReportAsync(resource, results, sharing.Rows, context, ct);
        if (results.Any(r => r.Reason == "Refused")) return Outcome.Again(RefusedRetry);
        return sharing.NextEnd is { } end ? Outcome.Again(end - context.Time.GetUtcNow()) : Outcome.Done;
    }

    /// <summary>Who may be given the organization: Krate itself is nobody's colleague.</summary>
    private static string? Creator(Resource organization) =>
        organization.Annotation(Admission.CreatedByAnnotation) is { Length: > 0 } user && !user.StartsWith("system:", StringComparison.Ordinal) ? user : null;

    private static IEnumerable<ResourceKey> OwnerOf(Resource part, IResourceCache cache) =>
        part.Label(OrganizationPlan.ManagedByLabel) == OrganizationPlan.ManagedBy && part.Label(WellKnown.OrgLabel) is { } org
            ? [new ResourceKey("Organization", WellKnown.PlatformNamespace, org)]
            : [];

    private async Task<Condition> EnsureAsync(Resource organization, string condition, IReadOnlyList<OrganizationPart> parts, ReconcileContext context, CancellationToken ct)
    {
        var wasThere = organization.FindCondition(condition)?.Status == Condition.True;
        var (made, removed) = (new List<string>(), new List<string>());
        foreach (var part in parts)
        {
            var kind = catalog[part.Kind];
            var existing = context.Cache.Get(kind, part.Namespace, part.Name);
            if (existing is not null && Check(organization, part, existing) is { } problem) return problem;
            if (existing is not null) continue;
            if (wasThere && !part.Kept)
            {
                removed.Add($"{part.Kind} {part.Name}");
                continue;
            }

            try
            {
                await context.Gateway.CreateAsync(context.Actor, kind, part.Namespace, part.Document, Options, ct);
                made.Add($"{part.Kind} {part.Name}");
            }
            catch (ApiException e) when (e.Code is 400 or 403 or 404 or 422)
            {
                return new(condition, Condition.False, "Refused", $"{part.Kind} {part.Name} could not be made: {e.Message}");
            }
        }

        if (made.Count > 0) await events.NormalAsync(context, organization, "Created", $"Created {string.Join(", ", made)}", ct);
        if (condition == OrganizationPlan.RolesReady && MissingClusterRoles(context) is { Length: > 0 } missing)
            return new(condition, Condition.False, "ClusterRoleMissing", $"The default bindings refer to ClusterRoles that do not exist: {missing}.");
        return new(condition, Condition.True, "Created", removed.Count == 0 ? Summary(parts) : $"Made once, and removed since: {string.Join(", ", removed)}.");
    }

    /// <summary>What exists is left as people want it; only a namespace that is not this organization's is a problem.</summary>
    private static Condition? Check(Resource organization, OrganizationPart part, Resource existing)
    {
        var slug = OrganizationPlan.Slug(organization);
        if (part.Kind == "Namespace")
        {
            if (existing.IsDeleting) return new(part.Condition, Condition.False, "NamespaceTerminating", $"Namespace {part.Name} is being deleted; it is made anew when it is gone.");
            if (existing.Label(WellKnown.OrgLabel) is { } org && org != slug) return new(part.Condition, Condition.False, "NamespaceTaken", $"Namespace {part.Name} belongs to another organization.");
        }

        if (part.Kind == "OrgNamespaceBinding" && existing.Body.Text("spec.namespace") != OrganizationPlan.Namespace(organization))
            return new(part.Condition, Condition.False, "BindingMismatch", $"OrgNamespaceBinding {part.Name} binds namespace {existing.Body.Text("spec.namespace")} where {OrganizationPlan.Namespace(organization)} is expected.");
        return null;
    }

    private string MissingClusterRoles(ReconcileContext context) =>
        string.Join(", ", OrganizationPlan.ClusterRoles.Where(r => context.Cache.Get(catalog["ClusterRole"], "", r) is null));

    private static string Summary(IReadOnlyList<OrganizationPart> parts) => parts.Count == 1
        ? $"{parts[0].Kind} {parts[0].Name} exists."
        : $"{string.Join(", ", parts.GroupBy(p => p.Kind).Select(g => $"{g.Count()} {g.Key}{(g.Count() == 1 ? "" : "s")}"))} exist.";

    private static Condition Ready(IReadOnlyList<Condition> results)
    {
        var problem = results.FirstOrDefault(r => r.Status == Condition.False);
        return problem is null
            ? new(Condition.Ready, Condition.True, "Ready", "Namespace, binding, roles and defaults are in place.")
            : new(Condition.Ready, Condition.False, problem.Reason, problem.Message);
    }

    private async Task ReportAsync(Resource organization, IReadOnlyList<Condition> results, JsonArray? sharing, ReconcileContext context, CancellationToken ct)
    {
        var ready = results[^1];
        var before = organization.FindCondition(Condition.Ready);
        var status = StatusWriter.Status(ready.Status == Condition.True ? "Ready" : "Pending", results);
        status["namespace"] = OrganizationPlan.Namespace(organization);
        status["sharing"] = sharing;
        var written = await context.WriteStatusAsync(organization, status, ct);
        if (before?.Status == ready.Status && before.Reason == ready.Reason) return;
        if (ready.Status == Condition.True) await events.NormalAsync(context, written, ready.Reason, ready.Message, ct);
        else await events.WarningAsync(context, written, ready.Reason, ready.Message, ct);
    }
}
