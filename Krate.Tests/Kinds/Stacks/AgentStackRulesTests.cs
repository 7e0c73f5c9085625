using System.Text.Json.Nodes;
using Krate.Core.Kinds;
using Krate.Core.Kinds.Stacks;
using Krate.Core.Resources;
using Xunit;

namespace Krate.Tests.Kinds.Stacks;

public sealed class AgentStackRulesTests
{
    private const string Ns = "krate-org-acme";

    private const string Full = """
        {"organizationRef": "acme", "baseAgent": "claude-code", "adapter": "agent-mux.claude-code", "approvalMode": "prompt",
         "runtimeIdentity": {"serviceAccountRef": "agent"}, "toolProfileRef": "tools", "mcpServerRefs": ["mcp-1", "mcp-2"], "skillRefs": ["skill"],
         "subagentRefs": ["sub"], "contextLabelRefs": ["label"], "workspacePolicyRef": "workspace", "runnerPool": "pool",
         "permissionRefs": {"roleBindings": ["binding"], "secretGrants": ["grant"], "configGrants": ["config"]}}
        """;

    private const string Bare = """{"organizationRef": "acme", "baseAgent": "codex", "adapter": "agent-mux.codex", "runtimeIdentity": {"serviceAccountRef": "agent"}}""";

    private static readonly string[] Everything =
    [
        "ServiceAccount/agent", "AgentToolProfile/tools", "AgentMcpServer/mcp-1", "AgentMcpServer/mcp-2", "AgentSkill/skill", "AgentSubagent/sub", "AgentContextLabel/label",
        "AgentWorkspacePolicy/workspace", "RunnerPool/pool", "AgentRoleBinding/binding", "AgentSecretGrant/grant", "AgentConfigGrant/config", "Secret/token", "ConfigMap/rules",
    ];

    [Fact]
    public void All_conditions_are_always_there_in_the_order_of_the_specification() =>
        Assert.Equal(
            ["CapabilitiesResolved", "RuntimeIdentityReady", "RolesAdmitted", "SecretsAdmitted", "ConfigAdmitted", "ToolsAdmitted", "McpHealthy", "SkillsValidated", "SubagentsValid", "ContextLabelsValid", "PolicyAdmitted", "Ready"],
            Evaluate(Bare, []).Select(c => c.Type));

    [Theory]
    [InlineData("ServiceAccount/agent", "RuntimeIdentityReady", "MissingServiceAccount", "ServiceAccount krate-org-acme/agent does not exist (kubectl create serviceaccount agent -n krate-org-acme makes it).")]
    [InlineData("AgentRoleBinding/binding", "RolesAdmitted", "MissingRoleBinding", "AgentRoleBinding krate-org-acme/binding does not exist.")]
    [InlineData("AgentSecretGrant/grant", "SecretsAdmitted", "MissingSecretGrant", "AgentSecretGrant krate-org-acme/grant does not exist.")]
    [InlineData("Secret/token", "SecretsAdmitted", "SecretMissing", "AgentSecretGrant grant names Secret krate-org-acme/token, which does not exist.")]
    [InlineData("AgentConfigGrant/config", "ConfigAdmitted", "MissingConfigGrant", "AgentConfigGrant krate-org-acme/config does not exist.")]
    [InlineData("ConfigMap/rules", "ConfigAdmitted", "ConfigMapMissing", "AgentConfigGrant config names ConfigMap krate-org-acme/rules, which does not exist.")]
    [InlineData("AgentToolProfile/tools", "ToolsAdmitted", "ToolProfileMissing", "AgentToolProfile krate-org-acme/tools does not exist.")]
    [InlineData("AgentMcpServer/mcp-2", "McpHealthy", "McpServerMissing", "AgentMcpServer krate-org-acme/mcp-2 does not exist.")]
    [InlineData("AgentSkill/skill", "SkillsValidated", "SkillMissing", "AgentSkill krate-org-acme/skill does not exist.")]
    [InlineData("AgentSubagent/sub", "SubagentsValid", "SubagentMissing", "AgentSubagent krate-org-acme/sub does not exist.")]
    [InlineData("AgentContextLabel/label", "ContextLabelsValid", "ContextLabelMissing", "AgentContextLabel krate-org-acme/label does not exist.")]
    [InlineData("AgentWorkspacePolicy/workspace", "PolicyAdmitted", "WorkspacePolicyMissing", "AgentWorkspacePolicy krate-org-acme/workspace does not exist.")]
    [InlineData("RunnerPool/pool", "PolicyAdmitted", "RunnerPoolMissing", "RunnerPool krate-org-acme/pool does not exist.")]
    public void One_missing_thing_makes_exactly_its_condition_and_Ready_false_and_both_name_it(string missing, string type, string reason, string message)
    {
        var conditions = Evaluate(Full, Everything.Except([missing]));
        Assert.Equal([type, "Ready"], conditions.Where(c => c.Status == "False").Select(c => c.Type));
        Assert.All(conditions.Where(c => c.Status == "False"), c => Assert.Equal((reason, message), (c.Reason, c.Message)));
        Assert.Equal("Blocked", AgentStackRules.Phase(conditions[^1]));
    }

    [Fact]
    public void With_everything_there_what_is_not_evaluated_stays_unknown_and_so_does_Ready()
    {
        var conditions = Evaluate(Full, Everything);
        Assert.Equal(["RuntimeIdentityReady", "ContextLabelsValid"], conditions.Where(c => c.Status == "True").Select(c => c.Type));
        Assert.All(conditions.Where(c => c.Status != "True"), c => Assert.Equal(("Unknown", "NotEvaluated"), (c.Status, c.Reason)));
        Assert.Equal("Pending", AgentStackRules.Phase(conditions[^1]));
    }

    [Fact]
    public void What_a_stack_does_not_name_it_does_not_need() =>
        Assert.Equal(
            ["ToolsAdmitted", "McpHealthy", "SkillsValidated", "SubagentsValid", "ContextLabelsValid"],
            Evaluate(Bare, ["ServiceAccount/agent"]).Where(c => c is { Status: "True", Reason: "NoneRequired" }).Select(c => c.Type));

    [Fact]
    public void Ready_says_everything_that_is_missing()
    {
        var ready = Evaluate(Full, []).Single(c => c.Type == "Ready");
        Assert.Equal("MissingServiceAccount", ready.Reason);
        foreach (var name in (string[])["agent", "binding", "grant", "config", "tools", "mcp-1", "mcp-2", "skill", "sub", "label", "workspace"])
            Assert.Contains($"krate-org-acme/{name} ", ready.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_identity_that_names_a_ServiceAccount_needs_that_one()
    {
        const string Identity = """{"spec": {"serviceAccountName": "agent-native"}}""";
        Assert.Contains("ServiceAccount krate-org-acme/agent-native that AgentServiceAccount agent names does not exist", Identify(["ServiceAccount/agent"]).Message, StringComparison.Ordinal);
        Assert.Equal("True", Identify(["ServiceAccount/agent-native"]).Status);

        Condition Identify(string[] there) => Evaluate(Bare, there, (kind, _) => kind == "AgentServiceAccount" ? Identity : null).Single(c => c.Type == "RuntimeIdentityReady");
    }

    [Theory]
    [InlineData("never", "False")]
    [InlineData("bypass-permissions", "False")]
    [InlineData("prompt", "Unknown")]
    [InlineData("deny", "Unknown")]
    public void An_approval_mode_that_never_asks_is_forbidden(string mode, string status)
    {
        var policy = Evaluate(Full.Replace("\"prompt\"", $"\"{mode}\"", StringComparison.Ordinal), Everything).Single(c => c.Type == "PolicyAdmitted");
        Assert.Equal(status, policy.Status);
        if (status == "False") Assert.Equal("ApprovalModeForbidden", policy.Reason);
    }

    [Theory]
    [InlineData("""{"spec": {"requiresReview": true}}""", "False")]
    [InlineData("""{"spec": {"requiresReview": true}, "status": {"phase": "Rejected"}}""", "False")]
    [InlineData("""{"spec": {"requiresReview": true}, "status": {"phase": "Reviewed"}}""", "True")]
    [InlineData("""{"spec": {"requiresReview": false}}""", "True")]
    public void A_label_that_must_be_reviewed_blocks_until_it_is(string label, string status) =>
        Assert.Equal(status, Evaluate(Full, Everything, (kind, _) => kind == "AgentContextLabel" ? label : null).Single(c => c.Type == "ContextLabelsValid").Status);

    private static IReadOnlyList<Condition> Evaluate(string spec, IEnumerable<string> there, Func<string, string, string?>? special = null)
    {
        var all = there.ToHashSet();
        var stack = Make("AgentStack", "stack", new JsonObject { ["spec"] = JsonNode.Parse(spec) });
        return AgentStackRules.Evaluate(stack, (kind, name) =>
        {
            if (special?.Invoke(kind, name) is { } body) return Make(kind, name, JsonNode.Parse(body)!.AsObject());
            if (!all.Contains($"{kind}/{name}")) return null;
            return kind switch
            {
                "AgentSecretGrant" => Make(kind, name, new JsonObject { ["spec"] = new JsonObject { ["secretRef"] = new JsonObject { ["name"] = "token" } } }),
                "AgentConfigGrant" => Make(kind, name, new JsonObject { ["spec"] = new JsonObject { ["configMapRef"] = new JsonObject { ["name"] = "rules" } } }),
                _ => Make(kind, name, []),
            };
        });
    }

    private static Resource Make(string kind, string name, JsonObject body)
    {
        body["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = Ns };
        return new Resource(KindTable.Catalog[kind], body);
    }
}
