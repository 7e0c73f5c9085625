using System.Text.Json.Nodes;
using Krate.Core.ControlPlane;
using Krate.Core.Gateway;
using Krate.Core.Git;
using Krate.Core.Kinds.Work;
using Krate.Core.Repositories;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Runs;

/// <summary>
/// Keeps true what a pipeline says of its jobs, for whom it runs, and which older ones it takes the place of. It ends none; but
/// jobs that an ended one has left are cancelled.
/// </summary>
internal sealed class PipelineReconciler(KindCatalog catalog, RepositoryFiles files, RunWriter writer) : IReconciler
{
    public string Name => "pipeline";

    public KindDefinition For { get; } = catalog["Pipeline"];

    public IReadOnlyList<WakeUp> WakeUps { get; } =
    [
        new(catalog["Job"], (r, _) => r.Body.Text("spec.pipeline") is { Length: > 0 } name ? [new(catalog["Pipeline"].Kind, r.Namespace, name)] : []),
    ];

    public async Task<Outcome> ReconcileAsync(ResourceKey key, Resource? resource, ReconcileContext context, CancellationToken ct)
    {
        if (resource is null or { IsDeleting: true } || IsSettled(resource)) return Outcome.Done;
        var ended = RunPhase.IsTerminal(RunActions.PhaseOf(resource));
        var jobs = await writer.JobsAsync(context.Actor, resource, ct);
        if (ended && jobs.Any(j => !RunPhase.IsTerminal(RunActions.PhaseOf(j))))
        {
            await writer.CancelJobsAsync(context.Actor, jobs, ct);
            jobs = await writer.JobsAsync(context.Actor, resource, ct);
        }

        var status = PipelineSummary.Of(jobs);
        if (!ended && PipelineSummary.StartOf(jobs) is { } start) (status["phase"], status["startedAt"]) = (RunPhase.Running, resource.Body.Text("status.startedAt") ?? start);
        if (resource.Body.Text("status.startedBy") is null && await WhoAsync(resource, context, ct) is { } who) status["startedBy"] = who;
        await context.WriteStatusAsync(resource, status, ct);
        if (resource.Body.Text("status.supersededBy") is null) await SupersedeAsync(resource, context, ct);
        return Outcome.Done;
    }

    /// <summary>Nothing can come that would change what it says.</summary>
    private static bool IsSettled(Resource pipeline) =>
        RunPhase.IsTerminal(RunActions.PhaseOf(pipeline)) && pipeline.Body.Text("status.supersededBy") is not null
        && pipeline.Body.Whole("status.jobs.total") is { } total && total == pipeline.Body.Whole("status.jobs.ended");

    /// <summary>As it says; else the author of the pull request with that head; else who pushed it.</summary>
    private async Task<string?> WhoAsync(Resource pipeline, ReconcileContext context, CancellationToken ct)
    {
        if (pipeline.Body.Text("spec.startedBy") is { Length: > 0 } said) return said;
        var (repository, sha, name) = (pipeline.Body.Text("spec.repository") ?? "", pipeline.Body.Text("spec.sha"), pipeline.Body.Text("spec.ref") ?? "");
        if (sha is not { Length: > 0 }) return null;
        var pulls = await context.Gateway.ListAsync(context.Actor, catalog["PullRequest"], pipeline.Namespace, new ListOptions { Fields = Fields(("spec.repository", repository), ("status.phase", WorkPhases.Open)) }, ct);
        if (pulls.Items.FirstOrDefault(p => p.Body.Text("status.headSha") == sha)?.Body.Text("spec.author") is { Length: > 0 } author) return author;
        if (context.Cache.Get(catalog["Repository"], pipeline.Namespace, repository) is not { } owner || BranchNames.Full(name) != owner.Body.Text("status.lastPush.ref")) return null;
        var git = new GitRepository(files.DirectoryOf(owner.Label(WellKnown.OrgLabel) ?? "", repository));
        return RepositoryFiles.OwnerOf(git.Directory) == owner.Uid && await git.FindRefAsync(BranchNames.Full(name), ct) == sha ? owner.Body.Text("status.lastPush.by") : null;
    }

    /// <summary>Says to older ones of the same work that this one, or one that is newer still, counts now.</summary>
    private async Task SupersedeAsync(Resource pipeline, ReconcileContext context, CancellationToken ct)
    {
        var same = new[] { "spec.repository", "spec.ref", "spec.workflow" }.Select(f => (Field: f, Text: pipeline.Body.Text(f))).ToList();
        var fields = Fields([.. same.Where(s => s.Text is not null).Select(s => (s.Field, s.Text!))]).And(new SelectorTerm("status.supersededBy", SelectorOperator.DoesNotExist, []));
        if (same[2].Text is null) fields = fields.And(new SelectorTerm("spec.workflow", SelectorOperator.DoesNotExist, []));
        var current = (await context.Gateway.ListAsync(context.Actor, For, pipeline.Namespace, new ListOptions { Fields = fields }, ct)).Items.OrderBy(NewestFirst.OrderOf).ThenBy(p => p.Name, StringComparer.Ordinal).ToList();
        foreach (var older in current.SkipLast(1).Where(p => !p.IsDeleting))
            await writer.ChangeAsync(context.Actor, older, p => p.Body.Text("status.supersededBy") is null ? new JsonObject { ["supersededBy"] = current[^1].Name } : null, ct);
    }

    private static Selector Fields(params (string Path, string Value)[] terms) =>
        terms.Aggregate(Selector.Everything, (all, t) => all.And(new SelectorTerm(t.Path, SelectorOperator.In, [t.Value])));
}
