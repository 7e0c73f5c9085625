using System.Text.Json;
using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using Krate.Core.Generation;
using Krate.Core.Kinds;
using Krate.Core.Resources;

namespace Krate.Tests.Generation;

public sealed class GenerationTests
{
    public static TheoryData<string> ConfigKinds => [.. KindTable.All.Where(CrdWriter.Applies).Select(k => k.Kind)];

    public static TheoryData<string> Groups => [.. KindTable.All.Select(k => $"{k.Group}/{k.Version}").Distinct()];

    /// <summary>Set KRATE_GENERATE=1, or run the generate command, to write the files anew.</summary>
    [Fact]
    public void Checked_in_files_are_what_the_table_generates()
    {
        if (Environment.GetEnvironmentVariable("KRATE_GENERATE") == "1") Outputs.WriteTo(Repository.Root, KindTable.Catalog);
        var outputs = Outputs.All(KindTable.Catalog);
        var stale = outputs.Where(o => Path.Combine(Repository.Root, o.Path) is var path && (!File.Exists(path) || File.ReadAllText(path) != o.Text)).Select(o => o.Path);
        Assert.Empty(stale.Concat(Outputs.Strays(Repository.Root, outputs)));
    }

    [Fact]
    public void Writing_twice_changes_nothing()
    {
        var root = Directory.CreateTempSubdirectory("krate-generation-").FullName;
        try
        {
            Assert.NotEmpty(Outputs.WriteTo(root, KindTable.Catalog));
            Assert.Empty(Outputs.WriteTo(root, KindTable.Catalog));
            var stray = Path.Combine(root, Outputs.Folders[0], "gone.yaml");
            File.WriteAllText(stray, "");
            Assert.Equal(["charts/krate-crds/templates/gone.yaml"], Outputs.WriteTo(root, KindTable.Catalog));
            Assert.False(File.Exists(stray));
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    [Theory, MemberData(nameof(ConfigKinds))]
    public void A_CRD_is_structural_and_names_its_kind(string kind)
    {
        var row = KindTable.Catalog[kind];
        var text = CrdWriter.Text(row);
        Assert.DoesNotContain("{{", text, StringComparison.Ordinal);
        var crd = KubernetesYaml.Deserialize<V1CustomResourceDefinition>(text);
        Assert.Equal($"{row.Plural}.{WellKnown.ApiGroup}", crd.Metadata.Name);
        Assert.Equal("Namespaced", crd.Spec.Scope);
        var version = Assert.Single(crd.Spec.Versions);
        Assert.NotNull(version.Subresources.Status);
        Assert.Equal("Age", version.AdditionalPrinterColumns[^1].Name);
        foreach (var (path, node) in Nodes("", Yaml.ParseObject(text).At("spec.versions")![0]!.At("schema.openAPIV3Schema")!.AsObject()))
        {
            Assert.True(node["type"] is not null || node["x-kubernetes-preserve-unknown-fields"] is not null, $"{path} has no type");
            Assert.False(node.ContainsKey("$ref") || node.ContainsKey("allOf"), $"{path} refers elsewhere");
            Assert.False(node.ContainsKey("properties") && node.ContainsKey("additionalProperties"), $"{path} is both a record and a map");
            if (node["required"] is JsonArray required) Assert.All(required, r => Assert.NotNull(node["properties"]![r!.GetValue<string>()]));
        }
    }

    [Fact]
    public void The_API_group_of_a_CRD_is_a_parameter()
    {
        var crd = CrdWriter.Write(KindTable.Catalog["AgentStack"], "example.org");
        Assert.Equal("agentstacks.example.org", crd.Text("metadata.name"));
        Assert.Equal("example.org", crd.Text("spec.group"));
    }

    [Theory, MemberData(nameof(Groups))]
    public void OpenAPI_has_what_kubectl_looks_for(string groupVersion)
    {
        var (group, version) = (groupVersion[..groupVersion.LastIndexOf('/')], groupVersion[(groupVersion.LastIndexOf('/') + 1)..]);
        var document = OpenApiWriter.Write(KindTable.Catalog, group, version);
        var schemas = document.At("components.schemas")!.AsObject();
        foreach (var kind in KindTable.All.Where(k => k.Group == group && k.Version == version))
        {
            var schema = schemas[OpenApiWriter.NameOf(kind)]!;
            var gvk = ((JsonArray)schema["x-kubernetes-group-version-kind"]!)[0]!;
            Assert.Equal((group, version, kind.Kind), (gvk.Text("group"), gvk.Text("version"), gvk.Text("kind")));
            var patches = document["paths"]!.AsObject().Select(p => p.Value!["patch"]).OfType<JsonObject>().Where(p => p.Text("x-kubernetes-group-version-kind.kind") == kind.Kind).ToList();
            Assert.Equal(kind.CreateOnly || kind.ReadOnly, patches.Count == 0);
            Assert.All(patches, p => Assert.Contains(((JsonArray)p["parameters"]!), q => q.Text("name") == "fieldValidation"));
        }

        var dangling = References(document).Distinct().Where(r => r.Split('/') is not ["#", "components", var section, var name] || document["components"]![section]![name] is null).ToList();
        Assert.Empty(dangling);
        var ids = document["paths"]!.AsObject().SelectMany(p => p.Value!.AsObject()).Select(o => o.Value is JsonObject op ? op.Text("operationId") : null).OfType<string>().ToList();
        Assert.Equal(ids.Count, ids.Distinct().Count());
    }

    [Fact]
    public void The_reference_names_every_kind_and_every_field_of_a_spec()
    {
        var text = ReferenceDocWriter.Write(KindTable.Catalog);
        foreach (var kind in KindTable.All.Where(k => k.IsProduct))
        {
            Assert.Contains($"### {kind.Kind}\n", text, StringComparison.Ordinal);
            foreach (var field in kind.RequiredSpec) Assert.Contains($"| `spec.{field}` |", text, StringComparison.Ordinal);
        }
    }

    private static IEnumerable<string> References(JsonNode? node) => node switch
    {
        JsonObject o => o.SelectMany(p => p.Key == "$ref" ? [p.Value!.GetValue<string>()] : References(p.Value)),
        JsonArray a => a.SelectMany(References),
        _ => [],
    };

    private static IEnumerable<(string Path, JsonObject Node)> Nodes(string path, JsonObject node)
    {
        yield return (path, node);
        var children = (node["properties"] as JsonObject ?? []).Select(p => (p.Key, p.Value))
            .Append(("[]", node["items"])).Append(("*", node["additionalProperties"]));
        foreach (var (name, child) in children)
        {
            if (child is not JsonObject below) continue;
            foreach (var found in Nodes($"{path}.{name}", below)) yield return found;
        }
    }
}
