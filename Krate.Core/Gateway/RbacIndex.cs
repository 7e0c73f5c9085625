using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Core.Gateway;

/// <summary>
/// Roles and bindings, parsed, by the subject they speak of. One writer at a time; readers take no lock. While a binding is
/// replaced a subject may for a moment hold both the old and the new; a reader that looks at several subjects asks again
/// when a write came between.
/// </summary>
internal sealed class RbacIndex
{
    private static readonly IReadOnlyList<PolicyRule> Nothing = [];
    private readonly ConcurrentDictionary<RoleKey, (long Version, JsonNode? Source, IReadOnlyList<PolicyRule> Rules)> roles = new();
    private readonly Dictionary<(string Namespace, string Name), RbacBinding> bindings = [];
    private readonly Dictionary<RoleKey, HashSet<(string Namespace, string Name)>> bindingsByRole = [];
    private readonly ConcurrentDictionary<string, Scope> scopes = new(StringComparer.Ordinal);

    /// <summary>Bindings of a namespace; empty for the ClusterRoleBindings.</summary>
    public Scope? Find(string ns) => scopes.GetValueOrDefault(ns);

    /// <returns>The subjects whose rights may have changed.</returns>
    public IReadOnlyCollection<SubjectKey> PutRole(Resource role)
    {
        var key = new RoleKey(role.Namespace, role.Name);
        var source = role.Body["rules"];
        var known = roles.TryGetValue(key, out var held);
        if (known && held.Version > role.Version) return [];
        var same = known && JsonNode.DeepEquals(held.Source, source);
        roles[key] = (role.Version, source, same ? held.Rules : RbacRules.Read(role.Body));
        return same ? [] : Renew(key);
    }

    /// <inheritdoc cref="PutRole"/>
    public IReadOnlyCollection<SubjectKey> RemoveRole(Resource role)
    {
        var key = new RoleKey(role.Namespace, role.Name);
        if (!roles.TryGetValue(key, out var held) || held.Version > role.Version) return [];
        roles.TryRemove(key, out _);
        return Renew(key);
    }

    /// <inheritdoc cref="PutRole"/>
    public IReadOnlyCollection<SubjectKey> PutBinding(Resource resource)
    {
        var id = (resource.Namespace, resource.Name);
        var old = bindings.GetValueOrDefault(id);
        if (old is not null && old.Version > resource.Version) return [];
        var binding = new RbacBinding(resource.Namespace, resource.Name, resource.Version, RbacRules.ReadRoleRef(resource.Body), [.. RbacRules.ReadSubjects(resource.Body, resource.Namespace)]);
        bindings[id] = binding;
        if (old is not null && old.RoleRef == binding.RoleRef && old.Subjects.SequenceEqual(binding.Subjects)) return [];

        if (old?.Role is { } oldRole && oldRole != binding.Role) bindingsByRole[oldRole].Remove(id);
        if (binding.Role is { } role)
        {
            if (!bindingsByRole.TryGetValue(role, out var of)) bindingsByRole[role] = of = [];
            of.Add(id);
        }

        var now = binding.Subjects.Select(s => s.Key).ToHashSet();
        var gone = old is null ? [] : old.Subjects.Select(s => s.Key).Where(s => !now.Contains(s)).ToHashSet();
        var scope = scopes.GetOrAdd(resource.Namespace, _ => new(RulesOf));
        // New subjects first: someone moved from a user to a group entry keeps access throughout.
        foreach (var subject in now) scope.Change(subject, s => s.With(binding));
        foreach (var subject in gone) scope.Change(subject, s => s.Without(binding.Name));
        now.UnionWith(gone);
        return now;
    }

    /// <inheritdoc cref="PutRole"/>
    public IReadOnlyCollection<SubjectKey> RemoveBinding(Resource resource)
    {
        var id = (resource.Namespace, resource.Name);
        if (!bindings.TryGetValue(id, out var old) || old.Version > resource.Version) return [];
        bindings.Remove(id);
        if (old.Role is { } role && bindingsByRole.TryGetValue(role, out var of))
        {
            of.Remove(id);
            if (of.Count == 0) bindingsByRole.Remove(role);
        }

        var subjects = old.Subjects.Select(s => s.Key).ToHashSet();
        foreach (var subject in subjects) scopes[old.Namespace].Change(subject, s => s.Without(old.Name));
        return subjects;
    }

    private IReadOnlyList<PolicyRule> RulesOf(RoleKey role) => roles.TryGetValue(role, out var held) ? held.Rules : Nothing;

    private HashSet<SubjectKey> Renew(RoleKey role)
    {
        var touched = new HashSet<SubjectKey>();
        foreach (var binding in bindingsByRole.GetValueOrDefault(role)?.Select(id => bindings[id]) ?? [])
        {
            foreach (var (subject, _) in binding.Subjects)
            {
                touched.Add(subject);
                scopes[binding.Namespace].Change(subject, s => s.Renewed());
            }
        }

        return touched;
    }

    /// <summary>The bindings of one namespace, or of the cluster, by subject.</summary>
    internal sealed class Scope(Func<RoleKey, IReadOnlyList<PolicyRule>> rulesOf)
    {
        private readonly ConcurrentDictionary<string, RbacSubjectRules> users = new(StringComparer.Ordinal);
        private readonly ConcurrentDictionary<string, RbacSubjectRules> groups = new(StringComparer.Ordinal);

        public RbacSubjectRules? User(string name) => users.GetValueOrDefault(name);

        public RbacSubjectRules? Group(string name) => groups.GetValueOrDefault(name);

        public void Change(SubjectKey subject, Func<RbacSubjectRules, RbacSubjectRules> change)
        {
            var map = subject.IsGroup ? groups : users;
            var next = change(map.GetValueOrDefault(subject.Name) ?? RbacSubjectRules.Empty(subject, rulesOf));
            if (next.IsEmpty) map.TryRemove(subject.Name, out _);
            else map[subject.Name] = next;
        }
    }
}
