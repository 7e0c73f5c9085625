using Krate.Core.Gateway;
using Krate.Core.Resources;

namespace Krate.Web.Features.Resources;

public enum ReferenceState
{
    There,
    Missing,

    /// <summary>The person may not look.</summary>
    Hidden,
}

/// <summary>One resource that another names, and whether it is there.</summary>
public sealed record CheckedReference(ReferenceTarget Target, ReferenceState State, string? Url);

/// <summary>Looks at what a document names, as the person who looks at the page.</summary>
public sealed class ReferenceCheck(IResourceGateway gateway, Workplace workplace, KindCatalog catalog)
{
    private const int Most = 64;

    /// <summary>By field path as <see cref="ReferenceTarget.Field"/> writes it.</summary>
    public async Task<IReadOnlyDictionary<string, CheckedReference>> OfAsync(Resource resource, Place place, CancellationToken ct)
    {
        var actor = await workplace.ActorAsync(ct);
        var found = new Dictionary<string, CheckedReference>(StringComparer.Ordinal);
        foreach (var target in resource.Kind.References.SelectMany(r => r.Read(resource.Body, catalog)).Take(Most))
            found[target.Field] = new CheckedReference(target, await StateAsync(actor, target, place, ct), place.UrlOf(target.Kind, target.Name));
        return found;
    }

    private async Task<ReferenceState> StateAsync(Actor actor, ReferenceTarget target, Place place, CancellationToken ct)
    {
        var ns = target.Kind.Scope switch { KindScope.Platform => WellKnown.PlatformNamespace, KindScope.Cluster => "", _ => place.Namespace };
        if (target.Name.Contains('@', StringComparison.Ordinal) || !(await gateway.ReviewAsync(actor, Workplace.Request("get", target.Kind, ns, target.Name), ct)).Allowed) return ReferenceState.Hidden;
        try
        {
            await gateway.GetAsync(actor, target.Kind, ns, target.Name, ct);
            return ReferenceState.There;
        }
        catch (ApiException e)
        {
            return e.Code == 404 ? ReferenceState.Missing : ReferenceState.Hidden;
        }
    }
}
