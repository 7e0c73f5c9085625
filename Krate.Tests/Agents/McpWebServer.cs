using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace Krate.Tests.Agents;

/// <summary>Servers of tools over HTTP: real ones by the official SDK at <c>/tools/...</c>, whose description the test may change, and others that do wrong.</summary>
internal sealed class McpWebServer : IAsyncDisposable
{
    private readonly WebApplication app;

    private McpWebServer(WebApplication app) => this.app = app;

    /// <summary>By path: what the tool says of itself.</summary>
    public ConcurrentDictionary<string, string> Descriptions { get; } = new(StringComparer.Ordinal);

    /// <summary>By path: the last value of the header <c>X-Key</c>.</summary>
    public ConcurrentDictionary<string, string> Keys { get; } = new(StringComparer.Ordinal);

    public int Port => new Uri(app.Urls.First()).Port;

    public static async Task<McpWebServer> StartAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        var server = new McpWebServer(builder.Build());
        server.app.Run(server.AnswerAsync);
        await server.app.StartAsync();
        return server;
    }

    public string UrlOf(string path, string host = "localhost") => $"http://{host}:{Port}/{path}";

    public ValueTask DisposeAsync() => app.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        var path = context.Request.Path.Value!.TrimStart('/');
        var stop = context.RequestAborted;
        Keys[path] = context.Request.Headers["X-Key"].ToString();
        switch (path)
        {
            case "hang":
                await Task.Delay(Timeout.Infinite, stop);
                break;
            case "html":
                context.Response.ContentType = "text/html";
                await context.Response.WriteAsync("<h1>It works!</h1>", stop);
                break;
            case "redirect":
                context.Response.Redirect($"http://127.0.0.1:{Port}/tools/behind");
                break;
            case "error":
                context.Response.StatusCode = 503;
                break;
            case "flood":
                context.Response.ContentType = "application/json";
                var junk = new byte[1 << 20];
                Array.Fill(junk, (byte)' ');
                for (var i = 0; i < 100; i++) await context.Response.Body.WriteAsync(junk, stop);
                break;
            default:
                await SpeakAsync(context, path, stop);
                break;
        }
    }

    private async Task SpeakAsync(HttpContext context, string path, CancellationToken stop)
    {
        if (context.Request.Method != "POST")
        {
            context.Response.StatusCode = 405;
            return;
        }

        var message = await JsonSerializer.DeserializeAsync<JsonRpcMessage>(context.Request.Body, McpJsonUtilities.DefaultOptions, stop);
        await using var transport = new StreamableHttpServerTransport { Stateless = true };
        var tool = McpServerTool.Create((string query) => query, new() { Name = "search", Description = Descriptions.GetValueOrDefault(path, "Searches the code.") });
        await using var server = McpServer.Create(transport, new() { ServerInfo = new() { Name = "tests", Version = "1" }, ToolCollection = [tool] });
        var running = server.RunAsync(stop);
        context.Response.ContentType = "text/event-stream";
        if (!await transport.HandlePostRequestAsync(message!, context.Response.Body, stop)) context.Response.StatusCode = 202;
        await transport.DisposeAsync();
        await running;
    }
}
