using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Kinds;
using Krate.Core.Repositories;
using Krate.Core.Resources;
using Krate.Core.Resources.Patching;
using Krate.Tests.Testing;
using Xunit;

namespace Krate.Tests.Repositories;

/// <summary>A repository from its creation, empty, forked or imported, to the trash.</summary>
[Collection(typeof(GitCollection))]
public sealed class RepositoryLifeTests(GitWorld world) : IDisposable
{
    private readonly GitClient git = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => git.Dispose();

    [Fact]
    public async Task Deleting_moves_the_git_directory_to_the_trash_and_another_of_its_name_inherits_nothing()
    {
        var repository = await FilledAsync();
        await world.PermitAsync(repository, "lumi", "write");
        await world.CreateAsync("Issue", GitWorld.Namespace, "", new() { ["repository"] = repository.Name, ["title"] = "Old secret" });
        await world.Gateway.DeleteAsync(GitWorld.Admin, repository.Kind, repository.Namespace, repository.Name, new DeleteOptions(), Ct);
        await world.UntilAsync("Repository", GitWorld.Namespace, repository.Name, r => r is null);

        Assert.False(Directory.Exists(world.DirectoryOf(repository.Name)));
        var trash = Assert.Single(Directory.EnumerateDirectories(world.Server.Service<RepositoryFiles>().Trash, $"acme-{repository.Name}-{repository.Uid}-*"));
        Assert.Contains("refs/heads/main", await git.RunAsync(".", "--git-dir=" + trash, "for-each-ref"), StringComparison.Ordinal);

        await world.CreateAsync("Repository", GitWorld.Namespace, repository.Name, new() { ["visibility"] = "private" });
        await world.UntilAsync("Repository", GitWorld.Namespace, repository.Name, GitWorld.IsReady);
        Assert.Equal("", await git.RunAsync(".", "ls-remote", world.UrlOf(repository.Name)));
        Assert.NotEqual(0, (await git.TryAsync(".", "ls-remote", world.UrlOf(repository.Name, "lumi"))).ExitCode);
        var issues = await world.Gateway.ListAsync(GitWorld.Admin, KindTable.Catalog["Issue"], GitWorld.Namespace, new ListOptions { Fields = Selector.Parse($"spec.repository={repository.Name}") }, Ct);
        Assert.Empty(issues.Items);
    }

    [Fact]
    public async Task Changing_visibility_or_permission_changes_the_roles_at_once_and_what_somebody_edits_in_them_is_put_right()
    {
        var repository = await world.NewRepositoryAsync();
        await world.PermitAsync(repository, "oskar", "read");
        Assert.True(await ReadsAsync(repository, "oskar"));
        await world.Gateway.DeleteAsync(GitWorld.Admin, KindTable.Catalog["RepositoryPermission"], GitWorld.Namespace, $"{repository.Name}-oskar-read", new DeleteOptions(), Ct);
        var role = $"krate-repository-{repository.Name}-read";
        await world.UntilAsync("RoleBinding", GitWorld.Namespace, role, b => b is null);
        Assert.False(await ReadsAsync(repository, "oskar"));

        await world.Gateway.PatchAsync(GitWorld.Admin, repository.Kind, repository.Namespace, repository.Name, Spec(new() { ["visibility"] = "internal" }), new(), Ct);
        await world.UntilAsync("RoleBinding", GitWorld.Namespace, role, b => b is not null);
        var edited = (await world.UntilAsync("Role", GitWorld.Namespace, role, r => r is not null))!;
        var wider = edited.Edit();
        wider["rules"] = new JsonArray(new JsonObject { ["apiGroups"] = new JsonArray(WellKnown.ApiGroup), ["resources"] = new JsonArray("repositories"), ["verbs"] = new JsonArray("*") });
        var written = await world.Gateway.UpdateAsync(GitWorld.Admin, edited.Kind, edited.Namespace, edited.Name, wider, new(), Ct);
        var right = await world.UntilAsync("Role", GitWorld.Namespace, role, r => r!.Version > written.Version);
        Assert.True(JsonNode.DeepEquals(edited.Body["rules"], right!.Body["rules"]));
        Assert.False(await ReadsAsync(repository, "oskar"));
    }

    [Fact]
    public async Task A_fork_has_the_same_commits_and_a_life_of_its_own()
    {
        var source = await FilledAsync();
        var fork = await world.NewRepositoryAsync(more: s => s["forkOf"] = source.Name);
        Assert.Equal(await git.RunAsync(".", "ls-remote", world.UrlOf(source.Name)), await git.RunAsync(".", "ls-remote", world.UrlOf(fork.Name)));
        Assert.Empty(await world.EventsAsync(fork.Name, "ref."));
        await git.CommitAsync("work", "b.txt", "b\n");
        await git.RunAsync("work", "push", "--quiet", world.UrlOf(fork.Name), "main");
        Assert.NotEqual(await git.RunAsync(".", "ls-remote", world.UrlOf(source.Name), "main"), await git.RunAsync(".", "ls-remote", world.UrlOf(fork.Name), "main"));
        await world.Gateway.DeleteAsync(GitWorld.Admin, source.Kind, source.Namespace, source.Name, new DeleteOptions(), Ct);
        await world.UntilAsync("Repository", GitWorld.Namespace, source.Name, r => r is null);
        await git.RunAsync(".", "clone", "--quiet", world.UrlOf(fork.Name), "clone");
    }

    [Fact]
    public async Task A_fork_needs_a_source_that_one_may_see_and_is_seen_by_no_more_people_than_it()
    {
        var source = await FilledAsync();
        var maya = world.ActorOf("maya");
        await world.Gateway.CreateAsync(GitWorld.Admin, KindTable.Catalog["RoleBinding"], GitWorld.Namespace, KrateJson.ParseObject($$"""{"metadata":{"name":"maintain-{{source.Name}}"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"krate-maintainer"},"subjects":[{"apiGroup":"rbac.authorization.k8s.io","kind":"User","name":"maya"}]}"""), new(), Ct);

        var hidden = await Assert.ThrowsAsync<ApiException>(() => ForkAsync(source.Name, "private", maya));
        var absent = await Assert.ThrowsAsync<ApiException>(() => ForkAsync("nowhere", "private", maya));
        Assert.Equal(absent.Causes[0].Message.Replace("nowhere", source.Name, StringComparison.Ordinal), hidden.Causes[0].Message);
        await world.PermitAsync(source, "maya", "read");
        var wide = await Assert.ThrowsAsync<ApiException>(() => ForkAsync(source.Name, "public", maya));
        Assert.Equal("spec.visibility", wide.Causes[0].Field);

        // Whoever makes a repository administers it.
        var fork = await ForkAsync(source.Name, "private", maya);
        await world.UntilAsync("Repository", GitWorld.Namespace, fork.Name, GitWorld.IsReady);
        await git.RunAsync(".", "clone", "--quiet", world.UrlOf(fork.Name, "maya"), "clone");
        var open = await Assert.ThrowsAsync<ApiException>(() => world.Gateway.PatchAsync(maya, fork.Kind, fork.Namespace, fork.Name, Spec(new() { ["visibility"] = "public" }), new(), Ct));
        Assert.Equal(403, open.Code);
        var path = await Assert.ThrowsAsync<ApiException>(() => world.CreateAsync("Repository", GitWorld.Namespace, "by-path", new() { ["visibility"] = "private", ["hosting"] = Import("path", git.In("work")) }, maya));
        Assert.Equal(403, path.Code);
    }

    [Fact]
    public async Task An_import_brings_branches_and_tags_from_an_address_and_shows_how_far_it_is()
    {
        var source = await FilledAsync("public");
        await git.RunAsync("work", "tag", "v1");
        await git.RunAsync("work", "push", "--quiet", world.UrlOf(source.Name), "v1");
        var url = world.UrlOf(source.Name, null).Replace("127.0.0.1", "localhost", StringComparison.Ordinal);
        var imported = await ImportedAsync("url", url);

        Assert.Equal("Succeeded", imported.Body.Text("status.import.phase"));
        Assert.Equal(await git.RunAsync(".", "ls-remote", world.UrlOf(source.Name)), await git.RunAsync(".", "ls-remote", world.UrlOf(imported.Name)));
        Assert.Empty(await world.EventsAsync(imported.Name, "ref."));
        Assert.Equal(100, imported.Body.Whole("status.import.percent"));
    }

    [Fact]
    public async Task An_import_from_a_path_stays_below_the_operators_roots_also_through_links()
    {
        await git.NewRepositoryAsync("work");
        Assert.Equal("Succeeded", (await ImportedAsync("path", git.In("work", ".git"))).Body.Text("status.import.phase"));
        File.CreateSymbolicLink(git.In("way-out"), world.Server.Data.Path.StartsWith(Path.GetTempPath(), StringComparison.Ordinal) ? "/usr" : world.Server.Data.Path);
        var refused = await ImportedAsync("path", git.In("way-out"));
        Assert.Equal("Failed", refused.Body.Text("status.import.phase"));
        Assert.Contains("not below a folder", refused.Body.Text("status.import.message"), StringComparison.Ordinal);
        Assert.Equal("", await git.RunAsync(".", "ls-remote", world.UrlOf(refused.Name)));
    }

    [Theory]
    [InlineData("http://127.0.0.1:1/a.git", "private or reserved address")]
    [InlineData("http://[::1]/a.git", "private or reserved address")]
    [InlineData("http://2130706433/a.git", "private or reserved address")]
    [InlineData("http://0x7f.1/a.git", "private or reserved address")]
    [InlineData("http://[::ffff:10.0.0.1]/a.git", "private or reserved address")]
    [InlineData("http://169.254.169.254/latest/meta-data", "private or reserved address")]
    [InlineData("http://10.1.2.3/a.git", "private or reserved address")]
    [InlineData("https://nowhere.invalid/a.git", "was not found")]
    public async Task An_import_from_an_address_inside_is_refused_and_says_why(string url, string reason)
    {
        var refused = await ImportedAsync("url", url);
        Assert.Equal("Failed", refused.Body.Text("status.import.phase"));
        Assert.Contains(reason, refused.Body.Text("status.import.message"), StringComparison.Ordinal);
        Assert.True(GitWorld.IsReady(refused));
    }

    [Theory]
    [InlineData("file:///etc/passwd")]
    [InlineData("ext::sh -c id")]
    [InlineData("ssh://git@github.com/a.git")]
    [InlineData("git@github.com:a/b.git")]
    [InlineData("https://user:secret@example.com/a.git")]
    [InlineData("--upload-pack=id")]
    public async Task An_import_by_anything_but_http_or_with_a_password_is_refused_at_once(string url)
    {
        var refused = await Assert.ThrowsAsync<ApiException>(() => world.CreateAsync("Repository", GitWorld.Namespace, "never", new() { ["visibility"] = "private", ["hosting"] = Import("url", url) }));
        Assert.Equal("spec.hosting.importFrom.url", refused.Causes[0].Field);
        Assert.DoesNotContain("secret", refused.Message, StringComparison.Ordinal);
    }

    private static Patch Spec(JsonObject spec) => new(PatchType.Merge, new JsonObject { ["spec"] = spec }, "test");

    [Fact]
    public async Task Imports_that_fail_at_once_are_all_told_as_ended()
    {
        var made = await Task.WhenAll(Enumerable.Range(0, 24).Select(_ => world.NewRepositoryAsync(more: s => s["hosting"] = Import("url", "http://127.0.0.1/a.git"))));
        Assert.All(made, r => Assert.Equal("ImportFailed", r.FindCondition("HostingReady")!.Reason));
    }

    private static JsonObject Import(string kind, string where) => new() { ["importFrom"] = new JsonObject { [kind] = where } };

    private Task<Resource> ForkAsync(string source, string visibility, Actor actor) =>
        world.CreateAsync("Repository", GitWorld.Namespace, $"fork-{Guid.NewGuid():N}"[..20], new() { ["visibility"] = visibility, ["forkOf"] = source }, actor);

    private async Task<Resource> ImportedAsync(string kind, string where)
    {
        var repository = await world.NewRepositoryAsync(more: s => s["hosting"] = Import(kind, where), wait: false);
        return (await world.UntilAsync("Repository", GitWorld.Namespace, repository.Name, r => r?.Body.Text("status.import.phase") is "Succeeded" or "Failed" && GitWorld.IsReady(r)))!;
    }

    private async Task<Resource> FilledAsync(string visibility = "private")
    {
        var repository = await world.NewRepositoryAsync(visibility);
        await git.NewRepositoryAsync("work");
        await git.RunAsync("work", "push", "--quiet", world.UrlOf(repository.Name), "main");
        return repository;
    }

    private async Task<bool> ReadsAsync(Resource repository, string user) => (await git.TryAsync(".", "ls-remote", world.UrlOf(repository.Name, user))).ExitCode == 0;
}
