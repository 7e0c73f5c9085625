namespace Krate.Web.Hosting.Requests;

/// <summary>Lets running requests finish when Krate stops, but not for ever: after a grace they are aborted, so that the process is gone within ten seconds.</summary>
internal sealed class Draining : IDisposable
{
    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);
    private readonly CancellationTokenSource over;
    private readonly CancellationTokenRegistration registration;

    public Draining(IHostApplicationLifetime lifetime, TimeProvider time)
    {
        over = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        registration = lifetime.ApplicationStopping.Register(() => over.CancelAfter(Grace));
    }

    public async Task RunAsync(HttpContext context, RequestDelegate next)
    {
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, over.Token);
        context.RequestAborted = linked.Token;
        await next(context);
    }

    public void Dispose()
    {
        registration.Dispose();
        over.Dispose();
    }
}
