using System.Text.Json.Nodes;
using Krate.Core.Kinds;
using Krate.Core.Resources;

namespace Krate.Tests.Kinds;

public sealed class SchemaValidatorTests
{
    public static TheoryData<string> Stored => [.. KindTable.All.Where(k => !k.CreateOnly).Select(k => k.Kind)];

    public static TheoryData<string, string> RequiredFields =>
        [.. KindTable.All.Where(k => k.IsProduct).SelectMany(k => k.RequiredSpec, (k, f) => new TheoryDataRow<string, string>(k.Kind, f))];

    [Theory, MemberData(nameof(Stored))]
    public void A_document_with_what_is_required_is_valid(string kind)
    {
        var row = KindTable.Catalog[kind];
        Assert.Empty(SchemaValidator.Validate(row, Samples.Of(row)));
    }

    [Theory, MemberData(nameof(Stored))]
    public void A_document_with_every_field_is_valid_and_nothing_is_pruned(string kind)
    {
        var row = KindTable.Catalog[kind];
        var document = Samples.Of(row, everything: true);
        Assert.Empty(SchemaValidator.Validate(row, document));
        Assert.Empty(SchemaValidator.Prune(row, document));
    }

    [Theory, MemberData(nameof(RequiredFields))]
    public void A_required_field_that_is_absent_null_or_empty_is_named(string kind, string field)
    {
        var row = KindTable.Catalog[kind];
        var absent = Samples.Of(row);
        ((JsonObject)absent["spec"]!).Remove(field);
        var isNull = Samples.Of(row);
        isNull["spec"]![field] = null;
        var bad = new List<JsonObject> { absent, isNull };
        if (row.Fields.At($"spec.{field}")!.Type is SchemaType.String)
        {
            var empty = Samples.Of(row);
            empty["spec"]![field] = "";
            bad.Add(empty);
        }

        foreach (var document in bad)
        {
            var errors = SchemaValidator.Validate(row, document);
            Assert.Contains(errors, e => e.Reason == SchemaValidator.FieldRequired && (e.Field == $"spec.{field}" || e.Field.StartsWith($"spec.{field}.", StringComparison.Ordinal)));
        }
    }

    [Theory, MemberData(nameof(Stored))]
    public void A_value_of_a_wrong_type_is_refused_at_every_field_by_its_path(string kind)
    {
        var row = KindTable.Catalog[kind];
        var document = Samples.Of(row, everything: true);
        foreach (var (path, node) in Samples.Leaves(row).Where(l => l.Node.Type is not SchemaType.Any))
        {
            var wrong = document.Copy();
            Samples.Put(wrong, path, node.Type is SchemaType.Object ? JsonValue.Create("text") : new JsonObject { ["oops"] = 1 });
            var errors = SchemaValidator.Validate(row, wrong);
            Assert.True(errors.Any(e => e.Reason == SchemaValidator.FieldTypeInvalid && e.Field == path), $"{kind}: {path}: {string.Join("; ", errors)}");
        }
    }

    [Theory, MemberData(nameof(Stored))]
    public void An_unknown_field_is_removed_and_named_by_its_path(string kind)
    {
        var row = KindTable.Catalog[kind];
        var sections = Samples.Leaves(row).Where(l => l.Node is { Type: SchemaType.Object, PreserveUnknown: false, Values: null }).Select(l => l.Path).Append("");
        foreach (var section in sections)
        {
            var document = Samples.Of(row, everything: true);
            var path = section.Length == 0 ? "colour" : $"{section}.colour";
            Samples.Put(document, path, JsonValue.Create("blue"));
            Assert.Equal([path], SchemaValidator.Prune(row, document));
            Assert.DoesNotContain("colour", document.ToJsonString(), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("metadata.name", "\"Upper\"")]
    [InlineData("metadata.name", "\"-x\"")]
    [InlineData("metadata.name", "\"a/b\"")]
    [InlineData("metadata.name", "\"a\\n\"")]
    [InlineData("metadata.namespace", "\"a.b\"")]
    [InlineData("metadata.labels", "{\"a b\":\"x\"}")]
    [InlineData("metadata.labels", "{\"a\":\"-x\"}")]
    [InlineData("metadata.labels[a]", "{\"a\":1}", "metadata.labels.a")]
    [InlineData("metadata.annotations", "{\"a b\":\"x\"}")]
    [InlineData("metadata.finalizers[0]", "[\"not a name\"]")]
    [InlineData("metadata.finalizers[0]", "[7]")]
    [InlineData("metadata.ownerReferences[0].uid", "[{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"name\":\"x\"}]")]
    public void Metadata_is_held_to_the_rules_of_Kubernetes(string field, string value, string? reported = null)
    {
        var row = KindTable.Catalog["Repository"];
        var document = Samples.Of(row);
        var member = field.Split('.')[1].Split('[')[0];
        document["metadata"]![member] = JsonNode.Parse(value);
        Assert.Contains(SchemaValidator.Validate(row, document), e => e.Field == (reported ?? field));
    }

    [Fact]
    public void Too_many_labels_and_too_long_annotations_are_refused()
    {
        var row = KindTable.Catalog["Repository"];
        var document = Samples.Of(row);
        document["metadata"]!["labels"] = new JsonObject(Enumerable.Range(0, 65).Select(i => KeyValuePair.Create($"l{i}", (JsonNode?)"x")));
        document["metadata"]!["annotations"] = new JsonObject { ["a"] = new string('x', 256 * 1024) };
        Assert.Equal(["metadata.labels", "metadata.annotations"], SchemaValidator.Validate(row, document).Select(e => e.Field));
    }

    [Fact]
    public void A_name_may_be_left_to_the_server_only_where_it_makes_one()
    {
        foreach (var kind in KindTable.All.Where(k => !k.CreateOnly))
        {
            var document = Samples.Of(kind);
            ((JsonObject)document["metadata"]!).Remove("name");
            var named = SchemaValidator.Validate(kind, document).Any(e => e.Field == "metadata.name");
            Assert.Equal(!kind.Numbered && kind.NamePrefix is null, named);
        }
    }

    [Fact]
    public void Names_of_roles_are_path_segments()
    {
        var row = KindTable.Catalog["ClusterRole"];
        var document = Samples.Of(row);
        document["metadata"]!["name"] = "system:auth-delegator";
        Assert.Empty(SchemaValidator.Validate(row, document));
        document["metadata"]!["name"] = "a/b";
        Assert.Equal(["metadata.name"], SchemaValidator.Validate(row, document).Select(e => e.Field));
    }

    [Fact]
    public void Messages_do_not_repeat_the_value()
    {
        var row = KindTable.Catalog["Repository"];
        var document = Samples.Of(row);
        document["spec"]!["visibility"] = "hunter2-hunter2";
        var error = Assert.Single(SchemaValidator.Validate(row, document));
        Assert.Equal(SchemaValidator.FieldNotSupported, error.Reason);
        Assert.DoesNotContain("hunter2", error.Message, StringComparison.Ordinal);
        Assert.Contains("\"internal\"", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_path_of_a_list_element_is_written_with_its_index()
    {
        var row = KindTable.Catalog["Role"];
        var document = Samples.Of(row, everything: true);
        ((JsonArray)document["rules"]!).Add(new JsonObject { ["verbs"] = new JsonArray("get", 5) });
        Assert.Equal(["rules[1].verbs[1]"], SchemaValidator.Validate(row, document).Select(e => e.Field));
    }
}
