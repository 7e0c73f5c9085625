using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Krate.Core.Generation;
using Krate.Core.Resources;

namespace Krate.Web.Api;

/// <summary>The OpenAPI v3 documents: an index with hashes, and one document per group, each made once and cached by clients for ever.</summary>
internal sealed class OpenApiDocuments
{
    private readonly Dictionary<string, Lazy<(byte[] Bytes, string Hash)>> documents;

    public OpenApiDocuments(KindCatalog catalog) => documents = catalog.All
        .Select(k => (k.Group, k.Version)).Distinct()
        .ToDictionary(g => g.Group.Length == 0 ? $"api/{g.Version}" : $"apis/{g.Group}/{g.Version}", g => new Lazy<(byte[], string)>(() => Make(catalog, g.Group, g.Version)), StringComparer.Ordinal);

    public Task WriteIndexAsync(HttpContext context) => Answers.WriteAsync(context, new JsonObject
    {
        ["paths"] = new JsonObject(documents.Select(d => KeyValuePair.Create(d.Key, (JsonNode?)new JsonObject { ["serverRelativeURL"] = $"/openapi/v3/{d.Key}?hash={d.Value.Value.Hash}" }))),
    });

    public async Task WriteAsync(HttpContext context, string path)
    {
        if (!documents.TryGetValue(path, out var document)) throw KubernetesPath.NotServed();
        var (bytes, hash) = document.Value;
        var headers = context.Response.Headers;
        headers.ETag = $"\"{hash}\"";
        if (context.Request.Query["hash"] == hash) headers.CacheControl = "private, immutable, max-age=31536000";
        if (context.Request.Headers.IfNoneMatch == $"\"{hash}\"")
        {
            context.Response.StatusCode = 304;
            return;
        }

        context.Response.ContentType = "application/json";
        context.Response.ContentLength = bytes.Length;
        await context.Response.Body.WriteAsync(bytes, context.RequestAborted);
    }

    private static (byte[] Bytes, string Hash) Make(KindCatalog catalog, string group, string version)
    {
        var bytes = Encoding.UTF8.GetBytes(KrateJson.ToText(OpenApiWriter.Write(catalog, group, version)));
        return (bytes, Convert.ToHexString(SHA256.HashData(bytes)));
    }
}
