using System.Net;
using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Kinds;
using Krate.Core.Resources;
using Krate.Core.Resources.Patching;
using Krate.Tests.Testing;
using Xunit;

namespace Krate.Tests.Repositories;

/// <summary>What the default branch is, and who may read, changes while people work.</summary>
[Collection(typeof(GitCollection))]
public sealed class ChangedUnderneathTests(GitWorld world) : IDisposable
{
    private readonly GitClient git = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => git.Dispose();

    [Fact]
    public async Task Another_default_branch_is_what_clones_check_out_and_what_cannot_be_deleted()
    {
        var repository = await world.NewRepositoryAsync();
        await git.NewRepositoryAsync("work");
        await git.RunAsync("work", "push", "--quiet", world.UrlOf(repository.Name), "main", "main:next", "main:refs/heads/with/slash");
        Assert.Contains("a branch name may not begin with a dash", (await git.TryAsync("work", "push", world.UrlOf(repository.Name), "main:refs/heads/-dash")).Error, StringComparison.Ordinal);
        Assert.Contains("a tag name may not begin with a dash", (await git.TryAsync("work", "push", world.UrlOf(repository.Name), "main:refs/tags/-dash")).Error, StringComparison.Ordinal);

        await DefaultAsync(repository, "next");
        Assert.StartsWith("ref: refs/heads/next", await git.RunAsync(".", "ls-remote", "--symref", world.UrlOf(repository.Name), "HEAD"), StringComparison.Ordinal);
        Assert.Contains("the default branch cannot be deleted", (await git.TryAsync("work", "push", world.UrlOf(repository.Name), ":next")).Error, StringComparison.Ordinal);
        await git.RunAsync("work", "push", "--quiet", world.UrlOf(repository.Name), ":main");
        await DefaultAsync(repository, "with/slash");
        Assert.StartsWith("ref: refs/heads/with/slash", await git.RunAsync(".", "ls-remote", "--symref", world.UrlOf(repository.Name), "HEAD"), StringComparison.Ordinal);
        foreach (var wrong in (string[])["a..b", "-dash", "refs/heads/x", "a b", "HEAD", "x.lock", "/x", "x/"])
            Assert.Equal("spec.defaultBranch", (await Assert.ThrowsAsync<ApiException>(() => PatchAsync(repository, wrong))).Causes[0].Field);
    }

    [Fact]
    public async Task An_open_watch_of_a_repository_ends_with_the_permission_and_every_door_is_shut()
    {
        var repository = await world.NewRepositoryAsync();
        await git.NewRepositoryAsync("work");
        await git.RunAsync("work", "push", "--quiet", world.UrlOf(repository.Name), "main");
        await world.PermitAsync(repository, "oskar", "read");
        using var client = world.ClientOf("oskar");
        var path = $"/apis/krate.a5c.ai/v1alpha1/namespaces/{GitWorld.Namespace}/repositories";
        using var watch = await client.GetAsync(new Uri($"{path}?watch=true&fieldSelector=metadata.name%3D{repository.Name}", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, Ct);
        using var lines = new StreamReader(await watch.Content.ReadAsStreamAsync(Ct));
        Assert.Equal("ADDED", KrateJson.ParseObject((await lines.ReadLineAsync(Ct))!).Text("type"));
        string[] doors = [$"{path}/{repository.Name}", $"/orgs/acme/repositories/{repository.Name}/raw/main/README.md", $"/orgs/acme/repositories/{repository.Name}"];
        foreach (var door in doors) Assert.Equal(HttpStatusCode.OK, await StatusAsync(client, door));

        await world.Gateway.DeleteAsync(GitWorld.Admin, KindTable.Catalog["RepositoryPermission"], GitWorld.Namespace, $"{repository.Name}-oskar-read", new DeleteOptions(), Ct);
        string? line, last = null;
        while ((line = await lines.ReadLineAsync(Ct)) is not null) last = line;
        Assert.Equal(("ERROR", "410"), (KrateJson.ParseObject(last!).Text("type"), KrateJson.ParseObject(last!).At("object.code")!.ToString()));
        foreach (var door in doors) Assert.Contains(await StatusAsync(client, door), (HttpStatusCode[])[HttpStatusCode.NotFound, HttpStatusCode.Forbidden]);
        Assert.NotEqual(0, (await git.TryAsync(".", "ls-remote", world.UrlOf(repository.Name, "oskar"))).ExitCode);
    }

    private async Task DefaultAsync(Resource repository, string branch)
    {
        await PatchAsync(repository, branch);
        var head = Path.Combine(world.DirectoryOf(repository.Name), "HEAD");
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while ((await File.ReadAllTextAsync(head, Ct)).Trim() != "ref: refs/heads/" + branch) await timer.WaitForNextTickAsync(Ct);
    }

    private Task<(Resource Resource, bool Created)> PatchAsync(Resource repository, string branch) => world.Gateway.PatchAsync(
        GitWorld.Admin, repository.Kind, repository.Namespace, repository.Name, new Patch(PatchType.Merge, new JsonObject { ["spec"] = new JsonObject { ["defaultBranch"] = branch } }, "test"), new(), Ct);

    private static async Task<HttpStatusCode> StatusAsync(HttpClient client, string path)
    {
        using var answer = await client.GetAsync(new Uri(path, UriKind.Relative), Ct);
        return answer.StatusCode;
    }
}
