using System.Text.Json.Nodes;
using Krate.Core.Kinds.Orgs;
using Krate.Core.Resources;
using Krate.Web.Features.Resources;

namespace Krate.Web.Features.Orgs;

/// <summary>Changes of what an organization agrees to share.</summary>
public static class OrgShares
{
    /// <param name="agreed">Whether it shares it from now on, or no longer.</param>
    public static ResourceChange With(Resource organization, SharingState what, bool agreed)
    {
        var rest = (organization.Spec<OrganizationSpec>().Shares ?? []).Where(s => (s.TargetOrg, s.Kind, s.Name) != (what.TargetOrg, what.Kind, what.Name)).Select(s => Row(s.TargetOrg, s.Kind, s.Name));
        return ResourceChange.PatchSeen(organization, new JsonObject { ["shares"] = new JsonArray([.. rest, .. agreed ? [Row(what.TargetOrg, what.Kind, what.Name)] : Array.Empty<JsonObject>()]) });
    }

    private static JsonObject Row(string? target, string? kind, string? name) => new JsonObject { ["targetOrg"] = target, ["kind"] = kind, ["name"] = name };
}
