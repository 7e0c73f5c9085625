using System.Buffers;
using System.Text;
using System.Text.Json.Nodes;
using Krate.Core.Resources;
using Krate.Web.Api.Protobuf;

namespace Krate.Web.Api;

/// <summary>A request's body as a JSON document.</summary>
/// <param name="Document">Null when the body was empty.</param>
/// <param name="Duplicates">Paths of members that appeared more than once; the last one counts.</param>
internal sealed record RequestBody(JsonNode? Document, IReadOnlyList<string> Duplicates)
{
    /// <summary>As Kubernetes limits a request.</summary>
    public const int MaxBytes = 3 * 1024 * 1024;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private const string Protobuf = "application/vnd.kubernetes.protobuf";

    /// <summary>A patch type's media type.</summary>
    public const string JsonPatch = "application/json-patch+json";

    public const string MergePatch = "application/merge-patch+json";
    public const string StrategicPatch = "application/strategic-merge-patch+json";
    public const string ApplyPatch = "application/apply-patch+yaml";

    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    /// <summary>The document as an object.</summary>
    /// <exception cref="ApiException">400 when it is something else.</exception>
    public JsonObject Object => Document switch
    {
        JsonObject o => o,
        null => throw ApiException.BadRequest("a body is required"),
        _ => throw ApiException.BadRequest("the body must be an object"),
    };

    /// <summary>Reads JSON, YAML or Kubernetes' protobuf by the Content-Type; JSON when there is none.</summary>
    /// <exception cref="ApiException">400, 413 or 415.</exception>
    public static async Task<RequestBody> ReadAsync(HttpContext context)
    {
        var type = Negotiation.ContentTypeOf(context.Request);
        var encoding = context.Request.Headers.ContentEncoding.ToString();
        if (encoding is not ("" or "identity")) throw Unsupported($"content encoding {encoding}");
        if (type is not ("" or "application/json" or "application/yaml" or Protobuf or JsonPatch or MergePatch or StrategicPatch or ApplyPatch)) throw Unsupported($"media type \"{type}\"");
        var bytes = await ReadBytesAsync(context);
        if (bytes.Length == 0) return new(null, []);
        if (type == Protobuf) return new(KubernetesProtobuf.Decode(bytes), []);
        if (type is not ("application/yaml" or ApplyPatch)) return Json(bytes);
        // Clients send JSON as YAML, which it is, but for its escapes; a flow mapping begins like JSON and is not.
        if (LooksLikeJson(bytes))
        {
            try
            {
                return Json(bytes);
            }
            catch (ApiException)
            {
                // The reader of YAML says what is wrong.
            }
        }

        return new(Yaml.ParseObject(Decode(bytes)), []);
    }

    private static RequestBody Json(byte[] bytes)
    {
        var duplicates = new List<string>();
        return new(JsonBody.Parse(bytes, duplicates), duplicates);
    }

    private static async Task<byte[]> ReadBytesAsync(HttpContext context)
    {
        if (context.Request.ContentLength > MaxBytes) throw TooLarge();
        // Rights are those of the request's start: a body that trickles in for hours would outlive them.
        using var late = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        late.CancelAfter(Patience);
        try
        {
            return await ReadBytesAsync(context.Request.BodyReader, late.Token);
        }
        catch (OperationCanceledException) when (!context.RequestAborted.IsCancellationRequested)
        {
            throw new ApiException(408, "Timeout", $"the body did not arrive within {Patience.TotalSeconds:N0} s");
        }
    }

    private static async Task<byte[]> ReadBytesAsync(System.IO.Pipelines.PipeReader reader, CancellationToken ct)
    {
        while (true)
        {
            var result = await reader.ReadAsync(ct);
            if (result.Buffer.Length > MaxBytes)
            {
                reader.AdvanceTo(result.Buffer.End);
                throw TooLarge();
            }

            if (result.IsCompleted)
            {
                var bytes = result.Buffer.ToArray();
                reader.AdvanceTo(result.Buffer.End);
                return bytes;
            }

            reader.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        }
    }

    private static bool LooksLikeJson(byte[] bytes) => bytes.AsSpan().TrimStart(" \t\r\n"u8) is [(byte)'{', ..];

    private static string Decode(byte[] bytes)
    {
        try
        {
            var text = StrictUtf8.GetString(bytes);
            return text.Contains('\0', StringComparison.Ordinal) ? throw ApiException.BadRequest("error parsing YAML: the text contains a NUL character") : text;
        }
        catch (DecoderFallbackException e)
        {
            throw ApiException.BadRequest($"error parsing YAML: byte {e.Index + 1}: the text is no valid UTF-8");
        }
    }

    private static ApiException TooLarge() => new(413, "RequestEntityTooLarge", $"Request entity too large: limit is {MaxBytes}");

    private static ApiException Unsupported(string what) =>
        new(415, "UnsupportedMediaType", $"the body of the request was in an unknown format ({what}) - accepted media types include: application/json, application/yaml, {Protobuf}");
}
