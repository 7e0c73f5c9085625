using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Kinds;
using Krate.Core.Resources;
using Krate.Core.Store;

namespace Krate.Tests.Gateway;

/// <summary>Roles and bindings in memory with an authorizer that follows them, as it follows the store's feed.</summary>
internal sealed class RbacWorld : IResourceCache, IChangeFeed
{
    private readonly Dictionary<ResourceKey, Resource> rows = [];
    private readonly List<Action<Change>> observers = [];

    public RbacWorld()
    {
        Authorizer = new RbacAuthorizer(this, this, KindTable.Catalog);
        Escalation = new RbacEscalation(Authorizer, this, KindTable.Catalog);
    }

    public RbacAuthorizer Authorizer { get; }

    public RbacEscalation Escalation { get; }

    public long Latest { get; private set; }

    public IEnumerable<Resource> All => rows.Values;

    public static RbacWorld Started()
    {
        var world = new RbacWorld();
        world.Authorizer.Initialize();
        return world;
    }

    public Resource? Get(KindDefinition kind, string ns, string name) => rows.GetValueOrDefault(new(kind.Kind, ns, name));

    public IEnumerable<Resource> List(KindDefinition kind, string? ns = null) => rows.Values.Where(r => r.Kind == kind && (ns is null || r.Namespace == ns));

    public RbacWorld Put(string manifest) => Put(KrateJson.ParseObject(manifest));

    public RbacWorld Put(JsonObject manifest)
    {
        var body = manifest.Copy();
        var kind = KindTable.Catalog[body.Text("kind")!];
        body.Child("metadata")["resourceVersion"] = $"{++Latest}";
        var after = new Resource(kind, KrateJson.Settle(body));
        var before = rows.GetValueOrDefault(after.Key);
        rows[after.Key] = after;
        Publish(new(Latest, before is null ? ChangeType.Added : ChangeType.Modified, before, after));
        return this;
    }

    public void Delete(string kind, string ns, string name)
    {
        rows.Remove(new(kind, ns, name), out var before);
        Publish(new(++Latest, ChangeType.Deleted, before, before!.WithVersion(Latest)));
    }

    public IAsyncEnumerable<ChangeBatch> Subscribe(ChangeFilter filter, long? fromVersion, CancellationToken ct) => AsyncEnumerable.Empty<ChangeBatch>();

    public IDisposable Observe(Action<Change> observer)
    {
        observers.Add(observer);
        return new Subscription(() => observers.Remove(observer));
    }

    /// <summary>A Role, or a ClusterRole without a namespace. Rules in one line each: <c>get,list krate.a5c.ai issues,comments name1,name2</c>; the core group is <c>core</c>.</summary>
    public RbacWorld Role(string ns, string name, params string[] rules) => Put(new JsonObject
    {
        ["kind"] = ns.Length > 0 ? "Role" : "ClusterRole",
        ["metadata"] = Metadata(ns, name),
        ["rules"] = new JsonArray([.. rules.Select(r => (JsonNode)RbacRules.Write(Rule(r)))]),
    });

    /// <summary>A binding of <c>Role/x</c> or <c>ClusterRole/x</c> to <c>User/mira</c>, <c>Group/devs</c> or <c>ServiceAccount/ns:name</c>.</summary>
    public RbacWorld Bind(string ns, string name, string role, params string[] subjects) => Put(new JsonObject
    {
        ["kind"] = ns.Length > 0 ? "RoleBinding" : "ClusterRoleBinding",
        ["metadata"] = Metadata(ns, name),
        ["roleRef"] = new JsonObject { ["apiGroup"] = RbacRules.ApiGroup, ["kind"] = role.Split('/')[0], ["name"] = role.Split('/')[1] },
        ["subjects"] = new JsonArray([.. subjects.Select(s => (JsonNode)Subject(s))]),
    });

    public static PolicyRule Rule(string text)
    {
        var parts = text.Split(' ');
        if (parts[1].StartsWith('/')) return new(parts[0].Split(','), [], [], [], parts[1].Split(','));
        return new(parts[0].Split(','), [.. parts[1].Split(',').Select(g => g == "core" ? "" : g)], parts[2].Split(','), parts.Length > 3 ? parts[3].Split(',') : [], []);
    }

    private static JsonObject Metadata(string ns, string name) =>
        ns.Length > 0 ? new() { ["namespace"] = ns, ["name"] = name } : new() { ["name"] = name };

    private static JsonObject Subject(string text)
    {
        var kind = text.Split('/')[0];
        var name = text[(kind.Length + 1)..];
        return kind == "ServiceAccount"
            ? new() { ["kind"] = kind, ["namespace"] = name.Split(':')[0], ["name"] = name.Split(':')[1] }
            : new() { ["kind"] = kind, ["apiGroup"] = RbacRules.ApiGroup, ["name"] = name };
    }

    private void Publish(Change change)
    {
        foreach (var observer in observers) observer(change);
    }

    private sealed class Subscription(Action stop) : IDisposable
    {
        public void Dispose() => stop();
    }
}
