using Krate.Core.Gateway;
using Krate.Core.Resources;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Krate.Tests.ControlPlane;

public sealed class JanitorTests
{
    [Fact]
    public async Task Events_go_an_hour_after_they_were_last_seen()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UnixEpoch.AddYears(55));
        await using var world = await ControlPlaneWorld.StartAsync(time: time);
        await world.ReadyOrganizationAsync();
        await world.EventuallyAsync(() => world.Runs.GetValueOrDefault("Organization/krate-system/acme") > 0 && Count() == 5, "not every Event was written");

        for (var i = 0; i < 5; i++) time.Advance(TimeSpan.FromMinutes(10.1));
        Assert.Equal(5, Count());
        for (var i = 0; i < 3; i++) time.Advance(TimeSpan.FromMinutes(10.1));
        await world.EventuallyAsync(() =>
        {
            time.Advance(TimeSpan.FromMinutes(10.1));
            return Count() == 0;
        }, "Events are still there");

        int Count() => world.Gateway.ListAsync(ControlPlaneWorld.Admin, ControlPlaneWorld.Kind("Event"), null, new ListOptions(), ControlPlaneWorld.Ct).GetAwaiter().GetResult().Items.Count;
    }
}
