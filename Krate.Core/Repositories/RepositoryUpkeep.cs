using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Krate.Core.Gateway;
using Krate.Core.Git;
using Krate.Core.Resources;
using Krate.Core.Resources.Patching;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Krate.Core.Repositories;

/// <summary>
/// Keeps repositories quick after their refs have moved: git's own upkeep, an index of commits and of the paths they change, and the size in
/// the status. One repository at a time, in the background; nobody waits for it.
/// </summary>
public sealed class RepositoryUpkeep(RepositoryFiles files, RepositoryOptions options, IResourceGateway gateway, KindCatalog catalog, TimeProvider time, ILogger<RepositoryUpkeep> log) : BackgroundService
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(30);
    private static readonly TimeSpan LeftoverAge = TimeSpan.FromHours(6);
    private static readonly WriteOptions StatusOptions = new() { Subresource = "status", FieldManager = "krate-git" };
    private readonly KindDefinition kind = catalog["Repository"];
    private readonly Channel<Job> queue = Channel.CreateUnbounded<Job>(new() { SingleReader = true });
    private readonly ConcurrentDictionary<ResourceKey, string> done = new();
    private readonly DateTimeOffset started = time.GetUtcNow();

    /// <summary>Asks for upkeep of a repository, unless it has been looked after at this page of its ledger.</summary>
    public void Ask(ResourceKey key, string org, string page)
    {
        if (done.TryGetValue(key, out var last) && last == page) return;
        done[key] = page;
        queue.Writer.TryWrite(new Job(key, org, page));
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var job in queue.Reader.ReadAllAsync(stoppingToken))
        {
            // Pushes have come since: the later job does it all.
            if (done.GetValueOrDefault(job.Key) != job.Page) continue;
            try
            {
                await RunAsync(job, stoppingToken);
            }
            catch (Exception e) when (e is GitException or TimeoutException or IOException or ApiException)
            {
                log.LogWarning(e, "Upkeep of {Repository} failed; the next push tries again", job.Key);
            }
        }
    }

    private async Task RunAsync(Job job, CancellationToken ct)
    {
        var git = new GitRepository(files.DirectoryOf(job.Org, job.Key.Name));
        if (!Directory.Exists(git.Directory)) return;
        RemoveLeftovers(git.Directory, options.IsAlone && started > time.GetUtcNow() - LeftoverAge ? started : time.GetUtcNow() - LeftoverAge);
        new RefLedger(git).Sweep(job.Page, time.GetUtcNow() - LeftoverAge);
        foreach (string[] task in (string[][])[["gc", "--auto", "--quiet"], ["commit-graph", "write", "--reachable", "--changed-paths", "--split", "--no-progress"]])
        {
            var output = await git.RunAsync(task, ct, limit: Limit);
            if (output.ExitCode != 0) throw output.ToException(task[0]);
        }

        var patch = new JsonObject { ["status"] = new JsonObject { ["size"] = await RepositoryFiles.SizeAsync(git, ct) } };
        await gateway.PatchAsync(PrivilegedAccess.RefRecorder(""), kind, job.Key.Namespace, job.Key.Name, new Patch(PatchType.Merge, patch, "krate-git"), StatusOptions, ct);
    }

    /// <summary>What a git that was killed, or a machine that lost its power, left behind: quarantines, and locks that nobody holds any more.</summary>
    private static void RemoveLeftovers(string directory, DateTimeOffset olderThan)
    {
        foreach (var quarantine in Directory.EnumerateDirectories(Path.Combine(directory, "objects"), "tmp_objdir-*").Where(d => Directory.GetLastWriteTimeUtc(d) < olderThan).ToList())
            Directory.Delete(quarantine, recursive: true);
        var locks = Directory.EnumerateFiles(Path.Combine(directory, "refs"), "*.lock", SearchOption.AllDirectories).Concat(Directory.EnumerateFiles(directory, "*.lock"));
        foreach (var file in locks.Where(f => File.GetLastWriteTimeUtc(f) < olderThan).ToList()) File.Delete(file);
    }

    private sealed record Job(ResourceKey Key, string Org, string Page);
}
