using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Resources;
using Krate.Core.Resources.Patching;

namespace Krate.Core.Identity;

/// <summary>Ends every token and browser session of one's own User, the asking one included, by <c>spec.tokensValidFrom</c>.</summary>
internal sealed class RevokeTokensAction(IServiceProvider services, OwnUser own, TimeProvider time) : IResourceAction
{
    public string Kind => "User";

    public string Name => "revoke-tokens";

    public (string Verb, string Subresource) Access => ("create", "revoke-tokens");

    /// <summary>The gateway holds the actions, so it is asked for only when one runs.</summary>
    private IResourceGateway Gateway => (IResourceGateway)services.GetService(typeof(IResourceGateway))!;

    public async Task<JsonObject> RunAsync(Actor actor, Resource target, JsonObject body, CancellationToken ct)
    {
        own.Check(actor, target);
        // Tokens carry whole seconds: only the next one is surely after all that were made.
        var from = DateTimeOffset.FromUnixTimeSeconds(time.GetUtcNow().ToUnixTimeSeconds() + 1);
        var patch = new JsonObject { ["spec"] = new JsonObject { ["tokensValidFrom"] = Timestamps.Format(from) } };
        await Gateway.PatchAsync(
            PrivilegedAccess.Revocation(actor.CorrelationId), target.Kind, target.Namespace, target.Name,
            new Patch(PatchType.Merge, patch, "krate"), new WriteOptions(), ct);
        return new JsonObject
        {
            ["kind"] = target.Kind.Kind,
            ["apiVersion"] = target.Kind.ApiVersion,
            ["metadata"] = new JsonObject { ["name"] = target.Name, ["namespace"] = target.Namespace },
            ["spec"] = new JsonObject { ["tokensValidFrom"] = Timestamps.Format(from) },
        };
    }
}
