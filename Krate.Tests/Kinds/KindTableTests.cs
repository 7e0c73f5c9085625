using System.Reflection;
using System.Text.Json.Nodes;
using Krate.Core.Kinds;
using Krate.Core.Resources;

namespace Krate.Tests.Kinds;

public sealed class KindTableTests
{
    public static TheoryData<string> Everything => [.. KindTable.All.Select(k => k.Kind)];

    public static TheoryData<string> Products => [.. KindTable.All.Where(k => k.IsProduct).Select(k => k.Kind)];

    [Fact]
    public void The_table_holds_exactly_the_kinds_of_the_specification()
    {
        var expected = File.ReadLines(Path.Combine(Repository.Root, "Krate.Tests/Kinds/kinds.csv")).Skip(1).Where(l => l.Length > 0).Select(l => string.Join(',', l.Split(',')[..6])).Order();
        var actual = KindTable.All.Where(k => k.IsProduct)
            .Select(k => string.Join(',', k.Kind, k.Plural, k.Context, k.Storage, k.Scope, string.Join(' ', k.RequiredSpec))).Order();
        Assert.Equal(expected, actual);
    }

    [Fact]
    public void Every_row_in_the_code_is_in_the_table()
    {
        var rows = typeof(KindTable).Assembly.GetTypes().Where(t => t.Namespace?.StartsWith("Krate.Core.Kinds", StringComparison.Ordinal) == true)
            .Select(t => t.GetProperty("Row", BindingFlags.Public | BindingFlags.Static)?.GetValue(null)).OfType<KindDefinition>();
        Assert.Empty(rows.Except(KindTable.All).Select(k => k.Kind));
    }

    [Fact]
    public void Names_short_names_and_plurals_are_unique()
    {
        var names = KindTable.All.SelectMany(k => k.ShortNames.Append(k.Plural).Append(k.Singular).Distinct());
        Assert.Empty(names.GroupBy(n => n).Where(g => g.Count() > 1).Select(g => g.Key));
    }

    [Theory, MemberData(nameof(Everything))]
    public void References_columns_and_labels_point_at_fields_of_the_schema(string kind)
    {
        var row = KindTable.Catalog[kind];
        var missing = new List<string>();
        foreach (var reference in row.References)
        {
            if (reference.KindField is null && KindTable.Catalog.Find(reference.TargetKind) is null) missing.Add($"{reference.Path}: no kind {reference.TargetKind}");
            missing.AddRange(reference.KindNames.Values.Where(k => KindTable.Catalog.Find(k) is null).Select(k => $"{reference.Path}: no kind {k}"));
        }

        var paths = row.References.Select(r => r.Path)
            .Concat(row.Columns.Where(c => c.Compute is null).Select(c => c.Path))
            .Concat(row.DerivedLabels.Select(l => l.Path))
            .Concat(row.SelectableFields)
            .Concat(row.IsProduct ? row.MutableSpecFields.Concat(row.FixedSpecFields).Select(f => $"spec.{f}") : row.FixedSpecFields)
            .Concat(row.WriteOnceStatus.Select(f => $"status.{f}"))
            .Concat(row.RepositoryPath is { } p ? [p] : []);
        missing.AddRange(paths.Where(p => row.Fields.At(FieldPath.Plain(p)) is null));
        Assert.Empty(missing);
    }

    [Theory, MemberData(nameof(Everything))]
    public void Every_field_is_described(string kind)
    {
        var row = KindTable.Catalog[kind];
        var silent = new List<string>();
        void Walk(SchemaNode node, string path)
        {
            foreach (var (name, child) in node.Properties)
            {
                if (string.IsNullOrWhiteSpace(child.Description)) silent.Add($"{path}{name}");

                // Deep parts of Kubernetes' own models are documented by Kubernetes.
                if (row.IsProduct) Walk(child.Items ?? child.Values ?? child, $"{path}{name}.");
            }
        }

        Walk(row.Fields, "");
        silent.RemoveAll(s => s.StartsWith("metadata.", StringComparison.Ordinal));
        Assert.Empty(silent);
        Assert.True(row.Description.EndsWith('.') && row.Description.Length > 10, row.Description);
    }

    [Theory, MemberData(nameof(Products))]
    public void Every_product_kind_has_the_envelope_of_the_specification(string kind)
    {
        var fields = KindTable.Catalog[kind].Fields;
        Assert.NotNull(fields.At("spec.organizationRef"));
        foreach (var field in new[] { "storage", "phase", "observedGeneration", "conditions" })
            Assert.NotNull(fields.At($"status.{field}"));
        Assert.Equal("type", fields.At("status.conditions")!.ListKey);
        Assert.DoesNotContain("organizationRef", fields.Find("spec")!.Required.Except(["organizationRef"]));
    }

    [Theory, MemberData(nameof(Everything))]
    public void A_schema_is_json_with_a_type_at_every_level(string kind)
    {
        var json = KindTable.Catalog[kind].Schema;
        Assert.Equal("object", json.Text("type"));
        Assert.Equal("#/components/schemas/" + SchemaBuilder.MetadataReference, ((JsonArray)json.At("properties.metadata.allOf")!)[0].Text("$ref"));
    }
}
