using System.IO.Compression;
using System.Text.RegularExpressions;
using Krate.Core.Gateway;
using Krate.Core.Git;
using Krate.Core.Repositories;
using Krate.Core.Resources;
using Krate.Web.Hosting;
using Krate.Web.Hosting.Requests;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Krate.Web.Git;

/// <summary>
/// git's smart HTTP protocol: one git process for a request, its streams joined to those of the connection, so that memory does not grow
/// with what is transferred. Reading needs <c>get</c> on the repository, pushing <c>push</c>.
/// </summary>
internal static class GitEndpoints
{
    private const string Root = "/git/{org}/{name}.git";

    public static void MapGit(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGet(Root + "/info/refs", AdvertiseAsync);
        endpoints.MapPost(Root + "/git-upload-pack", (HttpContext context, string org, string name, GitServer server) => server.UploadAsync(context, org, name));
        endpoints.MapPost(Root + "/git-receive-pack", (HttpContext context, string org, string name, GitServer server) => server.ReceiveAsync(context, org, name));
    }

    private static Task AdvertiseAsync(HttpContext context, string org, string name, GitServer server) => context.Request.Query["service"].ToString() switch
    {
        GitServer.UploadPack => server.AdvertiseAsync(context, org, name, GitServer.UploadPack),
        GitServer.ReceivePack => server.AdvertiseAsync(context, org, name, GitServer.ReceivePack),
        _ => context.RefuseAsync(ApiException.Forbidden("Krate speaks git's smart protocol only; use a git of the last ten years")),
    };
}

/// <summary>Serves one request each. Thread-safe.</summary>
internal sealed partial class GitServer(
    HostedRepositories repositories, PushGate gate, RefRecorder recorder, IResourceGateway gateway, IDenialLog denials, KrateSettings settings, ILogger<GitServer> log)
{
    public const string UploadPack = "git-upload-pack";
    public const string ReceivePack = "git-receive-pack";
    private const int MaxNegotiationBytes = 64 << 20;
    private readonly OpenCounter open = new();

    public Task AdvertiseAsync(HttpContext context, string org, string name, string service) => ServeAsync(context, org, name, service, async repository =>
    {
        Answer(context, $"application/x-{service}-advertisement");
        if (!IsVersion2(context) || service == ReceivePack)
        {
            var line = $"# service={service}\n";
            await context.Response.WriteAsync($"{line.Length + 4:x4}{line}0000", context.RequestAborted);
        }

        await using var git = Start(service, ["--stateless-rpc", "--http-backend-info-refs"], repository, context);
        git.Input.Close();
        await git.Output.CopyToAsync(context.Response.Body, context.RequestAborted);
        await EndAsync(git, repository, service, context.RequestAborted);
    });

    public Task UploadAsync(HttpContext context, string org, string name) => ServeAsync(context, org, name, UploadPack, async repository =>
    {
        Limit(context, MaxNegotiationBytes);
        Answer(context, $"application/x-{UploadPack}-result");
        await using var git = Start(UploadPack, ["--stateless-rpc"], repository, context);
        await JoinAsync(context, git);
        await EndAsync(git, repository, UploadPack, context.RequestAborted);
    });

    public Task ReceiveAsync(HttpContext context, string org, string name) => ServeAsync(context, org, name, ReceivePack, async repository =>
    {
        Limit(context, null);
        Answer(context, $"application/x-{ReceivePack}-result");
        using var push = gate.Open(context.GetActor(), repository);
        try
        {
            await using var git = Start(ReceivePack, ["--stateless-rpc"], repository, context, push);
            await JoinAsync(context, git);
            await EndAsync(git, repository, ReceivePack, context.RequestAborted);
        }
        finally
        {
            // Whatever became of the connection: what has moved is reported, before the pusher hears that it is over.
            await recorder.RecordAsync(repository.Org, repository.Namespace, repository.Name, push.Id, CancellationToken.None);
            push.ClearQuarantine();
        }
    });

    private async Task ServeAsync(HttpContext context, string org, string name, string service, Func<HostedRepository, Task> serve)
    {
        var actor = context.GetActor();
        try
        {
            var repository = await AdmitAsync(actor, org, name, service, context.RequestAborted);
            var key = $"{actor.User} {context.Connection.RemoteIpAddress}";
            if (!open.TryEnter(key, settings.Limits.GitRequestsPerUser)) throw ApiException.TooManyRequests("Too many git requests at once; wait for the others", 5);
            try
            {
                await serve(repository);
            }
            finally
            {
                open.Leave(key);
            }
        }
        catch (ApiException e) when (!context.Response.HasStarted)
        {
            await context.RefuseAsync(e);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or BadHttpRequestException or InvalidDataException)
        {
            log.LogInformation("A git request to {Org}/{Repository} ended early: {Message}", org, name, e.Message);
            if (!context.Response.HasStarted && e is InvalidDataException) await context.RefuseAsync(ApiException.BadRequest("The body is not compressed as its Content-Encoding says"));
            else context.Abort();
        }
    }

    /// <summary>What is hidden and what is not there are answered alike: with a challenge to those who have not said who they are, else with 404.</summary>
    private async Task<HostedRepository> AdmitAsync(Actor actor, string org, string name, string service, CancellationToken ct)
    {
        var isAnonymous = actor.User == WellKnown.AnonymousUser;
        HostedRepository repository;
        try
        {
            repository = await repositories.OpenAsync(actor, org, name, ct);
        }
        catch (ApiException e) when (e.Code == 404 && isAnonymous)
        {
            throw ApiException.Unauthorized("Sign in with a token of Krate as the password");
        }

        if (service == ReceivePack) await AdmitPushAsync(actor, repository, isAnonymous, ct);
        if (!repository.IsHosted) throw ApiException.Unavailable("The repository is still being prepared");
        return repository;
    }

    private async Task AdmitPushAsync(Actor actor, HostedRepository repository, bool isAnonymous, CancellationToken ct)
    {
        var request = new AccessRequest { Verb = "push", Group = WellKnown.ApiGroup, Resource = "repositories", Namespace = repository.Namespace, Name = repository.Name };
        var decision = await gateway.ReviewAsync(actor, request, ct);
        if (decision.Allowed) return;
        if (isAnonymous) throw ApiException.Unauthorized("Pushing needs a token of Krate as the password");
        await denials.DeniedAsync(actor, request, decision.Reason, ct);
        throw ApiException.Forbidden($"You may read {repository.Name} and not push to it: {decision.Reason}");
    }

    private GitProcess Start(string service, string[] options, HostedRepository repository, HttpContext context, PushSession? push = null)
    {
        var environment = push?.Environment.ToDictionary() ?? [];
        if (context.Request.Headers["Git-Protocol"].ToString() is { Length: > 0 } protocol && Protocol().IsMatch(protocol)) environment["GIT_PROTOCOL"] = protocol;
        return GitProcess.Start(null, [service["git-".Length..], .. options, repository.Git.Directory], environment, push is null ? null : gate.Hooks);
    }

    /// <summary>Both directions at once: git may answer before it has read everything, and stops reading while nobody takes its answer.</summary>
    private static async Task JoinAsync(HttpContext context, GitProcess git)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        var sending = SendAsync(context.Request, git, end.Token);
        try
        {
            await git.Output.CopyToAsync(context.Response.Body, context.RequestAborted);
        }
        catch
        {
            await end.CancelAsync();
            throw;
        }
        finally
        {
            await sending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await sending;
    }

    private static async Task SendAsync(HttpRequest request, GitProcess git, CancellationToken ct)
    {
        var isCompressed = request.Headers.ContentEncoding.ToString() is "gzip" or "x-gzip";
        var body = isCompressed ? new GZipStream(request.Body, CompressionMode.Decompress) : request.Body;
        try
        {
            await body.CopyToAsync(git.Input, ct);
        }
        catch (IOException e) when (e is not BadHttpRequestException && git.HasEnded)
        {
            // git has heard enough; its answer says why.
        }
        finally
        {
            if (isCompressed) await body.DisposeAsync();
            git.Input.Close();
        }
    }

    private async Task EndAsync(GitProcess git, HostedRepository repository, string service, CancellationToken ct)
    {
        if (await git.WaitAsync(ct) is var exit and not 0)
            log.LogInformation("{Service} for {Org}/{Repository} ended with {ExitCode}: {Message}", service, repository.Org, repository.Name, exit, git.ErrorText.Trim());
    }

    private static bool IsVersion2(HttpContext context) => context.Request.Headers["Git-Protocol"].ToString().Contains("version=2", StringComparison.Ordinal);

    private static void Answer(HttpContext context, string type)
    {
        context.Response.ContentType = type;
        context.Response.Headers.CacheControl = "no-cache, max-age=0, must-revalidate";
    }

    private static void Limit(HttpContext context, long? bytes)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size) size.MaxRequestBodySize = bytes;
        // A push waits while the pusher's git packs, for as long as that takes. HTTP/2 has no rate of its own for one request.
        if (bytes is null && context.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } rate && !HttpProtocol.IsHttp2(context.Request.Protocol)) rate.MinDataRate = null;
    }

    [GeneratedRegex("^[A-Za-z0-9=:]{1,64}$")]
    private static partial Regex Protocol();
}
