using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;

namespace Krate.Tests.Testing;

/// <summary>
/// A model provider on loopback that speaks as OpenAI does and thinks nothing: where tools are offered it first calls the one that writes a file, with what the
/// test says, and then says that it is done.
/// </summary>
public sealed class ScriptedModel : IAsyncDisposable
{
    private readonly HttpListener listener = new();
    private readonly Task serving;

    private ScriptedModel(int port)
    {
        Url = $"http://127.0.0.1:{port}/v1";
        listener.Prefixes.Add($"http://127.0.0.1:{port}/");
        listener.Start();
        serving = ServeAsync();
    }

    public string Url { get; }

    /// <summary>File that it writes, below the folder in which the agent works.</summary>
    public string Path { get; init; } = "hello.txt";

    public string Content { get; init; } = "Hello from a scripted model.\n";

    /// <summary>The Authorization header of each request.</summary>
    public ConcurrentQueue<string?> Credentials { get; } = new();

    public static ScriptedModel Start() => new(Loopback.FreePort());

    public async ValueTask DisposeAsync()
    {
        listener.Close();
        await serving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task ServeAsync()
    {
        while (listener.IsListening)
        {
            var context = await listener.GetContextAsync();
            _ = Task.Run(() => AnswerAsync(context));
        }
    }

    private async Task AnswerAsync(HttpListenerContext context)
    {
        Credentials.Enqueue(context.Request.Headers["Authorization"]);
        try
        {
            var request = (await JsonNode.ParseAsync(context.Request.InputStream))!.AsObject();
            context.Response.ContentType = "text/event-stream";
            context.Response.SendChunked = true;
            foreach (var part in Parts(request))
            {
                await context.Response.OutputStream.WriteAsync(Encoding.UTF8.GetBytes($"data: {part}\n\n"));
                await context.Response.OutputStream.FlushAsync();
            }

            context.Response.Close();
        }
        catch (Exception e) when (e is HttpListenerException or IOException or System.Text.Json.JsonException or ObjectDisposedException)
        {
            context.Response.Abort();
        }
    }

    private IEnumerable<string> Parts(JsonObject request)
    {
        var isDone = (request["messages"] as JsonArray)?.Any(m => (string?)m!["role"] == "tool") == true;
        if (!isDone && WriterOf(request) is { } writer)
        {
            yield return Chunk(new JsonObject { ["role"] = "assistant", ["tool_calls"] = new JsonArray(new JsonObject { ["index"] = 0, ["id"] = "call_1", ["type"] = "function", ["function"] = new JsonObject { ["name"] = writer, ["arguments"] = "" } }) }, null);
            var arguments = new JsonObject { ["filePath"] = Path, ["content"] = Content }.ToJsonString();
            yield return Chunk(new JsonObject { ["tool_calls"] = new JsonArray(new JsonObject { ["index"] = 0, ["function"] = new JsonObject { ["arguments"] = arguments } }) }, null);
            yield return Chunk([], "tool_calls");
        }
        else
        {
            yield return Chunk(new JsonObject { ["role"] = "assistant", ["content"] = "The file " }, null);
            yield return Chunk(new JsonObject { ["content"] = isDone ? "is written." : "will be written." }, null);
            yield return Chunk([], "stop");
        }

        yield return "[DONE]";
    }

    private static string? WriterOf(JsonObject request) =>
        (request["tools"] as JsonArray)?.Select(t => (string?)t!["function"]?["name"]).FirstOrDefault(n => n is "write" or "write_file" or "Write");

    private static string Chunk(JsonObject delta, string? finish) => new JsonObject
    {
        ["id"] = "scripted-1", ["object"] = "chat.completion.chunk", ["created"] = 0, ["model"] = "scripted",
        ["choices"] = new JsonArray(new JsonObject { ["index"] = 0, ["delta"] = delta, ["finish_reason"] = finish }),
        ["usage"] = finish is null ? null : new JsonObject { ["prompt_tokens"] = 120, ["completion_tokens"] = 30, ["total_tokens"] = 150 },
    }.ToJsonString();
}
