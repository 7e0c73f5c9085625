using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Identity;
using Krate.Core.Kinds.Orgs;
using Krate.Core.Resources;
using Krate.Core.Resources.Patching;

namespace Krate.Core.Kinds.SignIn;

/// <summary>
/// Turns a person of a provider into a User. The first sign-in makes the User and an IdentityMapping; every other one finds the mapping by
/// provider, issuer and subject, and by nothing else: names and e-mail addresses change hands. Thread-safe.
/// </summary>
/// <remarks>
/// One name is one User: the record's name follows from the user name, so that the store itself refuses a second record, whoever comes first.
/// </remarks>
public sealed class Registration(IResourceGateway gateway, IResourceCache cache, KindCatalog catalog, IdentityResolver identities, InviteAcceptance invites, TimeProvider time)
{
    private const int MostName = 63;
    private readonly KindDefinition users = catalog["User"];
    private readonly KindDefinition mappings = catalog["IdentityMapping"];

    /// <summary>The Kubernetes user name of who signed in, who is registered then and has accepted what they were invited to.</summary>
    /// <exception cref="ApiException">403 when the User is disabled, or the mapping names none.</exception>
    public async Task<string> RegisterAsync(Resource provider, ProviderProfile profile, string correlationId, CancellationToken ct)
    {
        var actor = PrivilegedAccess.Registration(correlationId);
        var issuer = provider.Body.Text("status.issuer") ?? provider.Body.Text("status.userInfoEndpoint") ?? "";
        var mapping = Find(provider.Name, issuer, profile.Subject) ?? await IntroduceAsync(actor, provider.Name, issuer, profile, ct);
        var user = cache.Get(users, WellKnown.PlatformNamespace, mapping.Body.Text("spec.user") ?? "")
            ?? throw ApiException.Forbidden($"You are known here as the User {mapping.Body.Text("spec.user")}, who is gone; ask an administrator to delete the IdentityMapping {mapping.Name}, or to change its user");
        var name = IdentityResolver.NameOf(user);
        if (identities.Resolve(new Credential(name, time.GetUtcNow())).Value is null) throw ApiException.Forbidden($"{name} may not sign in: the User is disabled");
        await RememberAsync(actor, mapping, profile, ct);
        await invites.AcceptAsync(actor, user, profile.VerifiedEmails, ct);
        return name;
    }

    private Resource? Find(string provider, string issuer, string subject) => cache.List(mappings, WellKnown.PlatformNamespace)
        .FirstOrDefault(m => !m.IsDeleting && m.Body.Text("spec.provider") == provider && m.Body.Text("spec.subject") == subject && (m.Body.Text("spec.issuer") ?? issuer) == issuer);

    private async Task<Resource> IntroduceAsync(Actor actor, string provider, string issuer, ProviderProfile profile, CancellationToken ct)
    {
        var user = await NewUserAsync(actor, provider, issuer, profile, ct);
        var document = Document(mappings, NameOf(provider, Digest($"{issuer}\n{profile.Subject}")), new JsonObject { ["user"] = user.Name, ["provider"] = provider, ["subject"] = profile.Subject, ["issuer"] = issuer });
        try
        {
            return await gateway.CreateAsync(actor, mappings, WellKnown.PlatformNamespace, document, new WriteOptions(), ct);
        }
        catch (ApiException e) when (e.Reason == "AlreadyExists")
        {
            // The same person in another window was first.
            await gateway.DeleteAsync(actor, users, WellKnown.PlatformNamespace, user.Name, new DeleteOptions { Uid = user.Uid }, ct);
            throw ApiException.Conflict(mappings, document.Text("metadata.name")!, "you were just signed in for the first time in another window; try again");
        }
    }

    /// <summary>By the name at the provider; when somebody else has it already, with a mark of this person behind it.</summary>
    private async Task<Resource> NewUserAsync(Actor actor, string provider, string issuer, ProviderProfile profile, CancellationToken ct)
    {
        foreach (var login in (string[])[profile.Login, $"{profile.Login}-{Digest($"{issuer}\n{profile.Subject}")[..8]}"])
        {
            var (username, name) = ($"{provider}:{login}", NameOf(provider, login));
            if (cache.List(users, WellKnown.PlatformNamespace).Any(u => u.Name == name || IdentityResolver.NameOf(u) == username || IdentityResolver.NameOf(u) == name)) continue;
            var spec = new JsonObject
            {
                ["displayName"] = profile.DisplayName ?? profile.Login,
                ["email"] = profile.VerifiedEmails.FirstOrDefault(People.IsEmail) ?? $"{name}@users.krate.invalid",
                ["username"] = username,
            };
            try
            {
                return await gateway.CreateAsync(actor, users, WellKnown.PlatformNamespace, Document(users, name, spec), new WriteOptions(), ct);
            }
            catch (ApiException e) when (e.Reason == "AlreadyExists")
            {
                // Somebody of the same name signs in at this moment.
            }
        }

        throw ApiException.Forbidden($"The names {provider}:{profile.Login} and its substitute belong to other Users; ask an administrator for an IdentityMapping");
    }

    /// <summary>The groups of this moment.</summary>
    private async Task RememberAsync(Actor actor, Resource mapping, ProviderProfile profile, CancellationToken ct)
    {
        var status = new JsonObject
        {
            ["groups"] = new JsonArray([.. profile.Groups.Select(g => (JsonNode)g)]),
            ["lastSignInAt"] = Timestamps.Format(time.GetUtcNow()),
        };
        var patch = new Patch(PatchType.Merge, new JsonObject { ["status"] = status }, "krate-sign-in");
        await gateway.PatchAsync(actor, mappings, WellKnown.PlatformNamespace, mapping.Name, patch, new WriteOptions { Subresource = "status", FieldManager = "krate-sign-in" }, ct);
    }

    private static JsonObject Document(KindDefinition kind, string name, JsonObject spec) => new()
    {
        ["apiVersion"] = kind.ApiVersion,
        ["kind"] = kind.Kind,
        ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = WellKnown.PlatformNamespace },
        ["spec"] = spec,
    };

    /// <summary>A name that a resource may have. The same for the same word; others may come to it, too, and then the store refuses them.</summary>
    private static string NameOf(string provider, string word)
    {
        var plain = new string([.. word.ToLowerInvariant().Select(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) ? c : '-')]).Trim('-');
        var name = $"{provider}.{(plain.Length == 0 ? "user" : plain)}";
        return name[..Math.Min(name.Length, MostName)].TrimEnd('-', '.');
    }

    private static string Digest(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..32];
}
