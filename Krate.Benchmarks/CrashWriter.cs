using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Krate.Core.Kinds;
using Krate.Core.Resources;
using Krate.Core.Store;
using Microsoft.Extensions.Logging.Abstractions;

namespace Krate.Benchmarks;

/// <summary>
/// Not a benchmark: writes all kinds of commits as fast as it can and says on standard output what was acknowledged, until it
/// is killed. The crash test starts it, kills it and looks at what is left.
/// </summary>
internal static class CrashWriter
{
    public const string Namespace = "krate-org-crash";
    private const int Writers = 8;

    public static async Task<int> RunAsync(string run, string directory, string? connectionString)
    {
        var options = new StoreOptions { DataDirectory = new DataDirectory(directory), PostgresConnectionString = connectionString };
        await using var store = new RelationalStore(options, KindTable.Catalog, TimeProvider.System, NullLogger<RelationalStore>.Instance);
        await store.InitializeAsync(CancellationToken.None);
        await Task.WhenAll(Enumerable.Range(0, Writers).Select(w => Task.Run(() => WriteAsync(store, $"{run}-{w}"))));
        return 0;
    }

    /// <summary>Lives of resources: created with a finalizer and a Secret value, changed, marked, let go, deleted; every third stays.</summary>
    private static async Task WriteAsync(RelationalStore store, string writer)
    {
        var kind = KindTable.Catalog["AgentStack"];
        for (var i = 0; ; i++)
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"{writer}-{i}");
            var body = StoreTarget.Document(Namespace, name, "web");
            body.Set("metadata.finalizers", new JsonArray("krate.a5c.ai/crash"));
            var live = await CommitAsync(store, new CreateWrite(kind, Namespace, name, body) { SecretValues = Value(name, 1) });
            live = await UpdateAsync(store, live, b => b.Set("metadata.labels", new JsonObject { ["app"] = "api" }), Value(name, 2));
            if (i % 3 == 0) continue;
            live = await UpdateAsync(store, live, b => b.Set("metadata.deletionTimestamp", "2026-01-01T00:00:00Z"), Value(name, 3));
            live = await UpdateAsync(store, live, b => b.Child("metadata").Remove("finalizers"), Value(name, 4));
            await CommitAsync(store, new DeleteWrite(kind, Namespace, name, live.Uid, live.Version));
        }
    }

    private static Task<Resource> UpdateAsync(RelationalStore store, Resource live, Action<JsonObject> change, Dictionary<string, byte[]?> values)
    {
        var body = live.Edit();
        change(body);
        return CommitAsync(store, new UpdateWrite(live.Kind, live.Namespace, live.Name, live.Uid, live.Version, body) { SecretValues = values });
    }

    private static async Task<Resource> CommitAsync(RelationalStore store, ResourceWrite write)
    {
        var type = write.GetType().Name;
        var audit = new JsonObject
        {
            ["apiVersion"] = WellKnown.GroupVersion,
            ["kind"] = "AuditEvent",
            ["metadata"] = new JsonObject { ["namespace"] = write.Namespace },
            ["spec"] = new JsonObject { ["type"] = type, ["target"] = new JsonObject { ["name"] = write.Name } },
        };
        var written = (await store.CommitAsync(new Commit { Writes = [write], Audit = [audit] }, CancellationToken.None))[0];

        // One line, one write call: a reader never sees half of it.
        var line = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{written.Version} {type} {write.Name}\n"));
        lock (typeof(CrashWriter)) Output.Write(line);
        return written;
    }

    private static Stream Output { get; } = Console.OpenStandardOutput();

    /// <summary>The value names its resource and its revision, so that the test knows what must be there.</summary>
    private static Dictionary<string, byte[]?> Value(string name, int revision) =>
        new(StringComparer.Ordinal) { ["a"] = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{name}/{revision}")) };
}
