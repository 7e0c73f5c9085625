using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Krate.Core.Agents;
using Krate.Core.ControlPlane;
using Krate.Core.Gateway;
using Krate.Core.Identity;
using Krate.Core.Kinds;
using Krate.Core.Repositories;
using Krate.Core.Resources;
using Krate.Core.Resources.Patching;
using Krate.Core.Runs;
using Krate.Core.Store;
using Krate.Web.Egress;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Krate.Tests.ControlPlane;

/// <summary>The real store, gateway and control plane, without the web in front.</summary>
internal sealed class ControlPlaneWorld : IAsyncDisposable
{
    public static readonly Actor Admin = new("krate-admin", [WellKnown.MastersGroup, WellKnown.AuthenticatedGroup]);

    private readonly ServiceProvider services;
    private readonly string? ownFolder;
    private readonly RunLog runs;

    private ControlPlaneWorld(ServiceProvider services, string? ownFolder, RunLog runs)
    {
        this.services = services;
        this.ownFolder = ownFolder;
        this.runs = runs;
    }

    public IResourceGateway Gateway => services.GetRequiredService<IResourceGateway>();

    public T Service<T>()
        where T : notnull => services.GetRequiredService<T>();

    public IResourceCache Cache => services.GetRequiredService<IResourceCache>();

    public RelationalStore Store => services.GetRequiredService<RelationalStore>();

    public IControlPlaneStatus Status => services.GetRequiredService<IControlPlaneStatus>();

    public DataDirectory Data => services.GetRequiredService<DataDirectory>();

    /// <summary>Reconciles that went well so far, by key.</summary>
    public IReadOnlyDictionary<string, int> Runs => runs.Counts;

    /// <summary>All that was logged so far.</summary>
    public IReadOnlyCollection<string> LogLines => runs.Lines;

    public static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <param name="folder">A data directory to use again; null for a fresh one.</param>
    /// <param name="postgres">Connection string; null for SQLite.</param>
    public static async Task<ControlPlaneWorld> StartAsync(string? folder = null, string? postgres = null, TimeProvider? time = null, ControlPlaneOptions? options = null, bool run = true, AgentOptions? agents = null)
    {
        var own = folder is null ? Directory.CreateTempSubdirectory("krate-control-").FullName : null;
        var data = new DataDirectory(folder ?? own!);
        data.Create();
        var runs = new RunLog();
        var services = new ServiceCollection()
            .AddLogging(l => l.SetMinimumLevel(LogLevel.Debug).AddProvider(runs))
            .AddSingleton(time ?? TimeProvider.System)
            .AddSingleton(KindTable.Catalog)
            .AddKrateStore(new StoreOptions { DataDirectory = data, PostgresConnectionString = postgres })
            .AddKrateGateway()
            .AddKrateIdentity(new IdentityOptions("https://krate.test", LocalDeveloper: true))
            .AddKrateRepositories(new RepositoryOptions { PublicUrl = "https://krate.test", AllowedHosts = ["localhost"] })
            .AddSingleton(agents ?? new AgentOptions())
            .AddKrateRuns(new LogLimits())
            .AddKrateEgress()
            .AddKrateControlPlane(options)
            .BuildServiceProvider();
        var world = new ControlPlaneWorld(services, own, runs);
        await world.Store.InitializeAsync(Ct);
        await GatewayServices.LoadAsync(services, Ct);
        await services.GetRequiredService<BootstrapWriter>().EnsureAsync(world.Gateway, Ct);
        if (run) await world.RunAsync();
        return world;
    }

    public async Task RunAsync()
    {
        foreach (var service in services.GetServices<IHostedService>()) await service.StartAsync(Ct);
    }

    public static KindDefinition Kind(string name) => KindTable.Catalog[name];

    public Task<Resource> CreateAsync(string yaml, string? ns = null)
    {
        var document = Yaml.ParseObject(yaml);
        return Gateway.CreateAsync(Admin, Kind(document.Text("kind")!), ns ?? document.Text("metadata.namespace") ?? "", document, new WriteOptions(), Ct);
    }

    public Task<Resource> CreateOrganizationAsync(string slug = "acme") => CreateAsync(
        $"{{apiVersion: krate.a5c.ai/v1alpha1, kind: Organization, metadata: {{name: {slug}, namespace: krate-system}}, spec: {{slug: {slug}, displayName: {slug}, namespaceName: krate-org-{slug}}}}}");

    public async Task<Resource> ReadyOrganizationAsync(string slug = "acme")
    {
        await CreateOrganizationAsync(slug);
        return await UntilAsync("Organization", WellKnown.PlatformNamespace, slug, o => o?.FindCondition("Ready")?.Status == "True");
    }

    /// <summary>What an owner of an organization says: another one may refer to this.</summary>
    public async Task AgreeAsync(string org, string target, string kind, string name)
    {
        var owner = new Actor("owner", [WellKnown.AuthenticatedGroup, WellKnown.OrgGroup(org), WellKnown.TeamGroup(org, "owners")]);
        var share = new JsonObject { ["spec"] = new JsonObject { ["shares"] = new JsonArray(new JsonObject { ["targetOrg"] = target, ["kind"] = kind, ["name"] = name }) } };
        await Gateway.PatchAsync(owner, Kind("Organization"), WellKnown.PlatformNamespace, org, new(PatchType.Merge, share, "test"), new(), Ct);
    }

    public async Task<Resource?> FindAsync(string kind, string ns, string name)
    {
        try
        {
            return await Gateway.GetAsync(Admin, Kind(kind), ns, name, Ct);
        }
        catch (ApiException e) when (e.Code == 404)
        {
            return null;
        }
    }

    public Task DeleteAsync(string kind, string ns, string name, string? propagation = null) =>
        Gateway.DeleteAsync(Admin, Kind(kind), ns, name, new DeleteOptions { PropagationPolicy = propagation }, Ct);

    public async Task<Resource> ChangeAsync(string kind, string ns, string name, Action<JsonObject> change)
    {
        var document = (await Gateway.GetAsync(Admin, Kind(kind), ns, name, Ct)).Edit();
        change(document);
        return await Gateway.UpdateAsync(Admin, Kind(kind), ns, name, document, new WriteOptions(), Ct);
    }

    /// <summary>Waits until the resource is as it should be (null: gone); a wait that never ends says how it was last.</summary>
    public async Task<Resource> UntilAsync(string kind, string ns, string name, Func<Resource?, bool> holds)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        limit.CancelAfter(TimeSpan.FromSeconds(30));
        Resource? last = null;
        try
        {
            var batches = Store.Feed.Subscribe(new ChangeFilter([Kind(kind)]), null, limit.Token).GetAsyncEnumerator(limit.Token);
            while (true)
            {
                last = await FindAsync(kind, ns, name);
                if (holds(last)) return last!;
                await batches.MoveNextAsync();
            }
        }
        catch (OperationCanceledException) when (!Ct.IsCancellationRequested)
        {
            throw new TimeoutException($"{kind} {ns}/{name} did not come to what was expected; it is {last?.Body.ToJsonString() ?? "not there"}\n{string.Join('\n', runs.Failures)}");
        }
    }

    public Task GoneAsync(string kind, string ns, string name) => UntilAsync(kind, ns, name, r => r is null);

    /// <summary>Waits for something that no resource shows; looked at again with every line of the log.</summary>
    public async Task EventuallyAsync(Func<bool> holds, string what)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        limit.CancelAfter(TimeSpan.FromSeconds(30));
        while (true)
        {
            var line = runs.NextLine;
            if (holds()) return;
            if (limit.IsCancellationRequested) throw new TimeoutException(what);
            await Task.WhenAny(line, Task.Delay(TimeSpan.FromMilliseconds(200), limit.Token));
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var service in services.GetServices<IHostedService>().Reverse()) await service.StopAsync(CancellationToken.None);
        await services.DisposeAsync();
        if (ownFolder is not null) Directory.Delete(ownFolder, recursive: true);
    }

    /// <summary>What the control plane says about its runs in its log.</summary>
    private sealed class RunLog : ILoggerProvider, ILogger
    {
        private readonly ConcurrentDictionary<string, int> counts = new(StringComparer.Ordinal);
        private TaskCompletionSource next = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task NextLine => Volatile.Read(ref next).Task;

        public IReadOnlyDictionary<string, int> Counts => counts;

        public ConcurrentQueue<string> Failures { get; } = new();

        public ConcurrentQueue<string> Lines { get; } = new();

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            Lines.Enqueue($"{formatter(state, exception)} {exception}");
            if (exception is not null || logLevel >= LogLevel.Warning) Failures.Enqueue($"{formatter(state, exception)} {exception?.Message} {exception?.StackTrace?.Split((char)10)[0]}");
            if (state is IReadOnlyList<KeyValuePair<string, object?>> values)
            {
                var said = values.ToDictionary(v => v.Key, v => v.Value, StringComparer.Ordinal);
                if (said.GetValueOrDefault("Result") is "success" or "requeue" && said.GetValueOrDefault("Key") is { } key) counts.AddOrUpdate(key.ToString()!, 1, (_, n) => n + 1);
            }

            Interlocked.Exchange(ref next, new(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
        }

        public void Dispose()
        {
        }
    }
}
