using Krate.Core.Gateway;
using Krate.Core.Git;
using Krate.Core.Repositories;
using Krate.Core.Resources;
using Krate.Web.Hosting;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace Krate.Web.Features.Code;

/// <summary>Files as they are. What people have pushed is shown to browsers so that none of it can run.</summary>
internal static class RawFiles
{
    private const int LookedBytes = 8000;
    private const string Policy = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'";

    public static void MapRawFiles(this IEndpointRouteBuilder endpoints) =>
        endpoints.MapGet("/orgs/{org}/repositories/{name}/raw/{**rest}", (HttpContext context, string org, string name, HostedRepositories repositories) => SendAsync(context, org, name, repositories));

    private static async Task SendAsync(HttpContext context, string org, string name, HostedRepositories repositories)
    {
        var ct = context.RequestAborted;
        var rest = CodeUrls.RestOf(context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget);
        if (await FindAsync(context, org, name, rest, repositories, ct) is not var (git, entry, path))
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        var headers = context.Response.Headers;
        headers.ContentSecurityPolicy = Policy;
        headers.ETag = $"\"{entry.Id}\"";
        headers.CacheControl = "private, no-cache";
        if (EntityTagHeaderValue.TryParseList(context.Request.Headers.IfNoneMatch, out var known) && known.Any(t => t.Tag == headers.ETag.ToString()))
        {
            context.Response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        await DescribeAsync(context.Response, git, entry, path, ct);
        await git.CopyBlobAsync(entry.Id, context.Response.Body, ct);
    }

    private static async Task<(GitRepository Git, TreeEntry Entry, string Path)?> FindAsync(HttpContext context, string org, string name, string rest, HostedRepositories repositories, CancellationToken ct)
    {
        try
        {
            var repository = await repositories.OpenAsync(context.GetActor(), org, name, ct);
            if (!repository.IsHosted || await repository.Git.ResolveAsync(rest, ct) is not { Path.Length: > 0 } revision) return null;
            return await repository.Git.FindEntryAsync(revision.Commit, revision.Path, ct) is { IsBlob: true } entry ? (repository.Git, entry, revision.Path) : null;
        }
        catch (ApiException e) when (e.Code is 401 or 403 or 404)
        {
            return null;
        }
    }

    private static async Task DescribeAsync(HttpResponse response, GitRepository git, TreeEntry entry, string path, CancellationToken ct)
    {
        response.ContentLength = entry.Size;
        if (FileTypes.ImageType(path) is { } image)
        {
            response.ContentType = image;
            return;
        }

        if (BlobText.Read(WithoutHalfCharacter(await git.ReadBlobStartAsync(entry.Id, LookedBytes, ct)).Span) is { } text)
        {
            response.ContentType = text.Encoding switch { "UTF-8" => "text/plain; charset=utf-8", "Latin-1" => "text/plain; charset=iso-8859-1", _ => "text/plain; charset=utf-16" };
            return;
        }

        response.ContentType = "application/octet-stream";
        var disposition = new ContentDispositionHeaderValue("attachment");
        disposition.SetHttpFileName(entry.Name);
        response.Headers.ContentDisposition = disposition.ToString();
    }

    /// <summary>The cut may lie within a character; a file that was read whole loses nothing that matters here.</summary>
    private static ReadOnlyMemory<byte> WithoutHalfCharacter(byte[] start)
    {
        var end = start.Length;
        if (end < LookedBytes) return start;
        while (end > LookedBytes - 4 && (start[end - 1] & 0xC0) == 0x80) end--;
        return start.AsMemory(0, (start[end - 1] & 0x80) == 0 ? end : end - 1);
    }
}
