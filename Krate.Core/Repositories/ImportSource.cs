using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Krate.Core.Outbound;
using Krate.Core.Resources;

namespace Krate.Core.Repositories;

/// <summary>Where the contents of a repository come from at first.</summary>
/// <param name="Text">As people wrote it.</param>
internal sealed record ImportSource(string Text, bool IsLocal)
{
    /// <summary>What a Repository asks for; null when it begins empty.</summary>
    public static ImportSource? Of(Resource repository, Func<string, string> directoryOf) =>
        repository.Body.Text("spec.forkOf") is { Length: > 0 } fork ? new(fork, true) { Path = directoryOf(fork) }
        : repository.Body.Text("spec.hosting.importFrom.url") is { Length: > 0 } url ? new(url, false)
        : repository.Body.Text("spec.hosting.importFrom.path") is { Length: > 0 } path ? new(path, true) { Path = path, IsForeign = true }
        : null;

    public string Path { get; private init; } = "";

    /// <summary>A path that a person wrote: it must lie below one of the operator's roots.</summary>
    public bool IsForeign { get; private init; }
}

/// <summary>A remote as git may fetch from it.</summary>
/// <param name="Address">URL after all redirects, or a path.</param>
/// <param name="Settings">git settings (<c>name=value</c>) that hold it to the address that was checked.</param>
/// <param name="Protocols">Transports that git may use.</param>
internal sealed record ImportRemote(string Address, IReadOnlyList<string> Settings, string Protocols);

/// <summary>Turns a source into a remote that is safe to hand to git.</summary>
internal sealed class ImportDoor(OutboundGuard guard, RepositoryOptions options)
{
    private const int MaxRedirects = 5;
    private const string Discovery = "/info/refs?service=git-upload-pack";

    /// <exception cref="OutboundRefusedException">The source may not be used; the message says why.</exception>
    public async Task<ImportRemote> OpenAsync(ImportSource source, CancellationToken ct)
    {
        if (!source.IsLocal) return await OpenUrlAsync(new Uri(source.Text), ct);
        var path = source.IsForeign ? Below(source.Path) : source.Path;
        return new ImportRemote(path, [], "file");
    }

    /// <summary>The path with every link followed, if it is below a root.</summary>
    private string Below(string path)
    {
        var real = RealPath(path) ?? throw new OutboundRefusedException($"there is no directory {path} that Krate can read");
        if (options.ImportRoots.Select(RealPath).Any(root => root is not null && real.StartsWith(root.TrimEnd('/') + "/", StringComparison.Ordinal))) return real;
        throw new OutboundRefusedException($"{path} is not below a folder that the operator allows to import from (Krate:Imports:Roots)");
    }

    private static string? RealPath(string path)
    {
        try
        {
            var at = "/";
            foreach (var part in System.IO.Path.GetFullPath(path).Split('/', StringSplitOptions.RemoveEmptyEntries))
            {
                var next = new DirectoryInfo(System.IO.Path.Combine(at, part));
                if (!next.Exists) return null;
                at = next.ResolveLinkTarget(returnFinalTarget: true)?.FullName is { } target ? RealPath(target) ?? "" : next.FullName;
                if (at.Length == 0) return null;
            }

            return at;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private async Task<ImportRemote> OpenUrlAsync(Uri url, CancellationToken ct)
    {
        var (address, ips) = await FollowAsync(url, ct);
        var silence = string.Create(CultureInfo.InvariantCulture, $"http.lowSpeedTime={(int)options.Limits.ImportSilence.TotalSeconds}");
        string[] settings = ["http.followRedirects=false", "http.proxy=", "credential.helper=", "http.lowSpeedLimit=1000", silence, .. Pins(address, ips)];
        return new ImportRemote(new UriBuilder(address) { Host = address.IdnHost }.Uri.AbsoluteUri, settings, address.Scheme);
    }

    /// <summary>Names lead where they were checked to lead; an address leads nowhere else, and curl takes no entry for one.</summary>
    private static IEnumerable<string> Pins(Uri address, IReadOnlyList<IPAddress> ips) =>
        address.HostNameType is UriHostNameType.Dns ? [$"http.curloptResolve={address.IdnHost}:{address.Port}:{string.Join(',', ips.Select(i => i.AddressFamily == AddressFamily.InterNetworkV6 ? $"[{i}]" : i.ToString()))}"] : [];

    /// <summary>Redirects are followed here, each step checked, so that git needs to follow none.</summary>
    private async Task<(Uri Url, IReadOnlyList<IPAddress> Addresses)> FollowAsync(Uri url, CancellationToken ct)
    {
        using var client = guard.CreateClient();
        client.Timeout = options.Limits.ImportSilence;
        for (var hop = 0; hop <= MaxRedirects; hop++)
        {
            if (url.Scheme is not ("https" or "http")) throw new OutboundRefusedException($"{url.Scheme} addresses are not imported from; use https");
            var addresses = await guard.ResolveAsync(url.IdnHost, ct);
            using var answer = await AskAsync(client, url, ct);
            if ((int)answer.StatusCode is >= 300 and < 400 && answer.Headers.Location is { } location)
            {
                if (!Uri.TryCreate(new Uri(Trimmed(url) + Discovery), location, out var next)) throw new OutboundRefusedException($"{url.Host} redirects to what is no address");
                if (url.Scheme == "https" && next.Scheme != "https") throw new OutboundRefusedException($"{url.Host} redirects to an address without TLS");
                url = new Uri(next.AbsoluteUri.Replace(Discovery, "", StringComparison.Ordinal));
                continue;
            }

            if (answer.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden) throw new OutboundRefusedException($"{url.Host} asks for a sign-in; only what everybody may read is imported");
            if (!answer.IsSuccessStatusCode) throw new OutboundRefusedException($"{url.Host} answers {(int)answer.StatusCode}: there is no git repository at this address");
            if (answer.Content.Headers.ContentType?.MediaType != "application/x-git-upload-pack-advertisement") throw new OutboundRefusedException($"what {url.Host} answers is no git repository");
            return (new Uri(Trimmed(url)), addresses);
        }

        throw new OutboundRefusedException("the address redirects too often");
    }

    private static async Task<HttpResponseMessage> AskAsync(HttpClient client, Uri url, CancellationToken ct)
    {
        try
        {
            return await client.GetAsync(new Uri(Trimmed(url) + Discovery), HttpCompletionOption.ResponseHeadersRead, ct);
        }
        catch (HttpRequestException e)
        {
            throw e.InnerException as OutboundRefusedException ?? new OutboundRefusedException($"{url.Host} could not be reached: {e.Message}");
        }
        catch (TaskCanceledException) when (!ct.IsCancellationRequested)
        {
            throw new OutboundRefusedException($"{url.Host} did not answer in time");
        }
    }

    /// <summary>Without a question, and without a sign-in that a redirect may bring.</summary>
    private static string Trimmed(Uri url) => url.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped).TrimEnd('/');
}
