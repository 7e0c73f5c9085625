using System.Globalization;
using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Identity;
using Krate.Core.Kinds;
using Krate.Core.Resources;
using Krate.Core.Store;
using Krate.Tests.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Krate.Benchmarks;

/// <summary>A create as a person makes it: RBAC, admission, field ownership, audit, change log; beside one bare transaction of the same run.</summary>
internal static class GatewaySuite
{
    private const string Org = "acme";
    private const int Rounds = 5;
    private static readonly TimeSpan Length = TimeSpan.FromSeconds(2);
    private static readonly Actor Mira = new("mira", [WellKnown.AuthenticatedGroup, WellKnown.OrgGroup(Org)]);

    public static async Task RunAsync(Report report, CancellationToken ct)
    {
        await using var server = new PostgresServer { Durable = true };
        await RunAsync(report, () => StoreTarget.SqliteAsync(ct), ct);
        await RunAsync(report, () => StoreTarget.PostgresAsync(server, ct), ct);
    }

    private static async Task RunAsync(Report report, Func<Task<StoreTarget>> open, CancellationToken ct)
    {
        await using var bare = await open();
        await using var target = await open();
        await using var writer = await BareWriter.OpenAsync(bare, ct);
        await using var services = await StartAsync(target, ct);
        var gateway = services.GetRequiredService<IResourceGateway>();
        List<double> reference = [], one = [], sixteen = [];
        for (var round = 0; round < Rounds; round++)
        {
            var prefix = string.Create(CultureInfo.InvariantCulture, $"r{round}");
            reference.Add(await Measure.RateAsync(1, Length, (_, i) => writer.CreateAsync(prefix, Name(prefix, 0, i), "web", ct)));
            one.Add(await Measure.RateAsync(1, Length, (w, i) => CreateAsync(gateway, Name(prefix + "a", w, i), ct)));
            sixteen.Add(await Measure.RateAsync(16, Length, (w, i) => CreateAsync(gateway, Name(prefix + "b", w, i), ct)));
        }

        report.Section($"{target.Name}: creates through the gateway per second", "", "1 writer", "of the reference", "16 writers", "of its own 1-writer rate");
        report.Row("bare transaction (reference)", Median(reference), "", "", "");
        report.Row("gateway: AgentStack", Median(one), Percent(Median(one), Median(reference)), Median(sixteen), Percent(Median(sixteen), Median(one)));
    }

    private static async Task<ServiceProvider> StartAsync(StoreTarget target, CancellationToken ct)
    {
        target.Data.Create();
        var services = new ServiceCollection()
            .AddLogging()
            .AddSingleton(TimeProvider.System)
            .AddSingleton(KindTable.Catalog)
            .AddSingleton(target.Data)
            .AddSingleton<IResourceStore>(target.Store)
            .AddKrateGateway()
            .AddKrateIdentity(new IdentityOptions("https://krate.bench", LocalDeveloper: false))
            .BuildServiceProvider();
        await GatewayServices.LoadAsync(services, ct);
        var gateway = services.GetRequiredService<IResourceGateway>();
        await services.GetRequiredService<BootstrapWriter>().EnsureAsync(gateway, ct);
        var ns = WellKnown.OrgNamespace(Org);
        var admin = new Actor(WellKnown.AdminUser, [WellKnown.MastersGroup]);
        await MakeAsync("Organization", WellKnown.PlatformNamespace, Org, []);
        await MakeAsync("Namespace", "", ns, []);
        await MakeAsync("OrgNamespaceBinding", WellKnown.PlatformNamespace, Org, new JsonObject { ["spec"] = new JsonObject { ["organizationRef"] = Org, ["namespace"] = ns } });
        await MakeAsync("RoleBinding", ns, "admins", new JsonObject
        {
            ["roleRef"] = new JsonObject { ["apiGroup"] = "rbac.authorization.k8s.io", ["kind"] = "ClusterRole", ["name"] = "krate-org-admin" },
            ["subjects"] = new JsonArray(new JsonObject { ["apiGroup"] = "rbac.authorization.k8s.io", ["kind"] = "User", ["name"] = Mira.User }),
        });
        return services;

        Task MakeAsync(string kind, string space, string name, JsonObject document)
        {
            document["metadata"] = new JsonObject { ["name"] = name };
            return gateway.CreateAsync(admin, KindTable.Catalog[kind], space, document, new WriteOptions(), ct);
        }
    }

    private static Task<Resource> CreateAsync(IResourceGateway gateway, string name, CancellationToken ct) =>
        gateway.CreateAsync(Mira, KindTable.Catalog["AgentStack"], WellKnown.OrgNamespace(Org), new JsonObject
        {
            ["metadata"] = new JsonObject { ["name"] = name, ["labels"] = new JsonObject { ["app"] = "web" } },
            ["spec"] = new JsonObject
            {
                ["baseAgent"] = "claude-code",
                ["adapter"] = "agent-mux.claude-code",
                ["displayName"] = $"Stack {name}",
                ["prompt"] = new JsonObject { ["system"] = new string('p', 300) },
                ["runtimeIdentity"] = new JsonObject { ["serviceAccountRef"] = "agent" },
                ["mcpServerRefs"] = new JsonArray("one", "two", "three"),
            },
        }, new WriteOptions { FieldManager = "bench" }, ct);

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    private static string Name(string prefix, int writer, int i) => string.Create(CultureInfo.InvariantCulture, $"{prefix}-w{writer}-{i}");

    private static string Percent(double value, double reference) => string.Create(CultureInfo.InvariantCulture, $"{100 * value / reference:N0} %");
}
