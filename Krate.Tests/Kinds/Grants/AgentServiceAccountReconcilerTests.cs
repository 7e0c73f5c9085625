using Krate.Core.Resources;
using Xunit;

namespace Krate.Tests.Kinds.Grants;

public sealed class AgentServiceAccountReconcilerTests(GrantsWorld grants) : IClassFixture<GrantsWorld>
{
    private const string Identity = "AgentServiceAccount";

    [Fact]
    public async Task An_identity_has_a_ServiceAccount_that_is_put_right_moves_with_its_name_and_goes_with_it()
    {
        await MakeAsync("worker", "worker", "owner: {kind: team, name: payments}");
        var identity = await grants.ReasonAsync(Identity, "worker", "Ready");
        Assert.Equal(["ServiceAccountSynced", "TokenProjectionAllowed", "ImagePullSecretsReady", "Ready"], identity.Conditions.Select(c => c.Type));
        var account = grants.Find("ServiceAccount", "worker")!;
        Assert.Equal(("krate", "payments", false), (account.Label("krate.a5c.ai/managed-by"), account.Annotation("krate.a5c.ai/owner-name"), (bool)account.Body["automountServiceAccountToken"]!));

        await grants.ChangeAsync("ServiceAccount", "worker", "automountServiceAccountToken", true);
        await grants.World.UntilAsync("ServiceAccount", GrantsWorld.Ns, "worker", a => !a!.Body.Flag("automountServiceAccountToken"));
        await grants.World.DeleteAsync("ServiceAccount", GrantsWorld.Ns, "worker");
        await grants.World.UntilAsync("ServiceAccount", GrantsWorld.Ns, "worker", a => a is not null && a.Uid != account.Uid);

        await grants.ChangeAsync(Identity, "worker", "spec.serviceAccountName", "worker-2");
        await grants.World.UntilAsync("ServiceAccount", GrantsWorld.Ns, "worker-2", a => a is not null);
        await grants.World.GoneAsync("ServiceAccount", GrantsWorld.Ns, "worker");
        await grants.World.DeleteAsync(Identity, GrantsWorld.Ns, "worker");
        await grants.World.GoneAsync("ServiceAccount", GrantsWorld.Ns, "worker-2");
    }

    [Fact]
    public async Task A_ServiceAccount_of_somebody_else_is_used_as_it_is_and_stays()
    {
        var account = await grants.AccountAsync("theirs");
        await MakeAsync("guest", "theirs");
        var identity = await grants.ReasonAsync(Identity, "guest", "Ready");
        Assert.Equal("External", identity.FindCondition("ServiceAccountSynced")!.Reason);
        await grants.ChangeAsync("ServiceAccount", "theirs", "automountServiceAccountToken", true);
        await grants.ReasonAsync(Identity, "guest", "TokenProjectionForbidden");
        await MakeAsync("host", "of-host");
        await grants.ReasonAsync(Identity, "host", "Ready");
        await MakeAsync("squatter", "of-host");
        await grants.ReasonAsync(Identity, "squatter", "OwnedByAnother");

        await grants.World.DeleteAsync(Identity, GrantsWorld.Ns, "guest");
        await grants.World.DeleteAsync(Identity, GrantsWorld.Ns, "host");
        await grants.World.UntilAsync("ServiceAccount", GrantsWorld.Ns, "of-host", a => a is not null && a.Metadata["ownerReferences"]![0].Text("name") == "squatter");
        Assert.Equal(account.Uid, grants.Find("ServiceAccount", "theirs")!.Uid);
    }

    [Fact]
    public async Task Secrets_for_pulling_images_must_be_there_and_of_that_kind_and_looking_again_writes_nothing()
    {
        await MakeAsync("puller", "puller", "imagePullSecretRefs: [registry]");
        await grants.ReasonAsync(Identity, "puller", "SecretMissing");
        await grants.SecretAsync("registry", "token: something-long-enough");
        await grants.ReasonAsync(Identity, "puller", "SecretTypeInvalid");
        await grants.World.DeleteAsync("Secret", GrantsWorld.Ns, "registry");
        await grants.World.CreateAsync("{apiVersion: v1, kind: Secret, metadata: {name: registry}, type: kubernetes.io/dockerconfigjson, stringData: {.dockerconfigjson: '{\"auths\":{}}'}}", GrantsWorld.Ns);
        await grants.ReasonAsync(Identity, "puller", "Ready");
        Assert.Equal("registry", grants.Find("ServiceAccount", "puller")!.Body["imagePullSecrets"]![0].Text("name"));
        Assert.Equal(0, await grants.WrittenByLookingAgainAsync($"{Identity}/{GrantsWorld.Ns}/puller"));
    }

    private Task<Resource> MakeAsync(string name, string account, string? more = null) =>
        grants.MakeAsync(Identity, name, $"namespace: {GrantsWorld.Ns}, serviceAccountName: {account}{(more is null ? "" : ", " + more)}");
}
