using System.Text.Json.Nodes;
using Krate.Core.Resources;
using Krate.Core.Store;
using Xunit;

namespace Krate.Tests.Store;

public abstract partial class StoreContract
{
    [Fact]
    public async Task A_created_resource_is_read_back_at_its_version()
    {
        var written = await CreateAsync("one", spec: new JsonObject { ["text"] = "häß \u0000 \"quoted\" 😀" });
        var read = await Store.GetAsync(Stack, Ns, "one", Ct);

        Assert.Equal(1, written.Version);
        Assert.Equal(written.Version, read!.Version);
        Assert.True(JsonNode.DeepEquals(written.Body, read.Body));
        Assert.Equal("1", read.Metadata.Text("resourceVersion"));
        Assert.Equal("häß \u0000 \"quoted\" 😀", read.Body.Text("spec.text"));
        Assert.Null(await Store.GetAsync(Stack, "elsewhere", "one", Ct));
        Assert.Null(await Store.GetAsync(Stack, Ns, "o\0ne", Ct));
    }

    [Fact]
    public async Task A_taken_name_and_a_stale_version_and_a_missing_row_are_refused()
    {
        var first = await CreateAsync("one");
        Assert.Equal("AlreadyExists", (await RefusedAsync(() => CreateAsync("one"))).Reason);

        var second = await UpdateAsync(first, b => b.Set("spec.n", 2));
        Assert.Equal(2, second.Version);
        Assert.Equal("Conflict", (await RefusedAsync(() => UpdateAsync(first, b => b.Set("spec.n", 3)))).Reason);
        Assert.Equal("Conflict", (await RefusedAsync(() => CommitAsync(Deleting(first)))).Reason);

        var deleted = await CommitAsync(Deleting(second));
        Assert.Equal(3, deleted.Version);
        Assert.Equal("2", deleted.Body.At("spec.n")!.ToString());
        Assert.Equal("NotFound", (await RefusedAsync(() => CommitAsync(Deleting(second)))).Reason);
        await CreateAsync("one");
        Assert.Equal("NotFound", (await RefusedAsync(() => UpdateAsync(second, b => b.Set("spec.n", 3)))).Reason);
    }

    [Fact]
    public async Task A_commit_is_all_or_nothing()
    {
        var kept = await CreateAsync("kept");
        var version = Store.Feed.Latest;
        var commit = new Commit
        {
            Writes = [Creating("a"), Updating(kept, b => b.Set("spec.n", 1)), Creating("kept")],
            Audit = [Event("resource.created")],
        };

        Assert.Equal("AlreadyExists", (await RefusedAsync(() => Store.CommitAsync(commit, Ct))).Reason);
        Assert.Null(await Store.GetAsync(Stack, Ns, "a", Ct));
        Assert.Equal(kept.Version, (await Store.GetAsync(Stack, Ns, "kept", Ct))!.Version);
        Assert.Equal(version, Store.Feed.Latest);
        Assert.Empty((await Store.Audit.ListAsync(new ListQuery(Catalog["AuditEvent"]), Ct)).Items);

        var written = await Store.CommitAsync(commit with { Writes = [Creating("a"), Updating(kept, b => b.Set("spec.n", 1)), Creating("b")] }, Ct);
        Assert.Equal([version + 1, version + 2, version + 3], written.Select(w => w.Version));
        Assert.Equal(["a", "kept", "b"], written.Select(w => w.Name));
    }

    [Fact]
    public async Task Commits_that_share_a_transaction_fail_alone_and_see_each_other()
    {
        var row = await CreateAsync("row");
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 40).Select(async i =>
        {
            try
            {
                await CommitAsync(i % 2 == 0 ? Creating("same") : Updating(row, b => b.Set("spec.n", i)));
                return i % 2 == 0 ? "created" : "updated";
            }
            catch (ApiException e)
            {
                return e.Reason;
            }
        }));

        Assert.Equal(
            [("AlreadyExists", 19), ("Conflict", 19), ("created", 1), ("updated", 1)],
            outcomes.CountBy(o => o).Select(o => (o.Key, o.Value)).OrderBy(o => o.Key, StringComparer.Ordinal));
        Assert.Equal(3, Store.Feed.Latest);
    }

    [Fact]
    public async Task Sixteen_writers_make_versions_without_gaps_in_commit_order()
    {
        await using var feed = Store.Feed.Subscribe(new ChangeFilter([Stack]), 0, Ct).GetAsyncEnumerator(Ct);
        var acknowledged = await Task.WhenAll(Enumerable.Range(0, 16).Select(async writer =>
        {
            var versions = new List<long>();
            for (var i = 0; i < 25; i++) versions.Add((await CreateAsync($"w{writer}-{i}")).Version);
            return versions;
        }));

        Assert.All(acknowledged, versions => Assert.Equal(versions.Order(), versions));
        Assert.Equal(Enumerable.Range(1, 400).Select(v => (long)v), acknowledged.SelectMany(v => v).Order());
        Assert.Equal(Enumerable.Range(1, 400).Select(v => (long)v), (await TakeAsync(feed, 400)).Select(c => c.Version));
        Assert.Equal(400, (await Store.ListAsync(new ListQuery(Stack, Ns), Ct)).Items.Count);
    }

    [Fact]
    public async Task Racing_creates_are_numbered_without_gaps_and_step_over_a_taken_name()
    {
        await CommitAsync(new CreateWrite(Issue, Ns, "app-3", Document(Issue, "app-3")));
        var numbers = await Task.WhenAll(Enumerable.Range(0, 20).Select(async _ => (await CommitAsync(NumberedCreate("app"))).Body.At("spec.number")!.GetValue<long>()));
        var other = await CommitAsync(NumberedCreate("lib"));

        Assert.Equal(Enumerable.Range(1, 21).Where(n => n != 3).Select(n => (long)n), numbers.Order());
        Assert.Equal("lib-1", other.Name);
        Assert.Equal("AlreadyExists", (await RefusedAsync(() => CommitAsync(NumberedCreate("app", "lib-1")))).Reason);
        Assert.Equal("app-22", (await CommitAsync(NumberedCreate("app"))).Name);
    }

    [Fact]
    public async Task Secret_values_live_and_die_with_their_resource()
    {
        var secret = await CommitAsync(Creating("s") with { SecretValues = new Dictionary<string, byte[]?> { ["a"] = [1, 2], ["b"] = [3] } });
        Assert.Equal([1, 2], (await Store.ReadSecretValuesAsync(secret.Uid, Ct))["a"]);

        secret = await CommitAsync(Updating(secret, _ => { }) with { SecretValues = new Dictionary<string, byte[]?> { ["a"] = null, ["c"] = [4] } });
        Assert.Equal(["b", "c"], (await Store.ReadSecretValuesAsync(secret.Uid, Ct)).Keys.Order(StringComparer.Ordinal));
        var all = new List<string>();
        await foreach (var (uid, key, _) in Store.ReadAllSecretValuesAsync(Ns, Ct)) all.Add($"{uid == secret.Uid} {key}");
        Assert.Equal(["True b", "True c"], all.Order(StringComparer.Ordinal));

        await CommitAsync(Deleting(secret));
        Assert.Empty(await Store.ReadSecretValuesAsync(secret.Uid, Ct));
    }

    [Fact]
    public async Task A_cancelled_caller_does_not_hurt_the_others()
    {
        using var cancel = new CancellationTokenSource();
        var commits = Enumerable.Range(0, 60).Select(i => Store.CommitAsync(new Commit { Writes = [Creating($"r{i}")] }, i % 3 == 0 ? cancel.Token : Ct)).ToList();
        await cancel.CancelAsync();
        await Task.WhenAll(commits.Select(c => c.ContinueWith(_ => { }, TaskScheduler.Default)));

        Assert.All(commits.Where((_, i) => i % 3 != 0), c => Assert.True(c.IsCompletedSuccessfully));
        var there = (await Store.ListAsync(new ListQuery(Stack, Ns), Ct)).Items.Select(r => r.Name).ToHashSet();
        Assert.All(commits.Select((c, i) => (c, i)), x => Assert.Equal(x.c.IsCompletedSuccessfully, there.Contains($"r{x.i}")));
    }

    [Fact]
    public async Task A_stale_fence_refuses_the_commit_and_only_that()
    {
        var first = (await Store.Leases.AcquireAsync("gc", "a", TimeSpan.FromSeconds(15), Ct))!;
        Assert.Equal(first, await Store.Leases.AcquireAsync("gc", "a", TimeSpan.FromSeconds(15), Ct));
        Assert.Null(await Store.Leases.AcquireAsync("gc", "b", TimeSpan.FromSeconds(15), Ct));
        await Store.CommitAsync(new Commit { Writes = [Creating("x")], Fence = first }, Ct);

        Time.Advance(TimeSpan.FromSeconds(16));
        var second = (await Store.Leases.AcquireAsync("gc", "b", TimeSpan.FromSeconds(15), Ct))!;
        Assert.Equal(first.Epoch + 1, second.Epoch);
        var stale = RefusedAsync(() => Store.CommitAsync(new Commit { Writes = [Creating("y")], Fence = first }, Ct));
        await Store.CommitAsync(new Commit { Writes = [Creating("z")], Fence = second }, Ct);
        Assert.Equal(503, (await stale).Code);
        Assert.Null(await Store.GetAsync(Stack, Ns, "y", Ct));

        await Store.Leases.ReleaseAsync(first, Ct);
        Assert.Null(await Store.Leases.AcquireAsync("gc", "a", TimeSpan.FromSeconds(15), Ct));
        await Store.Leases.ReleaseAsync(second, Ct);
        Assert.Equal(second.Epoch + 1, (await Store.Leases.AcquireAsync("gc", "a", TimeSpan.FromSeconds(15), Ct))!.Epoch);
    }

    [Fact]
    public async Task Everything_is_there_after_a_restart()
    {
        var one = await CreateAsync("one", labels: ("app", "web"));
        await Store.CommitAsync(new Commit { Audit = [Event("request.denied")] }, Ct);
        var again = await ReopenAsync(Options);

        Assert.Equal(one.Version, again.Feed.Latest);
        Assert.Equal(2, (await CreateAsync("two")).Version);
        Assert.Equal(["one"], await NamesAsync("app=web"));
        Assert.Null(await again.Audit.VerifyAsync(Ct));
    }

    private static CreateWrite NumberedCreate(string repository, string? name = null) => new(Issue, Ns, "", [])
    {
        Counter = $"{Ns}/{repository}",
        Numbered = n => Document(Issue, name ?? $"{repository}-{n}", spec: new JsonObject { ["number"] = n }),
    };
}
