using System.Runtime.CompilerServices;
using Krate.Core.Gateway;
using Krate.Core.Resources;
using Krate.Core.Runs;
using Krate.Web.Hosting;
using Microsoft.AspNetCore.SignalR;

namespace Krate.Web.Api;

/// <summary>A piece of a log as it is stored.</summary>
/// <param name="Offset">Where it begins.</param>
public sealed record LogChunk(long Offset, byte[] Bytes);

/// <summary>For programs that follow logs: <c>/hubs/runs</c>. A stream ends when the job does, or with an error when the caller's rights change.</summary>
internal sealed class RunHub(IResourceGateway gateway, IAuthorizer authorizer, JobLogs logs, OrgNamespaces organizations, KindCatalog catalog, TimeProvider time) : Hub
{
    public const string Path = "/hubs/runs";

    private const int ChunkBytes = 24 << 10;

    /// <summary>The bytes of a log from an offset on, as they come. A client that reads slowly keeps the server from reading on; nothing piles up.</summary>
    /// <exception cref="HubException">The refusal in words.</exception>
    public async IAsyncEnumerable<LogChunk> FollowLog(string org, string job, long offset, [EnumeratorCancellation] CancellationToken ct)
    {
        var actor = Context.GetHttpContext()!.GetActor();
        // Before the question, so that a right that goes away between the two ends the stream.
        var epoch = authorizer.EpochOf(actor);
        var target = await FindAsync(actor, org, job, offset, ct);
        await foreach (var chunk in authorizer.WhileRightsHoldAsync(actor, epoch, time, token => ChunksAsync(target, offset, token), ct)) yield return chunk;
    }

    private async Task<Resource> FindAsync(Actor actor, string org, string job, long offset, CancellationToken ct)
    {
        try
        {
            if (offset < 0) throw ApiException.BadRequest("offset: must not be negative");
            var ns = await organizations.OfAsync(actor, org, ct);
            return await gateway.GetForAsync(actor, "log", catalog["Job"], ns, KubernetesPath.CheckSegment(job), ct);
        }
        catch (ApiException refusal)
        {
            throw new HubException(refusal.Message);
        }
    }

    private async IAsyncEnumerable<LogChunk> ChunksAsync(Resource job, long offset, [EnumeratorCancellation] CancellationToken ct)
    {
        await foreach (var length in logs.FollowAsync(job, offset, ct))
        {
            while (offset < length)
            {
                await using var stored = logs.OpenBytes(job, offset, Math.Min(ChunkBytes, length - offset));
                if (stored is null || stored.Length == 0) yield break;
                var bytes = new byte[stored.Length];
                await stored.ReadExactlyAsync(bytes, ct);
                yield return new(offset, bytes);
                offset += bytes.Length;
            }
        }
    }
}
