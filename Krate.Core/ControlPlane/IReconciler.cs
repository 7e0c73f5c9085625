using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Resources;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Krate.Core.ControlPlane;

/// <summary>
/// Makes the world match one kind of resource. Level-triggered: called with a key, reads everything it needs, does the same
/// thing when called twice; throwing means "again, with back-off".
/// </summary>
public interface IReconciler
{
    /// <summary>Lease, metric and log name (<c>organization</c>).</summary>
    string Name { get; }

    /// <summary>The kind whose keys are queued.</summary>
    KindDefinition For { get; }

    /// <summary>Other kinds whose changes wake keys of <see cref="For"/>.</summary>
    IReadOnlyList<WakeUp> WakeUps { get; }

    /// <summary>Keys that are worked on at once, where others have to wait for the world; null for as many as elsewhere.</summary>
    int? Concurrency => null;

    /// <param name="resource">Freshly read; null when it is gone.</param>
    /// <returns>What to do next.</returns>
    Task<Outcome> ReconcileAsync(ResourceKey key, Resource? resource, ReconcileContext context, CancellationToken ct);
}

/// <summary>
/// Maps a change of another kind to the keys it concerns. Pure and quick. <paramref name="Keys"/> gets the new state (last
/// state for a delete), and for an update the state before as well, and the informer cache.
/// </summary>
public sealed record WakeUp(KindDefinition Kind, Func<Resource, IResourceCache, IEnumerable<ResourceKey>> Keys)
{
    /// <summary>A change of nothing but the status or labels wakes nobody. For kinds with a generation.</summary>
    public bool OfSpecOnly { get; init; }
}

/// <summary>What a reconcile ended with.</summary>
public sealed record Outcome
{
    private Outcome()
    {
    }

    /// <summary>Come back after this long; null: only when something changes.</summary>
    public TimeSpan? After { get; private init; }

    public static Outcome Done { get; } = new();

    public static Outcome Again(TimeSpan after) => new() { After = after };
}

/// <summary>What a reconciler works with. One per reconcile.</summary>
/// <param name="Actor">Krate itself, fenced by the reconciler's lease.</param>
public sealed record ReconcileContext(Actor Actor, IResourceGateway Gateway, IResourceCache Cache, TimeProvider Time)
{
    /// <summary>Carries the key and the correlation id in its scope.</summary>
    public ILogger Logger { get; init; } = NullLogger.Instance;

    /// <summary>Writes the status through the gateway when it differs from what is there; conditions keep their transition times. A converged resource writes nothing.</summary>
    /// <param name="status">
    /// Members to set; those it does not name stay as they are, null removes one. <c>conditions</c> is the whole list;
    /// <c>observedGeneration</c> is added.
    /// </param>
    /// <returns>The resource as it is then.</returns>
    /// <exception cref="ApiException">409 when the resource has changed since it was read: the key comes back.</exception>
    public Task<Resource> WriteStatusAsync(Resource resource, JsonObject status, CancellationToken ct) => StatusWriter.WriteAsync(this, resource, status, ct);
}
