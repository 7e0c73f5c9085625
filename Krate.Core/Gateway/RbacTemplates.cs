namespace Krate.Core.Gateway;

/// <summary>Shipped ClusterRoles that are meant to be given to agents and runners, each from a template of its own.</summary>
public static class RbacTemplates
{
    private static readonly string[] Prefixes = ["krate-agent-", "krate-runner-", "krate-secret-grant-admin"];

    /// <summary>In order.</summary>
    public static IReadOnlyList<string> Names { get; } =
        [.. RbacShippedRoles.All.Select(r => r.Name).Where(n => Prefixes.Any(p => n.StartsWith(p, StringComparison.Ordinal))).Order(StringComparer.Ordinal)];

    public static string DescriptionOf(string name) => Find(name).Description;

    public static IReadOnlyList<PolicyRule> RulesOf(string name) => Find(name).Rules;

    private static ShippedRole Find(string name) => RbacShippedRoles.All.First(r => r.Name == name);
}
