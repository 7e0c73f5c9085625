using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Kinds;
using Krate.Core.Resources;
using Krate.Core.Resources.Patching;
using Krate.Tests.Repositories;
using Krate.Tests.Testing;
using Xunit;

namespace Krate.Tests.Work;

/// <summary>A repository with a proposed branch, and the people of a review.</summary>
public abstract class PullRequestWork(GitWorld world) : IDisposable
{
    protected GitWorld World { get; } = world;

    protected GitClient Git { get; } = new();

    protected static KindDefinition Pulls => KindTable.Catalog["PullRequest"];

    protected static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        Git.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>A repository with main, and a branch "change" that is one commit ahead.</summary>
    protected async Task<Resource> PushedAsync(string visibility = "internal")
    {
        var repository = await World.NewRepositoryAsync(visibility);
        await BindMaintainerAsync();
        await Git.NewRepositoryAsync("work", "a.txt", "a\n");
        await Git.RunAsync("work", "push", "--quiet", World.UrlOf(repository.Name), "main");
        await Git.RunAsync("work", "switch", "--quiet", "-c", "change");
        await PushChangeAsync(repository, "b");
        return repository;
    }

    protected async Task BindMaintainerAsync()
    {
        if (await World.FindAsync("RoleBinding", GitWorld.Namespace, "max-maintains") is not null) return;
        await World.Gateway.CreateAsync(GitWorld.Admin, KindTable.Catalog["RoleBinding"], GitWorld.Namespace, KrateJson.ParseObject("""{"metadata":{"name":"max-maintains"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"krate-maintainer"},"subjects":[{"apiGroup":"rbac.authorization.k8s.io","kind":"User","name":"max"}]}"""), new(), Ct);
        var team = KrateJson.ParseObject("""{"spec":{"members":["mira","lumi","max"]}}""");
        await World.Gateway.PatchAsync(GitWorld.Admin, KindTable.Catalog["Team"], GitWorld.Namespace, "core", new Patch(PatchType.Merge, team, "test"), new WriteOptions(), Ct);
    }

    protected async Task PushChangeAsync(Resource repository, string text)
    {
        await Git.CommitAsync("work", "b.txt", text + "\n");
        await Git.RunAsync("work", "push", "--quiet", World.UrlOf(repository.Name), "change");
    }

    protected Task<Resource> ProtectAsync(Resource repository, JsonObject spec)
    {
        (spec["repository"], spec["refs"], spec["requirePullRequest"]) = (repository.Name, new JsonArray("refs/heads/main"), true);
        return World.CreateAsync("BranchProtection", repository.Namespace, repository.Name + "-main", spec);
    }

    protected Task<Resource> CreateAsync(string kind, JsonObject spec, string user) =>
        World.Gateway.CreateAsync(World.ActorOf(user), KindTable.Catalog[kind], GitWorld.Namespace, new JsonObject { ["spec"] = spec }, new WriteOptions(), Ct);

    /// <summary>A pull request that the reconciler has looked at.</summary>
    protected async Task<Resource> OpenAsync(Resource repository, string user, string branch = "change", string body = "", Func<Resource, bool>? wanted = null, JsonObject? more = null)
    {
        var spec = more ?? [];
        (spec["repository"], spec["title"], spec["sourceRef"], spec["targetRef"], spec["body"]) = (repository.Name, "Change it", branch, "main", body);
        return await UntilAsync(await CreateAsync("PullRequest", spec, user), wanted ?? (p => p.Body.Flag("status.mergeable")));
    }

    protected async Task<Resource> UntilAsync(Resource pull, Func<Resource, bool> wanted) => (await World.UntilAsync("PullRequest", pull.Namespace, pull.Name, p => p is not null && wanted(p)))!;

    protected Task<Resource> UntilHeadAsync(Resource pull, string head) => UntilAsync(pull, p => p.Body.Text("status.headSha") == head);

    protected Task<Resource> ReviewAsync(Resource pull, string user, string decision) =>
        CreateAsync("Review", new() { ["pullRequest"] = pull.Name, ["decision"] = decision, ["headSha"] = pull.Body.Text("status.headSha") }, user);

    protected async Task<Resource> MergeAsync(Resource pull, string user, string method = "merge") =>
        new(Pulls, await World.Gateway.ActAsync(World.ActorOf(user), Pulls, pull.Namespace, pull.Name, "merge", new JsonObject { ["method"] = method, ["headSha"] = pull.Body.Text("status.headSha") }, Ct));

    /// <returns>Why it is not merged.</returns>
    protected async Task<string> RefusedAsync(Resource pull)
    {
        var refused = await Assert.ThrowsAsync<ApiException>(() => MergeAsync(pull, "max"));
        Assert.Equal(409, refused.Code);
        return string.Join('\n', refused.Causes.Select(c => c.Message).Append(refused.Message));
    }

    protected Task<string> HeadAsync(string branch) => Git.RunAsync("work", "rev-parse", branch);

    protected async Task<(string?, string?, string?)> ClosedAsync(Resource issue)
    {
        var now = (await World.FindAsync("Issue", issue.Namespace, issue.Name))!;
        return (now.Body.Text("status.phase"), now.Body.Text("status.closedBy"), now.Body.Text("status.closedWith"));
    }
}
