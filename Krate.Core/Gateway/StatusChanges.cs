using System.Text.Json.Nodes;
using Krate.Core.Resources;
using Krate.Core.Resources.Patching;
using Microsoft.Extensions.DependencyInjection;

namespace Krate.Core.Gateway;

/// <summary>Moves resources on whose status no client writes, for actions and for what works on them in the background. Thread-safe.</summary>
internal class StatusChanges(IServiceProvider services, TimeProvider time)
{
    private static readonly WriteOptions Status = new() { Subresource = "status", FieldManager = "krate" };
    private const int Attempts = 8;

    /// <summary>The gateway holds the actions, so it is asked for only when one runs.</summary>
    public IResourceGateway Gateway => services.GetRequiredService<IResourceGateway>();

    public string Now => Timestamps.Format(time.GetUtcNow());

    /// <summary>Works out a status on what is there and writes it, unless something else came between; then it looks again.</summary>
    /// <param name="change">The members to set; null for "it is so already".</param>
    /// <exception cref="ApiException">What <paramref name="change"/> refuses; 404 when it is gone.</exception>
    public async Task<Resource> ChangeAsync(Actor actor, Resource resource, Func<Resource, JsonObject?> change, CancellationToken ct)
    {
        for (var attempt = 1; ; attempt++)
        {
            if (change(resource) is not { } status) return resource;
            var patch = new JsonObject { ["metadata"] = new JsonObject { ["resourceVersion"] = resource.Body.Text("metadata.resourceVersion") }, ["status"] = status };
            try
            {
                return (await Gateway.PatchAsync(actor, resource.Kind, resource.Namespace, resource.Name, new Patch(PatchType.Merge, patch, "krate"), Status, ct)).Resource;
            }
            catch (ApiException e) when (e.Reason == "Conflict" && attempt < Attempts)
            {
                resource = await Gateway.GetAsync(actor, resource.Kind, resource.Namespace, resource.Name, ct);
            }
        }
    }
}
