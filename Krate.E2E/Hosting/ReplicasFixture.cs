using Krate.Tests.Testing;
using Xunit;

namespace Krate.E2E.Hosting;

/// <summary>Two published Krates on one PostgreSQL, with demo data.</summary>
public sealed class ReplicasFixture(AppFixture app) : IAsyncLifetime
{
    private readonly PostgresServer postgres = new();
    private readonly string folder = Directory.CreateTempSubdirectory("krate-e2e-replicas-").FullName;

    public KrateProcess First { get; private set; } = null!;

    public KrateProcess Second { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        var ct = TestContext.Current.CancellationToken;
        var database = await postgres.CreateDatabaseAsync(ct);
        var data = Path.Combine(folder, "data");
        First = await KrateProcess.StartAsync([app.Program, "--demo"], data, database, ct);
        Second = await KrateProcess.StartAsync([app.Program], data, database, ct);
    }

    public async ValueTask DisposeAsync()
    {
        if (Second is not null) await Second.DisposeAsync();
        if (First is not null) await First.DisposeAsync();
        await postgres.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }
}
