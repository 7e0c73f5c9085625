using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Krate.Core.Resources;
using Krate.Tests.Testing;
using Xunit;

namespace Krate.Tests.Api;

/// <summary>One running Krate with the organization <c>acme</c>, shared by the tests of the API.</summary>
public sealed class ApiServer : IAsyncLifetime
{
    public const string Namespace = "krate-org-acme";

    /// <summary>Path of the org's resources in the product group.</summary>
    public const string Org = "/apis/krate.a5c.ai/v1alpha1/namespaces/" + Namespace;

    public KrateServer Server { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Server = await KrateServer.StartAsync();
        await MakeOrgAsync("acme");
    }

    public ValueTask DisposeAsync() => Server.DisposeAsync();

    /// <summary>Creates an organization and waits until its namespace is ready.</summary>
    public async Task MakeOrgAsync(string name)
    {
        const string Organizations = "/apis/krate.a5c.ai/v1alpha1/namespaces/krate-system/organizations";
        var made = await SendAsync("POST", Organizations, $$"""{"kind":"Organization","metadata":{"name":"{{name}}" },"spec":{"slug":"{{name}}","displayName":"{{name}}"} }""");
        Assert.True(made.Code == 201, made.ToString());
        while (true)
        {
            await using var watch = await WatchAsync($"{Organizations}?watch=true&fieldSelector=metadata.name%3D{name}");
            var e = await watch.UntilAsync(e => e.Text("type") == "ERROR" || (e.At("object.status.conditions") is JsonArray list && list.Any(c => c.Text("type") == "Ready" && c.Text("status") == "True")));
            // The creator becomes an owner, and with its rights its watch starts anew.
            if (e.Text("type") != "ERROR") return;
        }
    }

    public Task<Answer> GetAsync(string path, string? accept = null, HttpClient? client = null) => SendAsync("GET", path, accept: accept, client: client);

    public Task<Answer> SendAsync(string method, string path, string? body = null, string type = "application/json", string? accept = null, HttpClient? client = null) =>
        SendAsync(method, path, body is null ? null : Encoding.UTF8.GetBytes(body), type, accept, client);

    public async Task<Answer> SendAsync(string method, string path, byte[]? body, string type, string? accept = null, HttpClient? client = null)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(path, UriKind.Relative));
        if (body is not null)
        {
            request.Content = new ByteArrayContent(body);
            request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
        }

        if (accept is not null) request.Headers.TryAddWithoutValidation("Accept", accept);
        using var response = await (client ?? Server.Admin).SendAsync(request, TestContext.Current.CancellationToken);
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        var warnings = response.Headers.TryGetValues("Warning", out var values) ? values.ToList() : [];
        return new((int)response.StatusCode, text, response.Content.Headers.ContentType?.ToString() ?? "", warnings);
    }

    /// <summary>Opens a stream of lines; every line of a watch is an event.</summary>
    public async Task<Lines> WatchAsync(string path, string? accept = null, HttpClient? client = null, string? lastEventId = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(path, UriKind.Relative));
        if (accept is not null) request.Headers.TryAddWithoutValidation("Accept", accept);
        if (lastEventId is not null) request.Headers.TryAddWithoutValidation("Last-Event-ID", lastEventId);
        var response = await (client ?? Server.Admin).SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        return new(response);
    }

    public static string Subagent(string name, string text = "Hello.") =>
        $$"""{"apiVersion":"krate.a5c.ai/v1alpha1","kind":"AgentSubagent","metadata":{"name":"{{name}}" },"spec":{"rolePrompt":"{{text}}","taskKinds":["review"]} }""";
}

/// <summary>What came back.</summary>
public sealed record Answer(int Code, string Text, string Type, IReadOnlyList<string> Warnings)
{
    public JsonObject Json => KrateJson.ParseObject(Text);

    public string? Field(string path) => Json.At(path)?.ToString();

    public override string ToString() => $"{Code} {Text}";
}

public sealed class Lines(HttpResponseMessage response) : IAsyncDisposable
{
    private StreamReader? reader;

    public HttpResponseMessage Response => response;

    public async Task<string?> NextAsync()
    {
        reader ??= new StreamReader(await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken));
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(60));
        return await reader.ReadLineAsync(limit.Token);
    }

    public async Task<JsonObject> NextEventAsync() => KrateJson.ParseObject(await NextAsync() ?? throw new EndOfStreamException("the watch has ended"));

    public async Task<JsonObject> UntilAsync(Func<JsonObject, bool> wanted)
    {
        while (true)
        {
            var e = await NextEventAsync();
            if (wanted(e)) return e;
        }
    }

    public ValueTask DisposeAsync()
    {
        response.Dispose();
        return ValueTask.CompletedTask;
    }
}

[CollectionDefinition]
public sealed class ApiCollection : ICollectionFixture<ApiServer>;
