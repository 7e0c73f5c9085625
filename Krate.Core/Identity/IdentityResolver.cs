using System.Globalization;
using Krate.Core.Gateway;
using Krate.Core.Resources;

namespace Krate.Core.Identity;

/// <summary>
/// Turns a proven subject into an <see cref="Actor"/>: its groups come from the Teams, Users and ServiceAccounts of this moment, so
/// that a change of membership counts at the next request. Thread-safe.
/// </summary>
public sealed class IdentityResolver(KindCatalog catalog, IResourceCache cache, IdentityOptions options)
{
    private readonly KindDefinition users = catalog["User"];
    private readonly KindDefinition teams = catalog["Team"];
    private readonly KindDefinition serviceAccounts = catalog["ServiceAccount"];
    private readonly KindDefinition providers = catalog["AuthProvider"];
    private readonly KindDefinition mappings = catalog["IdentityMapping"];

    /// <summary>Whether whoever sits at this machine may act as <c>local-developer</c>: only this machine is listened to, and no sign-in provider has ever been ready.</summary>
    public bool AllowsLocalDeveloper => options.LocalDeveloper && !HasProvider;

    /// <summary>Whether people can sign in with a provider, or could: one that fails for a while opens no other door.</summary>
    public bool HasProvider => cache.List(providers, WellKnown.PlatformNamespace).Any(p => p.Body.Text("status.phase") is "Ready" or "Degraded");

    /// <summary>Names that no person and no provider may carry.</summary>
    public static bool IsReserved(string user) =>
        user.StartsWith("system:", StringComparison.Ordinal) || user.StartsWith("krate:", StringComparison.Ordinal) || user == WellKnown.AdminUser;

    /// <summary>The record of a person, of which they may always know the name; null for everybody who is no User.</summary>
    public Resource? UserOf(Actor actor) =>
        cache.List(users, WellKnown.PlatformNamespace).Where(u => IsUser(u, actor.User)).OrderByDescending(u => u.Uid == actor.Uid).FirstOrDefault();

    /// <summary>Whether this record is of the person with that Kubernetes name.</summary>
    internal static bool IsUser(Resource user, string name) => NameOf(user) == name;

    internal static bool IsDisabled(Resource user) => IsTrue(user, "spec.disabled");

    public Verdict<Actor> Resolve(Credential credential)
    {
        if (credential.IsAdmin) return new Actor(WellKnown.AdminUser, [WellKnown.MastersGroup, WellKnown.AuthenticatedGroup]);
        if (ServiceAccountName.TryParse(credential.Subject, out var ns, out var name)) return ServiceAccount(credential, ns, name);
        return IsReserved(credential.Subject) ? Refused.Because<Actor>($"{credential.Subject} is a reserved name") : Person(credential);
    }

    private Verdict<Actor> ServiceAccount(Credential credential, string ns, string name)
    {
        var account = cache.Get(serviceAccounts, ns, name);
        if (account is null || account.IsDeleting) return Refused.Because<Actor>("the ServiceAccount is gone");
        if (account.Uid != credential.ServiceAccountUid) return Refused.Because<Actor>("the token was made for another ServiceAccount of this name");
        return new Actor(credential.Subject, [ServiceAccountName.AllGroup, ServiceAccountName.NamespaceGroup(ns), WellKnown.AuthenticatedGroup]) { Uid = account.Uid };
    }

    private Verdict<Actor> Person(Credential credential)
    {
        var isLocal = credential.Subject == WellKnown.LocalDeveloper;
        if (isLocal && !AllowsLocalDeveloper) return Refused.Because<Actor>("local development sign-in is off");
        var records = cache.List(users, WellKnown.PlatformNamespace).Where(u => NameOf(u) == credential.Subject).ToList();
        if (records.Count == 0 && !isLocal) return Refused.Because<Actor>("there is no such User");
        foreach (var user in records)
        {
            if (user.IsDeleting || IsDisabled(user)) return Refused.Because<Actor>("the User is disabled");
            if (ValidFrom(user) is { } from && credential.IssuedAt < from) return Refused.Because<Actor>("issued before the User's tokensValidFrom");
        }

        var groups = new List<string> { WellKnown.AuthenticatedGroup };
        if (isLocal || records.Any(u => IsTrue(u, "spec.admin"))) groups.Add(WellKnown.PlatformAdminsGroup);
        AddTeams(groups, [credential.Subject, .. records.Select(u => u.Name)]);
        AddProviderGroups(groups, records);
        return new Actor(credential.Subject, groups) { Uid = records.FirstOrDefault()?.Uid };
    }

    private void AddTeams(List<string> groups, IReadOnlyList<string> names)
    {
        foreach (var team in cache.List(teams))
        {
            if (team.Label(WellKnown.OrgLabel) is not { } org || !IsMember(team, names)) continue;
            if (!groups.Contains(WellKnown.OrgGroup(org))) groups.Add(WellKnown.OrgGroup(org));
            groups.Add(WellKnown.TeamGroup(org, team.Name));
        }
    }

    /// <summary>What the providers said at the last sign-in, as <c>provider:group</c>; a provider that is gone says nothing.</summary>
    private void AddProviderGroups(List<string> groups, List<Resource> records)
    {
        if (records.Count == 0) return;
        foreach (var mapping in cache.List(mappings, WellKnown.PlatformNamespace))
        {
            if (mapping.Body.Text("spec.user") is not { } user || records.All(r => r.Name != user) || mapping.Body.Text("spec.provider") is not { } provider) continue;
            if (cache.Get(providers, WellKnown.PlatformNamespace, provider) is null) continue;
            groups.AddRange(mapping.Body.Texts("status.groups").Select(g => $"{provider}:{g}").Where(g => !IsReserved(g) && !groups.Contains(g)));
        }
    }

    private static bool IsMember(Resource team, IReadOnlyList<string> names) =>
        team.Body.Texts("spec.members").Concat(team.Body.Texts("spec.maintainers")).Any(m => names.Contains(m, StringComparer.Ordinal));

    /// <summary>A User's Kubernetes name: <c>spec.username</c>, where a provider's prefix fits (<c>github:mira</c>), else its own.</summary>
    internal static string NameOf(Resource user) => user.Body.Text("spec.username") is { Length: > 0 } name ? name : user.Name;

    private static bool IsTrue(Resource user, string path) =>
        user.Body.At(path) is System.Text.Json.Nodes.JsonValue v && v.TryGetValue<bool>(out var b) && b;

    private static DateTimeOffset? ValidFrom(Resource user) =>
        DateTimeOffset.TryParse(user.Body.Text("spec.tokensValidFrom"), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var from) ? from : null;
}
