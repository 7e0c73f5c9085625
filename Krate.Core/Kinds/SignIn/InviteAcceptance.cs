using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Kinds.Orgs;
using Krate.Core.Resources;
using Microsoft.Extensions.Logging;

namespace Krate.Core.Kinds.SignIn;

/// <summary>
/// Makes a person who was invited a member of the role's Team. What the Team holds, the inviter held: admission asked when the Invite was
/// made. Only an e-mail address that a provider has verified counts. Thread-safe.
/// </summary>
public sealed class InviteAcceptance(IResourceGateway gateway, IResourceCache cache, KindCatalog catalog, TimeProvider time, ILogger<InviteAcceptance> log)
{
    private const int MostTries = 5;
    private const string Rbac = "rbac.authorization.k8s.io";
    private static readonly WriteOptions Options = new() { FieldManager = "krate-sign-in" };
    private readonly KindDefinition invites = catalog["Invite"];
    private readonly KindDefinition teams = catalog["Team"];
    private readonly KindDefinition bindings = catalog["RoleBinding"];

    internal async Task AcceptAsync(Actor actor, Resource user, IReadOnlyList<string> emails, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        foreach (var invite in cache.List(invites).Where(i => InviteKind.IsOpen(i, now) && emails.Contains(i.Body.Text("spec.email"), StringComparer.OrdinalIgnoreCase)).ToList())
        {
            if (InviteRole.Find(invite.Body.Text("spec.role") ?? "") is not { } role || invite.Label(WellKnown.OrgLabel) is not { } org) continue;
            try
            {
                // The Team first: a crash between leaves an invite that the next sign-in finds, and finds done.
                await JoinAsync(actor, invite, org, role, user.Name, ct);
                await CloseAsync(actor, invite, user.Name, ct);
            }
            catch (ApiException e)
            {
                // As of an organization that is being deleted. It keeps nobody out of the others; the next sign-in tries again.
                log.LogWarning("{User} could not accept the Invite {Namespace}/{Invite}: {Reason}", user.Name, invite.Namespace, invite.Name, e.Message);
            }
        }
    }

    private async Task JoinAsync(Actor actor, Resource invite, string org, InviteRole role, string user, CancellationToken ct)
    {
        if (role.ClusterRole is { } bound) await EnsureAsync(actor, bindings, invite.Namespace, Binding(org, role, bound), ct);
        await EnsureAsync(actor, teams, invite.Namespace, Team(org, role), ct);
        for (var tries = 1; ; tries++)
        {
            var team = await gateway.GetAsync(actor, teams, invite.Namespace, role.Team, ct);
            if (team.Body.Texts("spec.members").Concat(team.Body.Texts("spec.maintainers")).Contains(user)) return;
            var document = team.Edit();
            document.Child("spec")["members"] = new JsonArray([.. team.Body.Texts("spec.members").Append(user).Select(m => (JsonNode)m)]);
            try
            {
                await gateway.UpdateAsync(actor, teams, invite.Namespace, role.Team, document, Options, ct);
                return;
            }
            catch (ApiException e) when (e.Reason == "Conflict" && tries < MostTries)
            {
                // Somebody else changed the Team at this moment.
            }
        }
    }

    private async Task CloseAsync(Actor actor, Resource invite, string user, CancellationToken ct)
    {
        var document = (await gateway.GetAsync(actor, invites, invite.Namespace, invite.Name, ct)).Edit();
        document.Child("status")["phase"] = InviteStatus.Accepted;
        document.Child("status")["acceptedBy"] = user;
        await gateway.UpdateAsync(actor, invites, invite.Namespace, invite.Name, document, Options with { Subresource = "status" }, ct);
    }

    private async Task EnsureAsync(Actor actor, KindDefinition kind, string ns, JsonObject document, CancellationToken ct)
    {
        if (cache.Get(kind, ns, document.Text("metadata.name")!) is not null) return;
        try
        {
            await gateway.CreateAsync(actor, kind, ns, document, Options, ct);
        }
        catch (ApiException e) when (e.Reason == "AlreadyExists")
        {
            // Another who was invited was first.
        }
    }

    private static JsonObject Team(string org, InviteRole role) => new()
    {
        ["metadata"] = new JsonObject { ["name"] = role.Team },
        ["spec"] = new JsonObject { ["organizationRef"] = org, ["displayName"] = role.DisplayName, ["members"] = new JsonArray() },
    };

    private static JsonObject Binding(string org, InviteRole role, string bound) => new()
    {
        ["metadata"] = new JsonObject { ["name"] = $"krate-team-{role.Team}", ["labels"] = new JsonObject { [WellKnown.OrgLabel] = org } },
        ["roleRef"] = new JsonObject { ["apiGroup"] = Rbac, ["kind"] = "ClusterRole", ["name"] = bound },
        ["subjects"] = new JsonArray(new JsonObject { ["apiGroup"] = Rbac, ["kind"] = "Group", ["name"] = WellKnown.TeamGroup(org, role.Team) }),
    };
}
