using System.Globalization;
using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Resources;
using Krate.Core.Runs;
using Krate.Web.Hosting;
using Microsoft.Net.Http.Headers;

namespace Krate.Web.Api;

/// <summary>The log of a Job: POST puts bytes at its end, GET gives the bytes as they are stored, so that no browser runs any of them.</summary>
internal sealed class JobLogRequests(IResourceGateway gateway, JobLogs logs)
{
    private const string Policy = "sandbox; default-src 'none'; frame-ancestors 'none'";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public Task HandleAsync(HttpContext context, KubernetesPath path) => context.Request.Method switch
    {
        "POST" => AppendAsync(context, path),
        "GET" or "HEAD" => SendAsync(context, path),
        var method => throw ApiException.MethodNotAllowed(path.Kind, method.ToLowerInvariant()),
    };

    private async Task AppendAsync(HttpContext context, KubernetesPath path)
    {
        var encoding = context.Request.Headers.ContentEncoding.ToString();
        if (encoding is not ("" or "identity")) throw new ApiException(415, "UnsupportedMediaType", $"the bytes of a log are sent as they are, not in content encoding {encoding}");
        var parameters = new JsonObject { ["offset"] = RequestOptions.Text(context.Request, "offset") };
        // Rights are those of the request's start: a body that trickles in for hours would outlive them.
        using var late = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        late.CancelAfter(Patience);
        try
        {
            var answer = await gateway.ActAsync(context.GetActor(), path.Kind, path.Namespace!, path.Name!, path.Subresource, parameters, context.Request.Body, late.Token);
            await Answers.WriteAsync(context, answer, 201);
        }
        catch (OperationCanceledException) when (!context.RequestAborted.IsCancellationRequested)
        {
            throw new ApiException(408, "Timeout", $"the bytes did not arrive within {Patience.TotalSeconds:N0} s");
        }
    }

    private async Task SendAsync(HttpContext context, KubernetesPath path)
    {
        var ct = context.RequestAborted;
        var request = context.Request;
        var (offset, limit, tail) = (RequestOptions.Whole(request, "offset"), RequestOptions.Whole(request, "limit"), RequestOptions.Whole(request, "tail"));
        if (tail is not null && (offset ?? limit) is not null) throw ApiException.BadRequest("tail counts lines, offset and limit count bytes: give one or the other");
        var job = await gateway.GetForAsync(context.GetActor(), path.Subresource, path.Kind, path.Namespace!, path.Name!, ct);
        if (tail is { } lines) offset = await StartOfTailAsync(job, lines, ct);
        var bytes = logs.OpenBytes(job, offset ?? 0, limit) ?? Stream.Null;
        Describe(context.Response, path.Name!);
        await Results.File(bytes, "text/plain; charset=utf-8", enableRangeProcessing: (offset ?? limit) is null).ExecuteAsync(context);
    }

    private async Task<long> StartOfTailAsync(Resource job, long lines, CancellationToken ct) =>
        await logs.OpenAsync(job, ct) is { } log ? await log.OffsetOfAsync(log.LineCount - lines, ct) : 0;

    private static void Describe(HttpResponse response, string name)
    {
        var disposition = new ContentDispositionHeaderValue("inline");
        disposition.SetHttpFileName(string.Create(CultureInfo.InvariantCulture, $"{name}.log"));
        response.Headers.ContentDisposition = disposition.ToString();
        response.Headers.ContentSecurityPolicy = Policy;
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers.CacheControl = "private, no-cache";
    }
}
