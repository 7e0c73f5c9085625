using System.Globalization;
using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Kinds.Grants;
using Krate.Core.Resources;
using Krate.Web.Components;
using Krate.Web.Features.Resources;

namespace Krate.Web.Features.Registries;

/// <summary>The kinds that stacks are put together from: what their lists and forms show. A kind more is an entry more.</summary>
public static class Registries
{
    private static readonly string[] NativeTools = ["shell", "filesystem", "browser", "codeSearch", "git", "testRunner", "packageManager"];
    private static readonly (string, string)[] KeyParts = [("name", "Name"), ("key", "Key")];

    private static readonly (string, string)[] SourceParts =
        [("name", "Variable or header"), ("secretRef.name", "Secret"), ("secretRef.key", "Key"), ("configMapRef.name", "or ConfigMap"), ("configMapRef.key", "Key")];

    /// <summary>In the order of the rail.</summary>
    public static IReadOnlyList<Registry> All { get; } =
    [
        new("AgentToolProfile", "tools", "Tools", "tool profile")
        {
            Columns =
            [
                new("Files", r => Text(r, "spec.filesystemPolicy")),
                new("Tools", r => Joined(NativeTools.Where(t => r.Body.Flag("spec.nativeTools." + t)))),
                new("Commands", r => new($"{r.Body.Texts("spec.allowedCommands").Count()} allowed", $"{r.Body.Texts("spec.deniedCommands").Count()} denied")),
                new("Network", r => r.Body.Text("spec.networkPolicy.default") == "allow" ? ListCell.Of(new("Every host", "warn", Lucide.TriangleAlert)) : new(Count(r.Body.Texts("spec.networkPolicy.allowHosts").Count(), "host", "no host"))),
            ],
            Form =
            [
                new("Tools of the agent", [.. NativeTools.Select(t => new FormField("nativeTools." + t, t))]),
                new("When a tool is used", new FormField("approvalPolicyByTool", "When a tool is used") { Keys = NativeTools }),
                new(null, new("filesystemPolicy", "Files"), new("networkPolicy.default", "Network, for hosts not listed"), new("auditLevel", "Kept of each call")),
                new(null, new("networkPolicy.allowHosts", "Hosts that may be reached") { Rows = 3, Help = "One a line; * stands for one label." }, new("allowedCommands", "Commands without a question") { Rows = 3, Help = "One a line: first words or a pattern." }, new("deniedCommands", "Commands that are refused") { Rows = 3, Help = "They win over the allowed ones." }),
                new(null, new FormField("requiredRoles", "Roles that the identity must have, one a line") { Rows = 2 }),
                new(null, new FormField("requiredSecretRefs", "Secrets that the tools need") { Parts = KeyParts }),
                new(null, new FormField("requiredConfigRefs", "ConfigMaps that the tools need") { Parts = KeyParts }),
            ],
        },
        new("AgentMcpServer", "mcp", "MCP servers", "MCP server")
        {
            Columns =
            [
                new("Reached by", r => Text(r, "spec.transport", r.Body.Text("spec.url") ?? string.Join(' ', r.Body.Texts("spec.args").Prepend(r.Body.Text("spec.command") ?? "")))),
                new("Health", r => ListCell.Of(McpState.Health(r))),
                new("Tools", r => r.Body.At("status.discoveredTools") is JsonArray tools ? new(tools.Count.ToString(CultureInfo.InvariantCulture), McpState.ReviewWords(r)) : null),
                new("One for each", r => Text(r, "spec.scope")),
            ],
            Looked = ["transport", "command", "args", "url", "envFrom", "headersFrom"],
            Panel = typeof(McpPanel),
            Form =
            [
                new(null, new FormField("transport", "Reached by"), new("scope", "One instance for each")),
                new(null, new("command", "Program") { When = IsStdio }, new("args", "Its arguments, one a line") { Rows = 3, When = IsStdio }, new("url", "Address") { When = d => !IsStdio(d) }),
                new(null, new FormField("envFrom", "Environment variables") { Parts = SourceParts, When = IsStdio }),
                new(null, new FormField("headersFrom", "Headers") { Parts = SourceParts, When = d => !IsStdio(d) }),
                new(null, new FormField("secretRefs", "Secrets that it needs") { Parts = KeyParts }),
                new(null, new FormField("configMapRefs", "ConfigMaps that it needs") { Parts = KeyParts }),
                new(null, new FormField("approvalPolicy.requireFor", "A person is asked for, one a line") { Rows = 2 }),
                new(null, new FormField("allowedAgentStacks", "Stacks that may use it; all when none is chosen")),
            ],
        },
        new("AgentSkill", "skills", "Skills", "skill")
        {
            Columns =
            [
                new("Source", r => Text(r, "spec.format", r.Body.Text("spec.sourceRef.repository") is { Length: > 0 } repository ? $"{repository}: {r.Body.Text("spec.sourceRef.path")}" : null)),
                new("Version", r => Text(r, "spec.version")),
                new("Commit", r => r.Body.Text("status.resolvedCommit") is { Length: >= 12 } commit ? new(commit[..12]) { IsCode = true } : null),
                new("Validation", r => Text(r, "status.validation")),
            ],
            Looked = ["format", "sourceRef", "promptFragment"],
            Panel = typeof(SkillPanel),
            Form =
            [
                new(null, new FormField("description", "What it is for") { Rows = 2 }),
                new(null, new FormField("format", "Source") { Help = "A directory has a SKILL.md; inline is the text below." }, new("version", "Version")),
                new(null, new("sourceRef.repository", "Repository") { When = d => !IsInline(d) }, new("sourceRef.path", "Path") { When = d => !IsInline(d) }, new("sourceRef.ref", "Branch, tag or commit") { When = d => !IsInline(d) }),
                new(null, new FormField("promptFragment", "Text for the prompt; it grants nothing") { Rows = 5 }),
                new(null, new("requiredTools", "Tools that it needs, one a line") { Rows = 2 }, new("taskKinds", "Kinds of task; all when empty") { Rows = 2 }),
                new(null, new FormField("requiredMcpServers", "MCP servers that it needs")),
                new(null, new FormField("requiredSecretRefs", "Secrets that it needs") { Parts = KeyParts }),
                new(null, new FormField("requiredConfigRefs", "ConfigMaps that it needs") { Parts = KeyParts }),
                new(null, new FormField("allowedAgentStacks", "Stacks that may use it; all when none is chosen")),
            ],
        },
        new("AgentSubagent", "subagents", "Subagents", "subagent")
        {
            Columns =
            [
                new("Tasks", r => Joined(r.Body.Texts("spec.taskKinds"))),
                new("Model", r => Text(r, "spec.modelOverride") ?? new("the stack's")),
                new("Workspace", r => Text(r, "spec.workspaceScope", r.Body.Text("spec.contextPolicy"))),
                new("Parts", r => Joined(new[] { ("toolRefs", "tool profile"), ("mcpServerRefs", "MCP server"), ("skillRefs", "skill") }.Select(p => (Of: r.Body.Texts("spec." + p.Item1).Count(), p.Item2)).Where(p => p.Of > 0).Select(p => Count(p.Of, p.Item2)))),
            ],
            Form =
            [
                new(null, new FormField("description", "What it is for; the parent chooses by it") { Rows = 2 }),
                new(null, new FormField("rolePrompt", "Instructions that make up its role; they grant nothing") { Rows = 5 }),
                new(null, new FormField("taskKinds", "Kinds of task")),
                new(null, new("modelOverride", "Model, if not the stack's"), new("runtimeIdentityOverride", "Identity, if not the stack's"), new("maxParallelTasks", "Tasks at the same time")),
                new(null, new("workspaceScope", "Sees of the workspace"), new("contextPolicy", "Sees of the context"), new("outputContract.format", "Answers in")),
                new(null, new FormField("outputContract.requiredSections", "Sections that the answer must have, one a line") { Rows = 2 }),
                new(null, new FormField("toolRefs", "Tool profiles")),
                new(null, new FormField("mcpServerRefs", "MCP servers")),
                new(null, new FormField("skillRefs", "Skills")),
            ],
        },
        new("AgentContextLabel", "context-labels", "Context labels", "context label")
        {
            Columns =
            [
                new("Review", r => ListCell.Of(LabelState.Of(r), r.Body.Text("status.reviewedBy"))),
                new("May be set by", r => Joined(r.Body.Texts("spec.allowedSources"))),
                new("Owner", r => Text(r, "spec.owner")),
            ],
            Looked = ["promptFragment"],
            Panel = typeof(LabelPanel),
            Form =
            [
                new(null, new("displayName", "Name for people"), new("owner", "Who is responsible for the text")),
                new(null, new FormField("promptFragment", "Text for the prompt; it grants nothing") { Rows = 5 }),
                new(null, new FormField("requiresReview", "Counts only after a review by somebody other than its author")),
                new(null, new FormField("allowedSources", "Where it may be set, one a line") { Rows = 3, Help = "issue, pull-request, manual ..." }),
                new(null, new FormField("allowedStacks", "Stacks that it works for; all when none is chosen")),
            ],
        },
        new("AgentWorkspacePolicy", "workspace-policies", "Workspace policies", "workspace policy")
        {
            Columns =
            [
                new("Workspace", r => Text(r, "spec.mode")),
                new("Starts from", r => Text(r, "spec.baseBranch") is { } branch ? branch with { IsCode = true } : null),
                new("Kept for", r => Text(r, "spec.retentionPolicy.keepFor", r.Body.Flag("spec.retentionPolicy.cleanupAfterMerge") ? "or until the merge" : null)),
                new("Trust", r => Text(r, "spec.trustTier")),
            ],
            Form =
            [
                new(null, new("mode", "Workspace"), new("trustTier", "For work that is") { Help = "Untrusted: from a fork, or by somebody who may not push." }),
                new(null, new("baseBranch", "New work starts from"), new("rebasePolicy", "When the base moves on")),
                new(null, new("retentionPolicy.keepFor", "Kept after its last use (72h, 7d)"), new("retentionPolicy.cleanupAfterMerge", "Goes when its branch has been merged")),
            ],
        },
        new("AgentAdapter", "adapters", "Adapters", "adapter")
        {
            Columns =
            [
                new("Agent", r => Text(r, "spec.adapterType")),
                new("Reached by", r => Text(r, "spec.transport", r.Body.Text("spec.command"))),
                new("Version", r => Text(r, "status.version")),
                new("Protocol", r => r.Body.Whole("status.capabilities.protocolVersion") is { } version ? new($"ACP {version}", r.Body.Text("status.capabilities.agentName")) : null),
            ],
            Looked = ["adapterType", "transport", "command", "args"],
            Panel = typeof(AdapterPanel),
            Form =
            [
                new(null, new FormField("adapterType", "Agent") { Offered = ["claude-code", "codex", "gemini", "opencode", "krate-diagnoser", "custom"] }, new("transport", "Reached by")),
                new(null, new("command", "Program, if not the agent's own"), new("args", "Its arguments, one a line") { Rows = 2 }),
                new(null, new FormField("environmentNames", "Environment variables that it may get, one a line") { Rows = 2 }),
            ],
        },
        new("AgentProviderConfig", "providers", "Model providers", "model provider")
        {
            Columns = [new("Provider", r => Text(r, "spec.provider")), new("Signs in by", r => Text(r, "spec.authType")), new("Credential", r => Text(r, "spec.secretRef.name", r.Body.Text("spec.secretRef.key")))],
            Form =
            [
                new(null, new FormField("provider", "Provider") { Offered = ["anthropic", "openai", "google", "openrouter"] }, new("authType", "Krate signs in by") { Offered = ["api-key", "oauth"] }),
                new(null, new("secretRef.name", "Secret with the credential"), new("secretRef.key", "Key of it")),
            ],
        },
        Grant("AgentSecretGrant", "secret-grants", "Secret grants", "secret grant", "secretRef", "Secret"),
        Grant("AgentConfigGrant", "config-grants", "Config grants", "config grant", "configMapRef", "ConfigMap"),
        new("Secret", "secrets", "Secrets", "secret")
        {
            Columns =
            [
                new("Keys", r => Joined(GrantedKeys.Of(r).Select(k => k.Name))),
                new("Oldest value", r => GrantedKeys.Of(r).Min(k => k.ChangedAt) is { } at ? new($"{at.UtcDateTime:yyyy-MM-dd}") : null),
                new("Type", r => r.Body.Text("type") is { } type and not "Opaque" ? new(type) : null),
            ],
            Form = [],
            Panel = typeof(SecretPanel),
        },
        new("AgentServiceAccount", "identities", "Identities", "identity")
        {
            Columns =
            [
                new("ServiceAccount", r => Text(r, "spec.serviceAccountName") is { } name ? name with { IsCode = true } : null),
                new("Owner", r => Text(r, "spec.owner.name", r.Body.Text("spec.owner.kind"))),
                new("Repositories", r => Joined(r.Body.Texts("spec.allowedRepositories")) ?? new("every one")),
                new("Pools", r => Joined(r.Body.Texts("spec.allowedRunnerPools")) ?? new("every one")),
            ],
            Panel = typeof(IdentityPanel),
            Form =
            [
                new(null, new FormField("serviceAccountName", "ServiceAccount that is kept in step"), new("namespace", "Its namespace") { Help = "The organization's own." }),
                new("Who is responsible", new FormField("owner.kind", "Kind") { Offered = ["Team", "User"] }, new("owner.name", "Name")),
                new(null, new FormField("allowedRepositories", "Repositories (none chosen: every one)")),
                new(null, new FormField("allowedRunnerPools", "Runner pools (none chosen: every one)")),
                new(null, new FormField("tokenAudience", "Tokens are for"), new("tokenExpirationSeconds", "Tokens last, in seconds") { Help = "600 to 86400." }, new("automountServiceAccountToken", "A token is put into every process")),
                new(null, new FormField("imagePullSecretRefs", "Secrets for pulling images")),
            ],
        },
        new("AgentRoleBinding", "role-bindings", "Role bindings", "role binding")
        {
            Columns =
            [
                new("Role", r => Text(r, "spec.roleRef.name", r.Body.Text("spec.roleRef.kind"))),
                new("For", r => Text(r, "spec.subject.name", r.Body.Text("spec.subject.kind"))),
                new("Where", r => new(r.Body.Text("spec.scope.name") is { Length: > 0 } name ? name : "everywhere", r.Body.Text("spec.scope.kind"))),
                new("Asked for by", r => Text(r, "status.requestedBy")),
            ],
            Panel = typeof(BindingPanel),
            Check = typeof(BindingCheck),
            Form =
            [
                new("Who", new FormField("subject.kind", "Kind"), new("subject.name", "Name"), new("subject.serviceAccountRef", "Acts as")),
                new("Role", new FormField("roleRef.kind", "Kind") { Help = "A template is narrowed to where it holds." }, new("roleRef.name", "Name") { Offered = RbacTemplates.Names }),
                new("Where", new FormField("scope.kind", "Kind"), new("scope.name", "Name") { When = d => d.Text("scope.kind") != "cluster" }),
                new(null, new FormField("escalationPolicy", "When it gives more than whoever asks holds") { Help = "deny gives nothing; require-admin-approval waits for somebody who may; allow-if-owner lets owners give templates." }, new("nativeRoleBindingName", "Name of the native binding, if not its own")),
            ],
        },
    ];

    /// <summary>What sets the two kinds of grant apart is what they speak of.</summary>
    private static Registry Grant(string kind, string path, string title, string word, string reference, string target) => new(kind, path, title, word)
    {
        Columns =
        [
            new("For", r => Text(r, "spec.subject.name", r.Body.Text("spec.subject.kind"))),
            new(target, r => Text(r, $"spec.{reference}.name", string.Join(", ", r.Body.Texts($"spec.{reference}.keys")) is { Length: > 0 } keys ? keys : "all keys")),
            new("Purpose", r => r.Body.Text("spec.effect") == "Deny" ? ListCell.Of(new("Deny", "bad", Lucide.Ban)) : Text(r, "spec.purpose")),
            new("Where", r => new(string.Join(", ", r.Body.Texts("spec.allowedRepositories")) is { Length: > 0 } only ? only : "every repository", string.Join(", ", r.Body.Texts("spec.allowedTrustTiers")))),
            new("Ends", r => r.Body.Text("spec.expiresAt") is { } end ? new(end[..Math.Min(10, end.Length)]) : null),
        ],
        Offering = [target],
        Form =
        [
            new("Who", new FormField("subject.kind", "Kind") { Offered = ["agent-stack", "service-account", "mcp-server", "skill", "tool", "model-provider", "subagent", "runner-pool", "repository", "team", "organization"] }, new("subject.name", "Name"),
                new("subject.stackRef", "Only within the stack"), new("subject.serviceAccountRef", "Only when it acts as")),
            new(null, new FormField($"{reference}.name", target) { Offered = [] }, new("purpose", "What for"), new("mountPolicy", "How it reaches the run")),
            new(null, new FormField($"{reference}.keys", "Keys") { From = (draft, shown) => [.. shown.Where(r => r.Kind.Kind == target && r.Name == draft.Text($"{reference}.name")).SelectMany(GrantedKeys.Of).Select(k => k.Name)] }),
            new("Where", new FormField("allowedRepositories", "Repositories (none chosen: every one)")),
            new(null, new("allowedRefs.include", "Refs, one a line") { Rows = 2, Help = "refs/heads/release/* for one level, ** for all; empty for every ref." }, new("allowedRefs.exclude", "But not these") { Rows = 2 }),
            new(null, new FormField("allowedTriggerSources", "Started by (none chosen: anything)")),
            new(null, new FormField("allowedTrustTiers", "Trust of the work")),
            new(null, [.. target == "Secret" ? [new FormField("requiredApproval", "A person approves")] : Array.Empty<FormField>(), new("effect", "Effect"), new("expiresAt", "Ends at") { Help = "2027-01-31T00:00:00Z; empty: it does not end by itself." }]),
        ],
    };

    public static Registry? Find(string path) => All.FirstOrDefault(r => r.Path == path);

    public static Registry? Of(KindDefinition kind) => All.FirstOrDefault(r => r.Kind == kind.Kind);

    private static bool IsStdio(ResourceDraft draft) => draft.Text("transport") is null or "stdio";

    private static bool IsInline(ResourceDraft draft) => draft.Text("format") == "inline";

    private static ListCell? Text(Resource resource, string path, string? more = null) =>
        resource.Body.Text(path) is { Length: > 0 } text ? new(text, more) : more is null ? null : new(more);

    private static ListCell? Joined(IEnumerable<string> texts) => string.Join(", ", texts) is { Length: > 0 } all ? new(all) : null;

    private static string Count(int of, string one, string none = "none") => of switch { 0 => none, 1 => "1 " + one, _ => string.Create(CultureInfo.InvariantCulture, $"{of} {one}s") };
}
