using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Git;
using Krate.Core.Identity;
using Krate.Core.Repositories;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Work;

/// <summary>What git, the reviews and the pipelines say about a pull request at this moment. Thread-safe.</summary>
public sealed class PullRequestFacts(KindCatalog catalog, RepositoryFiles files, IAuthorizer authorizer, IdentityResolver identities, TimeProvider time)
{
    /// <summary>Repository of the source branch: the fork, or the pull request's own.</summary>
    public static string SourceOf(Resource pull) => pull.Body.Text("spec.sourceRepository") is { Length: > 0 } fork ? fork : pull.Body.Text("spec.repository") ?? "";

    /// <summary>The commits of source and target branch; null where there is none. Brings the objects of a fork along.</summary>
    public async Task<(string? Head, string? Target)> HeadsAsync(Resource pull, string org, GitRepository git, CancellationToken ct)
    {
        var (sourceRef, targetRef) = (BranchNames.Full(pull.Body.Text("spec.sourceRef") ?? ""), BranchNames.Full(pull.Body.Text("spec.targetRef") ?? ""));
        var target = await git.FindRefAsync(targetRef, ct);
        var fork = SourceOf(pull);
        if (fork == pull.Body.Text("spec.repository")) return (await git.FindRefAsync(sourceRef, ct), target);
        var head = await new GitRepository(files.DirectoryOf(org, fork)).FindRefAsync(sourceRef, ct);
        if (head is not null) await git.FetchAsync(files.DirectoryOf(org, fork), head, $"refs/pull/{pull.Body.Whole("spec.number")}/head", ct);
        return (head, target);
    }

    /// <summary>The verdicts of people who may review now.</summary>
    public async Task<IReadOnlyList<ReviewVerdict>> VerdictsAsync(IResourceGateway gateway, Actor actor, Resource pull, CancellationToken ct)
    {
        var reviews = await gateway.ListAsync(actor, catalog["Review"], pull.Namespace, new ListOptions { Fields = Selector.Parse($"spec.pullRequest={pull.Name}") }, ct);
        return Verdicts(pull, reviews.Items);
    }

    /// <summary>As the other, of reviews that are known already.</summary>
    public IReadOnlyList<ReviewVerdict> Verdicts(Resource pull, IEnumerable<Resource> reviews) => ReviewTally.Of(pull, reviews, user => MayReview(user, pull));

    /// <summary>Pipelines of the head commit; of several with one name the last counts.</summary>
    public async Task<JsonArray> ChecksAsync(IResourceGateway gateway, Actor actor, Resource pull, string head, CancellationToken ct)
    {
        var repository = pull.Body.Text("spec.repository");
        var pipelines = await gateway.ListAsync(actor, catalog["Pipeline"], pull.Namespace, new ListOptions { Fields = Selector.Parse($"spec.repository={repository},spec.sha={head}") }, ct);
        var last = pipelines.Items.OrderBy(NewestFirst.OrderOf).ThenBy(p => p.Name, StringComparer.Ordinal).GroupBy(p => p.Body.Text("spec.workflow") ?? p.Name, StringComparer.Ordinal).Select(g => (Name: g.Key, Run: g.Last()));
        return new([.. last.Select(c => (JsonNode)new JsonObject
        {
            ["name"] = c.Name,
            ["kind"] = "Pipeline",
            ["resource"] = c.Run.Name,
            ["phase"] = c.Run.Body.Text("status.phase") ?? "queued",
        })]);
    }

    internal JsonObject Merged(Resource pull, string sha, string by) => new()
    {
        ["mergeSha"] = sha,
        ["mergedBy"] = by.Length > 0 ? by : null,
        ["mergedAt"] = Timestamps.Format(time.GetUtcNow()),
        ["merging"] = null,
    };

    private bool MayReview(string user, Resource pull)
    {
        if (identities.Resolve(new Credential(user, time.GetUtcNow())).Value is not { } actor) return false;
        return May(actor, "create", "reviews", "") && May(actor, "get", "repositories", pull.Body.Text("spec.repository") ?? "");

        bool May(Actor who, string verb, string resource, string name) =>
            authorizer.Decide(who, new AccessRequest { Verb = verb, Group = WellKnown.ApiGroup, Resource = resource, Namespace = pull.Namespace, Name = name }).Allowed;
    }
}
