using System.Text;

namespace Krate.Core.Gateway;

/// <summary>Whether one set of rules holds everything another gives, as Kubernetes reckons it for escalation. Pure.</summary>
public static class RbacCoverage
{
    /// <summary>Rules that spread out to more single permissions than this are not reckoned but refused.</summary>
    public const int MaxSpread = 10_000;

    /// <summary>What <paramref name="wanted"/> gives and <paramref name="held"/> does not, as rules with verbs gathered.</summary>
    /// <exception cref="ArgumentException">The wanted rules spread out to more than <see cref="MaxSpread"/> permissions.</exception>
    public static IReadOnlyList<PolicyRule> Missing(IReadOnlyList<PolicyRule> held, IReadOnlyList<PolicyRule> wanted)
    {
        if (wanted.Sum(Spread) > MaxSpread) throw new ArgumentException($"the rules spread out to more than {MaxSpread} permissions", nameof(wanted));
        return Gather(wanted.SelectMany(Break).Where(w => !held.Any(h => Covers(h, w))));
    }

    /// <summary>Go's form of a rule, as Kubernetes prints it in the message.</summary>
    public static string Text(PolicyRule rule)
    {
        var text = new StringBuilder("{");
        Add("APIGroups", rule.ApiGroups);
        Add("Resources", rule.Resources);
        Add("NonResourceURLs", rule.NonResourceUrls);
        Add("ResourceNames", rule.ResourceNames);
        Add("Verbs", rule.Verbs);
        return text.Append('}').ToString();

        void Add(string name, IReadOnlyList<string> values)
        {
            if (values.Count == 0) return;
            if (text.Length > 1) text.Append(", ");
            text.Append(name).Append(':').Append(List(values));
        }
    }

    internal static string List(IEnumerable<string> values) => $"[{string.Join(' ', values.Select(v => $"\"{v}\""))}]";

    private static long Spread(PolicyRule rule) =>
        (long)rule.Verbs.Count * ((rule.ApiGroups.Count * (long)rule.Resources.Count * Math.Max(1, rule.ResourceNames.Count)) + rule.NonResourceUrls.Count);

    /// <summary>One verb, one group, one resource and at most one name each.</summary>
    private static IEnumerable<PolicyRule> Break(PolicyRule rule)
    {
        foreach (var verb in rule.Verbs)
        {
            foreach (var group in rule.ApiGroups)
            {
                foreach (var resource in rule.Resources)
                {
                    if (rule.ResourceNames.Count == 0) yield return new([verb], [group], [resource], [], []);
                    foreach (var name in rule.ResourceNames) yield return new([verb], [group], [resource], [name], []);
                }
            }

            foreach (var path in rule.NonResourceUrls) yield return new([verb], [], [], [], [path]);
        }
    }

    /// <param name="wanted">One of <see cref="Break"/>.</param>
    private static bool Covers(PolicyRule held, PolicyRule wanted)
    {
        if (!RbacEvaluator.Has(held.Verbs, wanted.Verbs[0])) return false;
        if (wanted.NonResourceUrls.Count > 0) return held.NonResourceUrls.Any(h => RbacEvaluator.CoversPath(h, wanted.NonResourceUrls[0]));
        if (!RbacEvaluator.Has(held.ApiGroups, wanted.ApiGroups[0])) return false;
        var resource = wanted.Resources[0].Split('/', 2);
        return RbacEvaluator.AllowsResource(held, resource[0], resource.Length > 1 ? resource[1] : "")
            && (wanted.ResourceNames.Count == 0 ? held.ResourceNames.Count == 0 : RbacEvaluator.AllowsName(held, wanted.ResourceNames[0]));
    }

    private static List<PolicyRule> Gather(IEnumerable<PolicyRule> broken) =>
    [
        .. broken
            .GroupBy(r => string.Join('\n', [.. r.ApiGroups, .. r.Resources, "", .. r.ResourceNames, .. r.NonResourceUrls]))
            .Select(g => g.First() with { Verbs = [.. g.Select(r => r.Verbs[0]).Distinct()] })
            .OrderBy(Text, StringComparer.Ordinal),
    ];
}
