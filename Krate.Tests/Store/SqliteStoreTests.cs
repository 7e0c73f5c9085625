using Krate.Core.Store;
using Krate.Core.Store.Model;
using Krate.Core.Store.Sql;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace Krate.Tests.Store;

public sealed class SqliteStoreTests() : StoreContract(null)
{
    [Fact]
    public async Task A_second_process_on_the_same_directory_is_told_so()
    {
        var refused = await Assert.ThrowsAsync<StartupException>(() => OpenAsync(Options));
        Assert.Contains("Another Krate process uses the data directory", refused.Message, StringComparison.Ordinal);
        await CreateAsync("still-works");
    }

    [Fact]
    public async Task A_directory_that_cannot_be_written_is_named()
    {
        var refused = await Assert.ThrowsAsync<StartupException>(() => OpenAsync(Options with { DataDirectory = new DataDirectory("/proc/krate") }));
        Assert.Contains("The data directory /proc/krate cannot be written", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_migrations_make_the_model()
    {
        using var context = new SqliteKrateDb.Factory().CreateDbContext([]);
        Assert.False(context.Database.HasPendingModelChanges());
    }

    protected override string IndexOfKeys => "sqlite_autoindex_resources_1";

    protected override IReadOnlyList<string> SignsOfAScan => ["SCAN r", "SCAN x", "TEMP B-TREE"];

    protected override async Task<string> ExplainAsync(object select)
    {
        var statement = (Statement)select;
        return string.Join('\n', await Store.Database.QueryAsync(new Statement("EXPLAIN QUERY PLAN " + statement.Text, [.. statement.Args]), r => r.GetString(3), Ct));
    }
}
