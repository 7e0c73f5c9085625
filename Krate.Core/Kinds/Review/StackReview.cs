using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Kinds.Stacks;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Review;

/// <summary>
/// Looks at everything that a stack needs and says of each thing how it stands: what readiness, permission review, and the stack's page are made of.
/// Pure: the same facts give the same findings in the same order.
/// </summary>
public sealed partial class StackReview
{
    private const string StackWriter = "whoever may change the stack";
    private const string Binder = "whoever may bind the role";
    private readonly Resource stack;
    private readonly IReviewFacts facts;
    private readonly ReviewScope scope;
    private readonly List<Finding> findings = [];

    private StackReview(Resource stack, IReviewFacts facts, ReviewScope scope)
    {
        (this.stack, this.facts, this.scope) = (stack, facts, scope);
        Graph = CapabilityGraph.For(stack, facts);
        var named = stack.Body.Text("spec.runtimeIdentity.serviceAccountRef") ?? "";
        Identity = facts.Find("AgentServiceAccount", named)?.Body.Text("spec.serviceAccountName") is { Length: > 0 } native ? native : named;
    }

    public CapabilityGraph Graph { get; }

    /// <summary>Name of the native ServiceAccount that the agent acts as.</summary>
    public string Identity { get; }

    /// <summary>The AgentAdapter that starts the agent; null when there is none.</summary>
    public Resource? Adapter { get; private set; }

    /// <summary>In the order of the conditions.</summary>
    public IReadOnlyList<Finding> Findings => findings;

    /// <summary>What the identity may do that is used to get more.</summary>
    public IReadOnlyList<Danger> Dangers { get; private set; } = [];

    /// <param name="scope">Where and why it would run; <see cref="ReviewScope.Anywhere"/> for readiness.</param>
    public static StackReview Of(Resource stack, IReviewFacts facts, ReviewScope scope)
    {
        var review = new StackReview(stack, facts, scope);
        review.Capabilities();
        review.RuntimeIdentity();
        review.Roles();
        review.GrantsOf("Secret", "AgentSecretGrant", "spec.permissionRefs.secretGrants", AgentStackConditions.SecretsAdmitted, "MissingSecretGrant");
        review.GrantsOf("ConfigMap", "AgentConfigGrant", "spec.permissionRefs.configGrants", AgentStackConditions.ConfigAdmitted, "MissingConfigGrant");
        review.Tools();
        review.McpServers();
        review.Skills();
        review.Subagents();
        review.ContextLabels();
        review.Policy();
        return review;
    }

    private void Capabilities()
    {
        const string Type = AgentStackConditions.CapabilitiesResolved;
        var name = stack.Body.Text("spec.adapter") ?? "";
        const string Prefix = "agent-mux.";
        var adapter = Adapter = facts.Find("AgentAdapter", name) ?? (name.StartsWith(Prefix, StringComparison.Ordinal) ? facts.Find("AgentAdapter", name[Prefix.Length..]) : null);
        if (adapter is null)
        {
            Add(Type, FindingState.Blocked, "AdapterUnavailable", $"AgentAdapter {stack.Namespace}/{name} does not exist, so that nobody can start {stack.Body.Text("spec.baseAgent")}.", "whoever may write adapters", Suggestions.Adapter(stack, name));
            return;
        }

        var ready = adapter.FindCondition(Condition.Ready);
        if (ready?.Status == Condition.True && stack.Body.Text("spec.model") is { Length: > 0 } model && adapter.Body.Texts("status.capabilities.models").ToList() is { Count: > 0 } models && !models.Contains(model, StringComparer.Ordinal))
            Add(Type, FindingState.Blocked, "ModelUnsupported", $"AgentAdapter {adapter.Name} offers {string.Join(", ", models.Take(10))}, and not the model {model}.", StackWriter);
        else AddPart(Type, new("AgentAdapter", adapter.Name, adapter), "AdapterUnavailable", "AdapterResolved", "whoever may write adapters");
    }

    private void RuntimeIdentity()
    {
        const string Type = AgentStackConditions.RuntimeIdentityReady;
        var named = stack.Body.Text("spec.runtimeIdentity.serviceAccountRef") ?? "";
        var identity = facts.Find("AgentServiceAccount", named);
        var said = identity is null ? "" : $" that AgentServiceAccount {named} names";
        if (facts.Find("ServiceAccount", Identity) is null)
            Add(Type, FindingState.Blocked, "MissingServiceAccount", $"ServiceAccount {stack.Namespace}/{Identity}{said} does not exist (kubectl create serviceaccount {Identity} -n {stack.Namespace} makes it).", "whoever may write identities", identity is null ? Suggestions.Identity(stack, Identity) : null);
        else if (identity?.FindCondition("TokenProjectionAllowed") is { Status: Condition.False } refused)
            Add(Type, FindingState.Blocked, "TokenProjectionForbidden", $"AgentServiceAccount {named}: {refused.Message}", "whoever may write identities");
        else if (identity is not null && scope.Repository is { } repository && identity.Body.Texts("spec.allowedRepositories").ToList() is { Count: > 0 } only && !only.Contains(repository, StringComparer.Ordinal))
            Add(Type, FindingState.Denied, "GrantDenied", $"AgentServiceAccount {named} may not be used for repository {repository}.", "whoever may write identities");
        else if (identity is not null && stack.Body.Text("spec.runnerPool") is { Length: > 0 } pool && identity.Body.Texts("spec.allowedRunnerPools").ToList() is { Count: > 0 } pools && !pools.Contains(pool, StringComparer.Ordinal))
            Add(Type, FindingState.Denied, "GrantDenied", $"AgentServiceAccount {named} may not run in RunnerPool {pool}.", "whoever may write identities");
        else Add(Type, FindingState.Allowed, "ServiceAccountFound", $"ServiceAccount {stack.Namespace}/{Identity} exists.");
    }

    private void Roles()
    {
        const string Type = AgentStackConditions.RolesAdmitted;
        var held = facts.RulesOf(Identity);
        Dangers = DangerousRules.Of(held);
        foreach (var name in stack.Body.Texts("spec.permissionRefs.roleBindings").Distinct(StringComparer.Ordinal))
        {
            var part = new CapabilityPart("AgentRoleBinding", name, facts.Find("AgentRoleBinding", name));
            if (part.Found is null) Add(Type, FindingState.MissingGrant, "MissingRoleBinding", $"AgentRoleBinding {stack.Namespace}/{name} does not exist.", Binder, part: part);
            else if (!SpeaksOfStack(part.Found)) Add(Type, FindingState.Denied, "GrantDenied", $"AgentRoleBinding {name} is about another subject than this stack.", Binder, part: part);
        }

        foreach (var binding in facts.RoleBindings(stack.Name, Identity))
        {
            var part = new CapabilityPart("AgentRoleBinding", binding.Name, binding);
            if (binding.FindCondition("EscalationAdmitted") is { Status: Condition.False } escalation)
                Add(Type, FindingState.Denied, "EscalationDenied", $"AgentRoleBinding {binding.Name}: {escalation.Message}", Binder, part: part);
            else if (binding.FindCondition("NativeBindingDrifted") is { Status: Condition.True } drift)
                Add(Type, FindingState.Drifted, "RoleBindingDrifted", $"AgentRoleBinding {binding.Name}: {drift.Message}", Binder, part: part);
        }

        foreach (var need in Graph.Needs.Where(n => n.Kind == "Role")) Role(need, held);
    }

    private void Role(CapabilityNeed need, IReadOnlyList<PolicyRule> held)
    {
        const string Type = AgentStackConditions.RolesAdmitted;
        if (facts.Role(need.Name) is not { } role)
        {
            Add(new(Type, FindingState.Blocked, "RoleMissing", $"{need.Part.Kind} {need.Part.Name} needs the role {need.Name}; there is no Role {stack.Namespace}/{need.Name} and no ClusterRole of that name.") { Part = need.Part, Need = need, Fixer = "whoever may write roles" });
            return;
        }

        IReadOnlyList<PolicyRule> missing;
        try
        {
            missing = RbacCoverage.Missing(held, role.Rules);
        }
        catch (ArgumentException)
        {
            Add(new(Type, FindingState.Denied, "EscalationDenied", $"{role.Kind} {need.Name} spreads out to more than {RbacCoverage.MaxSpread} permissions, which no agent needs.") { Part = need.Part, Need = need, Fixer = "whoever may write roles" });
            return;
        }

        if (missing.Count == 0) Add(new(Type, FindingState.Allowed, "RoleHeld", $"ServiceAccount {Identity} holds {role.Kind} {need.Name}.") { Part = need.Part, Need = need });
        // Addresses belong to no namespace: no AgentRoleBinding gives them, only a ClusterRoleBinding of the whole role.
        Lacks([.. missing.Where(r => r.NonResourceUrls.Count == 0)], rules => Suggestions.Roles(stack, Identity, need.Name, role.Kind, rules), Binder);
        Lacks([.. missing.Where(r => r.NonResourceUrls.Count > 0)], _ => null, "whoever may bind ClusterRoles");

        void Lacks(IReadOnlyList<PolicyRule> rules, Func<IReadOnlyList<PolicyRule>, Suggestion?> suggest, string fixer)
        {
            if (rules.Count == 0) return;
            Add(new(Type, FindingState.MissingGrant, "MissingRoleBinding", $"{need.Part.Kind} {need.Part.Name} needs {role.Kind} {need.Name}; ServiceAccount {Identity} lacks {Said(rules)}.") { Part = need.Part, Need = need, Fixer = fixer, Suggestion = suggest(rules) });
        }
    }

    private static string Said(IReadOnlyList<PolicyRule> rules)
    {
        var said = rules.Take(5).Select(r => $"{string.Join(", ", r.Verbs)} on {string.Join(", ", r.Resources.Concat(r.NonResourceUrls))}");
        return string.Join("; ", said) + (rules.Count > 5 ? $" and {rules.Count - 5} more" : "");
    }

    private bool SpeaksOfStack(Resource binding) => (binding.Body.Text("spec.subject.kind"), binding.Body.Text("spec.subject.name")) switch
    {
        ("agent-stack", var name) => name == stack.Name,
        ("service-account", var name) => name == Identity,
        ("runner-pool", var name) => name == stack.Body.Text("spec.runnerPool"),
        _ => false,
    };

    private void GrantsOf(string kind, string grantKind, string path, string condition, string missing)
    {
        foreach (var name in stack.Body.Texts(path).Distinct(StringComparer.Ordinal))
        {
            var part = new CapabilityPart(grantKind, name, facts.Find(grantKind, name));
            if (part.Found is null) Add(condition, FindingState.MissingGrant, missing, $"{grantKind} {stack.Namespace}/{name} does not exist.", "whoever may write grants", part: part);
            else if (part.Found.Body.Text(kind == "Secret" ? "spec.secretRef.name" : "spec.configMapRef.name") is { } owner && facts.Find(kind, owner) is null)
                Add(condition, FindingState.Blocked, kind + "Missing", $"{grantKind} {name} names {kind} {stack.Namespace}/{owner}, which does not exist.", $"whoever may write {kind}s", part: new(kind, owner, null));
        }

        var grants = new GrantReview(stack, Identity, facts, scope);
        foreach (var need in Graph.Needs.Where(n => n.Kind == kind)) Add(grants.Of(need));
    }

    private void Add(Finding finding) => findings.Add(finding with { Suggestion = finding.Suggestion is { } suggestion ? Named(suggestion) : null });

    /// <summary>A name that another manifest of this review has, or a resource that did not help, is not given twice: each can be applied as it is.</summary>
    private Suggestion Named(Suggestion suggestion)
    {
        var free = facts.Find(suggestion.Kind, suggestion.Name) is null && !findings.Exists(f => f.Suggestion is { } other && (other.Kind, other.Name) == (suggestion.Kind, suggestion.Name));
        return free ? suggestion : Suggestions.Renamed(suggestion);
    }

    private void Add(string condition, FindingState state, string reason, string message, string fixer = "", Suggestion? suggestion = null, CapabilityPart? part = null) =>
        Add(new(condition, state, reason, message) { Fixer = fixer, Suggestion = suggestion, Part = part });

    /// <summary>A part that has a state of its own: it counts as its Ready condition says.</summary>
    private void AddPart(string condition, CapabilityPart part, string broken, string good, string fixer)
    {
        var ready = part.Found?.FindCondition(Condition.Ready);
        var (state, reason, message) = ready switch
        {
            { Status: Condition.True } => (FindingState.Allowed, good, $"{part.Kind} {part.Name} is ready."),
            { Status: Condition.False } => (FindingState.Blocked, ReasonOf(ready.Reason, broken), $"{part.Kind} {part.Name}: {ready.Message}"),
            null => (FindingState.Unknown, "NotEvaluated", $"{part.Kind} {part.Name} has not been looked at yet."),
            _ => (FindingState.Unknown, ready.Reason, $"{part.Kind} {part.Name}: {ready.Message}"),
        };
        Add(condition, state, reason, message, fixer, part: part);
    }

    /// <summary>Parts say more exactly what is wrong than the stack could; their reasons are the same codes (spec 05).</summary>
    private static string ReasonOf(string reason, string other) => reason is "McpSchemaDrift" or "McpProbeFailed" or "SkillSourceUnresolved" or "SkillPromptUnsafe" or "SkillDependencyMissing" or "CommandPolicyInvalid" ? reason : other;

    /// <returns>Null after saying that it is missing.</returns>
    private Resource? FoundOrMissing(string condition, CapabilityPart part, string reason)
    {
        if (part.Found is not null) return part.Found;
        var message = part.Name.Contains('@', StringComparison.Ordinal) ? $"{part.Kind} {part.Name} is not shared with this organization or does not exist." : $"{part.Kind} {stack.Namespace}/{part.Name} does not exist.";
        Add(condition, FindingState.Blocked, reason, message, "whoever may configure agents", part: part);
        return null;
    }

    /// <summary>Whether the part lets this stack use it; says so when not.</summary>
    private bool Admits(string condition, CapabilityPart part, string path, string reason)
    {
        var only = part.Found!.Body.Texts(path).ToList();
        if (only.Count == 0 || only.Contains(stack.Name, StringComparer.Ordinal)) return true;
        Add(condition, FindingState.Denied, reason, $"{part.Kind} {part.Name} does not list this stack in {path[5..]}.", "whoever may configure agents", part: part);
        return false;
    }
}
