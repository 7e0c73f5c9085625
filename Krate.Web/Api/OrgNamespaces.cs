using Krate.Core.Gateway;
using Krate.Core.Resources;

namespace Krate.Web.Api;

/// <summary>Turns the org of a typed route into its namespace, and kinds and namespaces of a query into the gateway's terms.</summary>
internal sealed class OrgNamespaces(IResourceGateway gateway, IResourceCache cache, KindCatalog catalog)
{
    /// <summary>A kind by its name or plural.</summary>
    /// <exception cref="ApiException">404.</exception>
    public KindDefinition KindOf(string name) =>
        catalog.Find(name) ?? catalog.FindPlural(WellKnown.ApiGroup, name) ?? catalog.All.FirstOrDefault(k => k.Plural == name)
        ?? throw new ApiException(404, "NotFound", $"there is no kind \"{name}\"");

    /// <exception cref="ApiException">404 when there is no such org, 403 when the actor could not know.</exception>
    public async Task<string> OfAsync(Actor actor, string org, CancellationToken ct)
    {
        if (cache.Get(catalog["Organization"], WellKnown.PlatformNamespace, org)?.Body.Text("spec.namespaceName") is { Length: > 0 } ns) return ns;
        var access = new AccessRequest { Verb = "get", Group = WellKnown.ApiGroup, Resource = "organizations", Namespace = WellKnown.PlatformNamespace, Name = org };
        var decision = await gateway.ReviewAsync(actor, access, ct);
        throw decision.Allowed
            ? new ApiException(404, "NotFound", $"there is no organization \"{org}\"") { ProductCode = "ORG_NOT_FOUND", Subject = (WellKnown.ApiGroup, "organizations", org) }
            : ApiException.Forbidden($"organizations \"{org}\" is forbidden: {decision.Reason}");
    }

    /// <summary>The namespace that a request is about: of a kind that has none, the platform's, the org's, the named one, or (null) all.</summary>
    public async Task<string?> OfAsync(Actor actor, KindDefinition kind, string? org, string? ns, CancellationToken ct)
    {
        if (!kind.IsNamespaced) return "";
        if (kind.Scope == KindScope.Platform) return WellKnown.PlatformNamespace;
        if (org is null) return ns;
        var bound = await OfAsync(actor, org, ct);
        if (ns is not null && ns != bound)
            throw new ApiException(422, "Invalid", $"namespace {ns} is not the one of organization {org}", [new("ORG_NAMESPACE_MISMATCH", "namespace", $"organization {org} is bound to another namespace")]) { ProductCode = "ORG_NAMESPACE_MISMATCH" };
        return bound;
    }
}
