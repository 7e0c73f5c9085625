using System.IO.Pipelines;
using Krate.Core.Gateway;
using Krate.Core.Resources;
using Krate.Web.Hosting;
using Microsoft.AspNetCore.Http.Features;

namespace Krate.Web.Api;

/// <summary>
/// Answers a watch: one JSON line per event, flushed whenever there is nothing more to send at once. A client that reads
/// slowly holds up only itself; the feed drops it with 410 when it falls too far behind.
/// </summary>
internal sealed class WatchStream(IResourceGateway gateway, Answers answers, IHostApplicationLifetime lifetime)
{
    private const long FlushAt = 64 * 1024;

    /// <summary>As Kubernetes: without a timeout of its own a watch ends after half an hour to an hour, so that clients spread out again.</summary>
    private static readonly (int Least, int Most) DefaultSeconds = (1800, 3600);

    public async Task RunAsync(HttpContext context, KubernetesPath path)
    {
        var request = context.Request;
        var form = Negotiation.RepresentationOf(request);
        var include = Tables.IncludeOf(request);
        var actor = context.GetActor();
        var options = await StartAsync(actor, path, request, context.RequestAborted);
        var seconds = RequestOptions.Whole(request, "timeoutSeconds") ?? Random.Shared.Next(DefaultSeconds.Least, DefaultSeconds.Most);

        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
        ending.CancelAfter(TimeSpan.FromSeconds(Math.Min(seconds, DefaultSeconds.Most)));
        await using var events = new EventReader(ct => gateway.WatchAsync(actor, path.Kind, path.Namespace, options, ct), ending.Token);
        // A refusal comes before the first event and must be the answer's own code; only an admitted watch may begin its stream.
        if (events.Next.IsCompleted || !await IsAllowedAsync(actor, path, ending.Token)) await events.Next;

        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        context.Response.ContentType = form switch
        {
            Representation.Table => "application/json;as=Table;v=v1;g=meta.k8s.io;stream=watch",
            Representation.Metadata => "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io;stream=watch",
            _ => "application/json;stream=watch",
        };
        var output = context.Response.BodyWriter;
        try
        {
            for (var columns = true; ; columns = false)
            {
                if (!events.Next.IsCompleted || output.UnflushedBytes > FlushAt) await output.FlushAsync(ending.Token);
                if (!await events.Next) break;
                answers.WriteEvent(output, path.Kind, events.Take(), form, include, columns);
            }
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
            // The client has gone, the time is up or the server stops: the stream just ends, and clients watch again.
        }
        catch (Exception e)
        {
            Answers.WriteError(output, ApiErrors.RefusalOf(context, e));
        }

        await FinishAsync(output, context.RequestAborted);
    }

    /// <summary>Where the watch begins: from a version, or with the present state first.</summary>
    private async Task<WatchOptions> StartAsync(Actor actor, KubernetesPath path, HttpRequest request, CancellationToken ct)
    {
        var options = RequestOptions.Watch(request);
        if (path.Name is not null) options = options with { Fields = options.Fields.And(new("metadata.name", SelectorOperator.In, [path.Name])) };
        var version = RequestOptions.Version(request);
        var initial = RequestOptions.Flag(request, "sendInitialEvents");
        var match = RequestOptions.Text(request, "resourceVersionMatch");
        if (initial is null && match is not null) throw Invalid("resourceVersionMatch", "Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided");
        if (initial == true && match != "NotOlderThan") throw Invalid("resourceVersionMatch", "Required value: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
        if (initial == true) return options with { InitialEventsBookmark = options.Bookmarks };
        if (version is > 0) return options with { FromVersion = version };
        if (initial is null) return options;
        var now = await gateway.ListAsync(actor, path.Kind, path.Namespace, new ListOptions { Labels = options.Labels, Fields = options.Fields, Limit = 1 }, ct);
        return options with { FromVersion = now.Version };
    }

    private async Task<bool> IsAllowedAsync(Actor actor, KubernetesPath path, CancellationToken ct)
    {
        var access = new AccessRequest { Verb = "watch", Group = path.Kind.Group, Resource = path.Kind.Plural, Namespace = path.Namespace ?? "", Name = path.Name ?? "" };
        return (await gateway.ReviewAsync(actor, access, ct)).Allowed;
    }

    private static async Task FinishAsync(PipeWriter output, CancellationToken aborted)
    {
        try
        {
            await output.FlushAsync(aborted);
        }
        catch (OperationCanceledException)
        {
            // Nobody is there to read the end.
        }
    }

    private static ApiException Invalid(string field, string message) =>
        new(422, "Invalid", $"ListOptions.meta.k8s.io \"\" is invalid: {field}: {message}", [new("FieldValueForbidden", field, message)]) { Subject = ("meta.k8s.io", "ListOptions", "") };
}
