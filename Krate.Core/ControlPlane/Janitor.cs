using System.Globalization;
using Krate.Core.Gateway;
using Krate.Core.Resources;
using Krate.Core.Store;
using Microsoft.Extensions.Logging;

namespace Krate.Core.ControlPlane;

/// <summary>Keeps what grows by itself in bounds: the change log, Events, and files whose resource is gone.</summary>
internal sealed class Janitor(IResourceStore store, ControlPlaneParts parts, KindCatalog catalog, IEnumerable<ISweep> sweeps, ILogger<Janitor> logger) : IControlLoop
{
    private readonly KindDefinition events = catalog["Event"];

    public string Name => "janitor";

    public async Task RunAsync(Fence fence, Action started, CancellationToken ct)
    {
        started();
        while (true)
        {
            await Task.Delay(parts.Options.CleanEvery, parts.Time, ct);
            try
            {
                await store.CompactAsync(ct);
                var actor = PrivilegedAccess.Controller(Name, Ulid.NewUlid().ToString().ToLowerInvariant(), fence);
                await RemoveOldEventsAsync(actor, ct);
                foreach (var sweep in sweeps)
                    if (await sweep.RunAsync(parts.Gateway, actor, ct) is > 0 and var swept) logger.LogInformation("Deleted {Count} {Of} that are gone", swept, sweep.Of);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                logger.LogWarning(e, "Cleaning up failed; it is tried again in {Delay}", parts.Options.CleanEvery);
            }
        }
    }

    internal async Task RemoveOldEventsAsync(Actor actor, CancellationToken ct)
    {
        var oldest = parts.Time.GetUtcNow() - parts.Options.EventRetention;
        var old = new List<Resource>();
        await foreach (var e in parts.Reader.ListAsync(actor, events, null, ct))
            if (LastSeen(e) < oldest) old.Add(e);
        foreach (var e in old)
        {
            try
            {
                await parts.Gateway.DeleteAsync(actor, events, e.Namespace, e.Name, new DeleteOptions { Uid = e.Uid, ResourceVersion = e.Version }, ct);
            }
            catch (ApiException refusal) when (refusal.Code is 404 or 409)
            {
                // It is gone, or has just happened again.
            }
        }

        if (old.Count > 0) logger.LogInformation("Removed {Count} Events older than {Retention}", old.Count, parts.Options.EventRetention);
    }

    private static DateTimeOffset LastSeen(Resource e) =>
        DateTimeOffset.TryParse(e.Body.Text("lastTimestamp") ?? e.Body.Text("eventTime"), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var t) ? t : e.CreatedAt ?? DateTimeOffset.MinValue;
}
