using System.Reflection;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Krate.Core.Store.Model;

/// <summary>Tells whether a database is up to date without waking EF Core, which would cost every start most of its time.</summary>
internal static class Schema
{
    public const string Applied = "SELECT \"MigrationId\" FROM \"__EFMigrationsHistory\"";

    /// <summary>All migrations of this release for a database, and no others, are in its history.</summary>
    public static bool IsCurrent<TContext>(IEnumerable<string> applied)
        where TContext : KrateDbContext => Migrations(typeof(TContext)).SetEquals(applied);

    private static HashSet<string> Migrations(Type context) => typeof(Schema).Assembly.GetTypes()
        .Where(t => t.IsSubclassOf(typeof(Migration)) && t.GetCustomAttribute<DbContextAttribute>()?.ContextType == context)
        .Select(t => t.GetCustomAttribute<MigrationAttribute>()!.Id)
        .ToHashSet(StringComparer.Ordinal);
}
