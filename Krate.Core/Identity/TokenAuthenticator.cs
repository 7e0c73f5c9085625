using Krate.Core.Gateway;
using Microsoft.Extensions.Logging;

namespace Krate.Core.Identity;

/// <summary>Token to actor: signature first, then what the subject is at this moment.</summary>
public sealed class TokenAuthenticator(TokenValidator validator, IdentityResolver resolver, ILogger<TokenAuthenticator> log) : ITokenAuthenticator
{
    public async Task<Actor?> AuthenticateAsync(string token, IReadOnlyList<string> audiences, CancellationToken ct)
    {
        var credential = await validator.ValidateAsync(token, audiences);
        var actor = credential.Value is { } proven ? resolver.Resolve(proven) : new(null, credential.Reason);
        if (actor.Value is null) log.LogInformation("A token of {Subject} was refused: {Reason}", credential.Value?.Subject ?? "nobody known", actor.Reason);
        return actor.Value is { } known ? known with { ValidUntil = credential.Value!.ValidUntil } : null;
    }
}
