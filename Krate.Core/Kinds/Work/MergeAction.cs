using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Git;
using Krate.Core.Repositories;
using Krate.Core.Resources;
using Krate.Core.Resources.Patching;
using Microsoft.Extensions.DependencyInjection;

namespace Krate.Core.Kinds.Work;

/// <summary>
/// Merges a pull request: asks every gate again, makes the commit, moves the target from exactly where it was, and says so. A crash after
/// the ref has moved is made good by the reconciler, which finds in the status what was begun.
/// </summary>
/// <remarks>Body: <c>method</c> (merge, squash, rebase), <c>headSha</c> (refused when the head is another one), <c>title</c>, <c>message</c>.</remarks>
internal sealed class MergeAction(
    IServiceProvider services, KindCatalog catalog, IResourceCache cache, PullRequestFacts facts, BranchWriter branches, TimeProvider time) : IResourceAction
{
    public string Kind => "PullRequest";

    public string Name => "merge";

    public (string Verb, string Subresource) Access => ("merge", "");

    /// <summary>The gateway holds the actions, so it, and what needs it, is asked for only when one runs.</summary>
    private IResourceGateway Gateway => services.GetRequiredService<IResourceGateway>();

    public async Task<JsonObject> RunAsync(Actor actor, Resource target, JsonObject body, CancellationToken ct)
    {
        if (target.Body.Text("status.phase") is { } phase and not WorkPhases.Open) throw ApiException.Conflict(target.Kind, target.Name, $"it is {phase.ToLowerInvariant()}");
        var method = MethodOf(target, body);
        var (repository, git) = branches.Open(target.Namespace, target.Body.Text("spec.repository") ?? "");
        var server = PrivilegedAccess.Work(actor);
        return await BranchWriter.AnswerAsync(target, Name, async () =>
        {
            var (head, tip) = await facts.HeadsAsync(target, BranchWriter.OrgOf(repository), git, ct);
            if (head is null || tip is null) throw ApiException.Conflict(target.Kind, target.Name, "its source or its target branch is not there");
            if (body.Text("headSha") is { Length: > 0 } expected && expected != head)
                throw ApiException.Conflict(target.Kind, target.Name, $"the head is {head[..12]} by now; look at what has come since {expected[..Math.Min(12, expected.Length)]}");
            await CheckGatesAsync(server, target, head, tip, git, ct);
            var by = branches.PersonOf(actor.User);
            var result = await git.MergeAsync(new(tip, head, method, MessageOf(target, method, body), by, by), ct);
            if (result.Commit is not { } commit) throw ApiException.Conflict(target.Kind, target.Name, Words(result));
            var update = new RefUpdate(BranchNames.Full(target.Body.Text("spec.targetRef")!), tip, commit);
            await branches.JudgeAsync(actor, target, Name, repository, git, update, RefChangeSource.PullRequest, ct);
            await WriteAsync(server, target, new JsonObject { ["merging"] = new JsonObject { ["sha"] = commit, ["by"] = actor.User } });
            await branches.MoveAsync(actor, target, Name, repository, git, update, ct);
            var merged = await WriteAsync(server, target, new JsonObject { ["phase"] = WorkPhases.Merged, ["mergeSha"] = commit, ["mergedBy"] = actor.User, ["mergedAt"] = Timestamps.Format(time.GetUtcNow()), ["headSha"] = head, ["merging"] = null });
            await CloseIssuesAsync(server, merged, ct);
            return merged.Body.Copy();
        });
    }

    private static string Words(MergeResult result) => result.Outcome switch
    {
        MergeOutcome.NothingToMerge => "the target has all of it already",
        MergeOutcome.Unrelated => "the two have no commit in common",
        _ => $"{(result.ConflictingCommit is { } commit ? $"commit {commit[..12]} does not fit" : "there are conflicts")}{(result.Conflicts.Count > 0 ? ": " + string.Join(", ", result.Conflicts.Take(10)) : "")}",
    };

    private static MergeMethod MethodOf(Resource pull, JsonObject body) => (body.Text("method") ?? "merge") switch
    {
        "merge" => MergeMethod.Merge,
        "squash" => MergeMethod.Squash,
        "rebase" => MergeMethod.Rebase,
        var other => throw ApiException.Invalid(pull.Kind, pull.Name, new FieldError("FieldValueNotSupported", "method", $"\"{other}\" is none of merge, squash, rebase")),
    };

    private async Task CheckGatesAsync(Actor server, Resource pull, string head, string tip, GitRepository git, CancellationToken ct)
    {
        var now = new Resource(pull.Kind, pull.Body.Copy());
        var status = now.Body.Child("status");
        (status["headSha"], status["mergeable"]) = (head, (await git.PreviewMergeAsync(tip, head, ct)).IsClean);
        status["checks"] = await facts.ChecksAsync(Gateway, server, pull, head, ct);
        var demands = MergeDemands.Of(cache, catalog, pull.Namespace, pull.Body.Text("spec.repository")!, BranchNames.Full(pull.Body.Text("spec.targetRef")!));
        var unmet = MergeGates.Of(now, await facts.VerdictsAsync(Gateway, server, now, ct), demands).Where(g => g.State != GateState.Met).ToList();
        if (unmet.Count > 0)
            throw new ApiException(409, "Conflict", $"{pull.Name} cannot be merged yet: {string.Join("; ", unmet.Select(g => g.Text))}", [.. unmet.Select(g => new FieldError(g.Name, "", $"{g.Text} ({g.Detail})"))]) { Subject = (pull.Kind.Group, pull.Kind.Plural, pull.Name) };
    }

    private async Task<Resource> WriteAsync(Actor server, Resource pull, JsonObject status)
    {
        // What git has done is told, whether the caller still waits or not.
        var patch = new Patch(PatchType.Merge, new JsonObject { ["status"] = status }, "krate");
        return (await Gateway.PatchAsync(server, pull.Kind, pull.Namespace, pull.Name, patch, new WriteOptions { Subresource = "status" }, CancellationToken.None)).Resource;
    }

    private async Task CloseIssuesAsync(Actor server, Resource pull, CancellationToken ct)
    {
        var issues = catalog["Issue"];
        foreach (var number in ClosingWords.In($"{pull.Body.Text("spec.title")}\n{pull.Body.Text("spec.body")}"))
        {
            var fields = WorkNumbers.Fields(pull.Body.Text("spec.repository") ?? "", number);
            foreach (var issue in (await Gateway.ListAsync(server, issues, pull.Namespace, new ListOptions { Fields = fields }, ct)).Items.Where(i => i.Body.Text("status.phase") == WorkPhases.Open))
                await WriteAsync(server, issue, new JsonObject { ["phase"] = WorkPhases.Closed, ["closedBy"] = pull.Body.Text("status.mergedBy"), ["closedAt"] = Timestamps.Format(time.GetUtcNow()), ["closedWith"] = pull.Name });
        }
    }

    private static string MessageOf(Resource pull, MergeMethod method, JsonObject body)
    {
        var number = pull.Body.Whole("spec.number");
        var title = body.Text("title") is { Length: > 0 } given ? given
            : method == MergeMethod.Squash ? $"{pull.Body.Text("spec.title")} (#{number})" : $"Merge pull request #{number} from {BranchNames.Of(pull.Body.Text("spec.sourceRef") ?? "")}";
        var text = body.Text("message") ?? (method == MergeMethod.Squash ? pull.Body.Text("spec.body") : pull.Body.Text("spec.title"));
        return string.IsNullOrWhiteSpace(text) ? title + "\n" : $"{title}\n\n{text.Trim()}\n";
    }
}
