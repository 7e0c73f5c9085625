using System.Text.Json.Nodes;
using Krate.Core.ControlPlane;
using Krate.Core.Gateway;
using Krate.Core.Git;
using Krate.Core.Repositories;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Work;

/// <summary>
/// Keeps the open pull requests of a repository true: head, base, whether they merge, what the reviews say, and whether somebody has
/// merged them. One pass for each repository, because a push to a branch concerns all of its pull requests.
/// </summary>
internal sealed class PullRequestReconciler(KindCatalog catalog, RepositoryFiles files, PullRequestFacts facts) : IReconciler
{
    private readonly KindDefinition pulls = catalog["PullRequest"];

    public string Name => "pull-request";

    public KindDefinition For { get; } = catalog["Repository"];

    public IReadOnlyList<WakeUp> WakeUps { get; } =
    [
        new(catalog["PullRequest"], (r, _) => Key(catalog, r.Namespace, r.Body.Text("spec.repository"))),
        new(catalog["Review"], (r, _) => Key(catalog, r.Namespace, r.Label(WellKnown.RepositoryLabel))),
        new(catalog["Pipeline"], (r, _) => Key(catalog, r.Namespace, r.Body.Text("spec.repository"))),
        // A push to a fork moves the heads of pull requests elsewhere.
        new(catalog["Repository"], (r, _) => Key(catalog, r.Namespace, r.Body.Text("spec.forkOf"))),
    ];

    public async Task<Outcome> ReconcileAsync(ResourceKey key, Resource? resource, ReconcileContext context, CancellationToken ct)
    {
        if (resource is null or { IsDeleting: true }) return Outcome.Done;
        var org = resource.Label(WellKnown.OrgLabel) ?? "";
        if (RepositoryFiles.OwnerOf(files.DirectoryOf(org, resource.Name)) != resource.Uid) return Outcome.Done;
        var git = new GitRepository(files.DirectoryOf(org, resource.Name));
        var open = await context.Gateway.ListAsync(context.Actor, pulls, resource.Namespace, new ListOptions { Fields = Selector.Parse($"spec.repository={resource.Name},status.phase={WorkPhases.Open}") }, ct);
        foreach (var pull in open.Items.Where(p => !p.IsDeleting)) await RefreshAsync(pull, org, git, context, ct);
        return Outcome.Done;
    }

    private static IEnumerable<ResourceKey> Key(KindCatalog catalog, string ns, string? repository) =>
        repository is { Length: > 0 } name ? [new(catalog["Repository"].Kind, ns, name)] : [];

    private async Task RefreshAsync(Resource pull, string org, GitRepository git, ReconcileContext context, CancellationToken ct)
    {
        var (head, target) = await facts.HeadsAsync(pull, org, git, ct);
        if (head is null || target is null)
        {
            // Without its branch nothing can be merged; what it had is still told.
            var missing = BranchNames.Of(pull.Body.Text(head is null ? "spec.sourceRef" : "spec.targetRef") ?? "");
            await context.WriteStatusAsync(pull, Status(pull, WorkPhases.Open, "BranchMissing", $"There is no branch {missing}", new() { ["mergeable"] = null }), ct);
            return;
        }

        if (await MergedAsync(pull, git, head, target, ct) is { } merged)
        {
            await context.WriteStatusAsync(pull, Status(pull, WorkPhases.Merged, "Merged", $"Merged into {BranchNames.Of(pull.Body.Text("spec.targetRef")!)}", merged), ct);
            return;
        }

        var basis = await git.MergeBaseAsync(target, head, ct);
        var known = pull.Body.Text("status.headSha") == head && pull.Body.Text("status.targetSha") == target && pull.Body.At("status.mergeable") is not null;
        var clean = known ? pull.Body.Flag("status.mergeable") : basis is not null && (await git.PreviewMergeAsync(target, head, ct)).IsClean;
        var status = new JsonObject { ["headSha"] = head, ["baseSha"] = basis, ["targetSha"] = target, ["mergeable"] = clean, ["checks"] = await facts.ChecksAsync(context.Gateway, context.Actor, pull, head, ct) };
        var seen = new Resource(pull.Kind, pull.Body.Copy());
        seen.Body.Child("status")["headSha"] = head;
        status["reviewDecision"] = ReviewTally.Decision(await facts.VerdictsAsync(context.Gateway, context.Actor, seen, ct));
        await context.WriteStatusAsync(pull, Status(pull, WorkPhases.Open, clean ? "Clean" : "Conflicts", clean ? "It merges without conflict" : "It does not merge without conflict", status), ct);
    }

    /// <summary>What a merge that is over says: one that Krate had begun, or a push that brought the head to the target.</summary>
    private async Task<JsonObject?> MergedAsync(Resource pull, GitRepository git, string head, string target, CancellationToken ct)
    {
        if (pull.Body.Text("status.merging.sha") is { } begun && await git.IsAncestorAsync(begun, target, ct)) return facts.Merged(pull, begun, pull.Body.Text("status.merging.by") ?? "");
        // A branch that never had a commit of its own has not been merged.
        var hadCommits = pull.Body.Text("status.headSha") == head && pull.Body.Text("status.baseSha") is { } basis && basis != head;
        return hadCommits && await git.IsAncestorAsync(head, target, ct) ? facts.Merged(pull, head, "") : null;
    }

    private static JsonObject Status(Resource pull, string phase, string reason, string message, JsonObject more)
    {
        var status = StatusWriter.Status(phase, [new Condition("Mergeable", reason is "Clean" or "Merged" ? Condition.True : Condition.False, reason, message)]);
        foreach (var (name, value) in more) status[name] = value?.DeepClone();
        return status;
    }
}
