using Krate.Core.Gateway;
using Krate.Core.Resources;
using Krate.Web.Hosting;

namespace Krate.Web.Api;

/// <summary>Everything that programs call: Kubernetes' REST API and Krate's typed routes, thin over the gateway.</summary>
public static class KrateApi
{
    public static IServiceCollection AddKrateApi(this IServiceCollection services) => services
        .AddSingleton<Tables>()
        .AddSingleton<Answers>()
        .AddSingleton<WatchStream>()
        .AddSingleton<JobLogRequests>()
        .AddSingleton<ResourceRequests>()
        .AddSingleton<Discovery>()
        .AddSingleton<OpenApiDocuments>()
        .AddSingleton<OrgNamespaces>()
        .AddSingleton<TypedResources>()
        .AddSingleton<PermissionReviewRequests>()
        .AddSingleton<ContextRequests>()
        .AddSingleton<AgentRunRequests>()
        .AddSingleton<EventStreams>();

    public static IEndpointRouteBuilder MapKrateApi(this IEndpointRouteBuilder app)
    {
        var discovery = app.ServiceProvider.GetRequiredService<Discovery>();
        var requests = app.ServiceProvider.GetRequiredService<ResourceRequests>();
        var openApi = app.ServiceProvider.GetRequiredService<OpenApiDocuments>();

        MapDocument(app, "/version", context => Answers.WriteAsync(context, Discovery.Version));
        MapDocument(app, "/api", context => discovery.WriteRootAsync(context, core: true));
        MapDocument(app, "/apis", context => discovery.WriteRootAsync(context, core: false));
        MapDocument(app, "/api/v1", context => Answers.WriteAsync(context, discovery.ResourcesOf("", "v1")));
        MapDocument(app, "/apis/{group}", context => Answers.WriteAsync(context, discovery.GroupOf(Route(context, "group"))));
        MapDocument(app, "/apis/{group}/{version}", context => Answers.WriteAsync(context, discovery.ResourcesOf(Route(context, "group"), Route(context, "version"))));
        MapDocument(app, "/openapi/v3", openApi.WriteIndexAsync);
        MapDocument(app, "/openapi/v3/{**document}", context => openApi.WriteAsync(context, Route(context, "document")));

        Map(app, "/api/v1/{**rest}", context => requests.HandleAsync(context, "", "v1", Behind(context, 2)));
        Map(app, "/apis/{group}/{version}/{**rest}", context => requests.HandleAsync(context, Route(context, "group"), Route(context, "version"), Behind(context, 3)));
        foreach (var prefix in new[] { "/api", "/apis", "/openapi" }) Map(app, prefix + "/{**rest}", _ => throw KubernetesPath.NotServed());

        MapTyped(app);
        return app;
    }

    private static void MapTyped(IEndpointRouteBuilder app)
    {
        var typed = app.ServiceProvider.GetRequiredService<TypedResources>();
        var streams = app.ServiceProvider.GetRequiredService<EventStreams>();
        Typed("GET", "/api/controller/resources", typed.ListAsync);
        Typed("POST", "/api/controller/resources", typed.ApplyAsync);
        Typed("GET", "/api/controller/resources/{kind}/{name}", typed.GetAsync);
        Typed("DELETE", "/api/controller/resources/{kind}/{name}", typed.DeleteAsync);
        Typed("GET", "/api/orgs/{org}/resources", typed.ListAsync);
        Typed("POST", "/api/orgs/{org}/resources", typed.ApplyAsync);
        Typed("POST", "/api/orgs/{org}/agents/context/preview", app.ServiceProvider.GetRequiredService<ContextRequests>().PreviewAsync);
        var runs = app.ServiceProvider.GetRequiredService<AgentRunRequests>();
        Typed("POST", "/api/orgs/{org}/agents/runs", runs.StartAsync);
        Typed("GET", "/api/orgs/{org}/agents/runs/{run}/events", runs.EventsAsync);
        Typed("GET", "/api/orgs/{org}/agents/artifacts/{artifact}/content", runs.ContentAsync);
        Typed("POST", "/api/orgs/{org}/agents/permissions/review", app.ServiceProvider.GetRequiredService<PermissionReviewRequests>().AnswerAsync);
        Typed("GET", "/api/watch/orgs/{org}/{plurals}", streams.RunAsync);

        void Typed(string method, string pattern, Func<HttpContext, Task> run) =>
            app.MapMethods(pattern, [method], context => GuardAsync(context, run));
    }

    private static void Map(IEndpointRouteBuilder app, string pattern, Func<HttpContext, Task> run) =>
        app.Map(pattern, context => GuardAsync(context, run));

    private static Task GuardAsync(HttpContext context, Func<HttpContext, Task> run) => ApiErrors.GuardAsync(context, () =>
    {
        // No database can hold it, so that nothing that is there can be meant.
        if (context.Request.QueryString.Value?.Contains("%00", StringComparison.Ordinal) == true) throw ApiException.BadRequest("a query parameter contains a NUL character");
        return run(context);
    });

    /// <summary>A document for whoever may read that path: discovery is open to everybody who has signed in.</summary>
    private static void MapDocument(IEndpointRouteBuilder app, string pattern, Func<HttpContext, Task> write) => Map(app, pattern, async context =>
    {
        var path = context.Request.Path.Value!.Length > 1 ? context.Request.Path.Value.TrimEnd('/') : "/";
        var verb = context.Request.Method.ToLowerInvariant();
        if (verb is not ("get" or "head")) throw new ApiException(405, "MethodNotAllowed", $"{context.Request.Method} is not supported on {path}");
        var actor = context.GetActor();
        var gateway = context.RequestServices.GetRequiredService<IResourceGateway>();
        if (!(await gateway.ReviewAsync(actor, new AccessRequest { Verb = "get", Path = path }, context.RequestAborted)).Allowed)
            throw ApiException.Forbidden($"forbidden: User \"{actor.User}\" cannot {verb} path \"{path}\"");
        await write(context);
    });

    private static string Route(HttpContext context, string name) => context.Request.RouteValues[name] as string ?? "";

    /// <summary>The path behind its first segments, as the server decoded it (an encoded slash stays encoded).</summary>
    private static string Behind(HttpContext context, int segments)
    {
        var rest = context.Request.Path.Value!.AsSpan(1);
        for (; segments > 0; segments--)
        {
            var slash = rest.IndexOf('/');
            rest = slash < 0 ? [] : rest[(slash + 1)..];
        }

        return rest.ToString();
    }
}
