using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Web.Api;

/// <summary>What the server serves: plain and aggregated discovery, made once from the table of kinds.</summary>
internal sealed class Discovery
{
    private static readonly string[] AllVerbs = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
    private static readonly string[] ServerMadeVerbs = ["delete", "deletecollection", "get", "list", "watch"];
    private readonly KindCatalog catalog;
    private readonly Dictionary<(bool Core, string Version), Document> aggregated;

    public Discovery(KindCatalog catalog)
    {
        this.catalog = catalog;
        aggregated = (from core in new[] { true, false } from version in new[] { "v2", "v2beta1" } select (core, version)).ToDictionary(x => x, x => Aggregated(x.core, x.version));
    }

    /// <summary><c>/version</c>. The minor is between those of the kubectl versions that are supported, so that neither warns of a skew.</summary>
    public static JsonObject Version => new()
    {
        ["major"] = "1",
        ["minor"] = "33",
        ["gitVersion"] = $"v1.33.0+krate-{typeof(Discovery).Assembly.GetName().Version?.ToString(3)}",
        ["gitCommit"] = "",
        ["gitTreeState"] = "clean",
        ["buildDate"] = "1970-01-01T00:00:00Z",
        ["goVersion"] = "",
        ["compiler"] = "dotnet",
        ["platform"] = "linux/amd64",
    };

    /// <summary><c>/api</c> or <c>/apis</c>, in the form that is asked for.</summary>
    public async Task WriteRootAsync(HttpContext context, bool core)
    {
        if (Negotiation.DiscoveryVersionOf(context.Request) is { } version)
        {
            var (bytes, tag) = aggregated[(core, version)];
            context.Response.Headers.ETag = tag;
            context.Response.Headers.Vary = "Accept";
            if (context.Request.Headers.IfNoneMatch == tag)
            {
                context.Response.StatusCode = 304;
                return;
            }

            context.Response.ContentType = $"application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList";
            await context.Response.Body.WriteAsync(bytes, context.RequestAborted);
            return;
        }

        await Answers.WriteAsync(context, core
            ? new JsonObject { ["kind"] = "APIVersions", ["versions"] = new JsonArray("v1"), ["serverAddressByClientCIDRs"] = new JsonArray() }
            : new JsonObject { ["kind"] = "APIGroupList", ["apiVersion"] = "v1", ["groups"] = new JsonArray([.. Groups(false).Select(g => (JsonNode)Group(g))]) });
    }

    /// <summary><c>/apis/{group}</c>.</summary>
    public JsonObject GroupOf(string group)
    {
        var found = Groups(false).FirstOrDefault(g => g.Key == group) ?? throw KubernetesPath.NotServed();
        var document = Group(found);
        document["kind"] = "APIGroup";
        document["apiVersion"] = "v1";
        return document;
    }

    /// <summary><c>/api/v1</c> or <c>/apis/{group}/{version}</c>.</summary>
    public JsonObject ResourcesOf(string group, string version)
    {
        var kinds = catalog.All.Where(k => k.Group == group && k.Version == version).ToList();
        if (kinds.Count == 0) throw KubernetesPath.NotServed();
        return new JsonObject
        {
            ["kind"] = "APIResourceList",
            ["apiVersion"] = "v1",
            ["groupVersion"] = kinds[0].ApiVersion,
            ["resources"] = new JsonArray([.. kinds.SelectMany(Resources)]),
        };
    }

    private static string[] VerbsOf(KindDefinition kind) => kind switch
    {
        { CreateOnly: true } => ["create"],
        { ReadOnly: true } => ["get", "list", "watch"],
        { ServerMade: true } => ServerMadeVerbs,
        _ => AllVerbs,
    };

    /// <summary>Name, group, version, kind and verbs of each subresource.</summary>
    private static IEnumerable<(string Name, string Group, string Version, string Kind, string[] Verbs)> SubresourcesOf(KindDefinition kind)
    {
        if (kind is { HasStatus: true, CreateOnly: false, ReadOnly: false }) yield return ("status", kind.Group, kind.Version, kind.Kind, ["get", "patch", "update"]);
        foreach (var action in kind.Actions)
        {
            yield return action == "token"
                ? (action, "authentication.k8s.io", "v1", "TokenRequest", ["create"])
                : (action, kind.Group, kind.Version, kind.Kind, kind.ByteActions.Contains(action) ? ["create", "get"] : ["create"]);
        }
    }

    private static IEnumerable<JsonNode> Resources(KindDefinition kind)
    {
        var resource = new JsonObject
        {
            ["name"] = kind.Plural,
            ["singularName"] = kind.Singular,
            ["namespaced"] = kind.IsNamespaced,
            ["kind"] = kind.Kind,
            ["verbs"] = Array(VerbsOf(kind)),
        };
        if (kind.ShortNames.Count > 0) resource["shortNames"] = Array(kind.ShortNames);
        if (kind.Categories.Count > 0) resource["categories"] = Array(kind.Categories);
        yield return resource;
        foreach (var (name, group, version, answered, verbs) in SubresourcesOf(kind))
        {
            yield return new JsonObject
            {
                ["name"] = $"{kind.Plural}/{name}",
                ["singularName"] = "",
                ["namespaced"] = kind.IsNamespaced,
                ["group"] = group,
                ["version"] = version,
                ["kind"] = answered,
                ["verbs"] = Array(verbs),
            };
        }
    }

    private static JsonObject Group(IGrouping<string, KindDefinition> group)
    {
        var versions = group.Select(k => k.Version).Distinct().Select(v => (JsonNode)new JsonObject { ["groupVersion"] = $"{group.Key}/{v}", ["version"] = v }).ToArray();
        return new JsonObject { ["name"] = group.Key, ["versions"] = new JsonArray(versions), ["preferredVersion"] = versions[0].DeepClone() };
    }

    private IEnumerable<IGrouping<string, KindDefinition>> Groups(bool core) => catalog.All.Where(k => k.Group.Length == 0 == core).GroupBy(k => k.Group);

    private Document Aggregated(bool core, string version)
    {
        var items = Groups(core).Select(g => (JsonNode)new JsonObject
        {
            ["metadata"] = new JsonObject { ["name"] = g.Key, ["creationTimestamp"] = null },
            ["versions"] = new JsonArray([.. g.GroupBy(k => k.Version).Select(v => (JsonNode)new JsonObject
            {
                ["version"] = v.Key,
                ["resources"] = new JsonArray([.. v.Select(AggregatedResource)]),
                ["freshness"] = "Current",
            })]),
        });
        var document = new JsonObject
        {
            ["kind"] = "APIGroupDiscoveryList",
            ["apiVersion"] = $"apidiscovery.k8s.io/{version}",
            ["metadata"] = new JsonObject(),
            ["items"] = new JsonArray([.. items]),
        };
        var bytes = Encoding.UTF8.GetBytes(KrateJson.ToText(document));
        return new(bytes, $"\"{Convert.ToHexString(SHA512.HashData(bytes))}\"");
    }

    private static JsonNode AggregatedResource(KindDefinition kind)
    {
        var resource = new JsonObject
        {
            ["resource"] = kind.Plural,
            ["responseKind"] = ResponseKind(kind.Group, kind.Version, kind.Kind),
            ["scope"] = kind.IsNamespaced ? "Namespaced" : "Cluster",
            ["singularResource"] = kind.Singular,
            ["verbs"] = Array(VerbsOf(kind)),
        };
        if (kind.ShortNames.Count > 0) resource["shortNames"] = Array(kind.ShortNames);
        if (kind.Categories.Count > 0) resource["categories"] = Array(kind.Categories);
        var subresources = SubresourcesOf(kind)
            .Select(s => (JsonNode)new JsonObject { ["subresource"] = s.Name, ["responseKind"] = ResponseKind(s.Group, s.Version, s.Kind), ["verbs"] = Array(s.Verbs) })
            .ToArray();
        if (subresources.Length > 0) resource["subresources"] = new JsonArray(subresources);
        return resource;
    }

    private static JsonObject ResponseKind(string group, string version, string kind) => new() { ["group"] = group, ["version"] = version, ["kind"] = kind };

    private static JsonArray Array(IEnumerable<string> texts) => new([.. texts.Select(t => (JsonNode)t)]);

    private sealed record Document(byte[] Bytes, string Tag);
}
