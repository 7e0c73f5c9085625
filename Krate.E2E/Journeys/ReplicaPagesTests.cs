using System.Diagnostics;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Krate.E2E.Hosting;
using Krate.Tests.Testing;
using Microsoft.Playwright;
using Xunit;

namespace Krate.E2E.Journeys;

/// <summary>A page of one replica follows what another one writes, rights included.</summary>
public sealed class ReplicaPagesTests(AppFixture app, ReplicasFixture replicas) : Journey(app), IClassFixture<ReplicasFixture>
{
    private const string Org = "/apis/krate.a5c.ai/v1alpha1/namespaces/krate-org-acme";
    private const string Rbac = "/apis/rbac.authorization.k8s.io/v1";
    private const string Admins = Rbac + "/clusterrolebindings/krate-platform-admins";

    protected override KrateProcess Krate => replicas.First;

    [Fact]
    public async Task What_one_replica_writes_appears_in_an_open_page_of_another()
    {
        using var second = Client();
        var list = await SignedInAsync("/orgs/acme/agents/stacks");
        var row = list.GetByRole(AriaRole.Row).Filter(new() { HasText = "from-the-other-replica" });

        var since = Stopwatch.GetTimestamp();
        await SendAsync(second, HttpMethod.Post, Org + "/agentstacks", Stack());
        await Assertions.Expect(row).ToBeVisibleAsync();
        TestContext.Current.TestOutputHelper?.WriteLine($"In the other replica's page {Stopwatch.GetElapsedTime(since).TotalMilliseconds:0} ms after the request was sent");

        await SendAsync(second, HttpMethod.Delete, Org + "/agentstacks/from-the-other-replica");
        await Assertions.Expect(row).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task Open_pages_show_nothing_any_more_once_the_RoleBinding_of_who_looks_is_removed()
    {
        using var second = Client();
        await SendAsync(second, HttpMethod.Post, Rbac + "/namespaces/krate-org-acme/rolebindings", Viewer());
        var admins = await second.GetFromJsonAsync<JsonObject>(Admins, Ct);
        await SendAsync(second, HttpMethod.Delete, Admins);
        var list = await SignedInAsync("/orgs/acme/agents/stacks");
        var detail = await SignedInAsync("/orgs/acme/resources/agentstacks/issue-triage");
        await Assertions.Expect(list.GetByText("issue-triage").First).ToBeVisibleAsync();
        await Assertions.Expect(detail.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToContainTextAsync("issue-triage");

        var since = Stopwatch.GetTimestamp();
        await SendAsync(second, HttpMethod.Delete, Rbac + "/namespaces/krate-org-acme/rolebindings/looks");
        foreach (var page in new[] { list, detail })
        {
            await Assertions.Expect(page.GetByText("Kubernetes RBAC denied the request")).ToBeVisibleAsync();
            TestContext.Current.TestOutputHelper?.WriteLine($"Denied {Stopwatch.GetElapsedTime(since).TotalMilliseconds:0} ms after the request was sent");
        }

        await Assertions.Expect(list.GetByText("issue-triage")).ToHaveCountAsync(0);
        await Assertions.Expect(detail.GetByText("RuntimeIdentityReady")).ToHaveCountAsync(0);
        await ScreenshotAsync(list, "access-ended");

        admins!["metadata"] = new JsonObject { ["name"] = "krate-platform-admins" };
        await SendAsync(second, HttpMethod.Post, Rbac + "/clusterrolebindings", admins);
    }

    private HttpClient Client()
    {
        var client = new HttpClient { BaseAddress = replicas.Second.Http };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", replicas.Second.AdminToken());
        return client;
    }

    private static async Task SendAsync(HttpClient client, HttpMethod method, string path, JsonObject? body = null)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : JsonContent.Create(body) };
        using var answer = await client.SendAsync(request, Ct);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(Ct));
    }

    private static JsonObject Stack() => new()
    {
        ["metadata"] = new JsonObject { ["name"] = "from-the-other-replica" },
        ["spec"] = new JsonObject
        {
            ["baseAgent"] = "claude-code",
            ["adapter"] = "agent-mux.claude-code",
            ["runtimeIdentity"] = new JsonObject { ["serviceAccountRef"] = "nobody-made-me" },
        },
    };

    private static JsonObject Viewer() => new()
    {
        ["metadata"] = new JsonObject { ["name"] = "looks" },
        ["roleRef"] = new JsonObject { ["apiGroup"] = "rbac.authorization.k8s.io", ["kind"] = "ClusterRole", ["name"] = "krate-viewer" },
        ["subjects"] = new JsonArray(new JsonObject { ["kind"] = "User", ["name"] = "local-developer", ["apiGroup"] = "rbac.authorization.k8s.io" }),
    };
}
