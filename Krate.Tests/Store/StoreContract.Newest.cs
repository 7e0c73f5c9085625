using System.Text.Json.Nodes;
using Krate.Core.Resources;
using Krate.Core.Store;
using Krate.Core.Store.Lists;
using Xunit;

namespace Krate.Tests.Store;

public abstract partial class StoreContract
{
    [Fact]
    public async Task The_newest_of_a_repository_are_what_sorting_all_of_them_would_give_forwards_and_backwards()
    {
        var all = new List<Resource>();
        for (var i = 1; i <= 60; i++) all.Add(await CommitAsync(Numbered(i, i % 10 == 0 ? "lib" : "app", i % 15 == 0 ? "krate-org-beta" : Ns)));
        for (var i = 0; i < 60; i += 7) all[i] = await UpdateAsync(all[i], b => Retag(b, i + 1));
        foreach (var gone in all.Where((_, i) => i % 9 == 0).ToList())
        {
            await CommitAsync(Deleting(gone));
            all.Remove(gone);
        }

        foreach (var fields in new[] { "", ",status.phase=Open", ",spec.tags=bug", ",spec.tags=bug,status.phase=Open", ",spec.tags=bug,spec.tags=odd", ",spec.tags!=bug", ",status.phase in (Open,Closed)", ",spec.number=7" })
        {
            foreach (var repositories in new string[]?[] { null, ["app"], ["lib"] })
            {
                var query = new ListQuery(Issue, Ns, Selector.Everything, Selector.Parse("spec.repository=app" + fields)) { Limit = 7, Repositories = repositories, Newest = new() { Counted = true } };
                var wanted = all.Where(r => r.Namespace == Ns && IndexedValues.Matches(r, query.Labels, query.Fields) && (repositories is null || repositories.Contains("app")))
                    .OrderByDescending(NumberOf).Select(r => r.ToString()).ToList();
                Assert.Equal(wanted, (await WalkAsync(query, wanted.Count)).Select(r => r.ToString()));
            }
        }
    }

    [Fact]
    public async Task What_is_ordered_by_creation_is_listed_newest_first_in_one_repository_and_in_all()
    {
        var all = new List<Resource>();
        for (var i = 1; i <= 40; i++) all.Add(await CommitAsync(Ordered(i, i % 3 == 0 ? "lib" : "app", i % 11 == 0 ? "krate-org-beta" : Ns)));
        foreach (var fields in new[] { "", "spec.repository=app", "status.phase=Open", "spec.repository=lib,status.phase=Open", "spec.tags=bug", "status.phase!=Open" })
        {
            foreach (var repositories in new string[]?[] { null, ["app"], [] })
            {
                var query = new ListQuery(Run, Ns, Selector.Everything, Selector.Parse(fields)) { Limit = 7, Repositories = repositories, Newest = new() { Counted = true } };
                var wanted = all.Where(r => r.Namespace == Ns && IndexedValues.Matches(r, query.Labels, query.Fields) && (repositories is null || repositories.Contains(r.Label(WellKnown.RepositoryLabel))))
                    .OrderByDescending(NewestFirst.OrderOf).Select(r => r.ToString()).ToList();
                Assert.Equal(wanted, (await WalkAsync(query, wanted.Count)).Select(r => r.ToString()));
            }
        }
    }

    [Fact]
    public async Task The_newest_are_listed_of_one_repository_in_one_namespace_only()
    {
        var query = new ListQuery(Issue, Ns, Selector.Everything, Selector.Parse("spec.repository=app")) { Newest = new() };
        foreach (var refused in new[] { query with { Kind = Stack }, query with { Namespace = null }, query with { Fields = Selector.Everything }, query with { Fields = Selector.Parse("spec.repository in (app,lib)") } })
            Assert.Equal(400, (await RefusedAsync(() => Store.ListAsync(refused, Ct))).Code);
    }

    [Fact]
    public async Task The_newest_are_read_off_the_index_whatever_they_are_narrowed_to()
    {
        await Task.WhenAll(Enumerable.Range(1, 5000).Select(i => CommitAsync(Numbered(i, "app", Ns))));
        foreach (var fields in new[] { "", ",status.phase=Open", ",spec.tags=bug" })
        {
            var query = new ListQuery(Issue, Ns, Selector.Everything, Selector.Parse("spec.repository=app" + fields)) { Limit = 50, Newest = new(Before: 2000) };
            var plan = await ExplainAsync(new ListFilter(query, Store.Database).Page(null, 51));
            Assert.Contains("resource_labels_by_value", plan, StringComparison.OrdinalIgnoreCase);
            Assert.All(SignsOfAScan, sign => Assert.DoesNotContain(sign, plan, StringComparison.OrdinalIgnoreCase));
            Assert.Equal(50, (await Store.ListAsync(query, Ct)).Items.Count);
        }
    }

    /// <summary>Reads to the end, page by page, and from there back; both ways give the same.</summary>
    private async Task<List<Resource>> WalkAsync(ListQuery query, int count)
    {
        var down = new List<Resource>();
        for (var page = await Store.ListAsync(query, Ct); ; page = await Store.ListAsync(query with { Newest = new(Before: NumberOf(down[^1])) }, Ct))
        {
            if (down.Count == 0) Assert.Equal(count, page.Matching);
            down.AddRange(page.Items);
            Assert.Equal(down.Count < count, page.HasMore);
            if (!page.HasMore) break;
        }

        var up = new List<Resource>();
        for (var more = down.Count > 0; more;)
        {
            var page = await Store.ListAsync(query with { Newest = new(After: up.Count == 0 ? 0 : NumberOf(up[0])) }, Ct);
            up.InsertRange(0, page.Items);
            more = page.HasMore;
        }

        Assert.Equal(down.Select(r => r.Key), up.Select(r => r.Key));
        return down;
    }

    private static long NumberOf(Resource resource) => NewestFirst.OrderOf(resource);

    /// <summary>Named against the order. Every fifth is of a time before there was one: it stands by its second.</summary>
    private static CreateWrite Ordered(int i, string repository, string ns)
    {
        var name = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"run-{i * 37 % 41:00}");
        var body = Document(Run, name, ns, spec: new JsonObject { ["repository"] = repository }, labels: [(WellKnown.RepositoryLabel, repository)]);
        Retag(body, i);
        body.Set("metadata.creationTimestamp", Timestamps.Format(DateTimeOffset.UnixEpoch.AddSeconds(i)));
        if (i % 5 != 0) body.Set("status.order", (i * 1_000_000L) + 17);
        return new(Run, ns, name, body);
    }

    /// <summary>Named so that names and numbers have different orders.</summary>
    private static CreateWrite Numbered(int number, string repository, string ns)
    {
        var name = $"{repository}-{number}";
        var body = Document(Issue, name, ns, spec: new JsonObject { ["repository"] = repository, ["number"] = number }, labels: [(WellKnown.RepositoryLabel, repository)]);
        Retag(body, number * 3);
        return new(Issue, ns, name, body);
    }

    private static void Retag(JsonObject body, int i)
    {
        body.Set("spec.tags", i % 2 == 0 ? new JsonArray("bug", "odd") : i % 5 == 0 ? null : new JsonArray("bug"));
        body["status"] = new JsonObject { ["phase"] = i % 4 == 0 ? "Closed" : "Open" };
    }
}
