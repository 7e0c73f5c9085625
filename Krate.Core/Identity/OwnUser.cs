using System.Collections.Concurrent;
using Krate.Core.Gateway;
using Krate.Core.Resources;

namespace Krate.Core.Identity;

/// <summary>
/// Whether somebody asks about their own User. Everybody may ask for tokens on <c>users</c> by RBAC, so this is where it ends:
/// another person's User is answered as one that does not exist, unless the asker may read Users anyway. Thread-safe.
/// </summary>
internal sealed class OwnUser(IAuthorizer authorizer, TimeProvider time)
{
    /// <summary>Tokens and revocations that one person may ask for in a minute, through all doors.</summary>
    public const int MostPerMinute = 10;

    private readonly ConcurrentDictionary<string, (long Minute, int Count)> asked = new(StringComparer.Ordinal);

    /// <exception cref="ApiException">404 or 403 for anybody else's User, 403 while impersonating or disabled, 429 for too many.</exception>
    public void Check(Actor actor, Resource target)
    {
        if (actor.IsServer || !IdentityResolver.IsUser(target, actor.User)) throw NotYours(actor, target);
        if (actor.Impersonator is not null) throw ApiException.Forbidden($"a token of {actor.User} is made for {actor.User} alone, not for who impersonates them");
        if (target.IsDeleting || IdentityResolver.IsDisabled(target)) throw ApiException.Forbidden($"the User {target.Name} is disabled");
        var minute = time.GetUtcNow().ToUnixTimeSeconds() / 60;
        var (_, count) = asked.AddOrUpdate(target.Uid, _ => (minute, 1), (_, was) => was.Minute == minute ? (minute, was.Count + 1) : (minute, 1));
        if (count > MostPerMinute) throw ApiException.TooManyRequests($"at most {MostPerMinute} tokens a minute; wait a minute", 60);
    }

    private ApiException NotYours(Actor actor, Resource target)
    {
        var read = new AccessRequest { Verb = "get", Group = target.Kind.Group, Resource = target.Kind.Plural, Namespace = target.Namespace, Name = target.Name };
        return authorizer.Decide(actor, read).Allowed
            ? ApiException.Forbidden($"tokens are made and revoked by the person whose they are; you are {actor.User}. To lock {target.Name} out, set spec.disabled or spec.tokensValidFrom")
            : ApiException.NotFound(target.Kind, target.Name);
    }
}
