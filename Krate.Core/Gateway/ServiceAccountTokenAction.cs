using System.Globalization;
using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Core.Gateway;

/// <summary>TokenRequest: <c>kubectl create token</c>.</summary>
internal sealed class ServiceAccountTokenAction(ITokenMinter minter) : IResourceAction
{
    public string Kind => "ServiceAccount";

    public string Name => "token";

    public (string Verb, string Subresource) Access => ("create", "token");

    public async Task<JsonObject> RunAsync(Actor actor, Resource target, JsonObject body, CancellationToken ct)
    {
        var audiences = body.Texts("spec.audiences").ToList();
        long? seconds = null;
        if (body.At("spec.expirationSeconds") is { } asked)
        {
            if (!long.TryParse(asked.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var s) || s is < 600 or > 86_400)
                throw ApiException.Invalid(target.Kind, target.Name, new FieldError("FieldValueInvalid", "spec.expirationSeconds", "must be between 600 (10 min) and 86400 (24 h) seconds"));
            seconds = s;
        }

        var (token, expires) = await minter.MintServiceAccountAsync(target, audiences, seconds);
        return new JsonObject
        {
            ["kind"] = "TokenRequest",
            ["apiVersion"] = "authentication.k8s.io/v1",
            ["metadata"] = new JsonObject { ["name"] = target.Name, ["namespace"] = target.Namespace },
            ["spec"] = new JsonObject { ["audiences"] = new JsonArray([.. audiences.Select(a => (JsonNode)a)]), ["expirationSeconds"] = seconds },
            ["status"] = new JsonObject { ["token"] = token, ["expirationTimestamp"] = Timestamps.Format(expires) },
        };
    }
}
