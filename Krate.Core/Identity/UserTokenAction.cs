using System.Globalization;
using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Resources;

namespace Krate.Core.Identity;

/// <summary>
/// TokenRequest on one's own User: the token for git and kubectl. It is answered once and kept nowhere; it ends with its expiry,
/// with <c>spec.tokensValidFrom</c>, and when the User is disabled or gone.
/// </summary>
internal sealed class UserTokenAction(TokenIssuer issuer, OwnUser own, TimeProvider time) : IResourceAction
{
    private static readonly long Shortest = (long)IdentityOptions.ShortestUserToken.TotalSeconds;
    private static readonly long Longest = (long)IdentityOptions.LongestUserToken.TotalSeconds;

    public string Kind => "User";

    public string Name => "token";

    public (string Verb, string Subresource) Access => ("create", "token");

    public Task<JsonObject> RunAsync(Actor actor, Resource target, JsonObject body, CancellationToken ct)
    {
        own.Check(actor, target);
        var lifetime = Lifetime(target, body);
        // Else whoever gets hold of a token could renew it for ever.
        if (actor.ValidUntil is { } end && time.GetUtcNow() + lifetime > end)
            throw Invalid(target, $"must end before the token that asks for it ({Timestamps.Format(end)}); sign in with the browser for a longer one");
        var (token, expires) = issuer.MintUser(actor.User, lifetime);
        return Task.FromResult(new JsonObject
        {
            ["kind"] = "TokenRequest",
            ["apiVersion"] = "authentication.k8s.io/v1",
            ["metadata"] = new JsonObject { ["name"] = target.Name, ["namespace"] = target.Namespace },
            ["spec"] = new JsonObject { ["audiences"] = new JsonArray(), ["expirationSeconds"] = (long)lifetime.TotalSeconds },
            ["status"] = new JsonObject { ["token"] = token, ["expirationTimestamp"] = Timestamps.Format(expires) },
        });
    }

    private static TimeSpan Lifetime(Resource target, JsonObject body)
    {
        if (body.Texts("spec.audiences").Any())
            throw ApiException.Invalid(target.Kind, target.Name, new FieldError("FieldValueInvalid", "spec.audiences", "must be empty: a person's token is for Krate itself"));
        if (body.At("spec.expirationSeconds") is not { } asked) return IdentityOptions.DefaultToken;
        return long.TryParse(asked.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds >= Shortest && seconds <= Longest
            ? TimeSpan.FromSeconds(seconds)
            : throw Invalid(target, $"must be between {Shortest} (10 min) and {Longest} (12 h) seconds");
    }

    private static ApiException Invalid(Resource target, string message) =>
        ApiException.Invalid(target.Kind, target.Name, new FieldError("FieldValueInvalid", "spec.expirationSeconds", message));
}
