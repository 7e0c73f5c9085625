using Krate.E2E.Hosting;
using Microsoft.Playwright;
using Xunit;

namespace Krate.E2E.Journeys;

/// <summary>Who may write role bindings and no more cannot give an agent what they do not hold; an open page shows the attempt.</summary>
public sealed class EscalationTests(AppFixture app) : Journey(app)
{
    [Fact]
    public async Task A_binding_of_more_than_its_author_holds_gives_nothing_and_stands_on_the_permissions_page_and_in_the_audit()
    {
        var page = await SignedInAsync("/orgs/acme/agents/permissions");
        await KubectlAsync(["apply", "-f", "-"], """
            {apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: binds-agents, namespace: krate-org-acme}, rules: [{apiGroups: [krate.a5c.ai], resources: [agentrolebindings], verbs: [get, list, watch, create, patch]}]}
            ---
            {apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: binds-agents, namespace: krate-org-acme}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: binds-agents}, subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: lumi}]}
            """);
        await KubectlAsync(["apply", "--as", "lumi", "-f", "-"], """
            {apiVersion: krate.a5c.ai/v1alpha1, kind: AgentRoleBinding, metadata: {name: too-much, namespace: krate-org-acme}, spec: {subject: {kind: agent-stack, name: claude-code-review}, roleRef: {kind: ClusterRole, name: krate-org-admin}, scope: {kind: organization, name: acme}}}
            """);

        var alert = page.GetByText("Escalation blocked.").Locator("..");
        await Assertions.Expect(alert).ToContainTextAsync("too-much asks for krate-org-admin: lumi does not hold");
        await Assertions.Expect(page.GetByRole(AriaRole.Link, new() { Name = "Escalation, blocked" })).ToBeVisibleAsync();
        Assert.DoesNotContain("too-much", await KubectlAsync(["get", "rolebindings,roles", "-n", "krate-org-acme", "-o", "name"]), StringComparison.Ordinal);
        await page.ReloadAsync();
        await Assertions.Expect(page.GetByLabel("Denials")).ToContainTextAsync("AgentRoleBinding too-much");
        await ScreenshotAsync(page, "escalation");
        await alert.Locator("..").GetByRole(AriaRole.Link, new() { Name = "Review" }).ClickAsync();
        await Assertions.Expect(page.GetByText("Nothing is given.").First).ToBeVisibleAsync();
        await KubectlAsync(["delete", "agentrolebinding", "too-much", "-n", "krate-org-acme"]);
    }
}
