using Krate.Web.Live;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Krate.Tests.Pages;

public sealed class LiveTests
{
    [Fact]
    public async Task A_storm_of_changes_renders_at_most_ten_times_a_second_and_ends_with_the_last_state()
    {
        var time = new FakeTimeProvider();
        var (state, shown, renders) = (0, 0, 0);
        var gate = new RenderGate(time, () =>
        {
            shown = state;
            renders++;
            return Task.CompletedTask;
        });

        for (var i = 0; i < 1000; i++)
        {
            state++;
            gate.Request();
            time.Advance(TimeSpan.FromMilliseconds(1));
            await Task.Yield();
        }

        time.Advance(TimeSpan.FromSeconds(1));
        await WaitForAsync(() => shown == 1000);
        Assert.InRange(renders, 2, 11);
    }

    [Fact]
    public void What_prerendering_left_is_given_out_once_and_not_for_long()
    {
        var time = new FakeTimeProvider();
        var handover = new Handover(time);
        var (key, bag) = handover.Open();
        bag["a"] = "loaded";
        Assert.Equal("loaded", handover.Take(key)!["a"]);
        Assert.Null(handover.Take(key));

        var (late, _) = handover.Open();
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.Null(handover.Take(late));
    }

    private static async Task WaitForAsync(Func<bool> condition)
    {
        for (var i = 0; i < 10_000 && !condition(); i++) await Task.Yield();
        Assert.True(condition());
    }
}
