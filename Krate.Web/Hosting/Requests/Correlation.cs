using System.Diagnostics;

namespace Krate.Web.Hosting.Requests;

/// <summary>
/// Gives each request an id that its log lines, audit rows, error texts and answer share: the client's own <c>X-Correlation-Id</c> or
/// <c>X-Request-Id</c> when it is a plain word, else the trace id. It is the request's <see cref="HttpContext.TraceIdentifier"/>.
/// </summary>
internal sealed class Correlation(RequestDelegate next, ILogger<Correlation> log)
{
    public const string Header = "X-Correlation-Id";
    public const string ScopeKey = "CorrelationId";

    public async Task InvokeAsync(HttpContext context)
    {
        var id = Given(context.Request, Header) ?? Given(context.Request, "X-Request-Id") ?? NewId();
        context.TraceIdentifier = id;
        context.Response.Headers[Header] = id;
        using (log.BeginScope(new Dictionary<string, object> { [ScopeKey] = id })) await next(context);
    }

    /// <summary>A fresh id for work that no request carries.</summary>
    public static string NewId() => Activity.Current?.TraceId.ToHexString() ?? ActivityTraceId.CreateRandom().ToHexString();

    private static string? Given(HttpRequest request, string header)
    {
        var value = request.Headers[header].ToString();
        return value.Length is > 0 and <= 64 && value.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.') ? value : null;
    }
}
