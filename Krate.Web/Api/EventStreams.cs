using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using Krate.Core.Gateway;
using Krate.Core.Resources;
using Krate.Web.Hosting;
using Microsoft.AspNetCore.Http.Features;

namespace Krate.Web.Api;

/// <summary>
/// An org's resources as Server-Sent Events: SYNC with the current list of each plural, then every change. The id of an event
/// is its resource version, so that a browser's Last-Event-ID resumes without a gap and without a repetition.
/// </summary>
internal sealed class EventStreams(IResourceGateway gateway, OrgNamespaces namespaces, IHostApplicationLifetime lifetime, TimeProvider time)
{
    public static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(15);
    private const int MaxPlurals = 20;

    /// <summary>A stream ends after a while and the browser comes back: sessions and tokens that have ended are noticed then.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(30);

    public async Task RunAsync(HttpContext context)
    {
        var actor = context.GetActor();
        var ns = await namespaces.OfAsync(actor, (string)context.Request.RouteValues["org"]!, context.RequestAborted);
        var kinds = KindsOf((string)context.Request.RouteValues["plurals"]!);
        foreach (var kind in kinds) await CheckAsync(actor, kind, ns, context.RequestAborted);

        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
        ending.CancelAfter(Longest);
        var from = ResumeFrom(context.Request);
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        context.Response.ContentType = "text/event-stream";
        context.Response.Headers.CacheControl = "no-cache, no-store";
        context.Response.Headers["X-Accel-Buffering"] = "no";
        var output = context.Response.BodyWriter;
        try
        {
            while (true) from = await FollowAsync(output, actor, kinds, ns, from, ending.Token);
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
            // The client has gone, or comes back by itself.
        }
        catch (Exception e)
        {
            var error = KrateJson.ToText(ApiErrors.TypedErrorOf(context, ApiErrors.RefusalOf(context, e)));
            output.Write(Encoding.UTF8.GetBytes($"event: error\ndata: {error}\n\n"));
            await output.FlushAsync(CancellationToken.None);
        }
    }

    /// <summary>One watch, until it cannot go on from where it is; then the next one starts with a SYNC (null).</summary>
    private async Task<long?> FollowAsync(PipeWriter output, Actor actor, List<KindDefinition> kinds, string ns, long? from, CancellationToken ct)
    {
        var synced = from is null ? await SyncAsync(output, actor, kinds, ns, ct) : [];
        await using var events = new EventReader(token => gateway.WatchAsync(actor, kinds, ns, from ?? synced.Values.Min(), token), ct);
        try
        {
            while (true)
            {
                if (!events.Next.IsCompleted) await output.FlushAsync(ct);
                while (!events.Next.IsCompleted && await Task.WhenAny(events.Next, Task.Delay(Heartbeat, time, ct)) != events.Next)
                {
                    ct.ThrowIfCancellationRequested();
                    output.Write(": heartbeat\n\n"u8);
                    await output.FlushAsync(ct);
                }

                if (!await events.Next) throw ApiException.Unavailable("the stream has ended; connect again");
                var e = events.Take();
                if (e.Resource is not { } resource) WriteId(output, e.Version);
                else if (e.Version > synced.GetValueOrDefault(resource.Kind)) WriteChange(output, e, resource);
            }
        }
        catch (ApiException gone) when (gone.Code == 410)
        {
            return null;
        }
    }

    private async Task<Dictionary<KindDefinition, long>> SyncAsync(PipeWriter output, Actor actor, List<KindDefinition> kinds, string ns, CancellationToken ct)
    {
        var lists = new List<ResourceList>();
        foreach (var kind in kinds) lists.Add(await gateway.ListAsync(actor, kind, ns, new ListOptions(), ct));
        var oldest = lists.Min(l => l.Version);
        // Only the last SYNC has an id: who is cut off before it must get all of them again.
        foreach (var list in lists) WriteSync(output, list, list == lists[^1] ? oldest : null);
        return lists.ToDictionary(l => l.Kind, l => l.Version);
    }

    private static void WriteSync(PipeWriter output, ResourceList list, long? id) => Write(output, id, json =>
    {
        json.WriteString("type", "SYNC");
        json.WriteString("plural", list.Kind.Plural);
        json.WriteString("resourceVersion", list.Version.ToString(CultureInfo.InvariantCulture));
        Answers.WriteItems(json, list.Items);
    });

    private static void WriteChange(PipeWriter output, WatchEvent e, Resource resource) => Write(output, e.Version, json =>
    {
        json.WriteString("type", e.Type.ToString().ToUpperInvariant());
        json.WriteString("plural", resource.Kind.Plural);
        json.WriteString("resourceVersion", e.Version.ToString(CultureInfo.InvariantCulture));
        json.WritePropertyName("object");
        json.WriteRawValue(resource.Utf8.Span, skipInputValidation: true);
    });

    /// <summary>Nothing changed up to here: a browser remembers the id and shows nothing.</summary>
    private static void WriteId(PipeWriter output, long id) => output.Write(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"id: {id}\n\n")));

    private static void Write(PipeWriter output, long? id, Action<Utf8JsonWriter> write)
    {
        output.Write("event: krate\n"u8);
        if (id is not null) output.Write(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"id: {id}\n")));
        output.Write("data: "u8);
        using (var json = new Utf8JsonWriter(output, Answers.Writing))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }

        output.Write("\n\n"u8);
    }

    private static long? ResumeFrom(HttpRequest request) =>
        long.TryParse(request.Headers["Last-Event-ID"], NumberStyles.None, CultureInfo.InvariantCulture, out var version) && version > 0 ? version : null;

    private List<KindDefinition> KindsOf(string plurals)
    {
        var kinds = plurals.Split(',').Distinct(StringComparer.Ordinal).Select(namespaces.KindOf).ToList();
        if (kinds.Count > MaxPlurals) throw ApiException.BadRequest($"at most {MaxPlurals} plurals in one stream");
        if (kinds.Find(k => k.Scope is not (KindScope.Org or KindScope.Namespaced) || k.CreateOnly || k.ReadOnly) is { } other)
            throw new ApiException(404, "NotFound", $"{other.Plural} are not resources of an organization that can be watched");
        return kinds;
    }

    /// <summary>A refusal must be the answer's own code, and audited: so it is asked for before the stream begins.</summary>
    private async Task CheckAsync(Actor actor, KindDefinition kind, string ns, CancellationToken ct)
    {
        foreach (var verb in new[] { "list", "watch" })
        {
            var access = new AccessRequest { Verb = verb, Group = kind.Group, Resource = kind.Plural, Namespace = ns };
            if ((await gateway.ReviewAsync(actor, access, ct)).Allowed) continue;
            if (verb == "list") await gateway.ListAsync(actor, kind, ns, new ListOptions { Limit = 1 }, ct);
            else await gateway.WatchAsync(actor, [kind], ns, 1, ct).GetAsyncEnumerator(ct).MoveNextAsync();
        }
    }
}
