using Krate.E2E.Hosting;
using Microsoft.Playwright;
using Xunit;

namespace Krate.E2E.Journeys;

/// <summary>The main job: a stack applied with plain kubectl is in an open page at that moment, not ready, with the reasons.</summary>
public sealed class StackAppearsLiveTests(AppFixture app) : Journey(app)
{
    private const string Manifest = """
        apiVersion: krate.a5c.ai/v1alpha1
        kind: AgentStack
        metadata:
          name: live-from-kubectl
          namespace: krate-org-acme
        spec:
          baseAgent: claude-code
          adapter: agent-mux.claude-code
          runtimeIdentity:
            serviceAccountRef: nobody-made-me
          toolProfileRef: no-such-profile
        """;

    [Fact]
    public async Task A_stack_applied_with_kubectl_appears_in_an_open_page_with_the_reasons_it_is_not_ready()
    {
        var page = await SignedInAsync("/orgs/acme/agents/stacks");
        var row = page.GetByRole(AriaRole.Row).Filter(new() { HasText = "live-from-kubectl" });
        await Assertions.Expect(row).ToHaveCountAsync(0);

        await KubectlAsync(["apply", "-f", "-"], Manifest);

        await Assertions.Expect(row).ToBeVisibleAsync();
        await Assertions.Expect(row).ToContainTextAsync("Not ready");
        await Assertions.Expect(row).ToContainTextAsync("nobody-made-me");
        await ScreenshotAsync(page, "stack-appears-live");

        await row.GetByRole(AriaRole.Link, new() { Name = "live-from-kubectl" }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToContainTextAsync("live-from-kubectl");
        await Assertions.Expect(page.GetByText("RuntimeIdentityReady")).ToBeVisibleAsync();

        await KubectlAsync(["delete", "agentstack", "live-from-kubectl", "-n", "krate-org-acme"]);
        await Assertions.Expect(page.GetByText("was deleted").First).ToBeVisibleAsync();
    }
}
