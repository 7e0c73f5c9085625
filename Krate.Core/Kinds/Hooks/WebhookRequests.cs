using System.Diagnostics;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Outbound;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Hooks;

/// <summary>What became of one try.</summary>
/// <param name="IsFinal">Another try would end alike.</param>
internal sealed record WebhookAnswer(JsonObject Attempt, bool Succeeded, bool IsFinal, string? ResponseDigest);

/// <summary>
/// Sends one delivery once: only to where the operator lets Krate go, signed with the subscription's Secret, within ten seconds, without following
/// redirects, and without reading more of an answer than is kept of it. Thread-safe.
/// </summary>
internal sealed class WebhookRequests(OutboundGuard guard, SecretVault vault, TimeProvider time) : IDisposable
{
    public const string SignatureHeader = "X-Krate-Signature-256";
    private const int MostRead = 64 << 10, MostKept = 1024;
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(10);
    private readonly HttpClient client = guard.CreateClient();

    public void Dispose() => client.Dispose();

    public async Task<WebhookAnswer> SendAsync(Resource subscription, Resource delivery, CancellationToken ct)
    {
        var attempt = new JsonObject { ["at"] = Timestamps.Format(time.GetUtcNow()) };
        var payload = delivery.Body.Text("spec.payload") ?? "";
        if (await vault.FindKnownValueAsync(delivery.Namespace, KrateJson.ParseObject(payload), ct) is { } place)
            return Failed(attempt, $"{place} of the payload holds the value of a Secret; nothing was sent", isFinal: true);
        using var request = new HttpRequestMessage(HttpMethod.Post, subscription.Body.Text("spec.url")) { Content = new ByteArrayContent(Encoding.UTF8.GetBytes(payload)) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json", "utf-8");
        request.Headers.UserAgent.ParseAdd("Krate");
        request.Headers.Add("X-Krate-Event", delivery.Body.Text("spec.eventType"));
        request.Headers.Add("X-Krate-Delivery", delivery.Name);
        if (subscription.Body.Text("spec.secretRef.name") is { Length: > 0 } secret)
        {
            var key = subscription.Body.Text("spec.secretRef.key") ?? "secret";
            if (await vault.ReadAsync(SecretReader.WebhookSigner, subscription.Namespace, secret, key, ct) is not { } value) return Failed(attempt, $"the Secret {secret} has no key {key} to sign with");
            var signature = "sha256=" + Convert.ToHexStringLower(HMACSHA256.HashData(value, Encoding.UTF8.GetBytes(payload)));
            CryptographicOperations.ZeroMemory(value);
            request.Headers.Add(SignatureHeader, signature);
            attempt["signature"] = signature;
        }

        attempt["requestHeaders"] = new JsonObject(request.Headers.Concat(request.Content.Headers).Select(h => KeyValuePair.Create<string, JsonNode?>(h.Key, string.Join(", ", h.Value))));
        return await SendAsync(request, attempt, ct);
    }

    private async Task<WebhookAnswer> SendAsync(HttpRequestMessage request, JsonObject attempt, CancellationToken ct)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(Within);
        var start = Stopwatch.GetTimestamp();
        try
        {
            using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limit.Token);
            attempt["status"] = (int)answer.StatusCode;
            var body = await ReadAsync(answer, limit.Token);
            attempt["latencyMs"] = (long)Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            attempt["excerpt"] = Excerpt(body);
            var why = (int)answer.StatusCode switch { >= 200 and < 300 => null, >= 300 and < 400 => "it answers with a redirect, which is not followed; name its target", var other => $"it answers with {other}" };
            if (why is not null) attempt["error"] = why;
            return new(attempt, why is null, false, ContentDigest.Of(body));
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return Failed(attempt, $"no whole answer within {Within.TotalSeconds:0} s");
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OutboundRefusedException)
        {
            return Failed(attempt, e.GetBaseException() is OutboundRefusedException refused ? refused.Message : e.GetBaseException().Message);
        }
    }

    /// <summary>The beginning of an answer, however long it is.</summary>
    private static async Task<byte[]> ReadAsync(HttpResponseMessage answer, CancellationToken ct)
    {
        await using var stream = await answer.Content.ReadAsStreamAsync(ct);
        var buffer = new byte[MostRead];
        var read = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, ct);
        return buffer[..read];
    }

    private static string? Excerpt(ReadOnlySpan<byte> body)
    {
        // What a database cannot hold is not kept.
        var text = Encoding.UTF8.GetString(body[..Math.Min(body.Length, MostKept)]).Replace("\0", "\uFFFD", StringComparison.Ordinal);
        return text.Length == 0 ? null : text;
    }

    private static WebhookAnswer Failed(JsonObject attempt, string why, bool isFinal = false)
    {
        attempt["error"] = why;
        return new(attempt, false, isFinal, null);
    }
}
