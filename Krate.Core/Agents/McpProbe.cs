using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Krate.Core.Outbound;
using Krate.Core.Resources;
using ModelContextProtocol;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Krate.Core.Agents;

/// <summary>How a server of tools is reached.</summary>
/// <param name="Transport"><c>stdio</c>, <c>sse</c> or <c>streamable-http</c>.</param>
/// <param name="Values">Environment variables (stdio), or headers.</param>
public sealed record McpTarget(string Transport, string? Command, IReadOnlyList<string> Arguments, string? Url, IReadOnlyDictionary<string, string> Values)
{
    /// <summary>Takes what it was given out of what it says, before any of that is cut: half a value is still one.</summary>
    public Func<string, string> Mask { get; init; } = static said => said;
}

/// <param name="Description">In the server's words: untrusted text.</param>
/// <param name="SchemaDigest">Of its name, description and what it takes and gives: all that a model hears of it.</param>
public sealed record McpTool(string Name, string Description, string SchemaDigest);

/// <summary>Asks a server of tools in the Model Context Protocol which it has: initialize, then tools/list page by page. Thread-safe.</summary>
internal sealed class McpProbe(AgentProcesses processes, OutboundGuard guard, AgentOptions options)
{
    private const long MostBytes = 4L << 20;
    private const int MostTools = 500, MostPages = 100, LongestName = 128, LongestDescription = 500;
    private static readonly string TooMuch = $"it answers with more than {MostBytes >> 20} MiB";
    private static readonly TimeSpan CloseWithin = TimeSpan.FromSeconds(2), DiscoverWithin = TimeSpan.FromSeconds(3);

    /// <exception cref="ProbeException">It cannot be reached, or gives no usable answer.</exception>
    public Task<IReadOnlyList<McpTool>> ListToolsAsync(McpTarget target, CancellationToken ct) =>
        target.Transport == "stdio" ? OverStdioAsync(target, ct) : OverHttpAsync(target, ct);

    private async Task<IReadOnlyList<McpTool>> OverStdioAsync(McpTarget target, CancellationToken ct)
    {
        await using var process = await processes.StartAsync(new(target.Command ?? "", target.Arguments) { Environment = target.Values }, MostBytes, ct);
        return await BoundedAsync(
            new StreamClientTransport(process.Input, process.Output),
            async e => process.Budget.IsExceeded ? TooMuch : e is IOException or OperationCanceledException ? await process.EndAsync(ct, target.Mask) : Said(e, target),
            target,
            ct);
    }

    private async Task<IReadOnlyList<McpTool>> OverHttpAsync(McpTarget target, CancellationToken ct)
    {
        var budget = new ByteBudget(MostBytes);
        using var handler = new McpHttpHandler(guard.CreateHandler(), budget, target.Mask);
        using var client = new HttpClient(handler);
        var where = new HttpClientTransportOptions
        {
            Endpoint = new Uri(target.Url ?? "", UriKind.Absolute),
            TransportMode = target.Transport == "sse" ? HttpTransportMode.Sse : HttpTransportMode.StreamableHttp,
            ConnectionTimeout = options.ToolsWithin,
            AdditionalHeaders = target.Values.ToDictionary(),
            EnableStandaloneGetStream = false,
            MaxReconnectionAttempts = 0,
        };
        await using var transport = new HttpClientTransport(where, client);
        return await BoundedAsync(transport, e => handler.Refusal is { } refused ? throw new ProbeException(ProbeReasons.AddressRefused, refused, e) : Task.FromResult(budget.IsExceeded ? TooMuch : handler.Problem ?? Said(e, target)), target, ct);
    }

    /// <param name="explain">Says why it failed.</param>
    private async Task<IReadOnlyList<McpTool>> BoundedAsync(IClientTransport transport, Func<Exception, Task<string>> explain, McpTarget target, CancellationToken ct)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(options.ToolsWithin);
        try
        {
            return await AskAsync(transport, target, limit.Token);
        }
        catch (Exception e) when (!ct.IsCancellationRequested && e is not ProbeException)
        {
            var why = limit.IsCancellationRequested ? null : await explain(e);
            throw Failed(why ?? $"it did not answer initialize and tools/list within {options.ToolsWithin.TotalSeconds:0.#} s", e);
        }
    }

    private static async Task<IReadOnlyList<McpTool>> AskAsync(IClientTransport transport, McpTarget target, CancellationToken ct)
    {
        var who = new Implementation { Name = "krate", Version = typeof(McpProbe).Assembly.GetName().Version!.ToString(3) };
        var client = await McpClient.CreateAsync(transport, new McpClientOptions { ClientInfo = who, InitializationTimeout = Timeout.InfiniteTimeSpan, DiscoverProbeTimeout = DiscoverWithin }, cancellationToken: ct);
        try
        {
            return await PagesAsync(client, target, ct);
        }
        finally
        {
            // A server that does not let itself be closed is left, and its process or connection ends.
            await client.DisposeAsync().AsTask().WaitAsync(CloseWithin, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static async Task<IReadOnlyList<McpTool>> PagesAsync(McpClient client, McpTarget target, CancellationToken ct)
    {
        if (client.ServerCapabilities.Tools is null) return [];
        var found = new Dictionary<string, McpTool>(StringComparer.Ordinal);
        string? cursor = null;
        for (var page = 0; page < MostPages; page++)
        {
            var list = await client.ListToolsAsync(new ListToolsRequestParams { Cursor = cursor }, ct);
            foreach (var tool in list.Tools) Add(found, tool, target);
            cursor = list.NextCursor;
            if (string.IsNullOrEmpty(cursor)) return [.. found.Values.OrderBy(t => t.Name, StringComparer.Ordinal)];
        }

        throw Failed($"its list of tools has more than {MostPages} pages");
    }

    private static void Add(Dictionary<string, McpTool> found, Tool tool, McpTarget target)
    {
        if (string.IsNullOrEmpty(tool.Name) || tool.Name.Length > LongestName || ForeignText.Line(tool.Name, LongestName) != tool.Name)
            throw Failed($"it offers a tool whose name cannot be used: {ForeignText.Line(target.Mask(tool.Name ?? ""), LongestName)}");
        if (found.Count >= MostTools) throw Failed($"it offers more than {MostTools} tools");
        var said = new JsonObject
        {
            ["name"] = tool.Name,
            ["title"] = tool.Title,
            ["description"] = tool.Description,
            ["inputSchema"] = Whole(Node(tool.InputSchema)),
            ["outputSchema"] = tool.OutputSchema is { } output ? Whole(Node(output)) : null,
            ["annotations"] = tool.Annotations is { } notes ? Whole(JsonSerializer.SerializeToNode(notes, McpJsonUtilities.DefaultOptions)) : null,
        };
        if (!found.TryAdd(tool.Name, new(tool.Name, Description(tool.Description ?? "", target), CanonicalJson.Digest(said))))
            throw Failed($"it offers two tools named {tool.Name}");
    }

    /// <summary>Whole values are refused where they would be kept; only what is cut could not be known again there.</summary>
    private static string Description(string said, McpTarget target) => ForeignText.Paragraph(said.Length > LongestDescription ? target.Mask(said) : said, LongestDescription);

    private static JsonNode? Node(JsonElement element) => JsonNode.Parse(element.GetRawText());

    /// <summary>Numbers that have no canonical form as they were written.</summary>
    private static JsonNode? Whole(JsonNode? node) => node switch
    {
        JsonObject map => new JsonObject(map.Select(m => KeyValuePair.Create(m.Key, Whole(m.Value)))),
        JsonArray list => new JsonArray([.. list.Select(Whole)]),
        JsonValue value when value.GetValueKind() == JsonValueKind.Number && !long.TryParse(value.ToJsonString(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _) => new JsonObject { ["number"] = value.ToJsonString() },
        _ => node?.DeepClone(),
    };

    private static string Said(Exception e, McpTarget target) => ForeignText.Line(target.Mask(e.GetBaseException().Message), 300);

    private static ProbeException Failed(string message, Exception? inner = null) => new(ProbeReasons.McpProbeFailed, message, inner);
}

/// <summary>Bounds what servers answer and remembers why an answer is none; the client above it tries several ways and tells only of the last.</summary>
internal sealed class McpHttpHandler(HttpMessageHandler inner, ByteBudget budget, Func<string, string> mask) : DelegatingHandler(inner)
{
    private static readonly string[] Spoken = ["application/json", "text/event-stream"];

    /// <summary>Where Krate will not go.</summary>
    public string? Refusal { get; private set; }

    /// <summary>What the server did wrong last.</summary>
    public string? Problem { get; private set; }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        HttpResponseMessage answer;
        try
        {
            answer = await base.SendAsync(request, cancellationToken);
        }
        catch (HttpRequestException e)
        {
            if (e.GetBaseException() is OutboundRefusedException refused) Refusal = refused.Message;
            else Problem = ForeignText.Line(mask(e.GetBaseException().Message), 300);
            throw;
        }

        var type = answer.Content.Headers.ContentType?.MediaType;
        Problem = (int)answer.StatusCode switch
        {
            >= 300 and < 400 => "it answers with a redirect, which is not followed; name its target",
            >= 400 and var status => $"it answers with {status}",
            200 when request.Method == HttpMethod.Post && !Spoken.Contains(type) && answer.Content.Headers.ContentLength != 0 => $"it answers with {ForeignText.Line(mask(type ?? "no content type"), 100)}, not with {Spoken[0]} or {Spoken[1]}",
            _ => null,
        };
        if (Problem is not null && (int)answer.StatusCode < 400)
        {
            answer.Dispose();
            throw new HttpRequestException(Problem);
        }

        answer.Content = Bound(answer.Content, await answer.Content.ReadAsStreamAsync(cancellationToken));
        return answer;
    }

    private StreamContent Bound(HttpContent content, Stream body)
    {
        var bounded = new StreamContent(new BoundedStream(body, budget));
        foreach (var (name, values) in content.Headers) bounded.Headers.TryAddWithoutValidation(name, values);
        return bounded;
    }
}
