using Krate.Core.Store;
using Krate.Core.Store.Model;
using Krate.Core.Store.Sql;
using Krate.Tests.Testing;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Xunit;

namespace Krate.Tests.Store;

public sealed class PostgresStoreTests(PostgresServer server) : StoreContract(server)
{
    [Fact]
    public async Task Two_processes_show_one_sequence_and_a_watcher_may_wander_between_them()
    {
        var other = await OpenAsync(Options with { RecentChanges = 50 });
        const int Writers = 8, Each = 100, All = Writers * Each;
        var first = ReadAllAsync(Store, All);
        var second = ReadAllAsync(other, All);
        var wandering = ReadWithCutsAsync(cut => cut % 2 == 0 ? Store : other, new Random(7), All);
        await Task.WhenAll(Enumerable.Range(0, Writers).Select(async w =>
        {
            // Both processes write; half of the writers fight over one namespace.
            for (var i = 0; i < Each; i++) await CommitAsync(Creating($"w{w}-{i}", w % 2 == 0 ? Ns : $"ns{w}"), w % 4 < 2 ? Store : other);
        }));

        var expected = Enumerable.Range(1, All).Select(v => (long)v).ToList();
        Assert.Equal(expected, (await first).Select(c => c.Version));
        Assert.Equal(expected, (await second).Select(c => c.Version));
        Assert.Equal(expected, (await wandering).Select(c => c.Version));
        Assert.Equal((await first).Select(c => c.After.Key), (await second).Select(c => c.After.Key));
        AssertStatesFollow(await wandering);
    }

    [Fact]
    public async Task Processes_that_race_for_one_name_or_one_row_have_one_winner()
    {
        var other = await OpenAsync(Options);
        var row = await CreateAsync("row");
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 40).Select(async i =>
        {
            try
            {
                var write = i % 4 < 2 ? (ResourceWrite)Creating($"name{i / 8}") : Updating(row, b => b["spec"]!["n"] = i);
                await CommitAsync(write, i % 2 == 0 ? Store : other);
                return i % 4 < 2 ? "created" : "updated";
            }
            catch (Krate.Core.Resources.ApiException e)
            {
                return e.Reason;
            }
        }));
        Assert.Equal(5, outcomes.Count(o => o == "created"));
        Assert.Equal(1, outcomes.Count(o => o == "updated"));
        Assert.Equal(["AlreadyExists", "Conflict", "created", "updated"], outcomes.Distinct().Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_lost_connection_is_taken_up_again_and_nothing_is_missed()
    {
        var other = await OpenAsync(Options);
        await using var feed = Store.Feed.Subscribe(new ChangeFilter([Stack]), null, Ct).GetAsyncEnumerator(Ct);
        await CommitAsync(Creating("before"), other);
        Assert.Single(await TakeOneAsync(feed));

        await KillConnectionsAsync();
        for (var i = 0; ; i++)
        {
            // The connection of the other process may be one of the dead ones: its caller is told, and may try again.
            try
            {
                await CommitAsync(Creating($"after{i}"), other);
                break;
            }
            catch (Krate.Core.Resources.ApiException e) when (e.Code == 503 && i < 10)
            {
            }
        }

        var next = TakeOneAsync(feed);
        while (!next.IsCompleted)
        {
            Time.Advance(TimeSpan.FromSeconds(1));
            await Task.WhenAny(next, Task.Delay(20, Ct));
        }

        Assert.StartsWith("after", (await next)[0].After.Name, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_lock_held_elsewhere_becomes_503_and_the_next_commit_succeeds()
    {
        var store = await ReopenAsync(Options with { LockTimeout = TimeSpan.FromMilliseconds(200) });
        await using var holder = new NpgsqlConnection(Options.PostgresConnectionString);
        await holder.OpenAsync(Ct);
        await using (var transaction = await holder.BeginTransactionAsync(Ct))
        {
            await using var take = new NpgsqlCommand("SELECT * FROM head FOR UPDATE", holder, transaction);
            await take.ExecuteNonQueryAsync(Ct);
            Assert.Equal(503, (await RefusedAsync(() => CreateAsync("one"))).Code);
            await transaction.RollbackAsync(Ct);
        }

        Assert.Equal(1, (await CreateAsync("one")).Version);
        await store.PingAsync(Ct);
    }

    [Fact]
    public async Task A_server_that_does_not_answer_is_named()
    {
        var refused = await Assert.ThrowsAsync<StartupException>(() => OpenAsync(Options with { PostgresConnectionString = "Host=127.0.0.1;Port=1;Username=krate;Password=hidden;Database=krate" }));
        Assert.StartsWith("PostgreSQL at 127.0.0.1:1 (database krate) cannot be used:", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hidden", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_migrations_make_the_model()
    {
        using var context = new PostgresKrateDb.Factory().CreateDbContext([]);
        Assert.False(context.Database.HasPendingModelChanges());
    }

    protected override string IndexOfKeys => "PK_resources";

    protected override IReadOnlyList<string> SignsOfAScan => ["Seq Scan"];

    protected override async Task<string> ExplainAsync(object select)
    {
        await Store.Database.TransactAsync(s => s.ExecuteAsync(new Statement("ANALYZE resources, resource_labels"), Ct), Ct);
        var statement = (Statement)select;
        return string.Join('\n', await Store.Database.QueryAsync(new Statement("EXPLAIN " + statement.Text, [.. statement.Args]), r => r.GetString(0), Ct));
    }

    private static async Task<List<Change>> ReadAllAsync(RelationalStore store, int count)
    {
        var seen = new List<Change>();
        await foreach (var batch in store.Feed.Subscribe(new ChangeFilter([Stack]), 0, Ct))
        {
            seen.AddRange(batch.Changes);
            if (seen.Count >= count) break;
        }

        return seen;
    }

    private static async Task<IReadOnlyList<Change>> TakeOneAsync(IAsyncEnumerator<ChangeBatch> feed)
    {
        while (await feed.MoveNextAsync())
            if (feed.Current.Changes.Count > 0) return feed.Current.Changes;
        return [];
    }

    private async Task KillConnectionsAsync()
    {
        await using var connection = new NpgsqlConnection(Options.PostgresConnectionString + ";Pooling=false");
        await connection.OpenAsync(Ct);
        await using var kill = new NpgsqlCommand("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()", connection);
        await kill.ExecuteNonQueryAsync(Ct);
    }
}
