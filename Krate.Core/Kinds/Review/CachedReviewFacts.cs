using System.Globalization;
using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Identity;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Review;

/// <summary>
/// Reads what a review needs from memory, as the stack's organization sees it, and keeps in mind what it was: for the digest of a decision, for the
/// index of who depends on what, and for the moment when time alone changes the answer. Not thread-safe; one for each review.
/// </summary>
internal sealed class CachedReviewFacts(Resource stack, KindCatalog catalog, IResourceCache cache, IAuthorizer authorizer, DateTimeOffset now, StackDependencies.Look? look = null) : IReviewFacts
{
    private readonly SortedDictionary<string, JsonObject> used = new(StringComparer.Ordinal);

    public DateTimeOffset Now => now;

    /// <summary>When the first grant or sharing ends that was looked at; null when none does.</summary>
    public DateTimeOffset? NextEnd { get; private set; }

    /// <summary>Uid, generation and versions of keys of everything that was looked at.</summary>
    public JsonArray Used => new([.. used.Values.Select(u => u.DeepClone())]);

    public Resource? Find(string kind, string reference)
    {
        if (reference.Length == 0) return null;
        var at = reference.LastIndexOf('@');
        if (at < 0) return Get(kind, stack.Namespace, reference);
        var (name, org) = (reference[..at], reference[(at + 1)..]);
        if (org == stack.Body.Text("spec.organizationRef")) return Get(kind, stack.Namespace, name);
        if (!IsShared(kind, name, org)) return null;
        return cache.Get(catalog["Organization"], WellKnown.PlatformNamespace, org)?.Body.Text("spec.namespaceName") is { } ns ? Get(kind, ns, name) : null;
    }

    public IReadOnlyList<Resource> Grants(string kind, string name)
    {
        look?.At(StackDependencies.OnGrants(kind, stack.Namespace, name));
        var path = kind == "AgentSecretGrant" ? "spec.secretRef.name" : "spec.configMapRef.name";
        var found = cache.ListBy(catalog[kind], stack.Namespace, path, name).OrderBy(g => g.Name, StringComparer.Ordinal).ToList();
        foreach (var grant in found)
        {
            Use(grant);
            EndsAt(grant);
        }

        return found;
    }

    public IReadOnlyList<Resource> RoleBindings(string stackName, string serviceAccount)
    {
        look?.At(StackDependencies.OnBindings(stack.Namespace, "agent-stack", stackName));
        look?.At(StackDependencies.OnBindings(stack.Namespace, "service-account", serviceAccount));
        var found = Of("agent-stack", stackName).Concat(Of("service-account", serviceAccount))
            .OrderBy(b => b.Name, StringComparer.Ordinal)
            .ToList();
        found.ForEach(Use);
        return found;

        IEnumerable<Resource> Of(string kind, string name) => cache.ListBy(catalog["AgentRoleBinding"], stack.Namespace, "spec.subject.name", name).Where(b => b.Body.Text("spec.subject.kind") == kind);
    }

    public IReadOnlyList<PolicyRule> RulesOf(string serviceAccount)
    {
        var actor = new Actor(ServiceAccountName.Format(stack.Namespace, serviceAccount), [ServiceAccountName.AllGroup, ServiceAccountName.NamespaceGroup(stack.Namespace), WellKnown.AuthenticatedGroup]);
        foreach (var subject in actor.Groups.Append(actor.User)) look?.At(StackDependencies.OnRights(subject));
        return authorizer.RulesFor(actor, stack.Namespace);
    }

    public (string Kind, IReadOnlyList<PolicyRule> Rules)? Role(string name) =>
        Get("Role", stack.Namespace, name) is { } role ? ("Role", RbacRules.Read(role.Body))
        : Get("ClusterRole", "", name) is { } clusterRole ? ("ClusterRole", RbacRules.Read(clusterRole.Body)) : null;

    private Resource? Get(string kind, string ns, string name)
    {
        look?.At(StackDependencies.On(kind, ns, name));
        var found = cache.Get(catalog[kind], ns, name);
        if (found is null || found.IsDeleting) return null;
        Use(found);
        return found;
    }

    private bool IsShared(string kind, string name, string org)
    {
        var target = stack.Body.Text("spec.organizationRef") ?? "";
        look?.At(StackDependencies.OnSharing(target));
        if (!Sharing.IsAgreed(Get("Organization", WellKnown.PlatformNamespace, org), target, kind, name)) return false;
        foreach (var policy in cache.List(catalog["OrgSharingPolicy"], WellKnown.PlatformNamespace).Where(p => Sharing.Names(p, org, target, kind, name)))
        {
            Use(policy);
            if (!(EndsAt(policy) <= now)) return true;
        }

        return false;
    }

    /// <returns>When it ends; null when it does not.</returns>
    private DateTimeOffset? EndsAt(Resource resource)
    {
        if (!DateTimeOffset.TryParse(resource.Body.Text("spec.expiresAt"), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var end)) return null;
        if (end > now && !(NextEnd <= end)) NextEnd = end;
        return end;
    }

    private void Use(Resource resource)
    {
        var facts = new JsonObject { ["kind"] = resource.Kind.Kind, ["namespace"] = resource.Namespace, ["name"] = resource.Name, ["uid"] = resource.Uid, ["generation"] = resource.Generation };
        if (resource.Annotation(WellKnown.SecretKeysAnnotation) is { } keys) facts["keys"] = keys;
        used[resource.Key.ToString()] = facts;
    }
}
