using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Identity;
using Krate.Core.Kinds;
using Krate.Core.Resources;
using Krate.Tests.Testing;
using Krate.Web.Hosting;
using Xunit;
using Kubectl = Krate.Tests.Testing.Kubectl;

namespace Krate.Tests.Hosting;

/// <summary>What the Connect page hands out works with the real programs.</summary>
public sealed class ConnectTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_persons_own_token_and_kubeconfig_work_with_kubectl_until_they_are_revoked()
    {
        await using var krate = await KrateServer.StartAsync();
        var users = KindTable.Catalog["User"];
        var gateway = krate.Service<IResourceGateway>();
        await gateway.CreateAsync(PrivilegedAccess.Registration("test"), users, WellKnown.PlatformNamespace, new JsonObject
        {
            ["metadata"] = new JsonObject { ["name"] = "mira" },
            ["spec"] = new JsonObject { ["displayName"] = "Mira", ["email"] = "mira@example.com", ["username"] = "github:mira" },
        }, new WriteOptions(), Ct);
        var mira = new Actor("github:mira", [WellKnown.AuthenticatedGroup]) { Source = "ui" };
        Assert.Equal("mira", krate.Service<IdentityResolver>().UserOf(mira)!.Name);

        var answer = await gateway.ActAsync(mira, users, WellKnown.PlatformNamespace, "mira", "token", null, Ct);
        var file = Path.Combine(krate.Data.Path, "mira.kubeconfig");
        await File.WriteAllTextAsync(file, krate.Service<ClientAccess>().Kubeconfig("github:mira", answer.Text("status.token")!, "krate-org-acme"), Ct);
        using var kubectl = Kubectl.Of("1.34", file);

        var who = await kubectl.RunAsync("auth whoami -o json");
        Assert.Equal("github:mira", JsonNode.Parse(who).Text("status.userInfo.username"));
        // The same door by command.
        var shorter = await kubectl.RunAsync("create --raw /apis/krate.a5c.ai/v1alpha1/namespaces/krate-system/users/mira/token -f -", """{"spec":{"expirationSeconds":600}}""");
        Assert.NotNull(JsonNode.Parse(shorter).Text("status.token"));

        await gateway.ActAsync(mira, users, WellKnown.PlatformNamespace, "mira", "revoke-tokens", null, Ct);
        Assert.Contains("provide credentials", await kubectl.FailAsync("get users -n krate-system"), StringComparison.Ordinal);
        Assert.DoesNotContain("krate-admin", await File.ReadAllTextAsync(file, Ct), StringComparison.Ordinal);
    }
}
