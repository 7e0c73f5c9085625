using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.SignIn;

/// <summary>What is particular to GitHub and GitHub Enterprise, which know no ID tokens: people are asked for with the access token. Thread-safe.</summary>
internal sealed class GitHubProvider(ProviderRequests requests)
{
    /// <summary>The endpoints of a provider: GitHub's own unless it names others.</summary>
    /// <exception cref="ApiException">502: an address that nobody may be sent to.</exception>
    public AuthProviderStatus Endpoints(AuthProviderSpec spec) => new()
    {
        AuthorizationEndpoint = Checked(spec.AuthorizationEndpoint ?? "https://github.com/login/oauth/authorize"),
        TokenEndpoint = Checked(spec.TokenEndpoint ?? "https://github.com/login/oauth/access_token"),
        UserInfoEndpoint = Checked(spec.UserInfoEndpoint ?? "https://api.github.com/user").TrimEnd('/'),
        ClientAuthentication = "post",
    };

    /// <summary>Whose the access token is. Their number stays theirs; their login may change hands.</summary>
    /// <exception cref="ApiException">502 when it cannot be asked.</exception>
    public async Task<ProviderProfile> ProfileAsync(AuthProviderSpec spec, AuthProviderStatus endpoints, JsonNode answer, CancellationToken ct)
    {
        // GitHub says in an answer of 200 that a code is no good.
        if (answer.Text("access_token") is not { Length: > 0 } token) throw ProviderRequests.Failed($"the code was not taken: {ProviderRequests.Plain(answer.Text("error_description") ?? answer.Text("error") ?? "no access token")}");
        var api = endpoints.UserInfoEndpoint!;
        var user = await requests.GetAsync(api, token, ct);
        var emails = await requests.GetAsync(api + "/emails", token, ct);
        var groups = WantsOrganizations(spec) ? await requests.GetAsync(api + "/orgs?per_page=100", token, ct) : null;
        if (user["id"] is not JsonValue id || user.Text("login") is not { } login) throw ProviderRequests.Failed($"{api} does not say who signed in");
        return new ProviderProfile(id.ToString(), login)
        {
            DisplayName = user.Text("name"),
            VerifiedEmails = [.. Items(emails).Where(e => e.Flag("verified")).OrderByDescending(e => e.Flag("primary")).Select(e => e.Text("email")).OfType<string>()],
            Groups = [.. Items(groups).Select(o => o.Text("login")).OfType<string>()],
        };
    }

    /// <summary>What is asked for unless the provider says it.</summary>
    public static IReadOnlyList<string> Scopes(AuthProviderSpec spec) => spec.AllowedGroups is { Count: > 0 } ? ["read:user", "user:email", "read:org"] : ["read:user", "user:email"];

    private static bool WantsOrganizations(AuthProviderSpec spec) => (spec.Scopes ?? Scopes(spec)).Contains("read:org");

    private static IEnumerable<JsonObject> Items(JsonNode? node) => (node as JsonArray ?? []).OfType<JsonObject>();

    private string Checked(string url)
    {
        requests.Check(url);
        return url;
    }
}
