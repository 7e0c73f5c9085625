using Krate.Core.Gateway;
using Krate.Core.Identity;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Grants;

/// <summary>
/// Who last changed a resource that remembers it, with the groups that they had then and have still: rights are asked for as they are now, and an
/// impersonation gives no more than it had.
/// </summary>
internal sealed class Requesters(IdentityResolver identities, TimeProvider time)
{
    /// <summary>Null when there is no such person or account any more, or it is locked out.</summary>
    public Actor? Now(Resource resource)
    {
        if (resource.Body.Text("status.requestedBy") is not { Length: > 0 } user) return null;
        var uid = resource.Body.Text("status.requestedByUid");
        var then = resource.Body.Texts("status.requestedByGroups").ToList();
        // Krate itself: nobody can carry the name, and whoever may impersonate it with its group is a master already.
        if (user.StartsWith(PrivilegedAccess.UserPrefix, StringComparison.Ordinal)) return new Actor(user, then);
        if (identities.Resolve(new Credential(user, time.GetUtcNow()) { IsAdmin = user == WellKnown.AdminUser, ServiceAccountUid = uid }).Value is { } now)
            return uid is null || now.Uid == uid ? now with { Groups = [.. then.Intersect(now.Groups)] } : null;
        var name = new Actor(user, [.. then.Intersect([WellKnown.AuthenticatedGroup])]);
        // A name that somebody impersonated need not be anybody's; RBAC knows names only.
        return uid is null && !ServiceAccountName.TryParse(user, out _, out _) && identities.UserOf(name) is null ? name : null;
    }
}
