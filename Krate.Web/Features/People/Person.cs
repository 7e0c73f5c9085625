using Krate.Core.Gateway;
using Krate.Core.Kinds.Orgs;
using Krate.Core.Resources;

namespace Krate.Web.Features.People;

/// <summary>Somebody who is in a team of an organization, as far as the reader may see them.</summary>
/// <param name="Name">As the teams say it.</param>
/// <param name="User">Their record; null when there is none, or the reader may not see it.</param>
/// <param name="Teams">In the order of their names, and whether the person maintains each.</param>
/// <param name="SignsInWith">Their IdentityMappings; empty when the reader may not see any.</param>
public sealed record Person(string Name, Resource? User, IReadOnlyList<(Resource Team, bool Maintains)> Teams, IReadOnlyList<Resource> SignsInWith)
{
    public string DisplayName => User?.Body.Text("spec.displayName") is { Length: > 0 } name ? name : Name;

    public bool IsDisabled => User?.Body.Flag("spec.disabled") ?? false;

    /// <summary>The most powerful role that a team of theirs stands for.</summary>
    public string Role => InviteRole.All.FirstOrDefault(r => r.Name != InviteRole.Developer && Teams.Any(t => t.Team.Name == r.Team)) is { } role
        ? char.ToUpperInvariant(role.Name[0]) + role.Name[1..]
        : "Member";

    /// <summary>Everybody in the teams, once, by the name that people see.</summary>
    public static IReadOnlyList<Person> Of(IEnumerable<Resource> teams, IReadOnlyList<Resource> users, IReadOnlyList<Resource> mappings) =>
    [
        .. teams.SelectMany(t => Entries(t).Select(e => (e.Name, Team: t, e.Maintains)))
            .GroupBy(e => Find(users, e.Name)?.Name ?? e.Name, StringComparer.Ordinal)
            .Select(g => new Person(
                g.First().Name,
                Find(users, g.Key),
                [.. g.GroupBy(e => e.Team).Select(t => (t.Key, t.Any(e => e.Maintains))).OrderBy(t => t.Key.Name, StringComparer.Ordinal)],
                [.. mappings.Where(m => m.Body.Text("spec.user") == g.Key)]))
            .OrderBy(p => p.DisplayName, StringComparer.OrdinalIgnoreCase),
    ];

    /// <summary>The User of that name, be it the record's or the one that Kubernetes knows.</summary>
    public static Resource? Find(IReadOnlyList<Resource> users, string name) =>
        users.FirstOrDefault(u => u.Name == name) ?? users.FirstOrDefault(u => UserKind.NameOf(u) == name);

    private static IEnumerable<(string Name, bool Maintains)> Entries(Resource team) =>
        team.Body.Texts("spec.maintainers").Select(m => (m, true)).Concat(team.Body.Texts("spec.members").Select(m => (m, false)));
}
