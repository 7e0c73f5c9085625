using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Kinds.Review;
using Krate.Core.Resources;
using Krate.Core.Resources.Patching;
using Krate.Tests.ControlPlane;
using Krate.Tests.Kinds.Grants;
using Xunit;

namespace Krate.Tests.Kinds.Stacks;

/// <summary>Whatever is taken away turns the stacks that need it, for that reason, and touches no other.</summary>
public sealed class LiveReadinessTests(GrantsWorld grants) : IClassFixture<GrantsWorld>
{
    private const string Ns = GrantsWorld.Ns;
    private static readonly Actor Mira = new("mira", [WellKnown.AuthenticatedGroup]);

    /// <param name="Stack">Its name, and that of all that it needs.</param>
    private sealed record Flip(string Stack, string Condition, string Reason, Func<Task> Cause);

    [Fact]
    public async Task Each_change_turns_exactly_the_stack_that_needs_it_for_exactly_its_reason()
    {
        Flip[] flips =
        [
            new("key", "SecretsAdmitted", "SecretKeyMissing", () => PatchSecretAsync("key", new() { ["data"] = new JsonObject { ["token"] = null } })),
            new("secret", "SecretsAdmitted", "SecretMissing", () => DeleteAsync("Secret", "secret")),
            new("secret-again", "SecretsAdmitted", "GrantSubjectReplaced", async () =>
            {
                await DeleteAsync("Secret", "secret-again");
                await grants.SecretAsync("secret-again", "token: another-that-is-long-enough");
            }),
            new("account", "RuntimeIdentityReady", "MissingServiceAccount", () => DeleteAsync("ServiceAccount", "account")),
            new("account-again", "SecretsAdmitted", "GrantSubjectReplaced", async () =>
            {
                await DeleteAsync("ServiceAccount", "account-again");
                await grants.AccountAsync("account-again");
            }),
            new("binding", "RolesAdmitted", "MissingRoleBinding", () => DeleteAsync("RoleBinding", "binding")),
            new("role", "RolesAdmitted", "RoleMissing", () => DeleteAsync("Role", "role")),
            new("grant", "SecretsAdmitted", "MissingSecretGrant", () => DeleteAsync("AgentSecretGrant", "grant")),
            new("deny", "SecretsAdmitted", "GrantDenied", () => grants.MakeAsync("AgentSecretGrant", "never", "subject: {kind: agent-stack, name: deny}, secretRef: {name: deny}, purpose: tool, effect: Deny")),
            new("config", "ConfigAdmitted", "ConfigMapKeyMissing", () => grants.ChangeAsync("ConfigMap", "config", "data", new JsonObject { ["other"] = "x" })),
            new("config-grant", "ConfigAdmitted", "MissingConfigGrant", () => DeleteAsync("AgentConfigGrant", "config-grant")),
            new("tools", "ToolsAdmitted", "ToolProfileMissing", () => DeleteAsync("AgentToolProfile", "tools")),
            // Those that only the clock tells come last: it goes on for all.
            new("ends", "SecretsAdmitted", "GrantExpired", () => AfterAsync(TimeSpan.FromMinutes(10), "ends", "SecretsAdmitted", "GrantExpired")),
            new("shared", "ToolsAdmitted", "ToolProfileMissing", () => AfterAsync(TimeSpan.FromHours(3), "shared", "ToolsAdmitted", "ToolProfileMissing")),
        ];
        await MakeAdapterAsync();
        await MakeSharedAsync();
        await Task.WhenAll(flips.Select(f => f.Stack).Where(s => s is not ("ends" or "shared")).Append("stays").Append("lent").Select(s => MakeAsync(s)));
        await MakeAsync("ends", $", expiresAt: \"{Timestamps.Format(grants.Time.GetUtcNow().AddMinutes(30))}\"");
        var untouched = flips.Select(f => f.Stack).Append("stays").Append("lent").ToList();
        foreach (var name in untouched) await ReadyAsync(name);

        foreach (var flip in flips)
        {
            untouched.Remove(flip.Stack);
            var before = Versions(untouched);
            await flip.Cause();
            var flipped = await grants.ReasonAsync("AgentStack", flip.Stack, flip.Reason, flip.Condition);
            flipped = await grants.ReasonAsync("AgentStack", flip.Stack, flip.Reason);
            Assert.Equal($"{flip.Stack}: {flip.Condition} Ready", $"{flip.Stack}: {string.Join(' ', flipped.Conditions.Where(c => c.Status != Condition.True).Select(c => c.Type))}");
            Assert.Equal(before, Versions(untouched));
        }

        await grants.World.DeleteAsync("RoleBinding", Ns, "agentrolebinding-lent");
        await grants.World.UntilAsync("RoleBinding", Ns, "agentrolebinding-lent", b => b is not null);
        await ReadyAsync("lent");
    }

    [Fact]
    public async Task A_new_value_and_a_dispatcher_who_may_no_longer_change_the_review_and_not_readiness()
    {
        await MakeAdapterAsync();
        await MakeAsync("kept", secretMore: ", rotationPolicy: {maxAgeDays: 1}");
        await ReadyAsync("kept");
        await grants.World.CreateAsync("{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: starts}, rules: [{apiGroups: [krate.a5c.ai], resources: [agentstacks], resourceNames: [kept], verbs: [dispatch]}]}", Ns);
        await BindAsync("starts", "starts", "{kind: User, apiGroup: rbac.authorization.k8s.io, name: mira}");
        var (first, digest) = await ReviewAsync();
        Assert.Equal(ReviewDecision.Allowed, first.Decision);
        var version = Versions(["kept"]);

        await PatchSecretAsync("kept", new() { ["stringData"] = new JsonObject { ["token"] = "a-new-one-that-is-fresh" } });
        var (rotated, after) = await ReviewAsync();
        Assert.Equal((ReviewDecision.Allowed, false), (rotated.Decision, after == digest));
        await DeleteAsync("RoleBinding", "starts");
        var (refused, _) = await ReviewAsync();
        Assert.Equal(ReviewDecision.Denied, refused.Decision);
        Assert.Equal(["DispatchForbidden"], refused.Findings.Where(f => f.IsBlocking).Select(f => f.Reason));
        Assert.Equal(version, Versions(["kept"]));

        await grants.AfterAsync(TimeSpan.FromHours(2), () => grants.Find("AgentStack", "kept")!.FindCondition("SecretsAdmitted")!.Reason == "SecretRotationOverdue", "no warning");
        Assert.Equal(("True", "Ready"), (grants.Find("AgentStack", "kept")!.FindCondition("Ready")!.Status, grants.Find("AgentStack", "kept")!.Body.Text("status.phase")));
    }

    private async Task<(PermissionReview Review, string Digest)> ReviewAsync()
    {
        var (review, used) = await grants.World.Service<PermissionReviews>().ReviewAsync(Mira, grants.Find("AgentStack", "kept")!, new() { AgentStack = "kept" }, ControlPlaneWorld.Ct);
        return (review, review.ToJson(used).Text("digest")!);
    }

    /// <summary>A stack of its own tools, which need one of everything, each of the stack's name.</summary>
    private async Task MakeAsync(string name, string secretMore = "")
    {
        await grants.AccountAsync(name);
        await grants.SecretAsync(name, $"token: the-token-of-{name}-is-long, other: the-other-of-{name}");
        await grants.World.CreateAsync($"{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {name}}}, data: {{rules: none}}}}", Ns);
        await grants.World.CreateAsync($"{{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {{name: {name}}}, rules: [{{apiGroups: [krate.a5c.ai], resources: [issues], verbs: [get, list]}}]}}", Ns);
        if (name == "lent") await grants.MakeAsync("AgentRoleBinding", name, $"subject: {{kind: service-account, name: {name}}}, scope: {{kind: namespace, name: {Ns}}}, roleRef: {{kind: Role, name: {name}}}");
        else await BindAsync(name, name, $"{{kind: ServiceAccount, name: {name}, namespace: {Ns}}}");
        await grants.MakeAsync("AgentToolProfile", name, $"filesystemPolicy: read-only, approvalPolicyByTool: {{shell: prompt}}, requiredRoles: [{name}], requiredSecretRefs: [{{name: {name}, key: token}}], requiredConfigRefs: [{{name: {name}, key: rules}}]");
        await grants.MakeAsync("AgentStack", name, $"baseAgent: claude-code, adapter: shell, runtimeIdentity: {{serviceAccountRef: {name}}}, toolProfileRef: {name}");
        await grants.MakeAsync("AgentSecretGrant", name, $"subject: {{kind: service-account, name: {name}}}, secretRef: {{name: {name}, keys: [token]}}, purpose: tool{secretMore}");
        await grants.MakeAsync("AgentConfigGrant", name, $"subject: {{kind: agent-stack, name: {name}}}, configMapRef: {{name: {name}, keys: [rules]}}, purpose: tool-config");
        await grants.ReasonAsync("AgentSecretGrant", name, "Ready");
        await grants.ReasonAsync("AgentConfigGrant", name, "Ready");
    }

    /// <summary>A stack with the tools of another organization, for three days.</summary>
    private async Task MakeSharedAsync()
    {
        await grants.AccountAsync("shared");
        await grants.MakeAsync("AgentToolProfile", "shared", "filesystemPolicy: read-only, approvalPolicyByTool: {shell: prompt}", "krate-org-other");
        await grants.MakeAsync("OrgSharingPolicy", "share", $"sourceOrg: other, targetOrg: acme, allowedRefs: [{{kind: AgentToolProfile, name: shared}}], expiresAt: \"{Timestamps.Format(grants.Time.GetUtcNow().AddDays(3))}\"", "krate-system");
        await grants.World.AgreeAsync("other", "acme", "AgentToolProfile", "shared");
        await grants.MakeAsync("AgentStack", "shared", "baseAgent: claude-code, adapter: shell, runtimeIdentity: {serviceAccountRef: shared}, toolProfileRef: shared@other");
    }

    private async Task MakeAdapterAsync()
    {
        if (grants.Find("AgentAdapter", "shell") is not null) return;
        const string Agent = """read -r request; echo '{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":1}}'; cat > /dev/null""";
        await grants.World.Gateway.CreateAsync(ControlPlaneWorld.Admin, ControlPlaneWorld.Kind("AgentAdapter"), Ns, new JsonObject
        {
            ["metadata"] = new JsonObject { ["name"] = "shell" },
            ["spec"] = new JsonObject { ["adapterType"] = "custom", ["transport"] = "acp-stdio", ["command"] = "sh", ["args"] = new JsonArray("-c", Agent) },
        }, new WriteOptions(), ControlPlaneWorld.Ct);
    }

    private Task<Resource> BindAsync(string name, string role, string subject) => grants.World.CreateAsync(
        $"{{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {{name: {name}}}, roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: {role}}}, subjects: [{subject}]}}", Ns);

    private Task<Resource> ReadyAsync(string name) => grants.World.UntilAsync("AgentStack", Ns, name, s => s!.FindCondition(Condition.Ready) is { Status: Condition.True, Reason: "Ready" });

    private Task DeleteAsync(string kind, string name) => grants.World.DeleteAsync(kind, Ns, name);

    private async Task PatchSecretAsync(string name, JsonObject patch) =>
        await grants.World.Gateway.PatchAsync(ControlPlaneWorld.Admin, ControlPlaneWorld.Kind("Secret"), Ns, name, new(PatchType.Merge, patch, "test"), new WriteOptions(), ControlPlaneWorld.Ct);

    private Task AfterAsync(TimeSpan step, string stack, string condition, string reason) =>
        grants.AfterAsync(step, () => grants.Find("AgentStack", stack)!.FindCondition(condition)!.Reason == reason, $"{stack} did not end");

    private List<string> Versions(IEnumerable<string> stacks) => [.. stacks.Select(s => $"{s} {grants.Find("AgentStack", s)!.Version}")];
}
