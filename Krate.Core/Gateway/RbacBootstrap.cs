using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Core.Gateway;

/// <summary>What exists before anybody has done anything: two namespaces, the shipped ClusterRoles and who holds them. Pure.</summary>
public static class RbacBootstrap
{
    public const string ClusterAdmin = "cluster-admin";

    /// <summary>Digest of the shipped part of an object. Where it differs from the code's, a newer Krate brought other rules.</summary>
    public const string VersionLabel = WellKnown.ApiGroup + "/bootstrap-version";

    /// <summary>As in Kubernetes: "false" on a shipped object leaves it to the administrator for good.</summary>
    public const string AutoUpdateAnnotation = "rbac.authorization.kubernetes.io/autoupdate";

    private const string Description = "kubernetes.io/description";

    /// <summary>All manifests, in the order in which they are made.</summary>
    public static IReadOnlyList<JsonObject> Manifests { get; } =
    [
        Namespace("default"),
        Namespace(WellKnown.PlatformNamespace),
        .. RbacShippedRoles.All.Select(Role),
        Binding(ClusterAdmin, ClusterAdmin, WellKnown.MastersGroup),
        Binding("krate-platform-admins", ClusterAdmin, WellKnown.PlatformAdminsGroup),
        Binding("system:discovery", "system:discovery", WellKnown.AuthenticatedGroup),
        Binding("system:basic-user", "system:basic-user", WellKnown.AuthenticatedGroup),
        Binding("system:public-info-viewer", "system:public-info-viewer", WellKnown.AuthenticatedGroup, WellKnown.UnauthenticatedGroup),
    ];

    private static JsonObject Namespace(string name) => new()
    {
        ["apiVersion"] = "v1",
        ["kind"] = "Namespace",
        ["metadata"] = new JsonObject { ["name"] = name },
    };

    private static JsonObject Role(ShippedRole role) => Versioned("rules", new JsonObject
    {
        ["apiVersion"] = RbacRules.ApiGroup + "/v1",
        ["kind"] = "ClusterRole",
        ["metadata"] = Metadata(role.Name, role.Description),
        ["rules"] = new JsonArray([.. role.Rules.Select(r => (JsonNode)RbacRules.Write(r))]),
    });

    private static JsonObject Binding(string name, string role, params string[] groups) => Versioned("subjects", new JsonObject
    {
        ["apiVersion"] = RbacRules.ApiGroup + "/v1",
        ["kind"] = "ClusterRoleBinding",
        ["metadata"] = Metadata(name, null),
        ["roleRef"] = new JsonObject { ["apiGroup"] = RbacRules.ApiGroup, ["kind"] = "ClusterRole", ["name"] = role },
        ["subjects"] = new JsonArray([.. groups.Select(g => (JsonNode)new JsonObject { ["apiGroup"] = RbacRules.ApiGroup, ["kind"] = "Group", ["name"] = g })]),
    });

    private static JsonObject Metadata(string name, string? description)
    {
        var metadata = new JsonObject { ["name"] = name, ["annotations"] = new JsonObject { [AutoUpdateAnnotation] = "true" } };
        if (description is not null) metadata.Child("annotations")[Description] = description;
        return metadata;
    }

    private static JsonObject Versioned(string shipped, JsonObject manifest)
    {
        var digest = SHA256.HashData(Encoding.UTF8.GetBytes(KrateJson.ToText(manifest[shipped]!)));
        manifest.Child("metadata").Child("labels")[VersionLabel] = Convert.ToHexStringLower(digest)[..16];
        return KrateJson.Settle(manifest);
    }
}

/// <summary>
/// Makes what is missing of <see cref="RbacBootstrap"/> at start, and renews shipped rules and subjects that a newer Krate
/// changed. What an administrator changed stays until then, and for good with the annotation. Writes nothing when converged.
/// </summary>
public sealed class BootstrapWriter(KindCatalog catalog)
{
    public async Task EnsureAsync(IResourceGateway gateway, CancellationToken ct)
    {
        var actor = PrivilegedAccess.Bootstrap($"bootstrap-{Guid.NewGuid():n}");
        foreach (var manifest in RbacBootstrap.Manifests) await EnsureAsync(gateway, actor, manifest, ct).ConfigureAwait(false);
    }

    private async Task EnsureAsync(IResourceGateway gateway, Actor actor, JsonObject manifest, CancellationToken ct)
    {
        var kind = catalog[manifest.Text("kind")!];
        var name = manifest.Text("metadata.name")!;
        try
        {
            if (await FindAsync(gateway, actor, kind, name, ct).ConfigureAwait(false) is not { } found)
                await gateway.CreateAsync(actor, kind, "", manifest.Copy(), new WriteOptions { FieldManager = "krate-bootstrap" }, ct).ConfigureAwait(false);
            else if (IsOutdated(found, manifest))
                await gateway.UpdateAsync(actor, kind, "", name, Renewed(found, manifest), new WriteOptions { FieldManager = "krate-bootstrap" }, ct).ConfigureAwait(false);
        }
        catch (ApiException e) when (e.Code == 409)
        {
            // Another replica of the same version starts at this moment and has just written the same.
        }
    }

    private static async Task<Resource?> FindAsync(IResourceGateway gateway, Actor actor, KindDefinition kind, string name, CancellationToken ct)
    {
        try
        {
            return await gateway.GetAsync(actor, kind, "", name, ct).ConfigureAwait(false);
        }
        catch (ApiException e) when (e.Code == 404)
        {
            return null;
        }
    }

    private static bool IsOutdated(Resource found, JsonObject manifest) =>
        Version(manifest) is { } shipped && Version(found.Body) != shipped && found.Annotation(RbacBootstrap.AutoUpdateAnnotation) != "false";

    private static string? Version(JsonObject document) => (document.At("metadata.labels") as JsonObject)?[RbacBootstrap.VersionLabel]?.GetValue<string>();

    /// <summary>Only the shipped part; labels and annotations of the administrator stay.</summary>
    private static JsonObject Renewed(Resource found, JsonObject manifest)
    {
        var next = found.Edit();
        foreach (var shipped in new[] { "rules", "subjects" })
            if (manifest[shipped] is { } value) next[shipped] = value.DeepClone();
        next.Child("metadata").Child("labels")[RbacBootstrap.VersionLabel] = Version(manifest);
        return next;
    }
}
