using System.Net;
using System.Text.Json;
using k8s;
using k8s.Autorest;
using k8s.Models;
using Krate.Core.Resources;
using Xunit;

namespace Krate.Tests.Api;

/// <summary>The C# KubernetesClient, with the kubeconfig that Krate writes.</summary>
[Collection<ApiCollection>]
public sealed class KubernetesClientTests(ApiServer api)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private IKubernetes Client => new Kubernetes(KubernetesClientConfiguration.BuildConfigFromConfigFile(api.Server.Kubeconfig));

    [Fact]
    public async Task Native_kinds_live_through_their_whole_life()
    {
        using var client = Client;
        Assert.Equal("1", (await client.Version.GetCodeAsync(Ct)).Major);
        var made = await client.CoreV1.CreateNamespacedConfigMapAsync(new V1ConfigMap { Metadata = new() { Name = "csharp" }, Data = new Dictionary<string, string> { ["a"] = "1" } }, ApiServer.Namespace, cancellationToken: Ct);
        made.Data["a"] = "2";
        var replaced = await client.CoreV1.ReplaceNamespacedConfigMapAsync(made, "csharp", ApiServer.Namespace, cancellationToken: Ct);
        Assert.NotEqual(made.Metadata.ResourceVersion, replaced.Metadata.ResourceVersion);
        var stale = await Assert.ThrowsAsync<HttpOperationException>(() => client.CoreV1.ReplaceNamespacedConfigMapAsync(made, "csharp", ApiServer.Namespace, cancellationToken: Ct));
        Assert.Equal((HttpStatusCode.Conflict, "Conflict"), (stale.Response.StatusCode, KubernetesJson.Deserialize<V1Status>(stale.Response.Content).Reason));
        var patched = await client.CoreV1.PatchNamespacedConfigMapAsync(new V1Patch("""{"data":{"b":"3"}}""", V1Patch.PatchType.StrategicMergePatch), "csharp", ApiServer.Namespace, cancellationToken: Ct);
        Assert.Equal(["a", "b"], patched.Data.Keys.Order(StringComparer.Ordinal));
        var status = await client.CoreV1.DeleteNamespacedConfigMapAsync("csharp", ApiServer.Namespace, cancellationToken: Ct);
        Assert.Equal("Success", status.Status);
    }

    [Fact]
    public async Task Product_kinds_are_applied_and_watched()
    {
        using var client = Client;
        using var generic = new GenericClient(client, WellKnown.ApiGroup, WellKnown.ApiVersion, "agentsubagents", disposeClient: false);
        var label = JsonSerializer.Deserialize<JsonElement>(ApiServer.Subagent("watched-by-csharp"));
        var seen = new List<(string Type, string Name)>();
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        enough.CancelAfter(TimeSpan.FromSeconds(60));
        var version = (await client.CustomObjects.ListNamespacedCustomObjectAsync<JsonElement>(WellKnown.ApiGroup, WellKnown.ApiVersion, ApiServer.Namespace, "agentsubagents", cancellationToken: Ct))
            .GetProperty("metadata").GetProperty("resourceVersion").GetString();
        var events = client.CustomObjects.WatchListNamespacedCustomObjectAsync(WellKnown.ApiGroup, WellKnown.ApiVersion, ApiServer.Namespace, "agentsubagents", resourceVersion: version, cancellationToken: enough.Token);
        var patch = new V1Patch(label, V1Patch.PatchType.ApplyPatch);
        for (var i = 0; i < 2; i++)
            await client.CustomObjects.PatchNamespacedCustomObjectAsync<JsonElement>(patch, WellKnown.ApiGroup, WellKnown.ApiVersion, ApiServer.Namespace, "agentsubagents", "watched-by-csharp", fieldManager: "csharp", force: true, cancellationToken: Ct);
        await generic.DeleteNamespacedAsync<V1Status>(ApiServer.Namespace, "watched-by-csharp", Ct);
        await foreach (var (type, thing) in events)
        {
            var item = (JsonElement)thing;
            if (item.GetProperty("metadata").GetProperty("name").GetString() != "watched-by-csharp") continue;
            seen.Add((type.ToString(), "watched-by-csharp"));
            if (type == WatchEventType.Deleted) break;
        }

        Assert.Equal(["Added", "Deleted"], seen.Select(s => s.Type));
    }

    [Fact]
    public async Task Reviews_may_leave_out_their_kind()
    {
        using var client = Client;
        var review = await client.AuthorizationV1.CreateSubjectAccessReviewAsync(
            new V1SubjectAccessReview { Spec = new() { User = "nobody", ResourceAttributes = new() { Verb = "get", Resource = "secrets", NamespaceProperty = ApiServer.Namespace } } }, cancellationToken: Ct);
        Assert.False(review.Status.Allowed);
        var token = await client.CoreV1.CreateNamespacedServiceAccountTokenAsync(new Authenticationv1TokenRequest { Spec = new() { ExpirationSeconds = 900 } }, "agent-default", ApiServer.Namespace, cancellationToken: Ct);
        var tokens = await client.AuthenticationV1.CreateTokenReviewAsync(new V1TokenReview { Spec = new() { Token = token.Status.Token } }, cancellationToken: Ct);
        Assert.Equal((true, $"system:serviceaccount:{ApiServer.Namespace}:agent-default"), (tokens.Status.Authenticated, tokens.Status.User.Username));
    }
}
