using System.Text.Json.Nodes;
using Krate.Core.ControlPlane;
using Krate.Core.Gateway;
using Krate.Core.Resources;
using Krate.Core.Store;
using Krate.Tests.Testing;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Krate.Tests.ControlPlane;

public sealed class LeadershipTests(PostgresServer postgres)
{
    private static readonly ControlPlaneOptions Quick = new() { LeaseDuration = TimeSpan.FromSeconds(5), RenewEvery = TimeSpan.FromMilliseconds(300) };

    [Fact]
    public async Task Of_two_processes_on_one_database_one_leads_and_the_other_takes_over_when_it_stops()
    {
        var database = await postgres.CreateDatabaseAsync(ControlPlaneWorld.Ct);
        await using var second = await TwoAsync(database, async first =>
        {
            await first.ReadyOrganizationAsync();
        });
        // The first has stopped: what it left behind, the second goes on with.
        await second.EventuallyAsync(() => second.Status.IsRunning, "the second did not take over");
        await second.ReadyOrganizationAsync("other");
    }

    [Fact]
    public async Task On_SQLite_the_lease_is_taken_once_and_an_idle_process_sends_no_statement()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UnixEpoch.AddYears(55));
        await using var world = await ControlPlaneWorld.StartAsync(time: time);
        await world.EventuallyAsync(() => world.Status.IsRunning, "it does not run");
        var before = world.Store.CommandCount;
        for (var i = 0; i < 9 * 60 / 5; i++) time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(before, world.Store.CommandCount);
        Assert.Null(await ((IReadiness)world.Status).CheckAsync(ControlPlaneWorld.Ct));
    }

    [Fact]
    public async Task A_leader_that_fell_silent_is_replaced_and_its_late_writes_are_refused()
    {
        var database = await postgres.CreateDatabaseAsync(ControlPlaneWorld.Ct);
        await using var world = await ControlPlaneWorld.StartAsync(postgres: database, options: Quick, run: false);
        // A leader that was killed: it holds its leases and will never renew them.
        var dead = new Dictionary<string, Fence>();
        foreach (var lease in (string[])["organization", "agent-stack", "namespace", "garbage-collector", "janitor"])
            dead[lease] = (await world.Store.Leases.AcquireAsync(lease, "dead", Quick.LeaseDuration, ControlPlaneWorld.Ct))!;
        await world.RunAsync();
        await world.EventuallyAsync(() => world.Status.StandingBy, "it did not stand by");
        await world.EventuallyAsync(() => world.Status.IsRunning, "it did not take over");

        await world.ReadyOrganizationAsync();
        var late = PrivilegedAccess.Controller("organization", "late", dead["organization"]);
        var refusal = await Assert.ThrowsAsync<ApiException>(() => world.Gateway.CreateAsync(
            late, ControlPlaneWorld.Kind("ConfigMap"), "default", new JsonObject { ["metadata"] = new JsonObject { ["name"] = "late" } }, new WriteOptions(), ControlPlaneWorld.Ct));
        Assert.Equal(503, refusal.Code);
        Assert.Null(await world.FindAsync("ConfigMap", "default", "late"));
    }

    [Fact]
    public async Task A_leader_that_loses_its_lease_stops_working()
    {
        var database = await postgres.CreateDatabaseAsync(ControlPlaneWorld.Ct);
        await using var world = await ControlPlaneWorld.StartAsync(postgres: database, options: Quick);
        await world.EventuallyAsync(() => world.Status.IsRunning, "it does not run");
        var leases = world.Store.Leases;
        await leases.ReleaseAsync((await leases.AcquireAsync("organization", Quick.Holder, Quick.LeaseDuration, ControlPlaneWorld.Ct))!, ControlPlaneWorld.Ct);
        // Its renewal may come first and take the lease again; then the thief tries again.
        while (await leases.AcquireAsync("organization", "thief", TimeSpan.FromHours(1), ControlPlaneWorld.Ct) is null)
            await leases.ReleaseAsync((await leases.AcquireAsync("organization", Quick.Holder, Quick.LeaseDuration, ControlPlaneWorld.Ct))!, ControlPlaneWorld.Ct);

        await world.EventuallyAsync(() => world.Status.Loops["organization"] == LoopState.StandingBy, "it went on");
        await world.CreateOrganizationAsync();
        Assert.False(world.Status.IsRunning);
        Assert.Null((await world.FindAsync("Organization", WellKnown.PlatformNamespace, "acme"))!.FindCondition("Ready"));
    }

    private static async Task<ControlPlaneWorld> TwoAsync(string database, Func<ControlPlaneWorld, Task> withFirst)
    {
        var first = await ControlPlaneWorld.StartAsync(postgres: database, options: Quick);
        ControlPlaneWorld second;
        await using (first)
        {
            await first.EventuallyAsync(() => first.Status.IsRunning, "the first does not run");
            second = await ControlPlaneWorld.StartAsync(postgres: database, options: Quick with { Holder = "second" });
            await second.EventuallyAsync(() => second.Status.Loops.Values.All(s => s == LoopState.StandingBy), "the second does not stand by");
            Assert.True(second.Status.IsReady);
            await withFirst(first);
            // What the first made is in the second's memory, though the second did nothing.
            Assert.DoesNotContain(second.Runs, r => r.Key.StartsWith("Organization/", StringComparison.Ordinal));
            await second.UntilAsync("Organization", WellKnown.PlatformNamespace, "acme", o => o?.FindCondition("Ready")?.Status == "True");
        }

        return second;
    }
}
