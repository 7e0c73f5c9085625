namespace Krate.Core.Gateway;

/// <summary>What the role of an Invite means: membership in a Team of the organization.</summary>
/// <param name="Team">Made with the first who accepts.</param>
/// <param name="ClusterRole">What the Team is bound to beyond what every member of the organization has; null for nothing, or when the organization's own bindings say it.</param>
public sealed record InviteRole(string Name, string Team, string DisplayName, string? ClusterRole)
{
    public const string Owner = "owner";
    public const string Maintainer = "maintainer";
    public const string Developer = "developer";

    /// <summary>From the most powerful on.</summary>
    public static IReadOnlyList<InviteRole> All { get; } =
    [
        new(Owner, "owners", "Owners", null),
        new(Maintainer, "maintainers", "Maintainers", "krate-maintainer"),
        new(Developer, "developers", "Developers", null),
    ];

    public static InviteRole? Find(string name) => All.FirstOrDefault(r => r.Name == name);
}
