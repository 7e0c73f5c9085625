using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Resources;
using Krate.Tests.ControlPlane;
using Xunit;

namespace Krate.Tests.Kinds.Grants;

public sealed class GrantReconcilerTests(GrantsWorld grants) : IClassFixture<GrantsWorld>
{
    private const string Grant = "AgentSecretGrant";

    [Fact]
    public async Task A_grant_says_what_is_missing_until_all_of_it_is_there_and_again_when_a_key_goes()
    {
        await grants.MakeAsync(Grant, "steps", "subject: {kind: service-account, name: stepper}, secretRef: {name: steps, keys: [token]}, purpose: tool");
        var grant = await grants.ReasonAsync(Grant, "steps", "SecretMissing");
        Assert.Equal(["SecretExists", "KeysExist", "SubjectAuthorized", "PolicyAdmitted", "Ready"], grant.Conditions.Select(c => c.Type));
        Assert.Equal(("Blocked", "Unknown"), (grant.Body.Text("status.phase"), grant.FindCondition("KeysExist")!.Status));
        await grants.SecretAsync("steps", "other: not-the-key-at-all");
        Assert.Contains("has no key token", (await grants.ReasonAsync(Grant, "steps", "SecretKeyMissing")).FindCondition("KeysExist")!.Message, StringComparison.Ordinal);
        await grants.ChangeAsync("Secret", "steps", "stringData", new JsonObject { ["token"] = "a-value-nobody-sees" });
        await grants.ReasonAsync(Grant, "steps", "SubjectMissing");
        var account = await grants.AccountAsync("stepper");

        grant = await grants.ReasonAsync(Grant, "steps", "Ready");
        Assert.Equal(("Ready", account.Uid, grants.Find("Secret", "steps")!.Uid), (grant.Body.Text("status.phase"), grant.Body.Text("status.boundSubjectUid"), grant.Body.Text("status.boundSecretUid")));
        Assert.DoesNotContain("a-value-nobody-sees", grant.Body.ToJsonString(), StringComparison.Ordinal);
        await grants.World.Gateway.PatchAsync(ControlPlaneWorld.Admin, ControlPlaneWorld.Kind("Secret"), GrantsWorld.Ns, "steps",
            new(Core.Resources.Patching.PatchType.Merge, new JsonObject { ["data"] = new JsonObject { ["token"] = null } }, "test"), new WriteOptions(), ControlPlaneWorld.Ct);
        await grants.ReasonAsync(Grant, "steps", "SecretKeyMissing");
    }

    [Fact]
    public async Task A_subject_or_a_Secret_that_is_made_again_under_its_name_inherits_nothing()
    {
        await grants.SecretAsync("bound", "token: something-long-enough");
        await grants.AccountAsync("bound");
        await grants.MakeAsync(Grant, "bound", "subject: {kind: service-account, name: bound}, secretRef: {name: bound}, purpose: tool");
        var first = await grants.ReasonAsync(Grant, "bound", "Ready");
        await grants.World.DeleteAsync("ServiceAccount", GrantsWorld.Ns, "bound");
        await grants.AccountAsync("bound");
        var replaced = await grants.ReasonAsync(Grant, "bound", "GrantSubjectReplaced", "SubjectAuthorized");
        Assert.Equal(first.Body.Text("status.boundSubjectUid"), replaced.Body.Text("status.boundSubjectUid"));
        Assert.Equal("Blocked", replaced.Body.Text("status.phase"));

        await grants.World.DeleteAsync("Secret", GrantsWorld.Ns, "bound");
        await grants.SecretAsync("bound", "token: another-long-enough");
        await grants.ReasonAsync(Grant, "bound", "GrantSubjectReplaced", "SecretExists");
        await grants.World.DeleteAsync(Grant, GrantsWorld.Ns, "bound");
        await grants.MakeAsync(Grant, "bound", "subject: {kind: service-account, name: bound}, secretRef: {name: bound}, purpose: tool");
        await grants.ReasonAsync(Grant, "bound", "Ready");
    }

    [Fact]
    public async Task A_grant_ends_by_the_clock_and_a_value_that_is_too_old_only_warns_until_it_is_rotated()
    {
        await grants.SecretAsync("timed", "token: something-long-enough");
        await grants.AccountAsync("timed");
        const string Common = "subject: {kind: service-account, name: timed}, secretRef: {name: timed, keys: [token]}, purpose: tool";
        await grants.MakeAsync(Grant, "old", $"{Common}, rotationPolicy: {{maxAgeDays: 1}}");
        await grants.MakeAsync(Grant, "ends", $"{Common}, expiresAt: \"{Timestamps.Format(grants.Time.GetUtcNow().AddMinutes(90))}\"");
        await grants.ReasonAsync(Grant, "old", "Ready");
        await grants.ReasonAsync(Grant, "ends", "Ready");

        await grants.AfterAsync(TimeSpan.FromMinutes(10), () => grants.Find(Grant, "ends")!.Body.Text("status.phase") == "Expired", "the grant did not end");
        Assert.Equal(("False", "GrantExpired"), (grants.Find(Grant, "ends")!.FindCondition("Ready")!.Status, grants.Find(Grant, "ends")!.FindCondition("PolicyAdmitted")!.Reason));
        await grants.AfterAsync(TimeSpan.FromHours(2), () => grants.Find(Grant, "old")!.FindCondition("PolicyAdmitted")!.Reason == "SecretRotationOverdue", "no warning");
        Assert.Equal(("Ready", "True"), (grants.Find(Grant, "old")!.Body.Text("status.phase"), grants.Find(Grant, "old")!.FindCondition("Ready")!.Status));
        await grants.ChangeAsync("Secret", "timed", "stringData", new JsonObject { ["token"] = "a-new-one-that-is-fresh" });
        await grants.ReasonAsync(Grant, "old", "Admitted", "PolicyAdmitted");
        foreach (var name in (string[])["old", "ends"]) await grants.World.DeleteAsync(Grant, GrantsWorld.Ns, name);
    }

    [Fact]
    public async Task Consumers_are_whoever_names_the_grant_its_Secret_or_its_subject_and_those_of_a_repository_are_only_counted()
    {
        await grants.SecretAsync("shared", "token: something-long-enough");
        await grants.MakeAsync("AgentToolProfile", "uses-shared", "filesystemPolicy: read-only, approvalPolicyByTool: {shell: prompt}, requiredSecretRefs: [{name: shared, key: token}]");
        await grants.MakeAsync("AgentMcpServer", "uses-shared", "transport: stdio, scope: org, command: x, envFrom: [{name: A, secretRef: {name: shared, key: token}}], allowedAgentStacks: [bystander]");
        await grants.MakeAsync("AgentStack", "through-tools", "baseAgent: codex, adapter: a, runtimeIdentity: {serviceAccountRef: nobody}, toolProfileRef: uses-shared");
        await grants.MakeAsync("AgentStack", "bystander", "baseAgent: codex, adapter: a, runtimeIdentity: {serviceAccountRef: nobody}");
        await grants.MakeAsync(Grant, "shared", "subject: {kind: agent-stack, name: through-tools}, secretRef: {name: shared}, purpose: tool");
        await grants.MakeAsync("AgentTriggerRule", "everywhere", "sources: [manual], agentStack: through-tools, taskKind: repair");
        var grant = await grants.World.UntilAsync(Grant, GrantsWorld.Ns, "shared", g => g?.Body.Whole("status.consumerCount") == 4);
        Assert.Equal(["AgentMcpServer/uses-shared", "AgentStack/through-tools", "AgentToolProfile/uses-shared", "AgentTriggerRule/everywhere"], Named(grant));

        await grants.MakeAsync("Repository", "hidden", "visibility: private");
        await grants.MakeAsync("AgentTriggerRule", "of-hidden", "sources: [manual], agentStack: through-tools, taskKind: repair, match: {repository: hidden}");
        grant = await grants.World.UntilAsync(Grant, GrantsWorld.Ns, "shared", g => g!.Body.Whole("status.consumerCount") == 5);
        Assert.DoesNotContain("AgentTriggerRule/of-hidden", Named(grant));
        await grants.World.DeleteAsync("AgentToolProfile", GrantsWorld.Ns, "uses-shared");
        await grants.World.UntilAsync(Grant, GrantsWorld.Ns, "shared", g => !Named(g!).Contains("AgentToolProfile/uses-shared"));

        // Through a part that comes later, and that goes over to something else.
        await grants.ChangeAsync("AgentStack", "bystander", "spec.toolProfileRef", "later");
        await grants.MakeAsync("AgentToolProfile", "later", "filesystemPolicy: read-only, approvalPolicyByTool: {shell: prompt}, requiredSecretRefs: [{name: shared, key: token}]");
        await grants.World.UntilAsync(Grant, GrantsWorld.Ns, "shared", g => Named(g!).Contains("AgentStack/bystander"));
        await grants.ChangeAsync("AgentToolProfile", "later", "spec.requiredSecretRefs", new JsonArray());
        await grants.World.UntilAsync(Grant, GrantsWorld.Ns, "shared", g => !Named(g!).Contains("AgentStack/bystander"));
    }

    [Fact]
    public async Task A_Deny_holds_by_name_whatever_is_there_but_not_for_a_kind_of_subject_that_means_nothing()
    {
        await grants.MakeAsync(Grant, "deny", "subject: {kind: agent-stack, name: not-there}, secretRef: {name: not-there-either, keys: [token]}, purpose: tool, effect: Deny");
        var grant = await grants.ReasonAsync(Grant, "deny", "Ready");
        Assert.All(grant.Conditions, c => Assert.Equal("True", c.Status));
        Assert.Null(grant.Body.Text("status.boundSubjectUid"));
        await grants.MakeAsync(Grant, "deny-nobody", "subject: {kind: agentstack, name: x}, secretRef: {name: x}, purpose: tool, effect: Deny");
        await grants.ReasonAsync(Grant, "deny-nobody", "SubjectKindUnknown");
    }

    [Fact]
    public async Task A_config_grant_follows_its_ConfigMap_and_a_subject_of_another_organization_is_none()
    {
        await grants.MakeAsync("Team", "strangers", "displayName: Strangers", "krate-org-other");
        await grants.MakeAsync("AgentConfigGrant", "config", "subject: {kind: team, name: strangers}, configMapRef: {name: config, keys: [a]}, purpose: tool-config");
        await grants.ReasonAsync("AgentConfigGrant", "config", "ConfigMapMissing");
        await grants.World.CreateAsync("{apiVersion: v1, kind: ConfigMap, metadata: {name: config}, data: {a: b}}", GrantsWorld.Ns);
        await grants.ReasonAsync("AgentConfigGrant", "config", "SubjectMissing");
        await grants.MakeAsync("Team", "strangers", "displayName: No strangers");
        await grants.ReasonAsync("AgentConfigGrant", "config", "Ready");
        await grants.ChangeAsync("ConfigMap", "config", "data", new JsonObject { ["c"] = "d" });
        await grants.ReasonAsync("AgentConfigGrant", "config", "ConfigMapKeyMissing");
    }

    [Fact]
    public async Task Nobody_but_Krate_says_how_a_grant_is_and_looking_again_writes_nothing()
    {
        await grants.SecretAsync("quiet", "token: something-long-enough");
        await grants.AccountAsync("quiet");
        await grants.MakeAsync(Grant, "quiet", "subject: {kind: service-account, name: quiet}, secretRef: {name: quiet}, purpose: tool");
        var document = (await grants.ReasonAsync(Grant, "quiet", "Ready")).Edit();
        document.Set("status.boundSubjectUid", "somebody-else");
        var refused = await Assert.ThrowsAsync<ApiException>(() => grants.World.Gateway.UpdateAsync(ControlPlaneWorld.Admin, ControlPlaneWorld.Kind(Grant), GrantsWorld.Ns, "quiet", document, new WriteOptions { Subresource = "status" }, ControlPlaneWorld.Ct));
        Assert.Equal((403, "the status of a AgentSecretGrant is written by Krate only"), (refused.Code, refused.Message.Split("forbidden: ")[1]));
        Assert.Equal(0, await grants.WrittenByLookingAgainAsync($"{Grant}/{GrantsWorld.Ns}/quiet"));
    }

    private static IEnumerable<string> Named(Resource grant) => (grant.Body.At("status.consumers") as JsonArray ?? []).Select(c => $"{c.Text("kind")}/{c.Text("name")}");
}
