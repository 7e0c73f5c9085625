using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;

namespace Krate.Core.Store.Model;

internal sealed class SqliteKrateDb(DbContextOptions<SqliteKrateDb> options) : KrateDbContext(options)
{
    /// <summary>For <c>dotnet ef migrations add</c>.</summary>
    internal sealed class Factory : IDesignTimeDbContextFactory<SqliteKrateDb>
    {
        public SqliteKrateDb CreateDbContext(string[] args) =>
            new(new DbContextOptionsBuilder<SqliteKrateDb>().UseSqlite("Data Source=:memory:").Options);
    }
}
