using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Orgs;

/// <summary>How the sharing to and from an organization stands, for its status: its people may not read the policies themselves.</summary>
internal static class OrganizationSharing
{
    private const int Most = 500;

    /// <summary>The organizations that a policy is about.</summary>
    public static IEnumerable<ResourceKey> Concerned(Resource policy) =>
        new[] { "spec.sourceOrg", "spec.targetOrg" }.Select(f => policy.Body.Text(f)).OfType<string>().Select(o => new ResourceKey("Organization", WellKnown.PlatformNamespace, o));

    /// <returns>The rows, null for none; and when the clock alone changes them.</returns>
    public static (JsonArray? Rows, DateTimeOffset? NextEnd) Of(Resource organization, IResourceCache cache, KindCatalog catalog, DateTimeOffset now)
    {
        var policies = cache.List(catalog["OrgSharingPolicy"], WellKnown.PlatformNamespace).Where(p => !p.IsDeleting && Concerned(p).Any(k => k.Name == organization.Name)).ToList();
        var states = policies.SelectMany(p => OfPolicy(p, cache, catalog, now)).ToList();
        // Whose name is still a secret of another organization's is not told.
        var rows = states.Where(s => s.SourceOrg == organization.Name || s.State is SharingState.InForce or SharingState.Expired)
            .Concat(Alone(organization, states))
            .OrderBy(s => s.SourceOrg, StringComparer.Ordinal).ThenBy(s => s.TargetOrg, StringComparer.Ordinal).ThenBy(s => s.Kind, StringComparer.Ordinal).ThenBy(s => s.Name, StringComparer.Ordinal).ThenBy(s => s.Policy, StringComparer.Ordinal)
            .Take(Most).Select(Row).ToArray<JsonNode>();
        return (rows.Length == 0 ? null : new JsonArray(rows), policies.Select(Sharing.EndsAt).Where(e => e > now).Min());
    }

    private static IEnumerable<SharingState> OfPolicy(Resource policy, IResourceCache cache, KindCatalog catalog, DateTimeOffset now)
    {
        var (source, target) = (policy.Body.Text("spec.sourceOrg") ?? "", policy.Body.Text("spec.targetOrg") ?? "");
        var shares = cache.Get(catalog["Organization"], WellKnown.PlatformNamespace, source);
        foreach (var named in policy.Spec<OrgSharingPolicySpec>().AllowedRefs ?? [])
        {
            var agreed = Sharing.IsAgreed(shares, target, named.Kind ?? "", named.Name ?? "");
            yield return new SharingState
            {
                SourceOrg = source, TargetOrg = target, Kind = named.Kind, Name = named.Name, Policy = policy.Name, ExpiresAt = Sharing.EndsAt(policy),
                State = !agreed ? SharingState.AwaitsConsent : Sharing.EndsAt(policy) <= now ? SharingState.Expired : SharingState.InForce,
            };
        }
    }

    /// <summary>What the organization has agreed to and no policy says.</summary>
    private static IEnumerable<SharingState> Alone(Resource organization, IReadOnlyList<SharingState> states) =>
        from share in organization.Spec<OrganizationSpec>().Shares ?? []
        where !states.Any(s => s.SourceOrg == organization.Name && s.TargetOrg == share.TargetOrg && s.Kind == share.Kind && s.Name == share.Name)
        select new SharingState { SourceOrg = organization.Name, TargetOrg = share.TargetOrg, Kind = share.Kind, Name = share.Name, State = SharingState.AwaitsPolicy };

    private static JsonNode Row(SharingState state)
    {
        var row = new JsonObject { ["sourceOrg"] = state.SourceOrg, ["targetOrg"] = state.TargetOrg, ["kind"] = state.Kind, ["name"] = state.Name, ["state"] = state.State };
        if (state.Policy is not null) row["policy"] = state.Policy;
        if (state.ExpiresAt is { } end) row["expiresAt"] = Timestamps.Format(end);
        return row;
    }
}
