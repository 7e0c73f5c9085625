using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Identity;
using Krate.Core.Kinds.Review;
using Krate.Core.Resources;
using Krate.Tests.ControlPlane;
using Xunit;

namespace Krate.Tests.Agents;

/// <summary>From a stack that lacks everything to one that runs, by what the review suggests alone, with real reconcilers, agents and servers.</summary>
[Collection(typeof(AgentCollection))]
public sealed class SuggestionWalkTests(AgentWorld agents)
{
    private const string Ns = AgentWorld.Namespace;
    private const string Needed = "{apiGroups: [krate.a5c.ai], resources: [issues], verbs: [get, list]}";
    private const string Writes = "{apiGroups: [krate.a5c.ai], resources: [agentserviceaccounts, agentrolebindings, agentconfiggrants], verbs: [create]}";

    [Fact]
    public async Task Who_has_just_enough_rights_applies_what_is_suggested_until_it_is_green_and_each_thing_that_goes_makes_it_red()
    {
        var stack = await MakeAsync();
        var lesser = await PersonAsync("lesser", Writes);
        var giver = await PersonAsync("giver", $"{Writes}, {Needed}, {{apiGroups: [krate.a5c.ai], resources: [agentsecretgrants], verbs: [create]}}, {{apiGroups: [krate.a5c.ai], resources: [agentstacks], resourceNames: [walk], verbs: [dispatch]}}");
        var manifests = (await ReviewAsync(lesser, stack)).Findings.Where(f => f.Suggestion is not null).Select(f => f.Suggestion!.Manifest).OrderBy(m => m.Text("kind") != "AgentServiceAccount").ToList();
        Assert.Equal(["AgentConfigGrant", "AgentRoleBinding", "AgentRoleBinding", "AgentSecretGrant", "AgentServiceAccount"], manifests.Select(m => m.Text("kind")).Order());

        var roles = manifests.First(m => m.Text("spec.subject.kind") == "agent-stack" && m.Text("kind") == "AgentRoleBinding");
        Assert.Equal(403, (await Assert.ThrowsAsync<ApiException>(() => ApplyAsync(lesser, manifests.First(m => m.Text("kind") == "AgentSecretGrant")))).Code);
        await ApplyAsync(lesser, roles);
        await agents.World.UntilAsync("AgentRoleBinding", Ns, roles.Text("metadata.name")!, b => b!.FindCondition("EscalationAdmitted")?.Reason == "EscalationDenied");
        await agents.World.DeleteAsync("AgentRoleBinding", Ns, roles.Text("metadata.name")!);
        await agents.World.GoneAsync("AgentRoleBinding", Ns, roles.Text("metadata.name")!);

        foreach (var manifest in manifests) await ApplyAsync(giver, manifest);
        await UntilAsync(s => s.FindCondition(Condition.Ready)!.Status == Condition.True);
        foreach (var manifest in manifests)
        {
            var (kind, name) = (manifest.Text("kind")!, manifest.Text("metadata.name")!);
            await agents.World.DeleteAsync(kind, Ns, name);
            await agents.World.GoneAsync(kind, Ns, name);
            if (manifest.Text("spec.subject.kind") != "user")
            {
                var reason = kind switch { "AgentServiceAccount" => "MissingServiceAccount", "AgentRoleBinding" => "MissingRoleBinding", "AgentSecretGrant" => "MissingSecretGrant", _ => "MissingConfigGrant" };
                await UntilAsync(s => s.FindCondition(Condition.Ready) is { Status: Condition.False } ready && ready.Reason == reason);
            }

            await ApplyAsync(giver, manifest);
            await UntilAsync(s => s.FindCondition(Condition.Ready)!.Status == Condition.True);
        }

        await agents.World.EventuallyAsync(() => ReviewAsync(lesser, stack).GetAwaiter().GetResult().Decision == ReviewDecision.Allowed, "lesser may not dispatch");
    }

    private async Task<Resource> MakeAsync()
    {
        var world = agents.World;
        await world.CreateAsync("{apiVersion: v1, kind: Secret, metadata: {name: walk}, stringData: {key: a-value-for-the-walk-alone}}", Ns);
        await world.CreateAsync("{apiVersion: v1, kind: ConfigMap, metadata: {name: walk}, data: {rules: none}}", Ns);
        await world.CreateAsync($"{{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {{name: walk}}, rules: [{Needed}]}}", Ns);
        await agents.NewAdapterAsync("walk", agents.Agent, "good");
        await world.CreateAsync("{apiVersion: krate.a5c.ai/v1alpha1, kind: AgentToolProfile, metadata: {name: walk}, spec: {filesystemPolicy: read-only, approvalPolicyByTool: {shell: prompt}, requiredRoles: [walk]}}", Ns);
        await world.CreateAsync("{apiVersion: krate.a5c.ai/v1alpha1, kind: AgentSkill, metadata: {name: walk}, spec: {format: inline, sourceRef: {}, promptFragment: Be brief, requiredMcpServers: [walk], requiredTools: [first], requiredConfigRefs: [{name: walk, key: rules}]}}", Ns);
        await world.CreateAsync($"{{apiVersion: krate.a5c.ai/v1alpha1, kind: AgentMcpServer, metadata: {{name: walk}}, spec: {{transport: stdio, scope: org, command: {agents.McpServer}, args: [good], envFrom: [{{name: KEY, secretRef: {{name: walk, key: key}}}}]}}}}", Ns);
        return await world.CreateAsync("{apiVersion: krate.a5c.ai/v1alpha1, kind: AgentStack, metadata: {name: walk}, spec: {baseAgent: custom, adapter: walk, runtimeIdentity: {serviceAccountRef: walk}, toolProfileRef: walk, mcpServerRefs: [walk], skillRefs: [walk]}}", Ns);
    }

    private async Task<Actor> PersonAsync(string name, string rules)
    {
        await agents.World.CreateAsync($"{{apiVersion: krate.a5c.ai/v1alpha1, kind: User, metadata: {{name: {name}}}, spec: {{displayName: {name}, email: {name}@example.com}}}}", WellKnown.PlatformNamespace);
        await agents.World.CreateAsync($"{{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {{name: of-{name}}}, rules: [{rules}]}}", Ns);
        await agents.World.CreateAsync($"{{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {{name: of-{name}}}, roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: of-{name}}}, subjects: [{{kind: User, apiGroup: rbac.authorization.k8s.io, name: {name}}}]}}", Ns);
        return agents.World.Service<IdentityResolver>().Resolve(new Credential(name, agents.World.Service<TimeProvider>().GetUtcNow())).Value!;
    }

    private async Task<PermissionReview> ReviewAsync(Actor who, Resource stack) => (await agents.World.Service<PermissionReviews>().ReviewAsync(who, stack, new() { AgentStack = stack.Name }, ControlPlaneWorld.Ct)).Review;

    private Task<Resource> ApplyAsync(Actor who, JsonObject manifest) =>
        agents.World.Gateway.CreateAsync(who, ControlPlaneWorld.Kind(manifest.Text("kind")!), Ns, (JsonObject)manifest.DeepClone(), new(), ControlPlaneWorld.Ct);

    private Task<Resource> UntilAsync(Func<Resource, bool> holds) => agents.World.UntilAsync("AgentStack", Ns, "walk", s => holds(s!));
}
