using Krate.Core.Resources;

namespace Krate.Web.Features.Repositories;

/// <summary>The permissions on a repository, and what the organization's roles mean for one, in words.</summary>
public static class Permissions
{
    public static IReadOnlyList<string> All { get; } = ["read", "write", "maintain", "admin"];

    public static string Word(string permission) => permission.Length == 0 ? "–" : char.ToUpperInvariant(permission[0]) + permission[1..];

    public static string Means(string permission) => permission switch
    {
        "read" => "Browse and clone it, and see its work as far as their role goes.",
        "write" => "Read, and push to what no rule protects.",
        "maintain" => "Write, and change its settings.",
        "admin" => "Maintain, and delete it.",
        _ => "",
    };

    /// <summary>A subject of a role binding as people call it: <c>team owners</c> instead of <c>krate:org:acme:team:owners</c>.</summary>
    public static string Subject(string kind, string name, string org)
    {
        if (kind == "Group" && name == WellKnown.OrgGroup(org)) return "all members";
        var team = WellKnown.TeamGroup(org, "");
        return kind switch
        {
            "Group" when name.StartsWith(team, StringComparison.Ordinal) => $"team {name[team.Length..]}",
            "ServiceAccount" => $"ServiceAccount {name}",
            _ => name,
        };
    }

    /// <summary>What a shipped role of the organization gives in a repository; null for roles that give nothing there.</summary>
    public static string? OfRole(string role) => role switch
    {
        "krate-org-admin" => "Everything, without a permission of its own.",
        "krate-maintainer" => "Where they may read it: pushes, settings, rules and merges.",
        "krate-developer" => "Where they may read it: issues, pull requests, reviews and agent runs. Pushing needs Write.",
        "krate-viewer" => "Where they may read it: sees its work and its agents.",
        "krate-agent-readonly" or "krate-agent-ci-diagnoser" => "Where they may read it: an agent that looks.",
        "krate-agent-repository-repair" => "Where they may read it: an agent that also pushes.",
        _ => null,
    };
}
