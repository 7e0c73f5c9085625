using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Kinds;
using Krate.Core.Resources;
using Krate.Tests.Repositories;
using Xunit;

namespace Krate.Tests.Work;

[Collection(typeof(GitCollection))]
public sealed class IssueTests(GitWorld world)
{
    private static readonly KindDefinition Issues = KindTable.Catalog["Issue"];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_issue_is_open_numbered_in_its_repository_and_signed_by_whoever_opens_it()
    {
        var (one, other) = (await world.NewRepositoryAsync("internal"), await world.NewRepositoryAsync("internal"));
        var first = await OpenAsync(one, "mira");
        var second = await OpenAsync(one, "lumi");

        Assert.Equal((1L, "mira", "Open", $"{one.Name}-1"), (first.Body.Whole("spec.number"), first.Body.Text("spec.author"), first.Body.Text("status.phase"), first.Name));
        Assert.Equal((2L, "lumi"), (second.Body.Whole("spec.number"), second.Body.Text("spec.author")));
        Assert.Equal(1L, (await OpenAsync(other, "mira")).Body.Whole("spec.number"));
        var forged = await Assert.ThrowsAsync<ApiException>(() => OpenAsync(one, "mira", new() { ["author"] = "lumi" }));
        Assert.Equal((422, "spec.author"), (forged.Code, forged.Causes[0].Field));
    }

    [Fact]
    public async Task It_is_closed_and_opened_again_by_those_who_may_change_it_and_says_who_closed_it()
    {
        var issue = await OpenAsync(await world.NewRepositoryAsync("internal"), "mira");

        var closed = new Resource(Issues, await ActAsync("lumi", issue, "close"));
        Assert.Equal(("Closed", "lumi"), (closed.Body.Text("status.phase"), closed.Body.Text("status.closedBy")));
        Assert.NotNull(closed.Body.Text("status.closedAt"));
        Assert.Equal(closed.Version, new Resource(Issues, await ActAsync("mira", issue, "close")).Version);
        var open = new Resource(Issues, await ActAsync("mira", issue, "reopen"));
        Assert.Equal(("Open", null, null), (open.Body.Text("status.phase"), open.Body.Text("status.closedBy"), open.Body.Text("status.closedAt")));
        Assert.Equal(403, (await Assert.ThrowsAsync<ApiException>(() => ActAsync("oskar", issue, "close"))).Code);
        var direct = new JsonObject { ["status"] = new JsonObject { ["phase"] = "Closed" } };
        Assert.Equal(403, (await Assert.ThrowsAsync<ApiException>(() => world.Gateway.UpdateAsync(world.ActorOf("mira"), Issues, issue.Namespace, issue.Name, direct, new WriteOptions { Subresource = "status" }, Ct))).Code);
    }

    [Fact]
    public async Task Who_follows_an_issue_by_its_number_sees_it_change()
    {
        var repository = await world.NewRepositoryAsync("internal");
        var issue = await OpenAsync(repository, "mira");
        var options = new WatchOptions { Fields = Selector.Parse($"spec.repository={repository.Name},spec.number=1"), FromVersion = issue.Version };
        var changes = world.Gateway.WatchAsync(world.ActorOf("lumi"), Issues, issue.Namespace, options, Ct).GetAsyncEnumerator(Ct);
        var next = changes.MoveNextAsync();
        await ActAsync("mira", issue, "close");
        Assert.True(await next);
        Assert.Equal((WatchEventType.Modified, "Closed"), (changes.Current.Type, changes.Current.Resource!.Body.Text("status.phase")));
    }

    [Fact]
    public async Task The_newest_are_for_those_who_see_the_repository_and_labels_select_on_every_way()
    {
        var repository = await world.NewRepositoryAsync();
        await world.PermitAsync(repository, "lumi", "read");
        for (var i = 1; i <= 3; i++) await OpenAsync(repository, "lumi", new() { ["labels"] = i == 2 ? new JsonArray() : new JsonArray("bug", $"l{i}") });
        var options = new ListOptions { Fields = Selector.Parse($"spec.repository={repository.Name},spec.labels=bug"), Limit = 1, Newest = new() { Counted = true } };

        var seen = await world.Gateway.ListAsync(world.ActorOf("lumi"), Issues, repository.Namespace, options, Ct);
        Assert.Equal((3L, true, 2L), (Assert.Single(seen.Items).Body.Whole("spec.number"), seen.HasMore, seen.Matching));
        var hidden = await world.Gateway.ListAsync(world.ActorOf("mira"), Issues, repository.Namespace, options, Ct);
        Assert.Equal((0, false, 0L), (hidden.Items.Count, hidden.HasMore, hidden.Matching));
        Assert.Equal(403, (await Assert.ThrowsAsync<ApiException>(() => world.Gateway.ListAsync(world.ActorOf("oskar"), Issues, repository.Namespace, options, Ct))).Code);
        var byName = await world.Gateway.ListAsync(world.ActorOf("lumi"), Issues, repository.Namespace, options with { Newest = null, Limit = 0 }, Ct);
        Assert.Equal([$"{repository.Name}-1", $"{repository.Name}-3"], byName.Items.Select(i => i.Name));
    }

    private Task<Resource> OpenAsync(Resource repository, string user, JsonObject? more = null)
    {
        var spec = more ?? [];
        (spec["repository"], spec["title"]) = (repository.Name, "Something to do");
        return world.Gateway.CreateAsync(world.ActorOf(user), Issues, repository.Namespace, new JsonObject { ["spec"] = spec }, new WriteOptions(), Ct);
    }

    private Task<JsonObject> ActAsync(string user, Resource issue, string action) => world.Gateway.ActAsync(world.ActorOf(user), Issues, issue.Namespace, issue.Name, action, null, Ct);
}
