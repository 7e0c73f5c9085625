using Krate.Web.Live;
using Microsoft.AspNetCore.Components;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Krate.Tests.Pages;

public sealed class LiveTests
{
    [Fact]
    public async Task A_storm_of_changes_renders_at_most_ten_times_a_second_and_ends_with_the_last_state()
    {
        var time = new FakeTimeProvider();
        var (state, renders) = (0, 0);
        var last = new TaskCompletionSource();
        var gate = new RenderGate(time, () =>
        {
            renders++;
            if (state == 1000) last.TrySetResult();
            return Task.CompletedTask;
        });

        // A page's changes and renders take turns on its dispatcher.
        await Dispatcher.CreateDefault().InvokeAsync(async () =>
        {
            for (var i = 0; i < 1000; i++)
            {
                state++;
                gate.Request();
                time.Advance(TimeSpan.FromMilliseconds(1));
                await Task.Yield();
            }

            time.Advance(TimeSpan.FromSeconds(1));
        });
        await last.Task.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
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
}
