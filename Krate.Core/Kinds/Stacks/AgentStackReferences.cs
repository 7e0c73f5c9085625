using System.Globalization;
using Krate.Core.Gateway;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Stacks;

/// <summary>From a stack to what it refers to, and back: which stacks a change concerns. Reads memory only.</summary>
internal sealed class AgentStackReferences(KindCatalog catalog)
{
    private readonly KindDefinition stacks = catalog["AgentStack"];
    private readonly KindDefinition organizations = catalog["Organization"];
    private readonly KindDefinition sharing = catalog["OrgSharingPolicy"];

    /// <summary>Kinds whose resources decide about stacks: those that a stack names, and those that these name in turn.</summary>
    public IReadOnlyList<KindDefinition> Kinds { get; } =
    [
        .. ((string[])
        [
            "ServiceAccount", "AgentServiceAccount", "AgentRoleBinding", "AgentSecretGrant", "AgentConfigGrant", "Secret", "ConfigMap", "AgentToolProfile",
            "AgentMcpServer", "AgentSkill", "AgentSubagent", "AgentContextLabel", "AgentWorkspacePolicy", "RunnerPool",
        ]).Select(k => catalog[k]),
    ];

    /// <summary>How a stack finds what it refers to: in its namespace, or in another organization that shares it.</summary>
    public FindReferred For(Resource stack, IResourceCache cache, DateTimeOffset now) => (kindName, reference) =>
    {
        if (reference.Length == 0) return null;
        var kind = catalog[kindName];
        var at = reference.LastIndexOf('@');
        if (at < 0) return cache.Get(kind, stack.Namespace, reference);
        var (name, org) = (reference[..at], reference[(at + 1)..]);
        if (org == stack.Body.Text("spec.organizationRef")) return cache.Get(kind, stack.Namespace, name);
        if (!IsShared(kindName, name, org, stack, cache, now)) return null;
        return cache.Get(organizations, WellKnown.PlatformNamespace, org)?.Body.Text("spec.namespaceName") is { } ns ? cache.Get(kind, ns, name) : null;
    };

    /// <summary>Exactly the stacks that name the resource, directly or through a grant or an identity.</summary>
    public IEnumerable<ResourceKey> StacksOf(Resource resource, IResourceCache cache)
    {
        foreach (var stack in cache.List(stacks, resource.Namespace))
            if (Names(stack, resource, resource.Name, cache)) yield return stack.Key;

        if (resource.Label(WellKnown.OrgLabel) is not { } org || !cache.List(sharing).Any(p => p.Body.Text("spec.sourceOrg") == org)) yield break;
        foreach (var stack in cache.List(stacks))
            if (stack.Namespace != resource.Namespace && Names(stack, resource, $"{resource.Name}@{org}", cache)) yield return stack.Key;
    }

    /// <summary>Stacks of the organization that a policy shares something with.</summary>
    public IEnumerable<ResourceKey> StacksOfPolicy(Resource policy, IResourceCache cache) =>
        cache.List(stacks).Where(s => s.Body.Text("spec.organizationRef") == policy.Body.Text("spec.targetOrg")).Select(s => s.Key);

    private bool Names(Resource stack, Resource resource, string reference, IResourceCache cache)
    {
        if (Direct(stack, resource.Kind.Kind, reference)) return true;
        return resource.Kind.Kind switch
        {
            "ServiceAccount" => Through("AgentServiceAccount", "spec.serviceAccountName"),
            "Secret" => Through("AgentSecretGrant", "spec.secretRef.name"),
            "ConfigMap" => Through("AgentConfigGrant", "spec.configMapRef.name"),
            _ => false,
        };

        bool Through(string kind, string path) =>
            cache.List(catalog[kind], resource.Namespace).Any(g => g.Body.Text(path) == resource.Name && Direct(stack, kind, g.Name));
    }

    private static bool Direct(Resource stack, string kind, string reference) => Paths(kind) is { } path && stack.Body.Texts(path).Contains(reference, StringComparer.Ordinal);

    private static string? Paths(string kind) => kind switch
    {
        "ServiceAccount" or "AgentServiceAccount" => "spec.runtimeIdentity.serviceAccountRef",
        "AgentRoleBinding" => "spec.permissionRefs.roleBindings",
        "AgentSecretGrant" => "spec.permissionRefs.secretGrants",
        "AgentConfigGrant" => "spec.permissionRefs.configGrants",
        "AgentToolProfile" => "spec.toolProfileRef",
        "AgentMcpServer" => "spec.mcpServerRefs",
        "AgentSkill" => "spec.skillRefs",
        "AgentSubagent" => "spec.subagentRefs",
        "AgentContextLabel" => "spec.contextLabelRefs",
        "AgentWorkspacePolicy" => "spec.workspacePolicyRef",
        "RunnerPool" => "spec.runnerPool",
        _ => null,
    };

    /// <summary>When the first sharing ends that this stack may rely on; null when none does.</summary>
    public DateTimeOffset? NextExpiry(Resource stack, IResourceCache cache, DateTimeOffset now) =>
        Policies(stack.Body.Text("spec.organizationRef"), cache).Select(Expires).Where(e => e > now).Min();

    private bool IsShared(string kind, string name, string org, Resource stack, IResourceCache cache, DateTimeOffset now) =>
        Policies(stack.Body.Text("spec.organizationRef"), cache).Any(p =>
            p.Body.Text("spec.sourceOrg") == org
            && !(Expires(p) <= now)
            && p.Body.At("spec.allowedRefs") is System.Text.Json.Nodes.JsonArray refs
            && refs.Any(r => r.Text("kind") == kind && r.Text("name") == name));

    private IEnumerable<Resource> Policies(string? targetOrg, IResourceCache cache) =>
        cache.List(sharing, WellKnown.PlatformNamespace).Where(p => !p.IsDeleting && p.Body.Text("spec.targetOrg") == targetOrg);

    private static DateTimeOffset? Expires(Resource policy) =>
        DateTimeOffset.TryParse(policy.Body.Text("spec.expiresAt"), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var expires) ? expires : null;
}
