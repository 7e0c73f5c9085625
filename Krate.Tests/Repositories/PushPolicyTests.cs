using System.Text.Json.Nodes;
using Krate.Core.Repositories;
using Krate.Core.Resources;
using Krate.Tests.Testing;
using Xunit;

namespace Krate.Tests.Repositories;

/// <summary>BranchProtection and RefPolicy on the pusher's terminal, with the real git.</summary>
[Collection(typeof(GitCollection))]
public sealed class PushPolicyTests(GitWorld world) : IDisposable
{
    private readonly GitClient git = new();

    public void Dispose() => git.Dispose();

    public static TheoryData<string, string, string> Rules => new()
    {
        { """{"requirePullRequest":true}""", "push origin main", "by a pull request" },
        { """{"requiredApprovals":1}""", "push origin main", "by a pull request" },
        { """{"requiredChecks":["verify"]}""", "push origin main", "by a pull request" },
        { "{}", "push --force origin older:main", "may not be rewritten" },
        { "{}", "push origin :main", "may not be deleted" },
        { """{"policy":true,"denyForcePush":true}""", "push --force origin older:main", "may not be rewritten" },
        { """{"policy":true,"denyDeletion":true}""", "push origin :main", "may not be deleted" },
        { """{"policy":true,"requireLinearHistory":true}""", "push origin merged:main", "is a merge commit" },
        { """{"policy":true,"requireSignedCommits":true}""", "push origin main", "must be signed" },
        { """{"policy":true,"maxFileBytes":100}""", "push origin large:main", "folder/large file.txt is larger than 100 bytes" },
    };

    [Theory]
    [MemberData(nameof(Rules))]
    public async Task A_rule_refuses_with_its_name_and_reason_and_nothing_moves(string rule, string push, string reason)
    {
        var repository = await ProtectedAsync(rule);
        var before = await RefsAsync(repository);
        var refused = await git.TryAsync("work", push.Split(' '));

        Assert.NotEqual(0, refused.ExitCode);
        Assert.Contains(reason, refused.Error, StringComparison.Ordinal);
        Assert.Contains($"refused by {(rule.Contains("policy", StringComparison.Ordinal) ? "RefPolicy" : "BranchProtection")} rule-{repository.Name}", refused.Error, StringComparison.Ordinal);
        Assert.Equal(before, await RefsAsync(repository));
        var denied = await world.EventsAsync(repository.Name, "policy.push");
        Assert.Contains(denied, e => e.Body.Text("spec.decision") == "Denied" && e.Body.Text("spec.reason")!.Contains(reason, StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Rules))]
    public async Task What_a_rule_does_not_name_goes_through(string rule, string push, string reason)
    {
        Assert.NotEmpty(reason);
        var repository = await ProtectedAsync(rule, "refs/heads/release/*");
        // The default branch of this one is another, so that it may be deleted.
        await world.Gateway.PatchAsync(GitWorld.Admin, repository.Kind, repository.Namespace, repository.Name, Merge(new() { ["defaultBranch"] = "trunk" }), new(), TestContext.Current.CancellationToken);
        await git.RunAsync("work", push.Split(' '));
    }

    [Fact]
    public async Task A_policy_that_only_watches_lets_through_says_so_and_records_it_until_it_is_told_to_enforce()
    {
        var repository = await ProtectedAsync("""{"policy":true,"denyForcePush":true,"mode":"audit"}""");
        var pushed = await git.TryAsync("work", "push", "--force", "origin", "older:main");
        Assert.True(pushed.ExitCode == 0, pushed.Error);
        Assert.Contains("would refuse refs/heads/main", pushed.Error, StringComparison.Ordinal);
        Assert.Equal("Allowed", Assert.Single(await world.EventsAsync(repository.Name, "policy.push")).Body.Text("spec.decision"));

        var policy = (await world.FindAsync("RefPolicy", GitWorld.Namespace, $"rule-{repository.Name}"))!;
        await world.Gateway.PatchAsync(GitWorld.Admin, policy.Kind, policy.Namespace, policy.Name, Merge(new() { ["mode"] = "enforce" }), new(), TestContext.Current.CancellationToken);
        await git.RunAsync("work", "push", "origin", "main");
        Assert.NotEqual(0, (await git.TryAsync("work", "push", "--force", "origin", "older:main")).ExitCode);
    }

    [Fact]
    public async Task The_default_branch_and_Krates_own_refs_are_kept_without_any_rule()
    {
        var repository = await world.NewRepositoryAsync();
        await WorkAsync(repository);
        Assert.Contains("default branch", (await git.TryAsync("work", "push", "origin", ":main")).Error, StringComparison.Ordinal);
        Assert.Contains("hidden ref", (await git.TryAsync("work", "push", "origin", "main:refs/pull/1/head")).Error, StringComparison.Ordinal);
        Assert.Contains("may not begin with a dash", (await git.TryAsync("work", "push", "origin", "main:refs/heads/-d")).Error, StringComparison.Ordinal);
        Assert.Equal(0, (await git.TryAsync("work", "push", "origin", "main:refs/heads/feature/with/slashes")).ExitCode);
    }

    [Theory]
    [InlineData("refs/heads/main", "refs/heads/main", true)]
    [InlineData("refs/heads/main", "refs/heads/main2", false)]
    [InlineData("refs/heads/*", "refs/heads/a", true)]
    [InlineData("refs/heads/*", "refs/heads/a/b", false)]
    [InlineData("refs/heads/**", "refs/heads/a/b", true)]
    [InlineData("refs/heads/**", "refs/tags/a", false)]
    [InlineData("refs/heads/release-*", "refs/heads/release-", true)]
    [InlineData("refs/heads/*/x", "refs/heads/a/x", true)]
    [InlineData("refs/heads/*/x", "refs/heads/a/b/x", false)]
    [InlineData("refs/**/x", "refs/heads/a/b/x", true)]
    [InlineData("refs/heads/a.b", "refs/heads/aXb", false)]
    public void A_star_stays_in_its_segment_and_two_go_across(string pattern, string name, bool matches) => Assert.Equal(matches, RefGlob.Matches(pattern, name));

    [Fact]
    public void Patterns_agree_with_a_naive_matcher()
    {
        var random = new Random(11);
        for (var i = 0; i < 20_000; i++)
        {
            var pattern = Text(random, "ab/*", 6);
            var name = Text(random, "ab/", 6);
            Assert.True(Naive(pattern, name) == RefGlob.Matches(pattern, name), $"{pattern} on {name}");
        }

        static string Text(Random random, string letters, int max) => new([.. Enumerable.Range(0, random.Next(max)).Select(_ => letters[random.Next(letters.Length)])]);

        static bool Naive(string pattern, string name)
        {
            if (pattern.Length == 0) return name.Length == 0;
            if (pattern.StartsWith("**", StringComparison.Ordinal)) return Enumerable.Range(0, name.Length + 1).Any(n => Naive(pattern[2..], name[n..]));
            if (pattern[0] == '*') return Enumerable.Range(0, name.Length + 1).TakeWhile(n => n == 0 || name[n - 1] != '/').Any(n => Naive(pattern[1..], name[n..]));
            return name.Length > 0 && name[0] == pattern[0] && Naive(pattern[1..], name[1..]);
        }
    }

    private static Krate.Core.Resources.Patching.Patch Merge(JsonObject spec) => new(Krate.Core.Resources.Patching.PatchType.Merge, new JsonObject { ["spec"] = spec }, "test");

    /// <summary>A repository with one commit of main pushed, then a rule; the work tree has more to push.</summary>
    private async Task<Resource> ProtectedAsync(string rule, string refs = "refs/heads/main")
    {
        var repository = await world.NewRepositoryAsync();
        await WorkAsync(repository);
        var spec = KrateJson.ParseObject(rule).Copy();
        var kind = spec.Remove("policy") ? "RefPolicy" : "BranchProtection";
        spec["refs"] = new JsonArray(refs);
        spec["repository"] = repository.Name;
        await world.CreateAsync(kind, GitWorld.Namespace, $"rule-{repository.Name}", spec);
        return repository;
    }

    private async Task WorkAsync(Resource repository)
    {
        await git.NewRepositoryAsync("work");
        await git.RunAsync("work", "branch", "older");
        await git.CommitAsync("work", "second.txt", "2\n");
        await git.RunAsync("work", "remote", "add", "origin", world.UrlOf(repository.Name));
        await git.RunAsync("work", "push", "--quiet", "origin", "main");
        await git.RunAsync("work", "checkout", "--quiet", "-b", "merged", "main");
        await git.CommitAsync("work", "side.txt", "side\n");
        await git.RunAsync("work", "checkout", "--quiet", "-b", "large", "main");
        await git.CommitAsync("work", "folder/large file.txt", new string('x', 101));
        await git.RunAsync("work", "checkout", "--quiet", "main");
        await git.CommitAsync("work", "third.txt", "3\n");
        await git.RunAsync("work", "checkout", "--quiet", "merged");
        await git.RunAsync("work", "merge", "--quiet", "--no-edit", "main");
        await git.RunAsync("work", "checkout", "--quiet", "main");
    }

    private Task<string> RefsAsync(Resource repository) => git.RunAsync(".", "--git-dir=" + world.DirectoryOf(repository.Name), "for-each-ref");
}
