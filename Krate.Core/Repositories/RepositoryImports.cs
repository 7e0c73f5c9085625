using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Krate.Core.Gateway;
using Krate.Core.Git;
using Krate.Core.Outbound;
using Krate.Core.Resources;
using Krate.Core.Resources.Patching;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Krate.Core.Repositories;

/// <summary>
/// Fills new repositories from elsewhere, in the background, with progress in their status. What comes in is prepared beside the others
/// and put in place whole; a cut or cancelled import leaves nothing. Thread-safe.
/// </summary>
public sealed partial class RepositoryImports(
    RepositoryFiles files, RepositoryOptions options, OutboundGuard guard, IResourceGateway gateway, KindCatalog catalog, TimeProvider time, ILogger<RepositoryImports> log) : IHostedService, IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromHours(4);
    private static readonly TimeSpan TellEvery = TimeSpan.FromSeconds(2);
    private static readonly WriteOptions StatusOptions = new() { Subresource = "status", FieldManager = "krate-git" };
    private readonly KindDefinition kind = catalog["Repository"];
    private readonly ConcurrentDictionary<ResourceKey, Running> running = new();
    private readonly SemaphoreSlim slots = new(4);

    /// <summary>Where the import of a repository that runs takes its contents from; null when none runs.</summary>
    public string? SourceOf(ResourceKey key) => running.TryGetValue(key, out var job) ? job.Source : null;

    /// <summary>Starts filling a repository. Does nothing when that runs already.</summary>
    internal void Start(string org, Resource repository, ImportSource source)
    {
        var stop = new CancellationTokenSource(Limit, time);
        var job = new Running(stop, source.Text);
        if (!running.TryAdd(repository.Key, job))
        {
            stop.Dispose();
            return;
        }

        job.Task = Task.Run(() => RunAsync(org, repository, source, stop), CancellationToken.None);
    }

    /// <summary>Ends an import that runs, and returns when nothing of it is left.</summary>
    /// <returns>False when there is none.</returns>
    internal async Task<bool> CancelAsync(ResourceKey key)
    {
        if (!running.TryGetValue(key, out var job)) return false;
        await job.EndAsync();
        return true;
    }

    Task IHostedService.StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    Task IHostedService.StopAsync(CancellationToken cancellationToken) => Task.WhenAll(running.Values.Select(j => j.EndAsync()));

    public void Dispose() => slots.Dispose();

    private async Task RunAsync(string org, Resource repository, ImportSource source, CancellationTokenSource stop)
    {
        var progress = new ImportProgress(source.Text, time.GetUtcNow());
        string? prepared = null;
        try
        {
            await slots.WaitAsync(stop.Token);
            try
            {
                await TellAsync(repository, progress, stop.Token);
                prepared = await files.PrepareAsync(org, repository.Name, repository.Uid, repository.Body.Text("spec.defaultBranch") ?? "main", stop.Token);
                var head = await FetchAsync(repository, source, prepared, progress, stop.Token);
                files.Place(prepared, org, repository.Name);
                progress = progress.Ended("Succeeded", $"Imported from {source.Text}.", time.GetUtcNow()) with { Head = head };
            }
            finally
            {
                slots.Release();
            }
        }
        catch (OperationCanceledException)
        {
            progress = progress.Ended("Cancelled", "The import was cancelled; nothing of it was kept.", time.GetUtcNow());
        }
        catch (Exception e) when (e is OutboundRefusedException or GitException or IOException)
        {
            progress = progress.Ended("Failed", Sentence(e.Message), time.GetUtcNow());
        }
        catch (Exception e)
        {
            log.LogError(e, "Importing {Repository} failed", repository.Key);
            progress = progress.Ended("Failed", "The import failed; the log of Krate says why.", time.GetUtcNow());
        }

        if (progress.Phase != "Succeeded" && prepared is not null) Forget(prepared);
        try
        {
            // Told before it is gone: whoever finds neither an import nor its end begins another one.
            await TellAsync(repository, progress, CancellationToken.None);
        }
        finally
        {
            running.TryRemove(repository.Key, out _);
            stop.Dispose();
        }
    }

    private void Forget(string prepared)
    {
        try
        {
            if (Directory.Exists(prepared)) Directory.Delete(prepared, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A git that had to be killed may still write; the next import, or the removal of the repository, clears it away.
            log.LogWarning(e, "What an import left in {Directory} could not be removed", prepared);
        }
    }

    private static string Sentence(string message)
    {
        var line = message.Trim();
        return line.Length > 500 ? line[..500] + "…" : line;
    }

    /// <returns>The branch that the source's HEAD names, when it says so.</returns>
    private async Task<string?> FetchAsync(Resource repository, ImportSource source, string directory, ImportProgress progress, CancellationToken ct)
    {
        var remote = await new ImportDoor(guard, options).OpenAsync(source, ct);
        var environment = new Dictionary<string, string> { ["GIT_ALLOW_PROTOCOL"] = remote.Protocols, ["GIT_COMMITTER_NAME"] = "krate", ["GIT_COMMITTER_EMAIL"] = "import@krate.invalid" };
        // One pack and no loose objects: the bound on a file is then the bound on all.
        string[] settings = [.. remote.Settings.Concat(["fetch.fsckObjects=true", "fetch.writeCommitGraph=false", "fetch.unpackLimit=1", "core.bigFileThreshold=64m"]).SelectMany(s => new[] { "-c", s })];
        var head = await HeadAsync(directory, [.. settings, "ls-remote", "--symref", "--", remote.Address, "HEAD"], environment, ct);
        string[] fetch = [.. settings, "fetch", "--progress", "--no-write-fetch-head", "--no-auto-maintenance", "--no-tags", "--", remote.Address, "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"];
        await using var git = GitProcess.Start(directory, fetch, environment, bounds: Bounds);
        var told = time.GetTimestamp();
        git.OnErrorLine = line =>
        {
            if (!progress.Take(line) || time.GetElapsedTime(told) < TellEvery) return;
            told = time.GetTimestamp();
            _ = TellAsync(repository, progress, ct);
        };
        git.Input.Close();
        await git.Output.CopyToAsync(Stream.Null, ct);
        if (await git.WaitAsync(ct) is var exit and not 0) throw Failed("git could not fetch", git, exit);
        return head;
    }

    private GitBounds Bounds => new(options.Limits.ImportMemory, options.Limits.ImportBytes);

    private static GitException Failed(string what, GitProcess git, int exit) => new(
        GitBounds.IsMetBy(git.ErrorText) ? "the source sends more than an import may bring (Krate:Limits:ImportMegabytes and ImportMemoryMegabytes)" : $"{what}: {LastWords(git.ErrorText)}", exit);

    private async Task<string?> HeadAsync(string directory, string[] arguments, IReadOnlyDictionary<string, string> environment, CancellationToken ct)
    {
        await using var git = GitProcess.Start(directory, arguments, environment, bounds: Bounds);
        git.Input.Close();
        using var reader = new StreamReader(git.Output);
        string? head = null;
        while (await reader.ReadLineAsync(ct) is { } line)
            if (head is null && SymbolicHead().Match(line) is { Success: true } match) head = match.Groups[1].Value;
        if (await git.WaitAsync(ct) is var exit and not 0) throw Failed("git could not read the source", git, exit);
        return head;
    }

    /// <summary>What git said last that is no progress.</summary>
    private static string LastWords(string errors) =>
        string.Join("; ", errors.Split('\n').Where(l => l.StartsWith("fatal:", StringComparison.Ordinal) || l.StartsWith("error:", StringComparison.Ordinal)).TakeLast(2)) is { Length: > 0 } words ? words : errors.Trim().Split('\n')[^1];

    private async Task TellAsync(Resource repository, ImportProgress progress, CancellationToken ct)
    {
        var patch = new JsonObject { ["status"] = new JsonObject { ["import"] = progress.ToJson() }, ["metadata"] = new JsonObject { ["uid"] = repository.Uid } };
        try
        {
            await gateway.PatchAsync(PrivilegedAccess.RefRecorder(repository.Uid), kind, repository.Namespace, repository.Name, new Patch(PatchType.Merge, patch, "krate-git"), StatusOptions, ct);
        }
        catch (Exception e) when (e is ApiException or OperationCanceledException)
        {
            // It was deleted meanwhile, or the next line of progress is on its way.
            log.LogDebug(e, "The progress of importing {Repository} was not written", repository.Key);
        }
    }

    [GeneratedRegex(@"^ref: refs/heads/(\S+)\tHEAD")]
    private static partial Regex SymbolicHead();

    private sealed class Running(CancellationTokenSource stop, string source)
    {
        public string Source => source;

        public Task Task { get; set; } = Task.CompletedTask;

        public async Task EndAsync()
        {
            try
            {
                await stop.CancelAsync();
            }
            catch (ObjectDisposedException)
            {
                // It ended by itself.
            }

            await Task;
        }
    }
}

/// <summary>How far an import is, from what git says on its way.</summary>
internal sealed partial record ImportProgress(string Source, DateTimeOffset StartedAt)
{
    public string Phase { get; private init; } = "Running";

    public string Message { get; private set; } = "Connecting.";

    public string? Head { get; init; }

    private int? percent;
    private long? received;
    private long? total;
    private DateTimeOffset? finishedAt;

    public ImportProgress Ended(string phase, string message, DateTimeOffset at) => this with { Phase = phase, Message = message, finishedAt = at };

    /// <returns>Whether the line was progress.</returns>
    public bool Take(string line)
    {
        if (Step().Match(line) is not { Success: true } step) return false;
        Message = $"{step.Groups[1].Value}.";
        if (!step.Groups[1].Value.StartsWith("Receiving", StringComparison.Ordinal)) return true;
        percent = int.Parse(step.Groups[2].ValueSpan, CultureInfo.InvariantCulture);
        received = long.Parse(step.Groups[3].ValueSpan, CultureInfo.InvariantCulture);
        total = long.Parse(step.Groups[4].ValueSpan, CultureInfo.InvariantCulture);
        return true;
    }

    public JsonObject ToJson() => new()
    {
        ["phase"] = Phase,
        ["source"] = Source,
        ["message"] = Message,
        ["percent"] = percent,
        ["receivedObjects"] = received,
        ["totalObjects"] = total,
        ["head"] = Head,
        ["startedAt"] = Timestamps.Format(StartedAt),
        ["finishedAt"] = finishedAt is { } end ? Timestamps.Format(end) : null,
    };

    [GeneratedRegex(@"^(?:remote: )?([A-Z][a-z]+(?: [a-z]+)*): +(\d+)% \((\d+)/(\d+)\)")]
    private static partial Regex Step();
}
