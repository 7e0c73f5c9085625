using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Krate.E2E.Hosting;
using Microsoft.Playwright;
using Xunit;

namespace Krate.E2E.Journeys;

/// <summary>From a stack that needs everything, in an organization that has nothing, to one that may run: by what its page offers, in its order.</summary>
public sealed class StackBecomesReadyTests(AppFixture app) : Journey(app)
{
    private const string Ns = "krate-org-greenfield";
    private const string Page = "/orgs/greenfield/agents/stacks/claude-code-ci-repair?tab=permissions";

    /// <summary>Of the Secret: with what each way of writing it escapes.</summary>
    private const string Value = "not a key/of+anybody \"42\"";

    private const string Organization = """
        apiVersion: krate.a5c.ai/v1alpha1
        kind: Organization
        metadata: { name: greenfield, namespace: krate-system }
        spec: { slug: greenfield, displayName: Greenfield }
        """;

    /// <summary>The stack of the seed in the namespace of the organization, with a key for its provider and a role for its tools.</summary>
    private const string Stack = """
        apiVersion: krate.a5c.ai/v1alpha1
        kind: AgentStack
        metadata: { name: claude-code-ci-repair, namespace: krate-org-greenfield }
        spec:
          baseAgent: claude-code
          adapter: agent-mux.claude-code
          provider: anthropic
          model: claude-sonnet-4-5
          approvalMode: prompt
          runtimeIdentity: { serviceAccountRef: agent-claude-code-ci-repair }
          toolProfileRef: repo-write-safe
          workspacePolicyRef: isolated-worktree-default
          runnerPool: untrusted-linux
          secretPolicy: { allowOnForks: false }
          writeBackPolicy: { requireApproval: true }
        ---
        apiVersion: krate.a5c.ai/v1alpha1
        kind: AgentProviderConfig
        metadata: { name: anthropic, namespace: krate-org-greenfield }
        spec: { provider: anthropic, authType: api-key, secretRef: { name: anthropic-provider, key: api-key } }
        """;

    /// <summary>What a person writes where no manifest follows from the stack.</summary>
    private static readonly Dictionary<string, string> Written = new()
    {
        ["AgentToolProfile"] = "apiVersion: krate.a5c.ai/v1alpha1\nkind: AgentToolProfile\nmetadata: {name: repo-write-safe}\nspec: {filesystemPolicy: repo-write, approvalPolicyByTool: {shell: prompt}, requiredRoles: [krate-agent-ci-diagnoser]}\n",
        ["AgentWorkspacePolicy"] = "apiVersion: krate.a5c.ai/v1alpha1\nkind: AgentWorkspacePolicy\nmetadata: {name: isolated-worktree-default}\nspec: {mode: isolated-worktree, retentionPolicy: {keepFor: 72h}}\n",
    };

    [Fact]
    public async Task A_stack_becomes_ready_by_mending_what_its_page_names_and_each_manifest_is_what_kubectl_then_shows()
    {
        await KubectlAsync(["apply", "-f", "-"], Organization);
        await KubectlAsync(["wait", "--for=condition=Ready", "organization/greenfield", "-n", "krate-system", "--timeout=30s"]);
        await KubectlAsync(["apply", "-f", "-"], Stack);
        var page = await SignedInAsync(Page);
        var (told, sent) = (0, 0);
        page.WebSocket += (_, socket) =>
        {
            socket.FrameReceived += (_, frame) => told += Tells(frame.Binary ?? Encoding.UTF8.GetBytes(frame.Text ?? "")) ? 1 : 0;
            socket.FrameSent += (_, frame) => sent += Tells(frame.Binary ?? Encoding.UTF8.GetBytes(frame.Text ?? "")) ? 1 : 0;
        };
        await GoAsync(page, Page);
        var mended = new List<string>();
        while (await NextAsync(page) is { } step) mended.Add(await step.GetByRole(AriaRole.Button, new() { NameRegex = new("^Create ") }).CountAsync() > 0 ? await CreateAsync(page, step) : await WriteAsync(page, step));

        Assert.Equal(["AgentAdapter", "AgentRoleBinding", "AgentSecretGrant", "AgentServiceAccount", "AgentToolProfile", "AgentWorkspacePolicy", "Secret"], mended.Order(StringComparer.Ordinal));
        await Assertions.Expect(page.GetByRole(AriaRole.Heading, new() { Name = "May run" })).ToBeVisibleAsync();
        await ScreenshotAsync(page, "stack-ready");
        await KubectlAsync(["wait", "--for=condition=Ready", "agentstack/claude-code-ci-repair", "-n", Ns, "--timeout=20s"]);

        // The value went to the server once, and nothing of it came back.
        Assert.Equal((1, 0), (sent, told));
        Assert.False(Tells(Encoding.UTF8.GetBytes(await page.ContentAsync())));

        // What is taken away again is on the open page at that moment.
        await KubectlAsync(["delete", "agentsecretgrants", "--all", "-n", Ns]);
        await Assertions.Expect(page.Locator("[data-reason=MissingSecretGrant]")).ToBeVisibleAsync();

        // One goes from tab to tab without loading the page anew.
        foreach (var tab in new[] { "Builder", "Permissions", "Builder" }) await page.Locator(".k-tabs").GetByRole(AriaRole.Link, new() { Name = tab, Exact = true }).ClickAsync();
        await page.Locator("[id='stack-model']").FillAsync("claude-opus-4-5");
        await page.Locator("[id='stack-model']").BlurAsync();
        await Assertions.Expect(page.GetByText("1 unsaved change")).ToBeVisibleAsync();
    }

    /// <summary>The first thing that is missing; null when nothing is.</summary>
    private static async Task<ILocator?> NextAsync(IPage page)
    {
        var next = page.Locator(".k-perms__step--next");
        await Assertions.Expect(next.Or(page.GetByRole(AriaRole.Heading, new() { NameRegex = new("^May run$") }))).ToBeVisibleAsync(new() { Timeout = 20_000 });
        return await next.CountAsync() > 0 ? next : null;
    }

    /// <summary>As it is offered.</summary>
    /// <returns>The kind.</returns>
    private async Task<string> CreateAsync(IPage page, ILocator step)
    {
        var said = await step.Locator("p").First.InnerTextAsync();
        await step.GetByRole(AriaRole.Button, new() { NameRegex = new("^Create ") }).First.ClickAsync();
        await Assertions.Expect(step.Locator(".k-inline .k-btn--primary")).ToBeEnabledAsync();
        var lines = await step.Locator("pre .k-line").EvaluateAllAsync<string[]>("lines => lines.map(l => [...l.childNodes].filter(n => !n.classList?.contains('k-ln')).map(n => n.textContent).join('').trimEnd())");
        await step.Locator(".k-inline .k-btn--primary").ClickAsync();
        await Assertions.Expect(page.GetByText(said, new() { Exact = true })).ToHaveCountAsync(0);

        var (kind, name) = (Value("kind"), Value("  name"));
        var kept = await KubectlAsync(["get", kind.ToLowerInvariant(), name, "-n", Ns, "-o", "yaml"]);
        Assert.Equal(SpecOf(lines), SpecOf(kept.Split('\n')));
        return kind;

        string Value(string key) => lines.First(l => l.StartsWith(key + ": ", StringComparison.Ordinal))[(key.Length + 2)..];
    }

    /// <summary>By the form for a new resource of its kind.</summary>
    private static async Task<string> WriteAsync(IPage page, ILocator step)
    {
        var link = step.GetByRole(AriaRole.Link, new() { NameRegex = new("^Create ") });
        var kind = (await link.InnerTextAsync())["Create ".Length..].Trim();
        await link.ClickAsync();
        await AtAsync(page, new Regex("/new[/?].*name="));
        if (kind == "Secret") return await WriteSecretAsync(page);
        var yaml = page.GetByRole(AriaRole.Textbox, new() { NameRegex = new("^YAML of the ") });
        await yaml.FillAsync(Written[kind]);
        await yaml.BlurAsync();
        await page.GetByRole(AriaRole.Button, new() { NameRegex = new("^Create ") }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Button, new() { Name = "Delete" })).ToBeVisibleAsync();
        await GoAsync(page, Page);
        return kind;
    }

    /// <summary>The name and the key are in the form already; it leads back to the stack.</summary>
    private static async Task<string> WriteSecretAsync(IPage page)
    {
        await page.GetByRole(AriaRole.Textbox, new() { NameRegex = new("^Value") }).FillAsync(Value);
        await page.GetByRole(AriaRole.Button, new() { Name = "Write key" }).ClickAsync();
        await AtAsync(page, new Regex("/agents/stacks/"));
        return "Secret";
    }

    /// <summary>All forms in which the value could be told.</summary>
    private static bool Tells(ReadOnlySpan<byte> bytes)
    {
        var raw = Encoding.UTF8.GetBytes(Value);
        string[] forms = [Value, new([.. Value.Reverse()]), Convert.ToHexString(raw), Convert.ToHexStringLower(raw), Uri.EscapeDataString(Value), JsonSerializer.Serialize(Value).Trim('"'), Value.Replace("\"", "\\\"", StringComparison.Ordinal), .. Enumerable.Range(0, 3).Select(shift => Convert.ToBase64String([.. new byte[shift], .. raw])[(shift + 1)..^4])];
        foreach (var form in forms)
            if (bytes.IndexOf(Encoding.UTF8.GetBytes(form)) >= 0) return true;
        return false;
    }

    /// <summary>Its lines, in whichever order they are.</summary>
    private static List<string> SpecOf(IReadOnlyList<string> yaml) => [.. yaml.SkipWhile(l => l != "spec:").Skip(1).TakeWhile(l => l.StartsWith(' ')).Select(l => l.Trim().TrimStart('-', ' ').Replace("\"", "", StringComparison.Ordinal).Replace("'", "", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];
}
