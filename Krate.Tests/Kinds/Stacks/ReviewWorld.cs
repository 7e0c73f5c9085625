using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Kinds;
using Krate.Core.Kinds.Review;
using Krate.Core.Resources;

namespace Krate.Tests.Kinds.Stacks;

/// <summary>The facts of a review as a list of documents, defaulted as admission does it.</summary>
internal sealed class ReviewWorld : IReviewFacts
{
    public const string Ns = "krate-org-acme";

    /// <summary>A stack that uses one of everything, and all that it needs.</summary>
    public const string Complete = """
        {kind: AgentStack, metadata: {name: stack}, spec: {organizationRef: acme, baseAgent: claude-code, adapter: agent-mux.claude-code, provider: anthropic, approvalMode: prompt, runtimeIdentity: {serviceAccountRef: agent},
          toolProfileRef: tools, mcpServerRefs: [mcp], skillRefs: [skill], subagentRefs: [sub], contextLabelRefs: [label], workspacePolicyRef: workspace, runnerPool: pool}}
        ---
        {kind: ServiceAccount, metadata: {name: agent}}
        ---
        {kind: AgentAdapter, metadata: {name: agent-mux.claude-code}, spec: {adapterType: claude-code, transport: acp-stdio}, status: {conditions: [{type: Ready, status: "True", reason: Ready, message: ok}]}}
        ---
        {kind: AgentProviderConfig, metadata: {name: anthropic}, spec: {provider: anthropic, authType: key, secretRef: {name: provider, key: api-key}}}
        ---
        {kind: AgentToolProfile, metadata: {name: tools}, spec: {filesystemPolicy: repo-write, approvalPolicyByTool: {shell: prompt}, requiredRoles: [reader], nativeTools: {shell: true}}}
        ---
        {kind: AgentMcpServer, metadata: {name: mcp}, spec: {transport: stdio, scope: stack, secretRefs: [{name: database, key: dsn}], configMapRefs: [{name: settings, key: rules}]}, status: {health: Ready, conditions: [{type: Ready, status: "True", reason: Ready, message: ok}]}}
        ---
        {kind: AgentSkill, metadata: {name: skill}, spec: {format: inline, promptFragment: Be brief, requiredMcpServers: [mcp], requiredTools: [shell]}, status: {conditions: [{type: Ready, status: "True", reason: Ready, message: ok}]}}
        ---
        {kind: AgentSubagent, metadata: {name: sub}, spec: {rolePrompt: Test, taskKinds: [validation], toolRefs: [tools], mcpServerRefs: [mcp]}}
        ---
        {kind: AgentContextLabel, metadata: {name: label}, spec: {promptFragment: Hello, allowedSources: [issue]}}
        ---
        {kind: AgentWorkspacePolicy, metadata: {name: workspace}, spec: {mode: isolated-worktree}}
        ---
        {kind: RunnerPool, metadata: {name: pool}, spec: {trustTier: untrusted, serviceAccountRef: runner}}
        ---
        {kind: ServiceAccount, metadata: {name: runner}}
        ---
        {kind: Role, metadata: {name: reader}, rules: [{apiGroups: [krate.a5c.ai], resources: [issues], verbs: [get, list]}]}
        ---
        {kind: Secret, metadata: {name: provider, uid: s1, annotations: {krate.a5c.ai/secret-keys: '{"api-key":{"size":9,"version":1}}'}}}
        ---
        {kind: Secret, metadata: {name: database, uid: s2, annotations: {krate.a5c.ai/secret-keys: '{"dsn":{"size":9,"version":1}}'}}}
        ---
        {kind: ConfigMap, metadata: {name: settings, uid: c1}, data: {rules: none}}
        ---
        {kind: AgentSecretGrant, metadata: {name: model}, spec: {subject: {kind: agent-stack, name: stack}, secretRef: {name: provider, keys: [api-key]}, purpose: model-provider-token}}
        ---
        {kind: AgentSecretGrant, metadata: {name: dsn}, spec: {subject: {kind: mcp-server, name: mcp, stackRef: stack}, secretRef: {name: database, keys: [dsn]}, purpose: mcp-server}}
        ---
        {kind: AgentConfigGrant, metadata: {name: config}, spec: {subject: {kind: mcp-server, name: mcp}, configMapRef: {name: settings, keys: [rules]}, purpose: mcp-config}}
        """;

    private readonly List<Resource> all;

    public ReviewWorld(string documents = Complete) => all = [.. documents.Split("\n---\n").Select(Read)];

    public DateTimeOffset Now { get; set; } = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);

    /// <summary>What each ServiceAccount may.</summary>
    public Dictionary<string, PolicyRule[]> Rights { get; } = new() { ["agent"] = [new(["get", "list"], [WellKnown.ApiGroup], ["issues"], [], [])] };

    public Resource Stack => Find("AgentStack", "stack")!;

    public Resource? Find(string kind, string reference) => all.Find(r => r.Kind.Kind == kind && r.Name == reference);

    public IReadOnlyList<Resource> Grants(string kind, string name) =>
        [.. all.Where(r => r.Kind.Kind == kind && r.Body.Text(kind == "AgentSecretGrant" ? "spec.secretRef.name" : "spec.configMapRef.name") == name)];

    public IReadOnlyList<Resource> RoleBindings(string stack, string serviceAccount) =>
        [.. all.Where(r => r.Kind.Kind == "AgentRoleBinding" && (r.Body.Text("spec.subject.name") == stack || r.Body.Text("spec.subject.name") == serviceAccount))];

    public IReadOnlyList<PolicyRule> RulesOf(string serviceAccount) => Rights.GetValueOrDefault(serviceAccount, []);

    public (string Kind, IReadOnlyList<PolicyRule> Rules)? Role(string name) => Find("Role", name) is { } role ? ("Role", RbacRules.Read(role.Body)) : null;

    public ReviewWorld Without(string kind, string name)
    {
        if (all.RemoveAll(r => r.Kind.Kind == kind && r.Name == name) == 0) throw new ArgumentException($"there is no {kind} {name}", nameof(name));
        return this;
    }

    public ReviewWorld With(string document) => With(Read(document).Body);

    /// <summary>In place of the one of its name.</summary>
    public ReviewWorld With(JsonObject document)
    {
        var added = Read(Yaml.Write(document));
        all.RemoveAll(r => r.Kind.Kind == added.Kind.Kind && r.Name == added.Name);
        all.Add(added);
        return this;
    }

    public ReviewWorld Change(string kind, string name, string path, JsonNode? value)
    {
        var document = Find(kind, name)!.Edit();
        document.Set(path, value);
        return With(document);
    }

    public IReadOnlyList<Condition> Conditions() => StackReadiness.Conditions(StackReview.Of(Stack, this, ReviewScope.Anywhere).Findings);

    public Condition ConditionOf(string type) => Conditions().Single(c => c.Type == type);

    private static Resource Read(string document)
    {
        var body = Yaml.ParseObject(document);
        var kind = KindTable.Catalog[body.Text("kind")!];
        kind.Default?.Invoke(body);
        if (kind.IsNamespaced) body.Child("metadata")["namespace"] = Ns;
        return new Resource(kind, body);
    }
}
