using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Git;
using Krate.Core.Kinds;
using Krate.Core.Resources;
using Krate.Core.Resources.Patching;
using Krate.Tests.Repositories;
using Xunit;

namespace Krate.Tests.Work;

/// <summary>From a pushed branch to a merge, with a real git, the real reconciler and the real gateway.</summary>
[Collection(typeof(GitCollection))]
public sealed class PullRequestTests(GitWorld world) : PullRequestWork(world)
{
    private static GitPerson Max => new("Max", "max@acme.example", DateTimeOffset.UnixEpoch);

    [Fact]
    public async Task A_protected_branch_takes_a_pull_request_only_with_an_approval_of_its_head_by_somebody_else()
    {
        var repository = await PushedAsync();
        await ProtectAsync(repository, new() { ["requiredApprovals"] = 1 });
        var issue = await CreateAsync("Issue", new() { ["repository"] = repository.Name, ["title"] = "Broken" }, "mira");
        var pull = await OpenAsync(repository, "lumi", body: $"Fixes #{issue.Body.Whole("spec.number")}");
        Assert.Equal((await HeadAsync("change"), await HeadAsync("main"), true), (pull.Body.Text("status.headSha"), pull.Body.Text("status.baseSha"), pull.Body.Flag("status.mergeable")));

        Assert.Contains("1 more approval of this head, not by its author (0 of 1)", await RefusedAsync(pull), StringComparison.Ordinal);
        await ReviewAsync(pull, "lumi", "approved");
        Assert.Contains("0 of 1", await RefusedAsync(pull), StringComparison.Ordinal);
        await ReviewAsync(pull, "mira", "approved");
        await PushChangeAsync(repository, "more");
        pull = await UntilHeadAsync(pull, await HeadAsync("change"));
        Assert.Contains("0 of 1, 1 of an older head", await RefusedAsync(pull), StringComparison.Ordinal);
        await ReviewAsync(pull, "mira", "changes-requested");
        await ReviewAsync(pull, "max", "approved");
        Assert.Contains("mira asked for changes", await RefusedAsync(pull), StringComparison.Ordinal);
        await ReviewAsync(pull, "mira", "approved");

        Assert.Equal(403, (await Assert.ThrowsAsync<ApiException>(() => MergeAsync(pull, "mira"))).Code);
        var merged = await MergeAsync(pull, "max");
        Assert.Equal(("Merged", "max"), (merged.Body.Text("status.phase"), merged.Body.Text("status.mergedBy")));
        await Git.RunAsync("work", "fetch", "--quiet", World.UrlOf(repository.Name), "main");
        Assert.Equal(merged.Body.Text("status.mergeSha"), await Git.RunAsync("work", "rev-parse", "FETCH_HEAD"));
        Assert.Equal($"{await HeadAsync("main")} {await HeadAsync("change")}", await Git.RunAsync("work", "log", "-1", "--format=%P", "FETCH_HEAD"));
        Assert.Equal(("Closed", "max", pull.Name), await ClosedAsync(issue));
        Assert.Equal("max", (await World.EventsAsync(repository.Name, "ref."))[^1].Body.Text("spec.actor.name"));
        Assert.Equal(409, (await Assert.ThrowsAsync<ApiException>(() => MergeAsync(pull, "max"))).Code);
    }

    [Fact]
    public async Task A_merge_of_a_head_that_nobody_has_looked_at_is_refused()
    {
        var repository = await PushedAsync();
        var pull = await OpenAsync(repository, "lumi");
        await Git.RunAsync("work", "switch", "--quiet", "change");
        await Git.RunAsync("work", "commit", "--quiet", "--amend", "-m", "Rewritten");
        await Git.RunAsync("work", "push", "--quiet", "--force", World.UrlOf(repository.Name), "change");

        var refused = await Assert.ThrowsAsync<ApiException>(() => MergeAsync(pull, "max"));

        Assert.Equal(409, refused.Code);
        Assert.Contains($"the head is {(await HeadAsync("change"))[..12]} by now", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_approval_of_somebody_who_has_lost_the_role_counts_no_more()
    {
        var repository = await PushedAsync("private");
        foreach (var who in (string[])["lumi", "mira", "max"]) await World.PermitAsync(repository, who, "read");
        await ProtectAsync(repository, new() { ["requiredApprovals"] = 1 });
        var pull = await OpenAsync(repository, "lumi");
        await ReviewAsync(pull, "mira", "approved");
        await World.Gateway.DeleteAsync(GitWorld.Admin, KindTable.Catalog["RepositoryPermission"], repository.Namespace, $"{repository.Name}-mira-read", new DeleteOptions(), Ct);
        await World.UntilAsync("RoleBinding", repository.Namespace, $"krate-repository-{repository.Name}-read", b => b?.Body["subjects"] is JsonArray s && s.All(x => x.Text("name") != "mira"));

        Assert.Contains("0 of 1", await RefusedAsync(pull), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Conflicts_are_told_and_a_branch_that_moves_on_solves_them()
    {
        var repository = await PushedAsync();
        await Git.RunAsync("work", "switch", "--quiet", "main");
        await Git.CommitAsync("work", "b.txt", "other\n");
        await Git.RunAsync("work", "push", "--quiet", World.UrlOf(repository.Name), "main");
        var pull = await OpenAsync(repository, "lumi", wanted: p => p.Body.At("status.mergeable") is not null);
        Assert.False(pull.Body.Flag("status.mergeable"));
        Assert.Contains("It conflicts with main", await RefusedAsync(pull), StringComparison.Ordinal);

        await Git.RunAsync("work", "switch", "--quiet", "change");
        await Git.RunAsync("work", "rebase", "--quiet", "-X", "theirs", "main");
        await Git.RunAsync("work", "push", "--quiet", "--force", World.UrlOf(repository.Name), "change");
        pull = await UntilHeadAsync(pull, await HeadAsync("change"));
        var merged = await MergeAsync(pull, "max", "rebase");
        await Git.RunAsync("work", "fetch", "--quiet", World.UrlOf(repository.Name), "main");
        Assert.Equal(merged.Body.Text("status.mergeSha"), await Git.RunAsync("work", "rev-parse", "FETCH_HEAD"));
        Assert.Equal(await Git.RunAsync("work", "rev-parse", "change^{tree}"), await Git.RunAsync("work", "rev-parse", "FETCH_HEAD^{tree}"));
    }

    [Fact]
    public async Task Two_merges_at_once_leave_both_whole_or_refuse_one_of_them()
    {
        var repository = await PushedAsync();
        await Git.RunAsync("work", "switch", "--quiet", "-c", "second", "main");
        await Git.CommitAsync("work", "second.txt", "2\n");
        await Git.RunAsync("work", "push", "--quiet", World.UrlOf(repository.Name), "second");
        var pulls = new[] { await OpenAsync(repository, "lumi"), await OpenAsync(repository, "mira", "second") };

        var results = await Task.WhenAll(pulls.Select(async p =>
        {
            try
            {
                return await MergeAsync(p, "max", "squash");
            }
            catch (ApiException e) when (e.Code == 409)
            {
                return null;
            }
        }));

        Assert.Contains(results, r => r is not null);
        await Git.RunAsync("work", "fetch", "--quiet", World.UrlOf(repository.Name), "main");
        var log = await Git.RunAsync("work", "log", "--format=%H", "FETCH_HEAD");
        Assert.All(results.OfType<Resource>(), r => Assert.Contains(r.Body.Text("status.mergeSha")!, log, StringComparison.Ordinal));
        Assert.Equal(1 + results.Count(r => r is not null), log.Split('\n').Length);
        foreach (var (pull, result) in pulls.Zip(results).Where(p => p.Second is null))
            Assert.Equal("Merged", (await MergeAsync(await World.UntilAsync("PullRequest", pull.Namespace, pull.Name, p => p!.Body.Flag("status.mergeable")) ?? pull, "max", "squash")).Body.Text("status.phase"));
    }

    [Fact]
    public async Task What_was_pushed_to_the_target_and_what_a_crash_interrupted_is_found_merged()
    {
        var repository = await PushedAsync();
        var pushed = await OpenAsync(repository, "lumi");
        await Git.RunAsync("work", "push", "--quiet", World.UrlOf(repository.Name), "change:main");
        Assert.Equal((await HeadAsync("change"), null), Merge(await UntilAsync(pushed, p => p.Body.Text("status.phase") == "Merged")));

        await Git.RunAsync("work", "switch", "--quiet", "-c", "third", "change");
        await Git.CommitAsync("work", "third.txt", "3\n");
        await Git.RunAsync("work", "push", "--quiet", World.UrlOf(repository.Name), "third");
        var begun = await OpenAsync(repository, "lumi", "third");
        // As a process leaves it that ended between moving the ref and saying so.
        var bare = new GitRepository(World.DirectoryOf(repository.Name));
        var squashed = await bare.MergeAsync(new(await HeadAsync("change"), await HeadAsync("third"), MergeMethod.Squash, "Squash\n", Max, Max), Ct);
        var status = new JsonObject { ["status"] = new JsonObject { ["merging"] = new JsonObject { ["sha"] = squashed.Commit, ["by"] = "max" } } };
        await World.Gateway.PatchAsync(PrivilegedAccess.Work(GitWorld.Admin), Pulls, begun.Namespace, begun.Name, new Patch(PatchType.Merge, status, "test"), new WriteOptions { Subresource = "status" }, Ct);
        await Git.RunAsync(".", "--git-dir", World.DirectoryOf(repository.Name), "update-ref", "refs/heads/main", squashed.Commit!);
        await Git.RunAsync("work", "push", "--quiet", World.UrlOf(repository.Name), "third:refs/heads/elsewhere");
        Assert.Equal((squashed.Commit, "max"), Merge(await UntilAsync(begun, p => p.Body.Text("status.phase") == "Merged")));

        static (string?, string?) Merge(Resource pull) => (pull.Body.Text("status.mergeSha"), pull.Body.Text("status.mergedBy"));
    }

    [Fact]
    public async Task A_fork_proposes_its_branch_to_where_it_came_from()
    {
        var repository = await PushedAsync();
        var fork = await World.NewRepositoryAsync("internal", s => s["forkOf"] = repository.Name);
        await Git.RunAsync("work", "switch", "--quiet", "-c", "from-fork", "main");
        await Git.CommitAsync("work", "fork.txt", "f\n");
        await Git.RunAsync("work", "push", "--quiet", World.UrlOf(fork.Name), "from-fork");

        var pull = await OpenAsync(repository, "mira", "from-fork", more: new() { ["sourceRepository"] = fork.Name });
        var merged = await MergeAsync(pull, "max");

        Assert.Equal("Merged", merged.Body.Text("status.phase"));
        await Git.RunAsync("work", "fetch", "--quiet", World.UrlOf(repository.Name), "main");
        Assert.Equal("f", await Git.RunAsync("work", "show", "FETCH_HEAD:fork.txt"));
        Assert.DoesNotContain(await World.EventsAsync(repository.Name, "ref."), e => e.Body.ToJsonString().Contains("refs/pull/", StringComparison.Ordinal));
    }
}
