using Microsoft.EntityFrameworkCore;

namespace Krate.Core.Store.Model;

/// <summary>
/// The schema, one model for both databases, and its migrations. Reads and writes of resources are plain ADO.NET commands
/// (<c>Sql</c>): every statement on the hot path is written down, prepared and counted.
/// </summary>
internal abstract class KrateDbContext(DbContextOptions options) : DbContext(options)
{
    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<ResourceRow>(e =>
        {
            e.ToTable("resources").HasKey(r => new { r.Kind, r.Namespace, r.Name });
        });
        modelBuilder.Entity<ResourceLabelRow>(e =>
        {
            e.ToTable("resource_labels").HasKey(r => new { r.Kind, r.Namespace, r.Name, r.Key });
            e.HasIndex(r => new { r.Kind, r.Key, r.Value, r.Namespace, r.Name }).HasDatabaseName("resource_labels_by_value");
        });
        modelBuilder.Entity<ChangeRow>(e =>
        {
            e.ToTable("changes").HasKey(r => r.Version);
            e.Property(r => r.Version).ValueGeneratedNever();
        });
        modelBuilder.Entity<CounterRow>(e => e.ToTable("counters").HasKey(r => r.Name));
        modelBuilder.Entity<PersonMarkRow>(e =>
        {
            e.ToTable("person_marks").HasKey(r => new { r.Person, r.Scope, r.Item });
            e.HasIndex(r => r.At).HasDatabaseName("person_marks_by_age");
        });
        modelBuilder.Entity<HeadRow>(e =>
        {
            e.ToTable("head").HasKey(r => r.Id);
            e.Property(r => r.Id).ValueGeneratedNever();
            e.HasData(new HeadRow { Id = 1, AuditHash = [], AuditStartHash = [], IndexedFields = "" });
        });
        modelBuilder.Entity<AuditRow>(e =>
        {
            e.ToTable("audit").HasKey(r => r.Seq);
            e.Property(r => r.Seq).ValueGeneratedNever();
            e.HasIndex(r => new { r.Namespace, r.Seq }).HasDatabaseName("audit_by_namespace");
            e.HasIndex(r => new { r.Correlation, r.Seq }).HasDatabaseName("audit_by_correlation");
        });
        modelBuilder.Entity<LeaseRow>(e => e.ToTable("leases").HasKey(r => r.Name));
        modelBuilder.Entity<SecretValueRow>(e =>
        {
            e.ToTable("secret_values").HasKey(r => new { r.Uid, r.Key });
            e.HasIndex(r => r.Namespace).HasDatabaseName("secret_values_by_namespace");
        });
        foreach (var entity in modelBuilder.Model.GetEntityTypes())
        {
            foreach (var property in entity.GetProperties())
                property.SetColumnName(SnakeCase(property.Name));
        }
    }

    private static string SnakeCase(string name) =>
        string.Concat(name.Select((c, i) => char.IsUpper(c) && i > 0 ? $"_{char.ToLowerInvariant(c)}" : $"{char.ToLowerInvariant(c)}"));
}
