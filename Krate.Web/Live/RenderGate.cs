namespace Krate.Web.Live;

/// <summary>At most ten renders a second for any number of changes: the first at once, the rest together. Used on the renderer's dispatcher.</summary>
public sealed class RenderGate(TimeProvider time, Func<Task> render)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);
    private long last;
    private bool waiting;
    private bool closed;

    public void Request()
    {
        if (waiting || closed) return;
        waiting = true;
        _ = RenderAsync();
    }

    public void Close() => closed = true;

    private async Task RenderAsync()
    {
        var since = last == 0 ? Interval : time.GetElapsedTime(last);
        // Yielding lets everything that is already there join this render.
        if (since < Interval) await Task.Delay(Interval - since, time);
        else await Task.Yield();
        waiting = false;
        if (closed) return;
        last = time.GetTimestamp();
        await render();
    }
}
