using System.Collections.Concurrent;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Krate.Tests.Hooks;

/// <summary>What a delivery looks like from the other side.</summary>
public sealed record Received(string Path, string Event, string Delivery, string? Signature, byte[] Body)
{
    public System.Text.Json.Nodes.JsonObject Json => Krate.Core.Resources.KrateJson.ParseObject(System.Text.Encoding.UTF8.GetString(Body));
}

/// <summary>A real web server that others send to: it keeps what comes, and answers as a test says.</summary>
public sealed class Receiver : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly ConcurrentDictionary<string, Channel<Received>> arrived = new(StringComparer.Ordinal);

    private Receiver(WebApplication app) => this.app = app;

    /// <summary>Answers by path; 204 where there is none.</summary>
    public ConcurrentDictionary<string, Func<HttpContext, Task>> Answers { get; } = new(StringComparer.Ordinal);

    public int Port => new Uri(app.Urls.First()).Port;

    public static async Task<Receiver> StartAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        var receiver = new Receiver(builder.Build());
        receiver.app.Run(receiver.TakeAsync);
        await receiver.app.StartAsync();
        return receiver;
    }

    public string UrlOf(string path) => $"http://localhost:{Port}/{path}";

    public async Task<Received> NextAsync(string path, CancellationToken ct) => await Of(path).Reader.ReadAsync(ct);

    /// <summary>What has come and was not asked for.</summary>
    public int Waiting(string path) => Of(path).Reader.Count;

    public async ValueTask DisposeAsync() => await app.DisposeAsync();

    private Channel<Received> Of(string path) => arrived.GetOrAdd(path, _ => Channel.CreateUnbounded<Received>());

    private async Task TakeAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        var path = context.Request.Path.Value!.TrimStart('/');
        var headers = context.Request.Headers;
        await Of(path).Writer.WriteAsync(new(path, headers["X-Krate-Event"].ToString(), headers["X-Krate-Delivery"].ToString(), headers["X-Krate-Signature-256"], body.ToArray()));
        if (Answers.TryGetValue(path, out var answer)) await answer(context);
        else context.Response.StatusCode = 204;
    }
}
