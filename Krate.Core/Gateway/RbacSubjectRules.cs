using System.Collections.Immutable;

namespace Krate.Core.Gateway;

/// <summary>One RoleBinding, or ClusterRoleBinding when the namespace is empty, as the index holds it.</summary>
internal sealed record RbacBinding(string Namespace, string Name, long Version, RoleRef RoleRef, IReadOnlyList<(SubjectKey Key, string Words)> Subjects)
{
    /// <summary>Null when the reference can never resolve (a ClusterRoleBinding to a Role).</summary>
    public RoleKey? Role => RoleRef.Kind switch
    {
        "ClusterRole" => new RoleKey("", RoleRef.Name),
        "Role" when Namespace.Length > 0 => new RoleKey(Namespace, RoleRef.Name),
        _ => null,
    };

    public string Reason(string subject) => Namespace.Length == 0
        ? $"RBAC: allowed by ClusterRoleBinding \"{Name}\" of {RoleRef.Kind} \"{RoleRef.Name}\" to {subject}"
        : $"RBAC: allowed by RoleBinding \"{Name}/{Namespace}\" of {RoleRef.Kind} \"{RoleRef.Name}\" to {subject}";
}

/// <summary>
/// What the bindings of one scope give to one subject. A value: a change of a binding or a role makes another. Its lookup
/// table is built at the first question, so that a burst of changes costs nothing until somebody asks.
/// </summary>
internal sealed class RbacSubjectRules
{
    /// <summary>A rule with more resource and name pairs than this is searched instead of spread out.</summary>
    private const int MaxSpread = 4096;
    private readonly SubjectKey subject;
    private readonly ImmutableDictionary<string, RbacBinding> bindings;
    private readonly Func<RoleKey, IReadOnlyList<PolicyRule>> rulesOf;
    private readonly Lazy<Table> table;

    private RbacSubjectRules(SubjectKey subject, ImmutableDictionary<string, RbacBinding> bindings, Func<RoleKey, IReadOnlyList<PolicyRule>> rulesOf)
    {
        this.subject = subject;
        this.bindings = bindings;
        this.rulesOf = rulesOf;
        table = new(() => new Table(Granted()), LazyThreadSafetyMode.ExecutionAndPublication);
    }

    public static RbacSubjectRules Empty(SubjectKey subject, Func<RoleKey, IReadOnlyList<PolicyRule>> rulesOf) =>
        new(subject, ImmutableDictionary.Create<string, RbacBinding>(StringComparer.Ordinal), rulesOf);

    public bool IsEmpty => bindings.IsEmpty;

    public IEnumerable<PolicyRule> Rules => table.Value.All.Select(g => g.Rule);

    public RbacSubjectRules With(RbacBinding binding) => new(subject, bindings.SetItem(binding.Name, binding), rulesOf);

    public RbacSubjectRules Without(string binding) => new(subject, bindings.Remove(binding), rulesOf);

    /// <summary>The same bindings, with the roles read anew.</summary>
    public RbacSubjectRules Renewed() => new(subject, bindings, rulesOf);

    /// <summary>The decision of the first rule that allows the request; null when none does.</summary>
    public AccessDecision? Find(AccessRequest request)
    {
        var t = table.Value;
        if (request.Path is not null) return First(t.Paths, request);
        return Find(t, "*", request)
            ?? Find(t, RbacEvaluator.Combined(request.Resource, request.Subresource), request)
            ?? (request.Subresource.Length > 0 ? Find(t, "*/" + request.Subresource, request) : null)
            ?? First(t.Wide, request);
    }

    /// <summary>Adds the names for which the verb is allowed.</summary>
    /// <returns>False when the verb is allowed for all names.</returns>
    public bool CollectNames(AccessRequest request, HashSet<string> names)
    {
        var t = table.Value;
        foreach (var key in Keys(request))
        {
            if (!t.ByResource.TryGetValue(key, out var rules)) continue;
            if (FirstThatSpeaks(rules.Unnamed, request) is not null) return false;
            foreach (var (name, granted) in rules.Named)
                if (FirstThatSpeaks(granted, request) is not null) names.Add(name);
        }

        foreach (var wide in t.Wide)
        {
            if (Speaks(wide, request) && RbacEvaluator.AllowsResource(wide.Rule, request.Resource, request.Subresource)) names.UnionWith(wide.Rule.ResourceNames);
        }

        return true;
    }

    private static IEnumerable<string> Keys(AccessRequest request)
    {
        yield return "*";
        yield return RbacEvaluator.Combined(request.Resource, request.Subresource);
        if (request.Subresource.Length > 0) yield return "*/" + request.Subresource;
    }

    private static bool Speaks(Grant grant, AccessRequest request) => RbacEvaluator.Has(grant.Rule.Verbs, request.Verb) && RbacEvaluator.Has(grant.Rule.ApiGroups, request.Group);

    private static AccessDecision? Find(Table t, string resource, AccessRequest request)
    {
        if (!t.ByResource.TryGetValue(resource, out var rules)) return null;
        return FirstThatSpeaks(rules.Unnamed, request) ?? (rules.Named.TryGetValue(request.Name, out var named) ? FirstThatSpeaks(named, request) : null);
    }

    private static AccessDecision? FirstThatSpeaks(List<Grant> grants, AccessRequest request)
    {
        foreach (var grant in grants)
            if (Speaks(grant, request)) return grant.Decision;
        return null;
    }

    private static AccessDecision? First(List<Grant> grants, AccessRequest request)
    {
        foreach (var grant in grants)
            if (RbacEvaluator.Allows(grant.Rule, request)) return grant.Decision;
        return null;
    }

    private List<Grant> Granted()
    {
        var granted = new List<Grant>();
        foreach (var binding in bindings.Values.OrderBy(b => b.Name, StringComparer.Ordinal))
        {
            if (binding.Role is not { } role) continue;
            var decision = new AccessDecision(true, binding.Reason(binding.Subjects.First(s => s.Key == subject).Words));
            foreach (var rule in rulesOf(role)) granted.Add(new(rule, decision));
        }

        return granted;
    }

    private sealed record Grant(PolicyRule Rule, AccessDecision Decision);

    private sealed class ResourceRules
    {
        public List<Grant> Unnamed { get; } = [];

        public Dictionary<string, List<Grant>> Named { get; } = new(StringComparer.Ordinal);
    }

    /// <summary>Rules by the resource they list, then by name: a person with a thousand one-repository bindings is answered in one look.</summary>
    private sealed class Table
    {
        public Table(List<Grant> all)
        {
            All = all;
            foreach (var grant in all) Add(grant);
        }

        public List<Grant> All { get; }

        public Dictionary<string, ResourceRules> ByResource { get; } = new(StringComparer.Ordinal);

        public List<Grant> Wide { get; } = [];

        public List<Grant> Paths { get; } = [];

        private void Add(Grant grant)
        {
            var rule = grant.Rule;
            if (rule.NonResourceUrls.Count > 0) Paths.Add(grant);
            if (rule.ResourceNames.Count > 0 && (long)rule.Resources.Count * rule.ResourceNames.Count > MaxSpread)
            {
                Wide.Add(grant);
                return;
            }

            foreach (var resource in rule.Resources)
            {
                if (!ByResource.TryGetValue(resource, out var rules)) ByResource[resource] = rules = new();
                if (rule.ResourceNames.Count == 0) rules.Unnamed.Add(grant);
                foreach (var name in rule.ResourceNames)
                {
                    if (!rules.Named.TryGetValue(name, out var named)) rules.Named[name] = named = [];
                    named.Add(grant);
                }
            }
        }
    }
}
