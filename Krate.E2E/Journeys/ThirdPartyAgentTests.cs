using Krate.E2E.Hosting;
using Krate.Tests.Testing;
using Microsoft.Playwright;
using Xunit;

namespace Krate.E2E.Journeys;

/// <summary>
/// opencode, an agent that others make, in its sandbox: its model is reached through Krate, which has the key; what it writes waits for a person at the run's
/// page and becomes a patch.
/// </summary>
public sealed class ThirdPartyAgentTests(AppFixture app) : Journey(app)
{
    private const string Key = "sk-scripted-0123456789abcdef";

    [Fact]
    public async Task An_agent_of_others_writes_a_file_with_the_leave_of_a_person_and_never_sees_the_key_of_its_model()
    {
        await using var model = ScriptedModel.Start();
        await KubectlAsync(["apply", "-n", "krate-org-acme", "-f", "-"], $$"""
            {apiVersion: v1, kind: Secret, metadata: {name: scripted-model}, stringData: { api-key: {{Key}} } }
            ---
            {apiVersion: v1, kind: ServiceAccount, metadata: {name: agent-writer} }
            ---
            {apiVersion: krate.a5c.ai/v1alpha1, kind: AgentAdapter, metadata: {name: opencode}, spec: {adapterType: opencode, transport: acp-stdio} }
            ---
            {apiVersion: krate.a5c.ai/v1alpha1, kind: AgentProviderConfig, metadata: {name: scripted}, spec: {provider: openai-compatible, authType: api-key, baseUrl: {{model.Url}}, secretRef: {name: scripted-model, key: api-key} } }
            ---
            {apiVersion: krate.a5c.ai/v1alpha1, kind: AgentToolProfile, metadata: {name: writer}, spec: {filesystemPolicy: workspace-write, approvalPolicyByTool: {filesystem: prompt} } }
            ---
            {apiVersion: krate.a5c.ai/v1alpha1, kind: AgentSecretGrant, metadata: {name: writer-model}, spec: {subject: {kind: agent-stack, name: writer}, secretRef: {name: scripted-model, keys: [api-key]}, purpose: model-provider-token, mountPolicy: never-mount-pass-by-reference, requiredApproval: never} }
            ---
            {apiVersion: krate.a5c.ai/v1alpha1, kind: AgentStack, metadata: {name: writer}, spec: {displayName: Writer, baseAgent: opencode, adapter: opencode, provider: scripted, model: scripted, runtimeIdentity: {serviceAccountRef: agent-writer}, toolProfileRef: writer} }
            """);
        await KubectlAsync(["wait", "agentstack/writer", "-n", "krate-org-acme", "--for=condition=Ready", "--timeout=90s"]);

        var page = await SignedInAsync("/orgs/acme/agents/new-run?repository=payments-api&stack=writer&path=openapi");
        await page.GetByLabel("Task").FillAsync("Write hello.txt.");
        await Assertions.Expect(page.GetByRole(AriaRole.Heading, new() { Name = "May run" })).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Start", Exact = true }).ClickAsync();
        await page.WaitForURLAsync("**/agents/runs/adr-*");
        await page.GetByRole(AriaRole.Button, new() { Name = "Approve" }).ClickAsync(new() { Timeout = 90_000 });
        await Assertions.Expect(page.GetByRole(AriaRole.Button, new() { Name = "Run again", Exact = true })).ToBeVisibleAsync(new() { Timeout = 90_000 });
        await ScreenshotAsync(page, "agent-run-opencode");
        await Assertions.Expect(page.GetByLabel("Transcript")).ToContainTextAsync("The file is written.");

        await page.GetByRole(AriaRole.Link, new() { Name = "Changes" }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Region, new() { Name = "hello.txt" })).ToBeVisibleAsync();
        await page.GetByLabel("Run details").GetByRole(AriaRole.Link, new() { Name = "Approvals" }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Region, new() { Name = "Approvals" })).ToContainTextAsync("by local-developer");
        await AtAsync(page, "?tab=changes&rail=approvals");
        await ScreenshotAsync(page, "agent-run-changes");

        // Its session goes on where it ended, with its file there again.
        await page.GetByRole(AriaRole.Link, new() { Name = "Transcript" }).ClickAsync();
        await page.GetByLabel("Message", new() { Exact = true }).FillAsync("Is it there?");
        await page.GetByRole(AriaRole.Button, new() { Name = "Send", Exact = true }).ClickAsync();
        await Assertions.Expect(page.GetByText("Attempt 2")).ToBeVisibleAsync(new() { Timeout = 30_000 });
        await Assertions.Expect(page.GetByRole(AriaRole.Button, new() { Name = "Run again", Exact = true })).ToBeVisibleAsync(new() { Timeout = 90_000 });
        await Assertions.Expect(page.GetByLabel("Transcript")).ToContainTextAsync("Is it there?");
        await Assertions.Expect(page.GetByLabel("Transcript")).ToContainTextAsync("The file is written.");
        await ScreenshotAsync(page, "agent-run-continued");

        // A fresh start, ended while it waits: nothing of it is left.
        await page.GetByRole(AriaRole.Button, new() { Name = "Run again", Exact = true }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Button, new() { Name = "Approve" })).ToBeVisibleAsync(new() { Timeout = 90_000 });
        Assert.True(IsAgentAlive());
        await page.GetByRole(AriaRole.Button, new() { Name = "Cancel run", Exact = true }).ClickAsync();
        await Assertions.Expect(page.GetByText("Cancelled").First).ToBeVisibleAsync(new() { Timeout = 30_000 });
        Assert.False(IsAgentAlive());

        Assert.NotEmpty(model.Credentials);
        Assert.All(model.Credentials, c => Assert.Equal($"Bearer {Key}", c));
        var run = new Uri(page.Url).Segments[^1];
        var patch = await KubectlAsync(["get", "agentartifacts", "-n", "krate-org-acme", "-l", $"krate.a5c.ai/dispatch-run={run}", "-o", "jsonpath={.items[*].spec.patch.files}"]);
        Assert.Contains("hello.txt", patch, StringComparison.Ordinal);
    }

    private static bool IsAgentAlive() => HostProcesses.All().Any(p => p.Command.Contains("opencode", StringComparison.Ordinal) || p.Command.Contains("krate-relay", StringComparison.Ordinal));
}
