using System.Text.Json.Nodes;
using Krate.Core.Blobs;
using Krate.Core.Gateway;
using Krate.Core.Kinds.Dispatch;
using Krate.Core.Resources;
using Krate.Core.Sessions;
using Krate.Web.Hosting;
using Microsoft.Net.Http.Headers;

namespace Krate.Web.Api;

/// <summary>Runs of agents: starting one, what its session says, and what it left.</summary>
internal sealed class AgentRunRequests(IResourceGateway gateway, KindCatalog catalog, SessionLogs sessions, BlobStore blobs, OrgNamespaces namespaces)
{
    private const string Policy = "sandbox; default-src 'none'; frame-ancestors 'none'";
    private static readonly string[] Own = ["runnerPool", "approvalPolicy", "expectedContextDigest"];

    /// <summary><c>POST /api/orgs/{org}/agents/runs</c>: what the preview takes, and then it runs.</summary>
    public async Task StartAsync(HttpContext context)
    {
        var body = (await RequestBody.ReadAsync(context)).Object;
        // Refuses what a preview would.
        ContextRequest.Read(new JsonObject(body.Where(f => !Own.Contains(f.Key)).Select(f => KeyValuePair.Create(f.Key, f.Value?.DeepClone()))));
        var (actor, ns) = await WhereAsync(context);
        var spec = new JsonObject(body.Where(f => f.Key != "expectedContextDigest" && f.Value is not null).Select(f => KeyValuePair.Create(f.Key, f.Value?.DeepClone())));
        spec["sourceRefs"] ??= new JsonObject();
        spec["taskKind"] ??= "task";
        var annotations = new JsonObject();
        if (body.Text("expectedContextDigest") is { Length: > 0 } expected) annotations[WellKnown.ExpectedContextAnnotation] = expected;
        if (context.Request.Headers["Idempotency-Key"].ToString() is { Length: > 0 } key) annotations[WellKnown.IdempotencyAnnotation] = key;
        try
        {
            var made = await gateway.CreateAsync(actor, Runs, ns, new JsonObject { ["metadata"] = new JsonObject { ["annotations"] = annotations }, ["spec"] = spec }, new WriteOptions(), context.RequestAborted);
            await Answers.WriteAsync(context, made.Body.Copy(), 201);
        }
        catch (ApiException e) when (e.Reason == "AlreadyExists" && annotations.ContainsKey(WellKnown.IdempotencyAnnotation))
        {
            // The same request once more: the run that it made.
            await Answers.WriteAsync(context, (await gateway.GetAsync(actor, Runs, ns, e.Subject.Name, context.RequestAborted)).Body.Copy());
        }
    }

    /// <summary><c>GET /api/orgs/{org}/agents/runs/{run}/events?after=N</c>: a page of what the session of the last attempt said.</summary>
    public async Task EventsAsync(HttpContext context)
    {
        var (actor, ns) = await WhereAsync(context);
        var run = await gateway.GetAsync(actor, Runs, ns, (string)context.Request.RouteValues["run"]!, context.RequestAborted);
        var attempt = await SessionReading.AttemptAsync(gateway, catalog, actor, run, context.RequestAborted);
        var events = attempt is null ? [] : sessions.Read(attempt, RequestOptions.Whole(context.Request, "after") ?? 0);
        await Answers.WriteAsync(context, new JsonObject { ["run"] = run.Name, ["attempt"] = attempt?.Name, ["events"] = new JsonArray([.. events.Select(e => (JsonNode)e.ToJson())]) });
    }

    /// <summary><c>GET /api/orgs/{org}/agents/artifacts/{artifact}/content</c>: the bytes, so that no browser runs any of them.</summary>
    public async Task ContentAsync(HttpContext context)
    {
        var (actor, ns) = await WhereAsync(context);
        var artifact = await gateway.GetAsync(actor, catalog["AgentArtifact"], ns, (string)context.Request.RouteValues["artifact"]!, context.RequestAborted);
        if (artifact.Body.Text("spec.redactionStatus") == "blocked") throw ApiException.Forbidden("it may hold a secret, and is not given out");
        var bytes = await blobs.ReadAsync(artifact.Body.Text("spec.digest") ?? "", context.RequestAborted);
        context.Response.Headers.ContentSecurityPolicy = Policy;
        context.Response.Headers.XContentTypeOptions = "nosniff";
        context.Response.Headers.ContentDisposition = new ContentDispositionHeaderValue("attachment") { FileName = artifact.Name + (artifact.Body.Text("spec.mediaType") switch { "text/markdown" => ".md", "application/json" => ".json", "text/x-diff" => ".patch", _ => ".txt" }) }.ToString();
        await Results.Bytes(bytes, "text/plain; charset=utf-8").ExecuteAsync(context);
    }

    private KindDefinition Runs => catalog["AgentDispatchRun"];

    private async Task<(Actor Actor, string Namespace)> WhereAsync(HttpContext context)
    {
        var actor = context.GetActor();
        return (actor, await namespaces.OfAsync(actor, (string)context.Request.RouteValues["org"]!, context.RequestAborted));
    }
}
