using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Kinds.SignIn;
using Krate.Core.Resources;
using Krate.Core.Store;

namespace Krate.Web.Hosting.SignIn;

/// <summary>
/// Makes the AuthProvider <c>oidc</c> and its Secret of <c>Krate:SignIn:Oidc</c>. What the configuration says is renewed at each start;
/// everything else on them is left to administrators.
/// </summary>
internal sealed class ConfiguredProvider(KrateSettings settings, IResourceGateway gateway, IResourceCache cache, KindCatalog catalog)
{
    private const string Name = "oidc";
    private const string SecretName = "sign-in-oidc";
    private static readonly WriteOptions Options = new() { FieldManager = "krate-bootstrap" };

    public async Task EnsureAsync(CancellationToken ct)
    {
        if (settings.Oidc is not { } oidc) return;
        var actor = PrivilegedAccess.Bootstrap($"sign-in-{Guid.NewGuid():n}");
        var spec = new JsonObject { ["type"] = AuthProviderKind.Oidc, ["issuer"] = oidc.Issuer, ["clientId"] = oidc.ClientId };
        if (oidc.ClientSecret is { } secret)
        {
            await EnsureAsync(actor, "Secret", SecretName, document => document["stringData"] = new JsonObject { [AuthProviderKind.SecretKey] = secret }, ct);
            spec["clientSecretRef"] = new JsonObject { ["name"] = SecretName, ["key"] = AuthProviderKind.SecretKey };
        }

        await EnsureAsync(actor, "AuthProvider", Name, document => Renew(document.Child("spec"), spec), ct);
    }

    private static void Renew(JsonObject spec, JsonObject configured)
    {
        spec.Remove("clientSecretRef");
        foreach (var (field, value) in configured) spec[field] = value?.DeepClone();
    }

    private async Task EnsureAsync(Actor actor, string kindName, string name, Action<JsonObject> fill, CancellationToken ct)
    {
        var kind = catalog[kindName];
        var before = cache.Get(kind, WellKnown.PlatformNamespace, name);
        var document = before?.Edit() ?? new JsonObject { ["metadata"] = new JsonObject { ["name"] = name } };
        fill(document);
        try
        {
            if (before is null) await gateway.CreateAsync(actor, kind, WellKnown.PlatformNamespace, document, Options, ct);
            else await gateway.UpdateAsync(actor, kind, WellKnown.PlatformNamespace, name, document, Options, ct);
        }
        catch (ApiException e) when (e.Code == 409)
        {
            // Another replica of the same configuration starts at this moment.
        }
        catch (ApiException e) when (e.Code == 422)
        {
            throw new StartupException($"Krate:SignIn:Oidc cannot be used: {e.Message}", e);
        }
    }
}
