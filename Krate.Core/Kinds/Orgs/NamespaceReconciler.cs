using System.Text.Json.Nodes;
using Krate.Core.ControlPlane;
using Krate.Core.Gateway;
using Krate.Core.Resources;
using Microsoft.Extensions.Logging;

namespace Krate.Core.Kinds.Orgs;

/// <summary>Empties a namespace that is being deleted, then lets it go, as Kubernetes' namespace controller does.</summary>
internal sealed class NamespaceReconciler(KindCatalog catalog, ResourceReader reader) : IReconciler
{
    public const string Finalizer = "kubernetes";
    private const int Concurrency = 8;
    private static readonly WriteOptions Options = new() { FieldManager = "krate-control-plane" };
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(1);
    // Events last: the end of the others still makes some.
    private readonly IReadOnlyList<KindDefinition> contents = [.. reader.Stored.Where(k => k.IsNamespaced).OrderBy(k => k.Kind == "Event")];

    public string Name => "namespace";

    public KindDefinition For { get; } = catalog["Namespace"];

    public IReadOnlyList<WakeUp> WakeUps => [];

    /// <summary>Namespaces that Krate cannot be without.</summary>
    public static bool IsProtected(string ns) => ns is WellKnown.PlatformNamespace or "default" or "kube-system" or "kube-public";

    public async Task<Outcome> ReconcileAsync(ResourceKey key, Resource? resource, ReconcileContext context, CancellationToken ct)
    {
        if (resource is not { IsDeleting: true } || !resource.Finalizers.Contains(Finalizer)) return Outcome.Done;
        if (IsProtected(resource.Name))
        {
            context.Logger.LogWarning("Namespace {Namespace} is marked for deletion and is not emptied: Krate needs it", resource.Name);
            return Outcome.Done;
        }

        var (found, held) = (0, 0);
        foreach (var kind in contents)
        {
            var one = await EmptyAsync(kind, resource.Name, context, ct);
            found += one.Found;
            held += one.Held;
        }

        // Only a look that finds nothing lets it go: a write may have been under way.
        if (found > 0) return Outcome.Again(held > 0 ? LookAgain : TimeSpan.Zero);

        var document = resource.Edit();
        document.Set("metadata.finalizers", new JsonArray([.. resource.Finalizers.Where(f => f != Finalizer).Select(f => (JsonNode)f)]));
        await context.Gateway.UpdateAsync(context.Actor, For, "", resource.Name, document, Options, ct);
        context.Logger.LogInformation("Namespace {Namespace} is empty and gone", resource.Name);
        return Outcome.Done;
    }

    /// <returns>How many there were, and how many of them finalizers hold.</returns>
    private async Task<(int Found, int Held)> EmptyAsync(KindDefinition kind, string ns, ReconcileContext context, CancellationToken ct)
    {
        var (found, held) = (0, 0);
        var limits = new ParallelOptions { MaxDegreeOfParallelism = Concurrency, CancellationToken = ct };
        await Parallel.ForEachAsync(reader.ListAsync(context.Actor, kind, ns, ct), limits, async (item, token) =>
        {
            Interlocked.Increment(ref found);
            try
            {
                if (item.IsDeleting || !(await context.Gateway.DeleteAsync(context.Actor, kind, ns, item.Name, new DeleteOptions { Uid = item.Uid }, token)).Gone) Interlocked.Increment(ref held);
            }
            catch (ApiException e) when (e.Code is 404 or 409)
            {
                // Gone, or another one has its name: the next look decides.
            }
        });
        return (found, held);
    }
}
