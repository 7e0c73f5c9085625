using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Core.Gateway;

/// <summary>What a write may not do to an organization, beside RBAC on the resource itself: speak in its name, or leave it without an owner.</summary>
internal static class OrganizationAdmission
{
    private static readonly string Owners = InviteRole.Find(InviteRole.Owner)!.Team;

    /// <param name="before">Null for a create.</param>
    /// <exception cref="ApiException">403 or 422.</exception>
    public static void Check(Actor actor, KindDefinition kind, JsonObject document, JsonObject? before)
    {
        if (before is null) return;
        if (kind.Kind == "Organization") CheckShares(actor, kind, document, before);
        else if (IsOwners(kind, document) && HasPeople(before) && !HasPeople(document))
            throw ApiException.Invalid(kind, Owners, new FieldError("FieldValueForbidden", "spec.maintainers", "an organization needs an owner; add another one before the last leaves"));
    }

    /// <summary>The Team of the owners goes with the organization, or when nobody is in it.</summary>
    public static void CheckDelete(Resource resource, bool isEnding)
    {
        if (!isEnding && IsOwners(resource.Kind, resource.Body) && HasPeople(resource.Body))
            throw ApiException.Forbidden($"teams \"{Owners}\" is forbidden: its people own the organization; it goes with the organization");
    }

    /// <summary>Administrators of the platform may change every Organization; what one agrees to share is said by its own people. Anybody who may change it may take it back.</summary>
    private static void CheckShares(Actor actor, KindDefinition kind, JsonObject document, JsonObject before)
    {
        var name = document.Text("metadata.name") ?? "";
        var known = Sharing.Shares(before).ToList();
        if (actor.InGroup(WellKnown.OrgGroup(name)) || Sharing.Shares(document).All(s => known.Any(k => JsonNode.DeepEquals(k, s)))) return;
        throw new ApiException(403, "Forbidden", $"{kind.QualifiedPlural} \"{name}\" is forbidden: spec.shares is the consent of {name}: only its own members who may change it add to it") { Subject = (kind.Group, kind.Plural, name), ProductCode = "POLICY_DENIED" };
    }

    private static bool IsOwners(KindDefinition kind, JsonObject document) => kind is { Kind: "Team", IsProduct: true } && document.Text("metadata.name") == Owners;

    private static bool HasPeople(JsonObject team) => team.Texts("spec.members").Concat(team.Texts("spec.maintainers")).Any(m => m.Length > 0);
}
