using System.Text.Json.Nodes;
using Krate.Core.Kinds;
using Krate.Core.Resources;
using Krate.Web.Components;
using Krate.Web.Features;
using Krate.Web.Features.Resources;
using Xunit;

namespace Krate.Tests.Pages;

public sealed class ManifestTests
{
    public static TheoryData<string> Kinds => [.. KindTable.All.Where(k => !k.CreateOnly).Select(k => k.Kind)];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Every_kind_has_a_template_of_known_fields_with_all_that_are_required(string name)
    {
        var kind = KindTable.Catalog[name];
        var template = ManifestTemplate.Build(kind, Place.IsOrgKind(kind) ? new Place("acme", "Acme", "krate-org-acme") : Place.Platform, "sample");
        var read = Yaml.ParseObject(Yaml.Write(template));

        Assert.Equal(template.ToJsonString(), read.ToJsonString());
        Assert.Empty(SchemaValidator.Prune(kind, read));
        Assert.All(kind.RequiredSpec, field => Assert.True(template["spec"]!.AsObject().ContainsKey(field), field));
        Assert.DoesNotContain(SchemaValidator.Validate(kind, read), e => e.Reason is "FieldValueRequired" && !e.Field.Contains('[', StringComparison.Ordinal) && template.At(e.Field) is null && e.Field.Count(c => c == '.') < 2);
    }

    [Fact]
    public void Two_changes_to_one_document_are_combined_and_the_typed_one_stands_where_both_changed_a_field()
    {
        var origin = KrateJson.ParseObject("""{"spec":{"a":1,"b":1,"c":1,"gone":1,"list":[1],"map":{"x":1}}}""");
        var mine = KrateJson.ParseObject("""{"spec":{"a":2,"b":1,"c":2,"list":[1,2],"map":{"x":1,"y":1}}}""");
        var theirs = KrateJson.ParseObject("""{"spec":{"a":3,"b":3,"c":1,"gone":1,"list":[1],"map":{"x":3},"new":1}}""");

        Assert.Equal("""{"spec":{"a":2,"b":3,"c":2,"list":[1,2],"map":{"x":3,"y":1},"new":1}}""", ThreeWayMerge.Of(origin, mine, theirs).ToJsonString());
    }

    [Fact]
    public void A_diff_shows_what_changed_with_a_little_around_it()
    {
        var before = string.Join('\n', Enumerable.Range(1, 20).Select(i => $"line {i}"));
        var after = before.Replace("line 10\n", "line ten\nline ten and a half\n", StringComparison.Ordinal);

        var lines = LineDiff.Between(before, after);

        Assert.Equal(["line 10"], lines.Where(l => l.Kind == DiffKind.Removed).Select(l => l.Text));
        Assert.Equal(["line ten", "line ten and a half"], lines.Where(l => l.Kind == DiffKind.Added).Select(l => l.Text));
        Assert.Equal(2, lines.Count(l => l.Kind == DiffKind.Skipped));
        Assert.Equal(4, lines.Count(l => l.Kind == DiffKind.Same));
    }

    [Theory]
    [InlineData("AgentWorkspacePolicy", "AgentWorkspacePolicies")]
    [InlineData("SSHKey", "SSHKeys")]
    [InlineData("Repository", "Repositories")]
    [InlineData("AgentMemoryOntology", "AgentMemoryOntologies")]
    public void Kinds_keep_their_spelling_in_the_plural(string kind, string plural) => Assert.Equal(plural, KindWords.Plural(KindTable.Catalog[kind]));
}
