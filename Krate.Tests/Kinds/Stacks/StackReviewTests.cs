using Krate.Core.Kinds.Review;
using Krate.Core.Resources;
using Xunit;

namespace Krate.Tests.Kinds.Stacks;

/// <summary>Readiness: what is missing is named by exactly its condition.</summary>
public sealed class StackReviewTests
{
    private const string Bare = "{kind: AgentStack, metadata: {name: stack}, spec: {organizationRef: acme, baseAgent: codex, adapter: codex, runtimeIdentity: {serviceAccountRef: agent}}}";

    [Fact]
    public void With_everything_there_all_conditions_are_true_in_the_order_of_the_specification()
    {
        var conditions = new ReviewWorld().Conditions();
        Assert.Equal(
            ["CapabilitiesResolved", "RuntimeIdentityReady", "RolesAdmitted", "SecretsAdmitted", "ConfigAdmitted", "ToolsAdmitted", "McpHealthy", "SkillsValidated", "SubagentsValid", "ContextLabelsValid", "PolicyAdmitted", "Ready"],
            conditions.Select(c => c.Type));
        Assert.All(conditions, c => Assert.True(c.Status == "True", $"{c.Type} {c.Reason}: {c.Message}"));
        Assert.Equal("Ready", StackReadiness.Phase(conditions[^1]));
    }

    [Theory]
    [InlineData("AgentAdapter/agent-mux.claude-code", "CapabilitiesResolved", "AdapterUnavailable", "AgentAdapter krate-org-acme/agent-mux.claude-code does not exist, so that nobody can start claude-code.")]
    [InlineData("ServiceAccount/agent", "RuntimeIdentityReady", "MissingServiceAccount", "ServiceAccount krate-org-acme/agent does not exist (kubectl create serviceaccount agent -n krate-org-acme makes it).")]
    [InlineData("Role/reader", "RolesAdmitted", "RoleMissing", "AgentToolProfile tools needs the role reader; there is no Role krate-org-acme/reader and no ClusterRole of that name.")]
    [InlineData("AgentSecretGrant/model", "SecretsAdmitted", "MissingSecretGrant", "AgentProviderConfig anthropic needs key api-key of Secret provider, and no AgentSecretGrant for model-provider-token gives it to the stack.")]
    [InlineData("AgentSecretGrant/dsn", "SecretsAdmitted", "MissingSecretGrant", "AgentMcpServer mcp needs key dsn of Secret database, and no AgentSecretGrant for mcp-server gives it to the stack.")]
    [InlineData("Secret/database", "SecretsAdmitted", "SecretMissing", "AgentMcpServer mcp needs key dsn of Secret database; Secret krate-org-acme/database does not exist.")]
    [InlineData("AgentConfigGrant/config", "ConfigAdmitted", "MissingConfigGrant", "AgentMcpServer mcp needs key rules of ConfigMap settings, and no AgentConfigGrant for mcp-config gives it to the stack.")]
    [InlineData("ConfigMap/settings", "ConfigAdmitted", "ConfigMapMissing", "AgentMcpServer mcp needs key rules of ConfigMap settings; ConfigMap krate-org-acme/settings does not exist.")]
    [InlineData("AgentContextLabel/label", "ContextLabelsValid", "ContextLabelMissing", "AgentContextLabel krate-org-acme/label does not exist.")]
    [InlineData("AgentWorkspacePolicy/workspace", "PolicyAdmitted", "WorkspacePolicyMissing", "AgentWorkspacePolicy krate-org-acme/workspace does not exist.")]
    [InlineData("RunnerPool/pool", "PolicyAdmitted", "RunnerPoolMissing", "RunnerPool krate-org-acme/pool does not exist.")]
    [InlineData("ServiceAccount/runner", "PolicyAdmitted", "RunnerServiceAccountMissing", "ServiceAccount krate-org-acme/runner of RunnerPool pool does not exist.")]
    [InlineData("AgentSkill/skill", "SkillsValidated", "SkillMissing", "AgentSkill krate-org-acme/skill does not exist.")]
    [InlineData("AgentSubagent/sub", "SubagentsValid", "SubagentMissing", "AgentSubagent krate-org-acme/sub does not exist.")]
    public void One_missing_thing_makes_exactly_its_condition_and_Ready_false_and_both_name_it(string missing, string type, string reason, string message)
    {
        var conditions = new ReviewWorld().Without(missing.Split('/')[0], missing.Split('/')[1]).Conditions();
        Assert.Equal([type, "Ready"], conditions.Where(c => c.Status == "False").Select(c => c.Type));
        Assert.All(conditions.Where(c => c.Status == "False"), c => Assert.Equal((reason, message), (c.Reason, c.Message)));
        Assert.Equal("Blocked", StackReadiness.Phase(conditions[^1]));
    }

    [Fact]
    public void Ready_says_everything_that_is_missing()
    {
        var ready = new ReviewWorld().Without("ServiceAccount", "agent").Without("AgentToolProfile", "tools").Without("AgentMcpServer", "mcp").Without("RunnerPool", "pool").ConditionOf("Ready");
        Assert.Equal("MissingServiceAccount", ready.Reason);
        foreach (var name in (string[])["agent", "tools", "mcp", "pool"]) Assert.Contains($"krate-org-acme/{name} ", ready.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_a_stack_does_not_name_it_does_not_need() =>
        Assert.Equal(
            ["RolesAdmitted", "SecretsAdmitted", "ConfigAdmitted", "ToolsAdmitted", "McpHealthy", "SkillsValidated", "SubagentsValid", "ContextLabelsValid"],
            new ReviewWorld(Bare + "\n---\n{kind: ServiceAccount, metadata: {name: agent}}").Conditions().Where(c => c is { Status: "True", Reason: "NoneRequired" }).Select(c => c.Type));

    [Theory]
    [InlineData("AgentToolProfile/tools", "spec.networkPolicy", """{"default":"allow"}""", "ToolsAdmitted", "NetworkPolicyTooBroad")]
    [InlineData("AgentToolProfile/tools", "spec.networkPolicy", """{"default":"deny","allowHosts":["*.com"]}""", "ToolsAdmitted", "NetworkPolicyTooBroad")]
    [InlineData("AgentToolProfile/tools", "spec.allowedCommands", """["make", " "]""", "ToolsAdmitted", "CommandPolicyInvalid")]
    [InlineData("AgentMcpServer/mcp", "spec.allowedAgentStacks", """["other"]""", "McpHealthy", "McpServerNotAllowed")]
    [InlineData("AgentMcpServer/mcp", "status.conditions", """[{"type":"Ready","status":"False","reason":"McpSchemaDrift","message":"read_file has changed"}]""", "McpHealthy", "McpSchemaDrift")]
    [InlineData("AgentMcpServer/mcp", "status.conditions", """[{"type":"Ready","status":"False","reason":"Whatever","message":"It does not answer"}]""", "McpHealthy", "McpProbeFailed")]
    [InlineData("AgentSkill/skill", "spec.requiredMcpServers", """["search"]""", "SkillsValidated", "SkillDependencyMissing")]
    [InlineData("AgentSkill/skill", "spec.requiredTools", """["browser"]""", "SkillsValidated", "SkillDependencyMissing")]
    [InlineData("AgentSkill/skill", "status.conditions", """[{"type":"Ready","status":"False","reason":"SkillPromptUnsafe","message":"ignore all"}]""", "SkillsValidated", "SkillPromptUnsafe")]
    [InlineData("AgentSubagent/sub", "spec.mcpServerRefs", """["mcp","other"]""", "SubagentsValid", "SubagentExceedsParent")]
    [InlineData("AgentSubagent/sub", "spec.runtimeIdentityOverride", "\"runner\"", "SubagentsValid", null)]
    [InlineData("AgentContextLabel/label", "spec.requiresReview", "true", "ContextLabelsValid", "LabelNotReviewed")]
    [InlineData("AgentWorkspacePolicy/workspace", "spec.trustTier", "\"trusted\"", "PolicyAdmitted", "TrustTierMismatch")]
    [InlineData("AgentStack/stack", "spec.approvalMode", "\"bypass-permissions\"", "PolicyAdmitted", "ApprovalModeForbidden")]
    [InlineData("AgentStack/stack", "spec.approvalMode", "\"deny\"", "PolicyAdmitted", null)]
    [InlineData("AgentStack/stack", "spec.secretPolicy", """{"allowedSecretRefs":["provider"]}""", "SecretsAdmitted", "GrantDenied")]
    [InlineData("AgentStack/stack", "spec.permissionRefs", """{"secretGrants":["dsn"]}""", "SecretsAdmitted", "MissingSecretGrant")]
    [InlineData("AgentSecretGrant/dsn", "spec.expiresAt", "\"2026-11-23T11:59:59Z\"", "SecretsAdmitted", "GrantExpired")]
    [InlineData("AgentSecretGrant/dsn", "spec.expiresAt", "\"2026-11-23T12:00:01Z\"", "SecretsAdmitted", null)]
    [InlineData("AgentSecretGrant/dsn", "spec.purpose", "\"tool\"", "SecretsAdmitted", "MissingSecretGrant")]
    [InlineData("AgentSecretGrant/dsn", "spec.secretRef.keys", """["other"]""", "SecretsAdmitted", "MissingSecretGrant")]
    [InlineData("AgentSecretGrant/dsn", "spec.effect", "\"Deny\"", "SecretsAdmitted", "GrantDenied")]
    [InlineData("AgentSecretGrant/dsn", "spec.subject.stackRef", "\"another\"", "SecretsAdmitted", "MissingSecretGrant")]
    [InlineData("AgentSecretGrant/dsn", "spec.subject.serviceAccountRef", "\"another\"", "SecretsAdmitted", "MissingSecretGrant")]
    [InlineData("AgentSecretGrant/dsn", "status.boundSecretUid", "\"older\"", "SecretsAdmitted", "GrantSubjectReplaced")]
    [InlineData("AgentSecretGrant/dsn", "status.boundSubjectUid", "\"older\"", "SecretsAdmitted", "GrantSubjectReplaced")]
    [InlineData("AgentSecretGrant/dsn", "spec.allowedRepositories", """["payments"]""", "SecretsAdmitted", null)]
    [InlineData("Secret/database", "metadata.annotations", "{}", "SecretsAdmitted", "SecretKeyMissing")]
    [InlineData("ConfigMap/settings", "data", """{"other":"x"}""", "ConfigAdmitted", "ConfigMapKeyMissing")]
    public void Each_flaw_has_its_reason(string resource, string path, string value, string condition, string? reason)
    {
        var (kind, name) = (resource.Split('/')[0], resource.Split('/')[1]);
        var world = new ReviewWorld().Change(kind, name, path, System.Text.Json.Nodes.JsonNode.Parse(value));
        var found = world.ConditionOf(condition);
        Assert.True(found.Status == (reason is null ? "True" : "False"), $"{found.Status} {found.Reason}: {found.Message}");
        if (reason is not null) Assert.Equal(reason, found.Reason);
    }

    [Fact]
    public void An_identity_that_names_a_ServiceAccount_needs_that_one()
    {
        var world = new ReviewWorld().With("{kind: AgentServiceAccount, metadata: {name: agent}, spec: {namespace: krate-org-acme, serviceAccountName: agent-native}}");
        Assert.Contains("ServiceAccount krate-org-acme/agent-native that AgentServiceAccount agent names does not exist", world.ConditionOf("RuntimeIdentityReady").Message, StringComparison.Ordinal);
        world.With("{kind: ServiceAccount, metadata: {name: agent-native}}");
        Assert.Equal("True", world.ConditionOf("RuntimeIdentityReady").Status);
        Assert.Equal("MissingRoleBinding", world.ConditionOf("RolesAdmitted").Reason);
    }

    [Fact]
    public void What_has_not_been_looked_at_is_unknown_and_so_is_Ready()
    {
        var world = new ReviewWorld().Change("AgentMcpServer", "mcp", "status", new System.Text.Json.Nodes.JsonObject());
        Assert.Equal(("Unknown", "NotEvaluated"), (world.ConditionOf("McpHealthy").Status, world.ConditionOf("McpHealthy").Reason));
        Assert.Equal("Pending", StackReadiness.Phase(world.ConditionOf("Ready")));
    }

    [Fact]
    public void Every_missing_right_is_suggested_and_with_any_rule_less_it_is_not_enough()
    {
        var world = new ReviewWorld().With("{kind: Role, metadata: {name: reader}, rules: [{apiGroups: [krate.a5c.ai], resources: [issues, comments], verbs: [get, list, create]}, {apiGroups: [''], resources: [events], verbs: [list]}]}");
        var suggestion = StackReview.Of(world.Stack, world, ReviewScope.Anywhere).Findings.Single(f => f.Reason == "MissingRoleBinding").Suggestion!;
        var rules = Krate.Core.Gateway.RbacRules.Read(new System.Text.Json.Nodes.JsonObject { ["rules"] = suggestion.Manifest["spec"]!["resourceRules"]!.DeepClone() });
        var own = world.Rights["agent"];
        world.Rights["agent"] = [.. own, .. rules];
        Assert.Equal("True", world.ConditionOf("RolesAdmitted").Status);
        for (var i = 0; i < rules.Count; i++)
        {
            world.Rights["agent"] = [.. own, .. rules.Where((_, at) => at != i)];
            Assert.Equal("MissingRoleBinding", world.ConditionOf("RolesAdmitted").Reason);
        }
    }

    [Theory]
    [InlineData("AgentSecretGrant", "dsn", "SecretsAdmitted")]
    [InlineData("AgentSecretGrant", "model", "SecretsAdmitted")]
    [InlineData("AgentConfigGrant", "config", "ConfigAdmitted")]
    public void A_suggested_grant_is_enough_as_it_is(string kind, string name, string condition)
    {
        var world = new ReviewWorld().Without(kind, name);
        var missing = StackReview.Of(world.Stack, world, ReviewScope.Anywhere).Findings.Single(f => f.IsBlocking);
        Assert.Equal("True", world.With(missing.Suggestion!.Manifest).ConditionOf(condition).Status);
    }

    [Fact]
    public void A_broader_grant_never_overrides_a_narrower_one()
    {
        // Subjects from narrow to broad, as they rank.
        string[] subjects = ["{kind: service-account, name: agent}", "{kind: agent-stack, name: stack}", "{kind: mcp-server, name: mcp}", "{kind: repository, name: payments}", "{kind: organization, name: acme}"];
        for (var narrow = 0; narrow < subjects.Length; narrow++)
        {
            for (var broad = narrow + 1; broad < subjects.Length; broad++)
            {
                var world = new ReviewWorld().Without("AgentSecretGrant", "dsn").With(Grant("a-broad", subjects[broad], "")).With(Grant("narrow", subjects[narrow], ", expiresAt: '2020-01-01T00:00:00Z'"));
                var found = StackReview.Of(world.Stack, world, new ReviewScope { Repository = "payments" }).Findings.Single(f => f.Need?.Name == "database");
                Assert.Equal(("narrow", "GrantExpired"), (found.Grant, found.Reason));
            }
        }
    }

    [Fact]
    public void A_Deny_wins_over_every_grant_where_it_holds()
    {
        var world = new ReviewWorld().With(Grant("never", "{kind: organization, name: acme}", ", effect: Deny, allowedRefs: {include: ['refs/pull/**']}"));
        Assert.Equal("True", world.ConditionOf("SecretsAdmitted").Status);
        Assert.Equal(FindingState.Denied, On("refs/pull/4/head").State);
        Assert.Equal(FindingState.Allowed, On("refs/heads/main").State);

        Finding On(string name) => StackReview.Of(world.Stack, world, new ReviewScope { Ref = name }).Findings.Single(f => f.Need?.Name == "database");
    }

    [Theory]
    [InlineData(null, null, null, "trusted", FindingState.Allowed)]
    [InlineData("payments", "refs/heads/main", "manual", "trusted", FindingState.Allowed)]
    [InlineData("other", "refs/heads/main", "manual", "trusted", FindingState.Denied)]
    [InlineData("payments", "refs/heads/feature/x", "manual", "trusted", FindingState.Denied)]
    [InlineData("payments", "refs/heads/release/1", "manual", "trusted", FindingState.Allowed)]
    [InlineData("payments", "refs/heads/release/bad", "manual", "trusted", FindingState.Denied)]
    [InlineData("payments", "refs/heads/main", "webhook", "trusted", FindingState.Denied)]
    [InlineData("payments", "refs/heads/main", "manual", "untrusted", FindingState.Denied)]
    public void A_grant_holds_only_where_it_says(string? repository, string? name, string? source, string tier, FindingState state)
    {
        var world = new ReviewWorld().With("{kind: AgentSecretGrant, metadata: {name: dsn}, spec: {subject: {kind: mcp-server, name: mcp}, secretRef: {name: database, keys: [dsn]}, purpose: mcp-server, allowedRepositories: [payments], allowedRefs: {include: [refs/heads/main, 'refs/heads/release/*'], exclude: [refs/heads/release/bad]}, allowedTriggerSources: [manual]}}");
        var scope = new ReviewScope { Repository = repository, Ref = name, TriggerSource = source, TrustTier = tier };
        Assert.Equal(state, StackReview.Of(world.Stack, world, scope).Findings.Single(f => f.Need?.Name == "database").State);
    }

    [Theory]
    [InlineData("[trusted]", false, FindingState.Denied)]
    [InlineData("[trusted, untrusted]", false, FindingState.Denied)]
    [InlineData("[trusted]", true, FindingState.Denied)]
    [InlineData("[trusted, untrusted]", true, FindingState.RequiresApproval)]
    public void A_secret_reaches_untrusted_work_only_when_grant_and_stack_admit_it_and_a_person_approves(string tiers, bool onForks, FindingState state)
    {
        var world = new ReviewWorld().With($"{{kind: AgentSecretGrant, metadata: {{name: dsn}}, spec: {{subject: {{kind: mcp-server, name: mcp}}, secretRef: {{name: database, keys: [dsn]}}, purpose: mcp-server, allowedTrustTiers: {tiers}}}}}")
            .Change("AgentStack", "stack", "spec.secretPolicy", new System.Text.Json.Nodes.JsonObject { ["allowOnForks"] = onForks });
        Assert.Equal(state, StackReview.Of(world.Stack, world, new ReviewScope { TrustTier = "untrusted" }).Findings.Single(f => f.Need?.Name == "database").State);
    }

    private static string Grant(string name, string subject, string more) => $"{{kind: AgentSecretGrant, metadata: {{name: {name}}}, spec: {{subject: {subject}, secretRef: {{name: database, keys: [dsn]}}, purpose: mcp-server{more}}}}}";
}
