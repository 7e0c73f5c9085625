using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Grants;

/// <summary>Whom an AgentRoleBinding speaks of, as RBAC names them. Only who is there: rights must not wait for somebody who comes later under a name.</summary>
internal sealed class AgentRoleSubject(Resource binding, IResourceCache cache, KindCatalog catalog)
{
    private readonly string org = binding.Body.Text("spec.organizationRef") ?? "";
    private readonly string name = binding.Body.Text("spec.subject.name") ?? "";

    /// <returns>The subject of the native binding, null when it is not there, and the condition that says so.</returns>
    public (JsonObject? Subject, Condition Condition) Find() => binding.Body.Text("spec.subject.kind") switch
    {
        "user" => User(),
        "group" => Group(),
        "team" => cache.Get(catalog["Team"], binding.Namespace, name) is { IsDeleting: false } ? Found(Native("Group", WellKnown.TeamGroup(org, name)), $"Team {name}") : Missing("SubjectMissing", $"Team {name} does not exist in this organization."),
        "agent-stack" => Stack(),
        "runner-pool" => Pool(),
        _ => Account(name, "MissingServiceAccount"),
    };

    private (JsonObject?, Condition) User()
    {
        if (cache.Get(catalog["User"], WellKnown.PlatformNamespace, name) is not { IsDeleting: false } user) return Missing("SubjectMissing", $"User {name} does not exist.");
        return Found(Native("User", user.Body.Text("spec.username") is { Length: > 0 } username ? username : user.Name), $"User {name}");
    }

    private (JsonObject?, Condition) Group()
    {
        var own = WellKnown.OrgGroup(org);
        var isForeign = name.StartsWith("krate:", StringComparison.Ordinal) && name != own && !name.StartsWith(own + ":", StringComparison.Ordinal);
        return isForeign ? Missing("SubjectMissing", $"Group {name} is not of this organization.") : Found(Native("Group", name), $"Group {name}");
    }

    private (JsonObject?, Condition) Stack()
    {
        if (cache.Get(catalog["AgentStack"], binding.Namespace, name) is not { IsDeleting: false } stack) return Missing("SubjectMissing", $"AgentStack {name} does not exist.");
        var account = ActsAs(stack.Body.Text("spec.runtimeIdentity.serviceAccountRef") ?? "");
        var wanted = binding.Body.Text("spec.subject.serviceAccountRef");
        return wanted is { Length: > 0 } && wanted != account && ActsAs(wanted) != account
            ? Missing("SubjectMismatch", $"AgentStack {name} acts as ServiceAccount {account}, and the binding is for {wanted}.")
            : Account(account, "MissingServiceAccount");
    }

    private (JsonObject?, Condition) Pool()
    {
        if (cache.Get(catalog["RunnerPool"], binding.Namespace, name) is not { IsDeleting: false } pool) return Missing("SubjectMissing", $"RunnerPool {name} does not exist.");
        return pool.Body.Text("spec.serviceAccountRef") is { Length: > 0 } account ? Account(account, "RunnerServiceAccountMissing") : Missing("RunnerServiceAccountMissing", $"RunnerPool {name} names no ServiceAccount.");
    }

    private (JsonObject?, Condition) Account(string account, string reason)
    {
        return cache.Get(catalog["ServiceAccount"], binding.Namespace, account) is { IsDeleting: false }
            ? Found(new JsonObject { ["kind"] = "ServiceAccount", ["namespace"] = binding.Namespace, ["name"] = account }, $"ServiceAccount {account}")
            : Missing(reason, $"ServiceAccount {binding.Namespace}/{account} does not exist.");
    }

    /// <summary>A stack may name an identity in place of its ServiceAccount.</summary>
    private string ActsAs(string account) => cache.Get(catalog["AgentServiceAccount"], binding.Namespace, account)?.Body.Text("spec.serviceAccountName") ?? account;

    private static JsonObject Native(string kind, string name) => new() { ["apiGroup"] = RbacRules.ApiGroup, ["kind"] = kind, ["name"] = name };

    private static (JsonObject?, Condition) Found(JsonObject subject, string words) => (subject, new(AgentRoleBindingKind.SubjectsResolved, Condition.True, "SubjectFound", $"{words} exists."));

    private static (JsonObject?, Condition) Missing(string reason, string message) => (null, new(AgentRoleBindingKind.SubjectsResolved, Condition.False, reason, message));
}
