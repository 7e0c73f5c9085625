using Krate.Core.Gateway;
using Krate.Core.Identity;
using Krate.Core.Kinds.Work;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Review;

/// <summary>
/// How far what somebody wrote or started is trusted: by who may push to the repository, and by nothing in the content of a branch, a label or a
/// comment (spec 05). Thread-safe.
/// </summary>
public sealed class WorkTrust(KindCatalog catalog, IResourceGateway gateway, IAuthorizer authorizer, IdentityResolver people, TimeProvider time)
{
    public bool MayPush(Actor actor, Resource repository) =>
        authorizer.Decide(actor, new AccessRequest { Verb = "push", Group = repository.Kind.Group, Resource = repository.Kind.Plural, Namespace = repository.Namespace, Name = repository.Name }).Allowed;

    /// <param name="user">Kubernetes user name; nobody known is not trusted.</param>
    public bool MayPush(string? user, Resource repository) =>
        user is { Length: > 0 } && people.Resolve(new Credential(user, time.GetUtcNow())).Value is { } actor && MayPush(actor, repository);

    /// <summary>Of what somebody wrote.</summary>
    public string TierOf(string? author, Resource repository) => MayPush(author, repository) ? TrustTier.Trusted : TrustTier.Untrusted;

    /// <summary>Of the branch that a pull request brings: a fork's is not trusted, nor is that of somebody who may not push.</summary>
    public string TierOf(Resource pull, Resource repository) => PullRequestFacts.SourceOf(pull) == repository.Name ? TierOf(pull.Body.Text("spec.author"), repository) : TrustTier.Untrusted;

    /// <summary>Of work on a ref that somebody starts.</summary>
    /// <param name="name">Full name; null for no ref in particular.</param>
    public async Task<string> TierOfRefAsync(Actor asker, Actor starter, Resource repository, string? name, CancellationToken ct)
    {
        if (!MayPush(starter, repository)) return TrustTier.Untrusted;
        if (name?.Split('/') is not ["refs", "pull", var number, _] || !long.TryParse(number, out var n)) return TrustTier.Trusted;
        var pulls = await gateway.ListAsync(asker, catalog["PullRequest"], repository.Namespace, new ListOptions { Fields = WorkNumbers.Fields(repository.Name, n), Limit = 1 }, ct);
        return pulls.Items is [var pull] ? TierOf(pull, repository) : TrustTier.Untrusted;
    }
}
