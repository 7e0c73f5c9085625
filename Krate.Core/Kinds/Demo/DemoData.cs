using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Demo;

/// <summary>
/// The demo organization, made once through the gateway. What somebody changes or deletes afterwards stays so: a marker
/// remembers that it has been made.
/// </summary>
public static class DemoData
{
    public const string Organization = "acme";

    private const string Marker = "krate-demo";
    private static readonly WriteOptions Options = new() { FieldManager = "krate-demo" };

    /// <summary>
    /// Makes what is missing on the first call and nothing on any later one. The control plane must be running: it makes the
    /// organization's namespace, and this waits for that.
    /// </summary>
    public static async Task EnsureAsync(IResourceGateway gateway, DemoRepository repository, CancellationToken ct)
    {
        var actor = PrivilegedAccess.Bootstrap($"demo-{Ulid.NewUlid()}".ToLowerInvariant());
        var configMaps = KindTable.Catalog["ConfigMap"];
        if (await FindAsync(gateway, actor, configMaps, WellKnown.PlatformNamespace, Marker, ct) is not null) return;

        foreach (var document in Documents())
        {
            await CreateAsync(gateway, actor, document, ct);
            if (document.Text("kind") == "Organization") await WaitForOrganizationAsync(gateway, actor, ct);
        }

        await AddOwnersAsync(gateway, actor, ct);
        await repository.FillAsync(gateway, actor, ct);
        await DemoRun.EnsureAsync(gateway, actor, repository.Git, ct);
        // Last: a start that was cut short begins again, and finds what is there.
        await CreateAsync(gateway, actor, new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "ConfigMap",
            ["metadata"] = new JsonObject { ["name"] = Marker, ["namespace"] = WellKnown.PlatformNamespace },
            ["data"] = new JsonObject { ["organization"] = Organization },
        }, ct);
    }

    /// <summary>The manifests in the order in which they are made.</summary>
    public static IReadOnlyList<JsonObject> Documents()
    {
        using var stream = typeof(DemoData).Assembly.GetManifestResourceStream(typeof(DemoData), "acme.yaml")!;
        var text = new StreamReader(stream).ReadToEnd();
        return [.. text.Split("\n---\n").Select(Yaml.ParseObject)];
    }

    private static async Task CreateAsync(IResourceGateway gateway, Actor actor, JsonObject document, CancellationToken ct)
    {
        var kind = KindTable.Catalog[document.Text("kind")!];
        var ns = document.Text("metadata.namespace") ?? WellKnown.OrgNamespace(Organization);
        try
        {
            await gateway.CreateAsync(actor, kind, ns, document, Options, ct);
        }
        catch (ApiException e) when (e.Reason == "AlreadyExists")
        {
            // A start before this one got that far, or somebody has one of that name: theirs stays.
        }
    }

    private static async Task WaitForOrganizationAsync(IResourceGateway gateway, Actor actor, CancellationToken ct)
    {
        var watch = new WatchOptions { Fields = Selector.Parse($"metadata.name={Organization}") };
        await foreach (var e in gateway.WatchAsync(actor, KindTable.Catalog["Organization"], WellKnown.PlatformNamespace, watch, ct))
            if (e.Resource?.FindCondition(Condition.Ready)?.Status == Condition.True) return;
    }

    /// <summary>The organization was made by Krate, so its owners have to be named.</summary>
    private static async Task AddOwnersAsync(IResourceGateway gateway, Actor actor, CancellationToken ct)
    {
        var teams = KindTable.Catalog["Team"];
        if (await FindAsync(gateway, actor, teams, WellKnown.OrgNamespace(Organization), "owners", ct) is not { } owners || owners.Body.Texts("spec.maintainers").Any()) return;
        var document = owners.Edit();
        document.Set("spec.maintainers", new JsonArray("mira", "oskar"));
        await gateway.UpdateAsync(actor, teams, owners.Namespace, owners.Name, document, Options, ct);
    }

    private static async Task<Resource?> FindAsync(IResourceGateway gateway, Actor actor, KindDefinition kind, string ns, string name, CancellationToken ct)
    {
        try
        {
            return await gateway.GetAsync(actor, kind, ns, name, ct);
        }
        catch (ApiException e) when (e.Code == 404)
        {
            return null;
        }
    }
}
