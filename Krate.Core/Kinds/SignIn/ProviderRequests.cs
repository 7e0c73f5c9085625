using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Krate.Core.Outbound;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.SignIn;

/// <summary>
/// Asks a sign-in provider: only where the operator lets Krate go, encrypted unless the operator has named the host, within ten seconds,
/// without following redirects, and JSON of a bounded length only. Thread-safe.
/// </summary>
internal sealed class ProviderRequests(OutboundGuard guard) : IDisposable
{
    private const int MostRead = 1 << 20, MostTold = 200;
    private readonly HttpClient client = Client(guard);

    public void Dispose() => client.Dispose();

    /// <exception cref="ApiException">403: it does not take what it is sent. 502: it is not asked, or does not answer as it should.</exception>
    public Task<JsonNode> GetAsync(string url, string? accessToken, CancellationToken ct)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, Check(url));
        if (accessToken is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", accessToken);
        return SendAsync(request, ct);
    }

    /// <inheritdoc cref="GetAsync"/>
    public Task<JsonNode> PostAsync(string url, IEnumerable<KeyValuePair<string, string>> form, AuthenticationHeaderValue? authorization, CancellationToken ct)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, Check(url)) { Content = new FormUrlEncodedContent(form) };
        request.Headers.Authorization = authorization;
        return SendAsync(request, ct);
    }

    /// <summary>The address, when a person or Krate may be sent there.</summary>
    /// <exception cref="ApiException">502: it is no http address, or not encrypted.</exception>
    public Uri Check(string url)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out var address) || address.Scheme is not ("https" or "http")) throw Failed($"{Plain(url)} is no http address");
        if (address.UserInfo.Length > 0) throw Failed($"an address at {address.Host} has a user name or password in it");
        if (address.Scheme == "http" && !guard.IsAllowed(address.Host)) throw Failed($"{address.GetLeftPart(UriPartial.Path)} is not encrypted; use https, or let the operator name the host (Krate:Outbound:AllowedHosts)");
        return address;
    }

    public static ApiException Failed(string why) => new(502, "BadGateway", why);

    private async Task<JsonNode> SendAsync(HttpRequestMessage request, CancellationToken ct)
    {
        var at = request.RequestUri!.GetLeftPart(UriPartial.Path);
        request.Headers.Accept.ParseAdd("application/json");
        request.Headers.UserAgent.ParseAdd("Krate");
        try
        {
            using var answer = await client.SendAsync(request, ct);
            var body = Read(await answer.Content.ReadAsByteArrayAsync(ct));
            if (answer.IsSuccessStatusCode && body is not null) return body;
            var said = body.Text("error") is { } error ? $": {Plain(error)} {Plain(body.Text("error_description") ?? "")}".TrimEnd() : "";
            if ((int)answer.StatusCode is 400 or 401 or 403) throw ApiException.Forbidden($"{at} refuses{said}");
            throw Failed(answer.IsSuccessStatusCode ? $"{at} does not answer with JSON" : $"{at} answers with {(int)answer.StatusCode}{said}");
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw Failed($"{at} gives no whole answer within {client.Timeout.TotalSeconds:0} s");
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OutboundRefusedException)
        {
            throw Failed($"{at} cannot be asked: {e.GetBaseException().Message}");
        }
        finally
        {
            request.Dispose();
        }
    }

    private static JsonNode? Read(byte[] body)
    {
        try
        {
            return JsonNode.Parse(body, documentOptions: new JsonDocumentOptions { MaxDepth = KrateJson.MaxDepth }) is { } node ? KrateJson.Settle(node) : null;
        }
        catch (Exception e) when (e is JsonException or ArgumentException)
        {
            return null;
        }
    }

    /// <summary>Foreign words in a message: short, and one line.</summary>
    public static string Plain(string text)
    {
        var plain = new StringBuilder();
        foreach (var c in text.Take(MostTold)) plain.Append(char.IsControl(c) ? ' ' : c);
        return plain.ToString();
    }

    private static HttpClient Client(OutboundGuard guard)
    {
        var client = guard.CreateClient();
        client.Timeout = TimeSpan.FromSeconds(10);
        client.MaxResponseContentBufferSize = MostRead;
        return client;
    }
}
