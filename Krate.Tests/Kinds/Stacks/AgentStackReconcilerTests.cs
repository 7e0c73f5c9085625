using System.Text.Json.Nodes;
using Krate.Core.Agents;
using Krate.Core.Gateway;
using Krate.Core.Resources;
using Krate.Tests.ControlPlane;
using Xunit;

namespace Krate.Tests.Kinds.Stacks;

public sealed class AgentStackReconcilerTests
{
    private const string Ns = "krate-org-acme";

    [Fact]
    public async Task Readiness_follows_what_the_stack_names_and_only_the_stacks_that_name_it()
    {
        await using var world = await ControlPlaneWorld.StartAsync(agents: ShellOnly);
        await world.ReadyOrganizationAsync();
        await AdapterAsync(world);
        await world.CreateAsync(Stack("uses", "agent", "tools"), Ns);
        await world.CreateAsync(Stack("other", "someone-else", "other-tools"), Ns);
        var stack = await world.UntilAsync("AgentStack", Ns, "uses", s => Reason(s, "RuntimeIdentityReady") == "MissingServiceAccount");
        Assert.Equal(("Blocked", "False", "MissingServiceAccount"), (stack.Body.Text("status.phase"), stack.FindCondition("Ready")!.Status, stack.FindCondition("Ready")!.Reason));
        Assert.Equal("etcd", stack.Body.Text("status.storage"));
        await world.UntilAsync("AgentStack", Ns, "other", s => Reason(s, "Ready") is not null);
        await world.EventuallyAsync(() => world.Runs.GetValueOrDefault($"AgentStack/{Ns}/other") >= 1, "no reconcile of the other stack");
        var others = world.Runs.GetValueOrDefault($"AgentStack/{Ns}/other");

        await world.CreateAsync("{apiVersion: v1, kind: ServiceAccount, metadata: {name: agent}}", Ns);
        await world.UntilAsync("AgentStack", Ns, "uses", s => Reason(s, "RuntimeIdentityReady") == "ServiceAccountFound");
        await world.CreateAsync("{apiVersion: krate.a5c.ai/v1alpha1, kind: AgentToolProfile, metadata: {name: tools}, spec: {filesystemPolicy: read-only, approvalPolicyByTool: {shell: prompt}}}", Ns);
        stack = await world.UntilAsync("AgentStack", Ns, "uses", s => s!.FindCondition("Ready")?.Status == "True");
        Assert.Equal("Ready", stack.Body.Text("status.phase"));
        await world.DeleteAsync("AgentToolProfile", Ns, "tools");
        stack = await world.UntilAsync("AgentStack", Ns, "uses", s => s!.FindCondition("Ready")?.Status == "False");
        Assert.Equal("ToolProfileMissing", Reason(stack, "Ready"));
        // Its own status write wakes it once more; nothing else may.
        Assert.InRange(world.Runs.GetValueOrDefault($"AgentStack/{Ns}/other"), others, others + 1);
    }

    [Fact]
    public async Task A_Secret_wakes_the_stack_whose_grant_names_it()
    {
        await using var world = await ControlPlaneWorld.StartAsync();
        await world.ReadyOrganizationAsync();
        await world.CreateAsync("{apiVersion: v1, kind: ServiceAccount, metadata: {name: agent}}", Ns);
        await world.CreateAsync("{apiVersion: krate.a5c.ai/v1alpha1, kind: AgentSecretGrant, metadata: {name: grant}, spec: {subject: {kind: agent-stack, name: uses}, secretRef: {namespace: krate-org-acme, name: key, keys: [api-key]}, purpose: model-provider-token}}", Ns);
        await world.CreateAsync(Stack("uses", "agent", null, "permissionRefs: {secretGrants: [grant]}"), Ns);
        await world.UntilAsync("AgentStack", Ns, "uses", s => Reason(s, "SecretsAdmitted") == "SecretMissing");
        await world.CreateAsync("{apiVersion: v1, kind: Secret, metadata: {name: key}, stringData: {api-key: not-really-a-key}}", Ns);
        await world.UntilAsync("AgentStack", Ns, "uses", s => Reason(s, "SecretsAdmitted") == "NoneRequired");
    }

    [Fact]
    public async Task What_a_stack_needs_is_written_down_follows_its_parts_and_goes_with_it()
    {
        await using var world = await ControlPlaneWorld.StartAsync();
        await world.ReadyOrganizationAsync();
        await world.CreateAsync("{apiVersion: v1, kind: ServiceAccount, metadata: {name: agent}}", Ns);
        await world.CreateAsync("{apiVersion: v1, kind: Secret, metadata: {name: database}, stringData: {dsn: host=db}}", Ns);
        await world.CreateAsync("{apiVersion: krate.a5c.ai/v1alpha1, kind: AgentMcpServer, metadata: {name: mcp}, spec: {transport: stdio, command: mcp, scope: stack, secretRefs: [{name: database, key: dsn}]}}", Ns);
        await world.CreateAsync(Stack("uses", "agent", null, "mcpServerRefs: [mcp]"), Ns);
        var needs = await world.UntilAsync("AgentCapabilityRequirement", Ns, "uses", r => r?.FindCondition("Ready")?.Reason == "MissingSecretGrant");
        var needed = needs.Body["spec"]!["requiredSecretRefs"]![0]!;
        Assert.Equal(("database", "dsn", "mcp", "mcp-server"), (needed.Text("name"), needed.Text("key"), needed.Text("mcpServerRef"), needed.Text("reason")));
        var missing = needs.Body["status"]!["missingGrants"]![0]!;
        Assert.Equal(("AgentSecretGrant", "uses-mcp-database-dsn"), (missing.Text("kind"), missing.Text("name")));

        await world.CreateAsync("{apiVersion: krate.a5c.ai/v1alpha1, kind: AgentSecretGrant, metadata: {name: grant}, spec: {subject: {kind: mcp-server, name: mcp}, secretRef: {name: database, keys: [dsn]}, purpose: mcp-server}}", Ns);
        await world.UntilAsync("AgentCapabilityRequirement", Ns, "uses", r => r?.FindCondition("Ready")?.Status == "True");
        await world.ChangeAsync("Secret", Ns, "database", d => { d["data"] = new JsonObject { ["dsn"] = null }; d["stringData"] = new JsonObject { ["other"] = "x" }; });
        await world.UntilAsync("AgentStack", Ns, "uses", s => Reason(s, "SecretsAdmitted") == "SecretKeyMissing");
        await world.DeleteAsync("AgentStack", Ns, "uses");
        await world.GoneAsync("AgentCapabilityRequirement", Ns, "uses");
    }

    [Fact]
    public async Task A_right_that_the_identity_gets_or_loses_wakes_its_stacks()
    {
        await using var world = await ControlPlaneWorld.StartAsync();
        await world.ReadyOrganizationAsync();
        await world.CreateAsync("{apiVersion: v1, kind: ServiceAccount, metadata: {name: agent}}", Ns);
        await world.CreateAsync("{apiVersion: krate.a5c.ai/v1alpha1, kind: AgentToolProfile, metadata: {name: tools}, spec: {filesystemPolicy: read-only, approvalPolicyByTool: {shell: prompt}, requiredRoles: [reader]}}", Ns);
        await world.CreateAsync(Stack("uses", "agent", "tools"), Ns);
        await world.UntilAsync("AgentStack", Ns, "uses", s => Reason(s, "RolesAdmitted") == "RoleMissing");
        await world.CreateAsync("{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: reader}, rules: [{apiGroups: [krate.a5c.ai], resources: [issues], verbs: [get]}]}", Ns);
        await world.UntilAsync("AgentStack", Ns, "uses", s => Reason(s, "RolesAdmitted") == "MissingRoleBinding");
        await world.CreateAsync("{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: reads}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}, subjects: [{kind: ServiceAccount, name: agent, namespace: krate-org-acme}]}", Ns);
        await world.UntilAsync("AgentStack", Ns, "uses", s => Reason(s, "RolesAdmitted") == "RoleHeld");
        await world.ChangeAsync("Role", Ns, "reader", d => d["rules"]![0]!["resources"] = new JsonArray("issues", "comments"));
        await world.UntilAsync("AgentStack", Ns, "uses", s => s!.FindCondition("RolesAdmitted")!.ObservedGeneration == s.Generation && Reason(s, "RolesAdmitted") == "RoleHeld");
        await world.DeleteAsync("RoleBinding", Ns, "reads");
        await world.UntilAsync("AgentStack", Ns, "uses", s => Reason(s, "RolesAdmitted") == "MissingRoleBinding");
    }

    [Fact]
    public async Task Another_organizations_part_counts_while_a_policy_shares_it_and_that_organization_agrees()
    {
        await using var world = await ControlPlaneWorld.StartAsync();
        await world.ReadyOrganizationAsync();
        await world.ReadyOrganizationAsync("other");
        await world.CreateAsync("{apiVersion: v1, kind: ServiceAccount, metadata: {name: agent}}", Ns);
        await world.CreateAsync("{apiVersion: krate.a5c.ai/v1alpha1, kind: AgentToolProfile, metadata: {name: tools}, spec: {filesystemPolicy: read-only, approvalPolicyByTool: {shell: prompt}}}", "krate-org-other");
        await world.CreateAsync("{apiVersion: krate.a5c.ai/v1alpha1, kind: OrgSharingPolicy, metadata: {name: share}, spec: {sourceOrg: other, targetOrg: acme, allowedRefs: [{kind: AgentToolProfile, name: tools}]}}", "krate-system");
        await world.AgreeAsync("other", "acme", "AgentToolProfile", "tools");
        await world.CreateAsync(Stack("uses", "agent", "tools@other"), Ns);
        await world.UntilAsync("AgentStack", Ns, "uses", s => Reason(s, "ToolsAdmitted") == "ToolsAdmitted");
        await world.ChangeAsync("Organization", "krate-system", "other", d => d.Child("spec").Remove("shares"));
        await world.UntilAsync("AgentStack", Ns, "uses", s => Reason(s, "ToolsAdmitted") == "ToolProfileMissing");
        await world.AgreeAsync("other", "acme", "AgentToolProfile", "tools");
        await world.UntilAsync("AgentStack", Ns, "uses", s => Reason(s, "ToolsAdmitted") == "ToolsAdmitted");
        await world.DeleteAsync("OrgSharingPolicy", "krate-system", "share");
        var stack = await world.UntilAsync("AgentStack", Ns, "uses", s => Reason(s, "ToolsAdmitted") == "ToolProfileMissing");
        Assert.Equal("AgentToolProfile tools@other is not shared with this organization or does not exist.", stack.FindCondition("ToolsAdmitted")!.Message);
    }

    [Fact]
    public async Task A_sharing_that_ends_by_the_clock_ends_for_the_stack()
    {
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(DateTimeOffset.UnixEpoch.AddYears(55));
        await using var world = await ControlPlaneWorld.StartAsync(time: time, options: new() { SingleProcess = true, Resync = TimeSpan.FromDays(40) });
        await world.ReadyOrganizationAsync();
        await world.ReadyOrganizationAsync("other");
        await world.CreateAsync("{apiVersion: krate.a5c.ai/v1alpha1, kind: AgentToolProfile, metadata: {name: tools}, spec: {filesystemPolicy: read-only, approvalPolicyByTool: {shell: prompt}}}", "krate-org-other");
        await world.CreateAsync($"{{apiVersion: krate.a5c.ai/v1alpha1, kind: OrgSharingPolicy, metadata: {{name: share}}, spec: {{sourceOrg: other, targetOrg: acme, allowedRefs: [{{kind: AgentToolProfile, name: tools}}], expiresAt: \"{Timestamps.Format(time.GetUtcNow().AddMinutes(5))}\"}}}}", "krate-system");
        await world.AgreeAsync("other", "acme", "AgentToolProfile", "tools");
        await world.CreateAsync(Stack("uses", "agent", "tools@other"), Ns);
        await world.UntilAsync("AgentStack", Ns, "uses", s => Reason(s, "ToolsAdmitted") == "ToolsAdmitted");
        await world.EventuallyAsync(() =>
        {
            time.Advance(TimeSpan.FromMinutes(1));
            return Reason(world.Cache.Get(ControlPlaneWorld.Kind("AgentStack"), Ns, "uses"), "ToolsAdmitted") == "ToolProfileMissing";
        }, "the sharing did not end");
    }

    [Fact]
    public async Task Each_turn_of_readiness_is_an_Event_and_the_same_turn_again_is_counted()
    {
        await using var world = await ControlPlaneWorld.StartAsync(agents: ShellOnly);
        await world.ReadyOrganizationAsync();
        await AdapterAsync(world);
        await world.CreateAsync(Stack("uses", "agent", null), Ns);
        await world.UntilAsync("AgentStack", Ns, "uses", s => Reason(s, "Ready") == "MissingServiceAccount");
        for (var i = 0; i < 2; i++)
        {
            await world.CreateAsync("{apiVersion: v1, kind: ServiceAccount, metadata: {name: agent}}", Ns);
            await world.UntilAsync("AgentStack", Ns, "uses", s => Reason(s, "Ready") == "Ready");
            await world.DeleteAsync("ServiceAccount", Ns, "agent");
            await world.UntilAsync("AgentStack", Ns, "uses", s => Reason(s, "Ready") == "MissingServiceAccount");
        }

        // A new stack is looked at after the Event of the turn before it is written.
        var uid = (await world.FindAsync("AgentStack", Ns, "uses"))!.Uid;
        await world.EventuallyAsync(() => Events().Any(e => e.Reason == "MissingServiceAccount" && e.Count == "3"), "the third turn was not counted");
        Assert.Equal(2, Events().Count);

        List<(string? Reason, string? Count)> Events() =>
            [.. world.Gateway.ListAsync(ControlPlaneWorld.Admin, ControlPlaneWorld.Kind("Event"), Ns, new ListOptions { Fields = Selector.Parse($"involvedObject.uid={uid}") }, ControlPlaneWorld.Ct)
                .GetAwaiter().GetResult().Items.Select(e => (e.Body.Text("reason"), e.Body["count"]?.ToString()))];
    }

    private static AgentOptions ShellOnly => new() { AllowedCommands = ["sh"] };

    /// <summary>An adapter that was found ready: its agent is a line of shell.</summary>
    private static async Task AdapterAsync(ControlPlaneWorld world)
    {
        const string Agent = """read -r request; echo '{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":1}}'; cat > /dev/null""";
        await world.Gateway.CreateAsync(ControlPlaneWorld.Admin, ControlPlaneWorld.Kind("AgentAdapter"), Ns, new JsonObject
        {
            ["metadata"] = new JsonObject { ["name"] = "agent-mux.claude-code" },
            ["spec"] = new JsonObject { ["adapterType"] = "custom", ["transport"] = "acp-stdio", ["command"] = "sh", ["args"] = new JsonArray("-c", Agent) },
        }, new WriteOptions(), ControlPlaneWorld.Ct);
        await world.UntilAsync("AgentAdapter", Ns, "agent-mux.claude-code", a => a!.FindCondition("Ready")?.Status == "True");
    }

    private static string? Reason(Resource? stack, string type) => stack?.FindCondition(type)?.Reason;

    private static string Stack(string name, string account, string? tools, string? more = null)
    {
        List<string> spec = ["baseAgent: claude-code", "adapter: agent-mux.claude-code", $"runtimeIdentity: {{serviceAccountRef: {account}}}"];
        if (tools is not null) spec.Add($"toolProfileRef: {tools}");
        if (more is not null) spec.Add(more);
        return $"{{apiVersion: krate.a5c.ai/v1alpha1, kind: AgentStack, metadata: {{name: {name}}}, spec: {{{string.Join(", ", spec)}}}}}";
    }
}
