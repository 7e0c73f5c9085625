using Krate.Tests.Testing;
using Xunit;

namespace Krate.Tests.Api;

/// <summary>kubectl under another name gets no more through an AgentRoleBinding than that name has.</summary>
[Collection<ApiCollection>]
public sealed class ImpersonatedBindingTests(ApiServer api)
{
    [Fact]
    public async Task A_binding_that_is_applied_under_another_name_gives_what_that_name_may_give()
    {
        using var kubectl = Kubectl.Of("1.34", api.Server.Kubeconfig);
        const string Ns = "-n " + ApiServer.Namespace;
        await kubectl.RunAsync($"create role binder {Ns} --verb=get,create,update,patch --resource=agentrolebindings.krate.a5c.ai");
        await kubectl.RunAsync($"create rolebinding binder {Ns} --role=binder --user=nobody-much");
        var file = kubectl.Save("binding.yaml", $"apiVersion: krate.a5c.ai/v1alpha1\nkind: AgentRoleBinding\nmetadata: {{name: assumed, namespace: {ApiServer.Namespace}}}\nspec:\n  subject: {{kind: service-account, name: agent-default}}\n  scope: {{kind: organization, name: acme}}\n  roleRef: {{kind: RoleTemplate, name: krate-secret-grant-admin}}\n");
        await kubectl.RunAsync($"apply -f {file} --as nobody-much");
        await kubectl.RunAsync($"wait agentrolebinding/assumed {Ns} --for=condition=EscalationAdmitted=False --timeout=20s");
        Assert.Equal("nobody-much/EscalationDenied", await kubectl.RunAsync($"get agentrolebinding assumed {Ns} -o jsonpath={{.status.requestedBy}}/{{.status.conditions[?(@.type==\"Ready\")].reason}}"));
        Assert.Contains("not found", await kubectl.FailAsync($"get rolebinding agentrolebinding-assumed {Ns}"), StringComparison.Ordinal);
        Assert.Contains("nobody-much", await kubectl.RunAsync($"get auditevents {Ns} -o jsonpath={{.items[?(@.spec.type==\"policy.escalate\")].spec.actor.name}}"), StringComparison.Ordinal);
        // The administrator takes it over.
        await kubectl.RunAsync($"patch agentrolebinding assumed {Ns} --type=merge -p {{\"spec\":{{\"escalationPolicy\":\"require-admin-approval\"}}}}");
        await kubectl.RunAsync($"wait agentrolebinding/assumed {Ns} --for=condition=Ready --timeout=20s");
        await kubectl.RunAsync($"delete agentrolebinding assumed {Ns}");
    }
}
