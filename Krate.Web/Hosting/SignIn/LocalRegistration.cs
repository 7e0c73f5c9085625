using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Resources;

namespace Krate.Web.Hosting.SignIn;

/// <summary>Registers the local developer as a User at the first sign-in, so that teams and invites can name them and an administrator can disable them.</summary>
internal sealed class LocalRegistration(IResourceGateway gateway, IResourceCache cache, KindCatalog catalog)
{
    public async Task EnsureAsync(string correlationId, CancellationToken ct)
    {
        var users = catalog["User"];
        if (cache.Get(users, WellKnown.PlatformNamespace, WellKnown.LocalDeveloper) is not null) return;
        var user = new JsonObject
        {
            ["apiVersion"] = users.ApiVersion,
            ["kind"] = users.Kind,
            ["metadata"] = new JsonObject { ["name"] = WellKnown.LocalDeveloper, ["namespace"] = WellKnown.PlatformNamespace },
            ["spec"] = new JsonObject { ["displayName"] = "Local developer", ["email"] = "local-developer@localhost", ["username"] = WellKnown.LocalDeveloper },
        };
        try
        {
            await gateway.CreateAsync(PrivilegedAccess.Registration(correlationId), users, WellKnown.PlatformNamespace, user, new WriteOptions(), ct);
        }
        catch (ApiException e) when (e.Reason == "AlreadyExists")
        {
            // Another window was first.
        }
    }
}
