using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;

namespace Krate.Core.Store.Model;

internal sealed class PostgresKrateDb(DbContextOptions<PostgresKrateDb> options) : KrateDbContext(options)
{
    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        base.OnModelCreating(modelBuilder);
        foreach (var entity in modelBuilder.Model.GetEntityTypes())
        {
            // A locale's order would differ from SQLite's and from ordinal C#, and could change with the operating system.
            foreach (var property in entity.GetProperties().Where(p => p.ClrType == typeof(string)))
                property.SetCollation("C");
        }
    }

    /// <summary>For <c>dotnet ef migrations add</c>.</summary>
    internal sealed class Factory : IDesignTimeDbContextFactory<PostgresKrateDb>
    {
        public PostgresKrateDb CreateDbContext(string[] args) =>
            new(new DbContextOptionsBuilder<PostgresKrateDb>().UseNpgsql("Host=localhost").Options);
    }
}
