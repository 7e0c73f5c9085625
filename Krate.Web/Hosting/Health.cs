using System.Net;
using System.Text;
using Krate.Core.Gateway;
using Krate.Core.Resources;
using Krate.Core.Store;
using Krate.Web.Hosting.Requests;

namespace Krate.Web.Hosting;

/// <summary><c>/healthz</c> and <c>/livez</c> say that the process answers, <c>/readyz</c> that every part it needs does, in the words of Kubernetes.</summary>
internal static class Health
{
    private const string MetricsPath = "/metrics";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    public static void MapHealth(this IEndpointRouteBuilder app)
    {
        app.MapGet("/healthz", Alive);
        app.MapGet("/livez", Alive);
        app.MapGet("/readyz", ReadyAsync);
        app.MapPrometheusScrapingEndpoint(MetricsPath);
    }

    /// <summary>Metrics are open to this machine; from elsewhere they need <c>get</c> on the nonResourceURL.</summary>
    public static async Task GuardMetrics(HttpContext context, RequestDelegate next)
    {
        var remote = context.Connection.RemoteIpAddress;
        var isOpen = context.Request.Path != MetricsPath || (remote is not null && IPAddress.IsLoopback(remote));
        if (isOpen || await MayScrapeAsync(context)) await next(context);
        else await context.RefuseAsync(ApiException.Forbidden($"forbidden: User \"{context.GetActor().User}\" cannot get path \"{MetricsPath}\""));
    }

    private static async Task<bool> MayScrapeAsync(HttpContext context)
    {
        var request = new AccessRequest { Verb = "get", Path = MetricsPath };
        var decision = context.RequestServices.GetRequiredService<IAuthorizer>().Decide(context.GetActor(), request);
        if (!decision.Allowed) await context.RequestServices.GetRequiredService<IDenialLog>().DeniedAsync(context.GetActor(), request, decision.Reason, context.RequestAborted);
        return decision.Allowed;
    }

    private static string Alive() => "ok";

    private static async Task<IResult> ReadyAsync(HttpContext context, IEnumerable<IReadiness> parts)
    {
        var verbose = context.Request.Query.ContainsKey("verbose");
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        limit.CancelAfter(Patience);
        var text = new StringBuilder();
        var ready = true;
        foreach (var part in parts)
        {
            var missing = await AskAsync(part, limit.Token);
            ready &= missing is null;
            if (missing is not null) text.Append("[-]").Append(part.Name).Append(" failed: ").Append(missing).Append('\n');
            else if (verbose) text.Append("[+]").Append(part.Name).Append(" ok\n");
        }

        if (!ready) text.Append("readyz check failed\n");
        else text.Append(verbose ? "readyz check passed\n" : "ok");
        return Results.Text(text.ToString(), statusCode: ready ? 200 : 503);
    }

    private static async Task<string?> AskAsync(IReadiness part, CancellationToken ct)
    {
        try
        {
            return await part.CheckAsync(ct);
        }
        catch (OperationCanceledException)
        {
            return "no answer in time";
        }
        catch (Exception e) when (e is ApiException or System.Data.Common.DbException or InvalidOperationException)
        {
            return e is ApiException ? e.Message : e.GetType().Name;
        }
    }
}
