using Krate.Core.Gateway;
using Krate.Core.Resources;

namespace Krate.Core.Runs;

/// <summary>Deletes the logs of jobs that are gone. Looks at the files first: where there are none, nothing is asked.</summary>
public sealed class LogSweep : ISweep
{
    private static readonly TimeSpan Age = TimeSpan.FromHours(1);
    private readonly LogFiles files;
    private readonly KindDefinition jobs;
    private readonly TimeProvider time;

    internal LogSweep(LogFiles files, KindCatalog catalog, TimeProvider time) => (this.files, jobs, this.time) = (files, catalog["Job"], time);

    string ISweep.Of => "logs of jobs";

    /// <returns>How many logs were deleted.</returns>
    public async Task<int> RunAsync(IResourceGateway gateway, Actor actor, CancellationToken ct)
    {
        var old = Old();
        if (old.Count == 0) return 0;
        await RemoveAliveAsync(old, gateway, actor, ct);
        foreach (var (uid, paths) in old)
        {
            foreach (var path in paths) File.Delete(path);
            files.Forget(Path.Combine(Path.GetDirectoryName(paths[0])!, uid + ".log"));
        }

        return old.Count;
    }

    /// <summary>Files that nobody has written to for a while, by the uid of their job: a job may be younger than a list of all.</summary>
    private Dictionary<string, List<string>> Old()
    {
        if (!Directory.Exists(files.Root)) return [];
        var latest = time.GetUtcNow() - Age;
        return Directory.EnumerateFiles(files.Root, "*", SearchOption.AllDirectories)
            .GroupBy(f => Path.GetFileName(f).Split('.')[0], StringComparer.Ordinal)
            .Where(g => g.All(f => File.GetLastWriteTimeUtc(f) < latest))
            .ToDictionary(g => g.Key, g => g.ToList(), StringComparer.Ordinal);
    }

    private async Task RemoveAliveAsync(Dictionary<string, List<string>> old, IResourceGateway gateway, Actor actor, CancellationToken ct)
    {
        string? next = null;
        do
        {
            var page = await gateway.ListAsync(actor, jobs, null, new ListOptions { Limit = 500, Continue = next }, ct);
            foreach (var job in page.Items) old.Remove(job.Uid);
            next = page.Continue;
        }
        while (!string.IsNullOrEmpty(next));
    }
}
