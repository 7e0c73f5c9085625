using Krate.Core.Gateway;
using Krate.Core.Identity;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Review;

/// <summary>
/// Which stacks looked at what, so that a change wakes exactly those. A stack is entered before it reads, so that no change falls between reading
/// and entering. In memory; filled anew as the stacks are looked at after a start. Thread-safe.
/// </summary>
public sealed class StackDependencies(KindCatalog catalog)
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, HashSet<ResourceKey>> stacks = new(StringComparer.Ordinal);
    private readonly Dictionary<ResourceKey, HashSet<string>> seen = [];
    private readonly KindDefinition[] bindings = [catalog["RoleBinding"], catalog["ClusterRoleBinding"]];

    internal static string On(string kind, string ns, string name) => $"{kind}/{ns}/{name}";

    /// <summary>Grants that speak of a Secret or ConfigMap.</summary>
    internal static string OnGrants(string kind, string ns, string owner) => $"{kind} for/{ns}/{owner}";

    internal static string OnBindings(string ns, string subjectKind, string subject) => $"AgentRoleBinding of/{ns}/{subjectKind}/{subject}";

    /// <summary>What somebody may, by user or group name.</summary>
    internal static string OnRights(string subject) => $"rights/{subject}";

    internal static string OnSharing(string org) => $"sharing/{org}";

    /// <summary>Begins to look at a stack anew.</summary>
    internal Look Begin(ResourceKey stack) => new(this, stack);

    public void Forget(ResourceKey stack)
    {
        lock (gate)
        {
            if (seen.Remove(stack, out var all))
                foreach (var on in all) Remove(on, stack);
        }
    }

    /// <summary>The stacks that a change of this resource concerns.</summary>
    public IReadOnlyCollection<ResourceKey> StacksOf(Resource changed, IResourceCache cache)
    {
        var keys = KeysOf(changed, cache).ToList();
        lock (gate) return [.. keys.SelectMany(k => stacks.TryGetValue(k, out var found) ? found : []).Distinct()];
    }

    private IEnumerable<string> KeysOf(Resource changed, IResourceCache cache)
    {
        yield return On(changed.Kind.Kind, changed.Namespace, changed.Name);
        switch (changed.Kind.Kind)
        {
            case "AgentSecretGrant":
                yield return OnGrants(changed.Kind.Kind, changed.Namespace, changed.Body.Text("spec.secretRef.name") ?? "");
                break;
            case "AgentConfigGrant":
                yield return OnGrants(changed.Kind.Kind, changed.Namespace, changed.Body.Text("spec.configMapRef.name") ?? "");
                break;
            case "AgentRoleBinding":
                yield return OnBindings(changed.Namespace, changed.Body.Text("spec.subject.kind") ?? "", changed.Body.Text("spec.subject.name") ?? "");
                break;
            case "OrgSharingPolicy":
                yield return OnSharing(changed.Body.Text("spec.targetOrg") ?? "");
                break;
            case "RoleBinding" or "ClusterRoleBinding":
                foreach (var key in SubjectsOf(changed)) yield return key;
                break;
            case "Role" or "ClusterRole":
                foreach (var binding in BindingsOf(changed, cache))
                    foreach (var key in SubjectsOf(binding)) yield return key;
                break;
        }
    }

    private IEnumerable<Resource> BindingsOf(Resource role, IResourceCache cache) =>
        bindings.SelectMany(b => cache.List(b, role.Namespace.Length > 0 ? role.Namespace : null)).Where(b => b.Body.Text("roleRef.name") == role.Name && b.Body.Text("roleRef.kind") == role.Kind.Kind);

    private static IEnumerable<string> SubjectsOf(Resource binding)
    {
        foreach (var subject in binding.Body["subjects"] as System.Text.Json.Nodes.JsonArray ?? [])
        {
            var name = subject.Text("name") ?? "";
            if (subject.Text("kind") == "ServiceAccount") yield return OnRights(ServiceAccountName.Format(subject.Text("namespace") is { Length: > 0 } ns ? ns : binding.Namespace, name));
            else yield return OnRights(name);
        }
    }

    private void Enter(ResourceKey stack, string on)
    {
        lock (gate)
        {
            if (!stacks.TryGetValue(on, out var all)) stacks[on] = all = [];
            all.Add(stack);
        }
    }

    private void Remove(string on, ResourceKey stack)
    {
        if (stacks.TryGetValue(on, out var all) && all.Remove(stack) && all.Count == 0) stacks.Remove(on);
    }

    /// <summary>One look at one stack; what it no longer looks at is forgotten at its end. One at a time for each stack.</summary>
    internal sealed class Look(StackDependencies owner, ResourceKey stack) : IDisposable
    {
        private readonly HashSet<string> now = new(StringComparer.Ordinal);

        public void At(string on)
        {
            if (now.Add(on)) owner.Enter(stack, on);
        }

        public void Dispose()
        {
            lock (owner.gate)
            {
                foreach (var old in owner.seen.TryGetValue(stack, out var before) ? before : [])
                    if (!now.Contains(old)) owner.Remove(old, stack);
                owner.seen[stack] = now;
            }
        }
    }
}
