using System.Text.Json.Nodes;
using Krate.Core.Resources;
using Krate.Core.Store;
using Krate.Core.Store.Sql;
using Xunit;

namespace Krate.Tests.Store;

public abstract partial class StoreContract
{
    private static KindDefinition AuditKind => Catalog["AuditEvent"];

    [Fact]
    public async Task Audit_is_listed_newest_first_in_pages_and_found_by_name()
    {
        for (var i = 0; i < 7; i++) await Store.CommitAsync(new Commit { Writes = [Creating($"r{i}")], Audit = [Event($"type{i % 2}", i < 4 ? "mira" : "bot", i == 6 ? "krate-org-beta" : Ns)] }, Ct);

        var seen = new List<long>();
        var query = new ListQuery(AuditKind, Ns) { Limit = 2 };
        for (var page = await Store.Audit.ListAsync(query, Ct); ; page = await Store.Audit.ListAsync(query with { Continue = page.Continue }, Ct))
        {
            Assert.Equal(7, page.Version);
            seen.AddRange(page.Items.Select(r => r.Version));
            if (page.Continue is null) break;
        }

        Assert.Equal([6, 5, 4, 3, 2, 1], seen);
        Assert.Equal([5, 3, 1], await SeqsAsync("spec.type=type0", Ns));
        Assert.Equal([7, 5], await SeqsAsync("spec.actor.name=bot,spec.type=type0", null));
        Assert.Equal([2, 4, 6], (await SeqsAsync("spec.metadata.correlationId=corr-type1", null)).Order());
        Assert.Equal([6, 4, 2], await SeqsAsync("spec.type!=type0", Ns));

        var newest = (await Store.Audit.ListAsync(new ListQuery(AuditKind, null) { Limit = 1 }, Ct)).Items[0];
        Assert.StartsWith("audit-", newest.Name, StringComparison.Ordinal);
        Assert.Equal(newest.Name, newest.Body.Text("metadata.name"));
        Assert.True(JsonNode.DeepEquals(newest.Body, (await Store.Audit.GetAsync("krate-org-beta", newest.Name, Ct))!.Body));
        Assert.Null(await Store.Audit.GetAsync(Ns, newest.Name, Ct));
        Assert.Null(await Store.Audit.GetAsync(Ns, "audit-nonsense", Ct));
        Assert.Equal(400, (await RefusedAsync(() => Store.Audit.ListAsync(new ListQuery(AuditKind) { Continue = "x" }, Ct))).Code);
        var names = (await Store.Audit.ListAsync(new ListQuery(AuditKind), Ct)).Items.Select(r => r.Name).ToList();
        Assert.Equal(names.OrderDescending(StringComparer.Ordinal), names);
    }

    [Theory]
    [InlineData("UPDATE audit SET body = replace(body, 'mira', 'evil') WHERE seq = 3", 3)]
    [InlineData("UPDATE audit SET actor = 'evil' WHERE seq = 4", 4)]
    [InlineData("UPDATE audit SET hash = prev_hash WHERE seq = 5", 5)]
    [InlineData("DELETE FROM audit WHERE seq = 2", 2)]
    [InlineData("DELETE FROM audit WHERE seq <= 3", 1)]
    [InlineData("DELETE FROM audit WHERE seq = 8", 8)]
    [InlineData("UPDATE head SET audit_hash = audit_start_hash WHERE id = 1", 9)]
    public async Task Tampering_with_audit_is_found_where_it_was_done(string tampering, long broken)
    {
        await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Store.CommitAsync(new Commit { Audit = [Event($"type{i}")] }, Ct)));
        Assert.Null(await Store.Audit.VerifyAsync(Ct));
        await Store.Database.TransactAsync(s => s.ExecuteAsync(new Statement(tampering), Ct), Ct);
        Assert.Equal(broken, await Store.Audit.VerifyAsync(Ct));
    }

    [Fact]
    public async Task Retention_removes_old_audit_and_the_chain_still_holds()
    {
        await Store.CommitAsync(new Commit { Audit = [Event("old"), Event("old")] }, Ct);
        Time.Advance(TimeSpan.FromDays(399));
        await Store.CommitAsync(new Commit { Audit = [Event("new")] }, Ct);
        await Store.CompactAsync(Ct);
        Assert.Equal(3, (await Store.Audit.ListAsync(new ListQuery(AuditKind), Ct)).Items.Count);

        Time.Advance(TimeSpan.FromDays(2));
        await Store.CompactAsync(Ct);
        Assert.Equal([3], (await Store.Audit.ListAsync(new ListQuery(AuditKind), Ct)).Items.Select(r => r.Version));
        Assert.Null(await Store.Audit.VerifyAsync(Ct));
        await Store.CommitAsync(new Commit { Audit = [Event("newer")] }, Ct);
        Assert.Null(await Store.Audit.VerifyAsync(Ct));
    }

    [Fact]
    public async Task A_follower_of_audit_sees_each_row_once_in_order()
    {
        await Store.CommitAsync(new Commit { Audit = [Event("before"), Event("before")] }, Ct);
        var following = Task.Run(
            async () =>
            {
                var seen = new List<long>();
                await foreach (var rows in Store.Audit.FollowAsync(1, Ct))
                {
                    seen.AddRange(rows.Select(r => r.Version));
                    if (seen.Count >= 60) break;
                }

                return seen;
            },
            Ct);
        await Task.WhenAll(Enumerable.Range(0, 59).Select(i => Store.CommitAsync(new Commit { Audit = [Event($"type{i}")] }, Ct)));
        Assert.Equal(Enumerable.Range(2, 60).Select(v => (long)v), await following);
    }

    [Fact]
    public async Task Audit_of_a_numbered_create_tells_the_name_it_got()
    {
        var document = Event("resource.created");
        document.Set("spec.target", new JsonObject { ["kind"] = "Issue", ["name"] = "" });
        await Store.CommitAsync(new Commit { Writes = [NumberedCreate("app")], Audit = [document] }, Ct);
        Assert.Equal("app-1", (await Store.Audit.ListAsync(new ListQuery(AuditKind), Ct)).Items[0].Body.Text("spec.target.name"));
    }

    private async Task<IEnumerable<long>> SeqsAsync(string fields, string? ns) =>
        (await Store.Audit.ListAsync(new ListQuery(AuditKind, ns, Selector.Everything, Selector.Parse(fields)), Ct)).Items.Select(r => r.Version);
}
