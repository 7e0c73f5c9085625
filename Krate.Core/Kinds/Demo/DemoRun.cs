using System.Text;
using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Git;
using Krate.Core.Kinds.Runs;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Demo;

/// <summary>
/// Runs the jobs of the demo pipeline as a CI would: the commands that they name are run in the demo repository, and what they
/// print is their log. The last of them fails: the API has no lock file.
/// </summary>
internal static class DemoRun
{
    private const string Pipeline = "pipeline-01jv0000000000000000000001";

    public static async Task EnsureAsync(IResourceGateway gateway, Actor actor, GitRepository git, CancellationToken ct)
    {
        var ns = WellKnown.OrgNamespace(DemoData.Organization);
        var fields = Selector.Everything.And(new SelectorTerm("spec.pipeline", SelectorOperator.In, [Pipeline]));
        var jobs = (await gateway.ListAsync(actor, KindTable.Catalog["Job"], ns, new ListOptions { Fields = fields }, ct)).Items;
        // A start before this one may have got some way.
        foreach (var job in jobs.Where(j => !RunPhase.IsTerminal(j.Body.Text("status.phase"))).OrderBy(j => j.Name, StringComparer.Ordinal)) await RunAsync(gateway, actor, git, job, ct);
        if (jobs.Count > 0) await gateway.ActAsync(actor, KindTable.Catalog["Pipeline"], ns, Pipeline, RunActions.Finish, null, ct);
    }

    private static async Task RunAsync(IResourceGateway gateway, Actor actor, GitRepository git, Resource job, CancellationToken ct)
    {
        var command = job.Body.Text("spec.command") ?? "git version";
        var output = await git.RunAsync([.. command.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1..]], ct);
        byte[] log = [.. Encoding.UTF8.GetBytes($"$ {command}\n"), .. output.Bytes, .. Encoding.UTF8.GetBytes(output.Errors)];
        try
        {
            await gateway.ActAsync(actor, job.Kind, job.Namespace, job.Name, RunActions.Log, new JsonObject { ["offset"] = "0" }, new MemoryStream(log), ct);
        }
        catch (ApiException e) when (e.Offset is not null)
        {
            // It is there already.
        }

        await gateway.ActAsync(actor, job.Kind, job.Namespace, job.Name, RunActions.Finish, new JsonObject { ["exitCode"] = output.ExitCode }, ct);
    }
}
