using Krate.Web.Components;

namespace Krate.Web.Features.Repositories;

/// <summary>The visibilities of a repository in words.</summary>
/// <param name="Readers">Who can read it, as the end of "can be read by".</param>
public sealed record Visibility(string Value, string Word, string Icon, string Readers)
{
    public static IReadOnlyList<Visibility> All { get; } =
    [
        new("private", "Private", Lucide.Lock, "people and teams with a permission on it, and the organization's administrators"),
        new("internal", "Internal", Lucide.Users, "every member of the organization"),
        new("public", "Public", Lucide.Globe, "everybody who is signed in, and everybody who clones with git"),
    ];

    public static Visibility Of(string? value) => All.FirstOrDefault(v => v.Value == value) ?? All[0];
}
