using Krate.Core.Gateway;
using Krate.Core.Resources;
using Krate.Web.Hosting.SignIn;
using Krate.Web.Live;
using Microsoft.AspNetCore.Components;

namespace Krate.Web.Features;

/// <summary>What the person who looks may reach: organizations, kinds, actions. Asks the gateway each time; holds no rule. Scoped.</summary>
public sealed class Workplace(IResourceGateway gateway, ICurrentActor current, KindCatalog catalog, Carrier carrier)
{
    public ValueTask<Actor> ActorAsync(CancellationToken ct = default) => current.GetAsync(ct);

    /// <summary>The organization of an address; null when there is none that the person may see.</summary>
    public async Task<Place?> FindOrgAsync(RendererInfo renderer, string who, string slug, CancellationToken ct = default)
    {
        var found = await carrier.LoadAsync(renderer, $"{who}|org|{slug}", async () => new Found(await FindOrgAsync(slug, ct)));
        return found.Place;
    }

    /// <summary>The organizations of a page's first load, once for its prerendering and its circuit together.</summary>
    /// <param name="who">The component that asks; each takes what it has loaded itself.</param>
    public Task<IReadOnlyList<Place>> OrgsAsync(RendererInfo renderer, string who, CancellationToken ct = default) =>
        carrier.LoadAsync(renderer, $"{who}|orgs", () => OrgsAsync(ct));

    public async Task<IReadOnlyList<Place>> OrgsAsync(CancellationToken ct = default)
    {
        var actor = await ActorAsync(ct);
        var kind = catalog["Organization"];
        if ((await gateway.ReviewAsync(actor, Request("list", kind, WellKnown.PlatformNamespace), ct)).Allowed)
        {
            var all = await gateway.ListAsync(actor, kind, WellKnown.PlatformNamespace, new ListOptions(), ct);
            return [.. all.Items.Where(o => !o.IsDeleting).Select(PlaceOf)];
        }

        var mine = new List<Place>();
        foreach (var slug in MembershipsOf(actor))
            if (await FindOrgAsync(slug, ct) is { } place) mine.Add(place);
        return mine;
    }

    public async Task<AccessDecision> ReviewAsync(string verb, KindDefinition kind, string ns, string name = "", CancellationToken ct = default) =>
        await gateway.ReviewAsync(await ActorAsync(ct), Request(verb, kind, ns, name), ct);

    public async Task<bool> MayAsync(string verb, KindDefinition kind, string ns, string name = "", CancellationToken ct = default) =>
        (await ReviewAsync(verb, kind, ns, name, ct)).Allowed;

    /// <summary>Whether the number of a repository is one of this kind; issues and pull requests share theirs.</summary>
    public async Task<bool> HasNumberAsync(KindDefinition kind, string ns, string repository, long number, CancellationToken ct = default)
    {
        var fields = Krate.Core.Kinds.Work.WorkNumbers.Fields(repository, number);
        try
        {
            return (await gateway.ListAsync(await ActorAsync(ct), kind, ns, new ListOptions { Fields = fields, Limit = 1 }, ct)).Items.Count > 0;
        }
        catch (ApiException)
        {
            // Who may not look learns nothing here.
            return false;
        }
    }

    /// <summary>The kinds of a place that the person may list, in the order of the table.</summary>
    public async Task<IReadOnlyList<KindDefinition>> ListableAsync(Place place, CancellationToken ct = default)
    {
        var actor = await ActorAsync(ct);
        var kinds = new List<KindDefinition>();
        foreach (var kind in catalog.All.Where(place.Has))
            if ((await gateway.ReviewAsync(actor, Request("list", kind, place.NamespaceOf(kind)), ct)).Allowed) kinds.Add(kind);
        return kinds;
    }

    /// <summary>Names to choose from, the first two hundred; none for who may not list them.</summary>
    public async Task<IReadOnlyList<string>> NamesAsync(KindDefinition kind, string ns, CancellationToken ct = default)
    {
        try
        {
            return [.. (await gateway.ListAsync(await ActorAsync(ct), kind, ns, new ListOptions { Limit = 200 }, ct)).Items.Select(r => r.Name)];
        }
        catch (ApiException)
        {
            return [];
        }
    }

    public static AccessRequest Request(string verb, KindDefinition kind, string ns, string name = "") =>
        new() { Verb = verb, Group = kind.Group, Resource = kind.Plural, Namespace = ns, Name = name };

    private static IEnumerable<string> MembershipsOf(Actor actor)
    {
        var prefix = WellKnown.OrgGroup("");
        return actor.Groups.Where(g => g.StartsWith(prefix, StringComparison.Ordinal)).Select(g => g[prefix.Length..].Split(':')[0]).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal);
    }

    private static Place PlaceOf(Resource org)
    {
        var slug = org.Body.Text("spec.slug") ?? org.Name;
        return new Place(slug, org.Body.Text("spec.displayName") is { Length: > 0 } name ? name : slug, org.Body.Text("spec.namespaceName") ?? WellKnown.OrgNamespace(slug));
    }

    private async Task<Place?> FindOrgAsync(string slug, CancellationToken ct)
    {
        var actor = await ActorAsync(ct);
        var kind = catalog["Organization"];
        if ((await gateway.ReviewAsync(actor, Request("get", kind, WellKnown.PlatformNamespace, slug), ct)).Allowed)
        {
            try
            {
                return PlaceOf(await gateway.GetAsync(actor, kind, WellKnown.PlatformNamespace, slug, ct));
            }
            catch (ApiException e) when (e.Code == 404)
            {
                return null;
            }
        }

        return await FindNamespaceAsync(actor, slug, ct);
    }

    /// <summary>Who may not read the Organization may still have a role in its namespace.</summary>
    private async Task<Place?> FindNamespaceAsync(Actor actor, string slug, CancellationToken ct)
    {
        var (kind, ns) = (catalog["Namespace"], WellKnown.OrgNamespace(slug));
        if (!(await gateway.ReviewAsync(actor, Request("get", kind, ns, ns), ct)).Allowed) return null;
        try
        {
            var found = await gateway.GetAsync(actor, kind, "", ns, ct);
            return found.Label(WellKnown.OrgLabel) == slug ? new Place(slug, slug, ns) : null;
        }
        catch (ApiException e) when (e.Code is 403 or 404)
        {
            return null;
        }
    }

    private sealed record Found(Place? Place);
}
