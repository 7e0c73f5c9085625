using System.Net;
using Krate.Core.Agents;
using Krate.Core.Outbound;
using Microsoft.AspNetCore.Http.Features;
using Yarp.ReverseProxy.Forwarder;

namespace Krate.Web.Egress;

/// <summary>
/// The way out for agents: a small web server for each, on a Unix socket that only its sandbox has. It forwards what goes to a route, signed in; opens a
/// tunnel where the rules let it; and refuses everything else. Where either leads is held to <see cref="OutboundGuard"/>. Thread-safe.
/// </summary>
internal sealed class EgressGates(IHttpForwarder forwarder, OutboundGuard guard, ILoggerFactory logs) : IEgress, IDisposable
{
    private const long MostRequest = 64L << 20;
    private const int MostConnections = 64;

    /// <summary>Models think before they speak.</summary>
    private static readonly ForwarderRequestConfig Patience = new() { ActivityTimeout = TimeSpan.FromMinutes(10) };

    private readonly HttpMessageInvoker client = new(Quiet(guard.CreateHandler()));

    public async Task<IEgressGate> OpenAsync(EgressRules rules, CancellationToken ct)
    {
        // A path of a socket is short; the folder is Krate's alone.
        var folder = Directory.CreateTempSubdirectory("krate-egress-").FullName;
        var socket = Path.Combine(folder, "egress.sock");
        var tunnels = new EgressTunnels(rules, guard);
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.Services.AddSingleton(logs);
        builder.WebHost.UseKestrelCore().ConfigureKestrel(k =>
        {
            k.AddServerHeader = false;
            k.Limits.MaxRequestBodySize = MostRequest;
            k.Limits.MaxConcurrentConnections = MostConnections;
            k.ListenUnixSocket(socket, l => l.Use(tunnels.OnConnectionAsync));
        });
        var app = builder.Build();
        app.Run(context => ForwardAsync(context, rules));
        try
        {
            await app.StartAsync(ct);
            return new Gate(app, tunnels, folder, socket);
        }
        catch
        {
            await app.DisposeAsync();
            Directory.Delete(folder, recursive: true);
            throw;
        }
    }

    public void Dispose() => client.Dispose();

    private async Task ForwardAsync(HttpContext context, EgressRules rules)
    {
        // An absolute address is one for a proxy; in clear, nobody knows whom it reaches.
        var asked = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        var name = context.Request.Path.Value!.Split('/', 3)[1];
        if (!asked.StartsWith('/') || rules.Routes.FirstOrDefault(r => r.Name == name) is not { } route)
        {
            context.Response.StatusCode = StatusCodes.Status403Forbidden;
            await context.Response.WriteAsync(asked.StartsWith('/') ? "Krate has no such address for agents.\n" : "Krate opens tunnels only (https).\n", context.RequestAborted);
            return;
        }

        context.Request.Path = context.Request.Path.Value[(name.Length + 1)..];
        await forwarder.SendAsync(context, route.Target.AbsoluteUri.TrimEnd('/'), client, Patience, new SignedIn(route));
    }

    private static SocketsHttpHandler Quiet(SocketsHttpHandler handler)
    {
        handler.AutomaticDecompression = DecompressionMethods.None;
        handler.ActivityHeadersPropagator = null;
        return handler;
    }

    /// <summary>Takes the agent's own headers of that kind away, and puts the right ones there.</summary>
    private sealed class SignedIn(EgressRoute route) : HttpTransformer
    {
        private static readonly string[] Credentials = ["Authorization", "x-api-key", "x-goog-api-key", "api-key", "Cookie", "Proxy-Authorization"];

        public override async ValueTask TransformRequestAsync(HttpContext httpContext, HttpRequestMessage proxyRequest, string destinationPrefix, CancellationToken cancellationToken)
        {
            await base.TransformRequestAsync(httpContext, proxyRequest, destinationPrefix, cancellationToken);
            proxyRequest.Headers.Host = null;
            foreach (var name in Credentials) proxyRequest.Headers.Remove(name);
            foreach (var (name, value) in await route.Headers(cancellationToken))
            {
                proxyRequest.Headers.Remove(name);
                proxyRequest.Headers.TryAddWithoutValidation(name, value);
            }
        }

        public override async ValueTask<bool> TransformResponseAsync(HttpContext httpContext, HttpResponseMessage? proxyResponse, CancellationToken cancellationToken)
        {
            var isBody = await base.TransformResponseAsync(httpContext, proxyResponse, cancellationToken);
            httpContext.Response.Headers.Remove("Set-Cookie");
            return isBody;
        }
    }

    private sealed class Gate(WebApplication app, EgressTunnels tunnels, string folder, string socket) : IEgressGate
    {
        public string SocketPath => socket;

        public async ValueTask DisposeAsync()
        {
            await tunnels.CutAsync();
            await app.StopAsync(new CancellationToken(canceled: true));
            await app.DisposeAsync();
            tunnels.Dispose();
            if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
        }
    }
}
