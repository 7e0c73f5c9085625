using Krate.Core.Blobs;
using Krate.Core.ControlPlane;
using Krate.Core.Gateway;
using Krate.Core.Resources;
using Krate.Core.Sessions;

namespace Krate.Core.Kinds.Dispatch;

/// <summary>Deletes blobs that no context bundle and no artifact names.</summary>
internal sealed class BlobSweep(BlobStore blobs, ResourceReader reader, KindCatalog catalog) : ISweep
{
    public string Of => "blobs";

    public Task<int> RunAsync(IResourceGateway gateway, Actor actor, CancellationToken ct) => blobs.SweepAsync(token => NamedAsync(actor, token), ct);

    private async Task<IReadOnlySet<string>> NamedAsync(Actor actor, CancellationToken ct)
    {
        var named = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (kind, field) in new[] { ("AgentContextBundle", "spec.promptDigest"), ("AgentArtifact", "spec.digest") })
            await foreach (var resource in reader.ListAsync(actor, catalog[kind], null, ct))
                if (resource.Body.Text(field) is { } digest) named.Add(digest);
        return named;
    }
}

/// <summary>Deletes the records of sessions whose attempt is gone.</summary>
internal sealed class SessionSweep(SessionLogs sessions, ResourceReader reader, KindCatalog catalog) : ISweep
{
    public string Of => "sessions";

    public Task<int> RunAsync(IResourceGateway gateway, Actor actor, CancellationToken ct) => sessions.SweepAsync(token => AliveAsync(actor, token), ct);

    private async Task<IReadOnlySet<string>> AliveAsync(Actor actor, CancellationToken ct)
    {
        var alive = new HashSet<string>(StringComparer.Ordinal);
        await foreach (var attempt in reader.ListAsync(actor, catalog["AgentDispatchAttempt"], null, ct)) alive.Add(attempt.Uid);
        return alive;
    }
}
