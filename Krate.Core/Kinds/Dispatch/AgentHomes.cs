using Krate.Core.ControlPlane;
using Krate.Core.Gateway;
using Krate.Core.Resources;
using Krate.Core.Store;
using Krate.Core.Workspaces;

namespace Krate.Core.Kinds.Dispatch;

/// <summary>
/// Where agents that can take up a session keep their own record of it, a folder for each run: what is in it is theirs, and Krate does not read it. It goes
/// some days after the run has ended. Thread-safe.
/// </summary>
internal sealed class AgentHomes(DataDirectory data, ResourceReader reader, KindCatalog catalog, TimeProvider time) : ISweep
{
    private static readonly TimeSpan KeptFor = TimeSpan.FromDays(7);

    public string Of => "homes of agents";

    private string Root => Path.Combine(data.Path, "workspaces", ".homes");

    public string Open(Resource run) => Directory.CreateDirectory(Path.Combine(Root, run.Uid), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute).FullName;

    public async Task<int> RunAsync(IResourceGateway gateway, Actor actor, CancellationToken ct)
    {
        if (!Directory.Exists(Root)) return 0;
        // Before the runs: what is begun meanwhile is not looked at.
        var folders = Directory.GetDirectories(Root);
        var kept = new HashSet<string>(StringComparer.Ordinal);
        await foreach (var run in reader.ListAsync(actor, catalog["AgentDispatchRun"], null, ct))
            if (!DateTimeOffset.TryParse(run.Body.Text("status.completedAt"), System.Globalization.CultureInfo.InvariantCulture, out var ended) || ended + KeptFor > time.GetUtcNow()) kept.Add(run.Uid);
        var gone = folders.Where(f => !kept.Contains(Path.GetFileName(f))).ToList();
        foreach (var folder in gone) WorkspaceFolders.Remove(folder);
        return gone.Count;
    }
}
