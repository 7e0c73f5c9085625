using System.Globalization;
using System.Text.Json.Nodes;
using Krate.Core.Resources;
using Krate.Web.Hosting;

namespace Krate.Web.Api;

/// <summary>The one place where a refusal becomes an HTTP answer: a Kubernetes <c>Status</c>, or the typed error of Krate's own routes.</summary>
internal static partial class ApiErrors
{
    private static readonly PathString[] TypedRoutes = ["/api/controller", "/api/orgs", "/api/watch"];

    /// <summary>Runs a request; whatever goes wrong is answered in the shape of its route, never with a stack trace.</summary>
    public static async Task GuardAsync(HttpContext context, Func<Task> run)
    {
        try
        {
            await run();
        }
        catch (Exception e) when (context.RequestAborted.IsCancellationRequested && e is OperationCanceledException or IOException)
        {
            // The client has gone; nobody is there to be answered.
        }
        catch (Exception e) when (!context.Response.HasStarted)
        {
            var refusal = RefusalOf(context, e);
            // Kubernetes says 403 to nobody in particular; Krate's own routes tell them to sign in.
            if (refusal is { Code: 403, ProductCode: null } && IsTyped(context.Request) && context.GetActor().User == WellKnown.AnonymousUser) refusal = ApiException.Unauthorized(refusal.Message);
            context.Response.Clear();
            await WriteAsync(context, refusal);
        }
    }

    /// <summary>What to say about an exception; one that no caller can cause is logged and told by its correlation id only.</summary>
    public static ApiException RefusalOf(HttpContext context, Exception e)
    {
        switch (e)
        {
            case ApiException refusal:
                return refusal;
            case BadHttpRequestException { StatusCode: 413 }:
                return new(413, "RequestEntityTooLarge", $"Request entity too large: limit is {RequestBody.MaxBytes}");
            case BadHttpRequestException bad:
                return new(bad.StatusCode, bad.StatusCode == 408 ? "Timeout" : "BadRequest", bad.Message);
            default:
                LogFailure(context.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger("Krate.Web.Api"), e, context.Request.Method, context.Request.Path);
                return new(500, "InternalError", $"Internal error occurred; correlation id {context.TraceIdentifier}");
        }
    }

    /// <summary><c>{"error":{"code","message","correlationId","resource","reasons":[{"code","field","message"}]}}</c>.</summary>
    public static JsonObject TypedErrorOf(HttpContext context, ApiException refusal)
    {
        var error = new JsonObject
        {
            ["code"] = CodeOf(refusal),
            ["message"] = refusal.Message,
            ["correlationId"] = context.TraceIdentifier,
        };
        if (refusal.Subject.Kind.Length > 0)
            error["resource"] = refusal.Subject.Name.Length > 0 ? $"{refusal.Subject.Kind}/{refusal.Subject.Name}" : refusal.Subject.Kind;
        error["reasons"] = new JsonArray([.. refusal.Causes.Select(c => (JsonNode)new JsonObject { ["code"] = c.Reason, ["field"] = c.Field, ["message"] = c.Message })]);
        return new JsonObject { ["error"] = error };
    }

    /// <summary>Ends the request with the refusal.</summary>
    public static async Task WriteAsync(HttpContext context, ApiException refusal)
    {
        var document = IsTyped(context.Request) ? TypedErrorOf(context, refusal) : refusal.ToStatus();
        var response = context.Response;
        response.StatusCode = refusal.Code;
        response.ContentType = "application/json";
        response.Headers.CacheControl = "no-store";
        if (refusal.RetryAfterSeconds is { } seconds) response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        if (refusal.Code == 401) response.Headers.WWWAuthenticate = "Bearer realm=\"krate\"";
        await response.WriteAsync(KrateJson.ToText(document), context.RequestAborted);
    }

    private static bool IsTyped(HttpRequest request) => TypedRoutes.Any(r => request.Path.StartsWithSegments(r, StringComparison.Ordinal));

    private static string CodeOf(ApiException refusal) => refusal.ProductCode ?? (refusal.Code, refusal.Reason) switch
    {
        (400, _) => "BAD_REQUEST",
        (401, _) => "UNAUTHENTICATED",
        (403, _) => "FORBIDDEN",
        (404, _) => "NOT_FOUND",
        (405, _) => "METHOD_NOT_ALLOWED",
        (409, "AlreadyExists") => "ALREADY_EXISTS",
        (409, _) => "CONFLICT",
        (410, _) => "EXPIRED",
        (413, _) => "TOO_LARGE",
        (415, _) => "UNSUPPORTED_MEDIA_TYPE",
        (422, _) => "VALIDATION_FAILED",
        (429, _) => "RATE_LIMITED",
        (503, _) => "STORE_UNAVAILABLE",
        _ => "INTERNAL_ERROR",
    };

    [LoggerMessage(Level = LogLevel.Error, Message = "{Method} {Path} failed")]
    private static partial void LogFailure(ILogger logger, Exception e, string method, string path);
}
