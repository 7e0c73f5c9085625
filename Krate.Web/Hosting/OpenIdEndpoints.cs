using System.Text.Json.Nodes;
using Krate.Core.Identity;
using Krate.Core.Resources;

namespace Krate.Web.Hosting;

/// <summary>What others need in order to check Krate's tokens: issuer and public keys, as a Kubernetes API server publishes them.</summary>
internal static class OpenIdEndpoints
{
    private const string KeysPath = "/openid/v1/jwks";

    public static void MapOpenId(this IEndpointRouteBuilder app)
    {
        app.MapGet("/.well-known/openid-configuration", (IdentityOptions options) => Document(Configuration(options.Issuer), "application/json"));
        app.MapGet(KeysPath, (SigningKeys keys) => Document(keys.PublicKeySet(), "application/jwk-set+json"));
    }

    private static JsonObject Configuration(string issuer) => new()
    {
        ["issuer"] = issuer,
        ["jwks_uri"] = issuer + KeysPath,
        ["response_types_supported"] = new JsonArray("id_token"),
        ["subject_types_supported"] = new JsonArray("public"),
        ["id_token_signing_alg_values_supported"] = new JsonArray("ES256"),
    };

    private static IResult Document(JsonObject document, string type) => Results.Text(KrateJson.ToText(document), type);
}
