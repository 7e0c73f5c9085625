using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Resources;
using Krate.Tests.ControlPlane;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Krate.Tests.Kinds.Grants;

/// <summary>Two organizations under a running control plane with a clock that tests move; one for all tests of a class, which use names of their own.</summary>
public sealed class GrantsWorld : IAsyncLifetime
{
    public const string Ns = "krate-org-acme";
    private const string Head = "apiVersion: krate.a5c.ai/v1alpha1, kind: ";

    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(20);
    private readonly CancellationTokenSource end = new();
    private Task ticking = Task.CompletedTask;

    public FakeTimeProvider Time { get; } = new(DateTimeOffset.UnixEpoch.AddYears(55));

    internal ControlPlaneWorld World { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        World = await ControlPlaneWorld.StartAsync(time: Time, options: new() { SingleProcess = true, Resync = TimeSpan.FromMinutes(10), CleanEvery = TimeSpan.FromDays(40) }, agents: new() { AllowedCommands = ["sh"] });
        ticking = TickAsync();
        await World.ReadyOrganizationAsync();
        await World.ReadyOrganizationAsync("other");
    }

    public async ValueTask DisposeAsync()
    {
        await end.CancelAsync();
        await ticking.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        end.Dispose();
        await World.DisposeAsync();
    }

    /// <summary>The clock runs by itself, too: who met another write waits a moment by it.</summary>
    private async Task TickAsync()
    {
        using var timer = new PeriodicTimer(Tick);
        while (await timer.WaitForNextTickAsync(end.Token)) Time.Advance(Tick);
    }

    /// <summary>A product resource of acme.</summary>
    public Task<Resource> MakeAsync(string kind, string name, string spec, string ns = Ns) => World.CreateAsync($"{{{Head}{kind}, metadata: {{name: {name}}}, spec: {{{spec}}}}}", ns);

    public Task<Resource> AccountAsync(string name) => World.CreateAsync($"{{apiVersion: v1, kind: ServiceAccount, metadata: {{name: {name}}}}}", Ns);

    public Task<Resource> SecretAsync(string name, string keys) => World.CreateAsync($"{{apiVersion: v1, kind: Secret, metadata: {{name: {name}}}, stringData: {{{keys}}}}}", Ns);

    /// <summary>Waits until the condition has that reason.</summary>
    public Task<Resource> ReasonAsync(string kind, string name, string reason, string type = "Ready") => World.UntilAsync(kind, Ns, name, r => r?.FindCondition(type)?.Reason == reason);

    public Task<Resource> ChangeAsync(string kind, string name, string path, JsonNode? value) => World.ChangeAsync(kind, Ns, name, d =>
    {
        d.Set(path, value);
        // Its status may be written meanwhile.
        d.Child("metadata").Remove("resourceVersion");
    });

    /// <summary>Moves the clock until it holds.</summary>
    public Task AfterAsync(TimeSpan step, Func<bool> holds, string what) => World.EventuallyAsync(
        () =>
        {
            Time.Advance(step);
            return holds();
        }, what);

    public Resource? Find(string kind, string name, string ns = Ns) => World.Cache.Get(ControlPlaneWorld.Kind(kind), ns, name);

    /// <summary>How much the last of a few looks at everything wrote: what other tests have left under way ends meanwhile.</summary>
    public async Task<long> WrittenByLookingAgainAsync(params string[] keys)
    {
        for (var look = 1; ; look++)
        {
            await LookAgainAsync(keys);
            var before = World.Store.Feed.Latest;
            await LookAgainAsync(keys);
            if (look == 5 || World.Store.Feed.Latest == before) return World.Store.Feed.Latest - before;
        }
    }

    private async Task LookAgainAsync(string[] keys)
    {
        var before = keys.Select(k => World.Runs.GetValueOrDefault(k)).ToList();
        await AfterAsync(TimeSpan.FromMinutes(10.1), () => keys.Zip(before).All(k => World.Runs.GetValueOrDefault(k.First) > k.Second), "nobody looked again");
    }
}
