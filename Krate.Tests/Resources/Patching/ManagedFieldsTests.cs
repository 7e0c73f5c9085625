using System.Text.Json.Nodes;
using FsCheck.Xunit;
using Krate.Core.Resources;
using Krate.Core.Resources.Patching;
using Xunit;
using static Krate.Tests.Resources.Patching.PatchExamples;

namespace Krate.Tests.Resources.Patching;

public sealed class ManagedFieldsTests
{
    [Fact]
    public void An_update_takes_the_fields_that_it_changes_from_their_owner()
    {
        var before = new Patch(PatchType.Apply, Stack("""{"model":"m","provider":"p"}"""), "ann").ApplyTo(null, Product, Now);
        var after = before.Copy();
        after["spec"]!["model"] = "n";
        ManagedFields.TrackUpdate(before, after, "edit", "", Now.AddMinutes(1));
        Assert.Equal(
            [("ann", "Apply", """{"f:spec":{"f:provider":{}}}"""), ("edit", "Update", """{"f:spec":{"f:model":{}}}""")],
            Entries(after).Select(e => (e.Text("manager")!, e.Text("operation")!, KrateJson.ToText(e["fieldsV1"]!))));
    }

    [Fact]
    public void An_update_that_changes_nothing_keeps_every_entry_and_time()
    {
        var before = Written("a", 1);
        var after = before.Copy();
        ((JsonObject)after["metadata"]!).Remove("managedFields");
        ManagedFields.TrackUpdate(before, after, "b", "", Now.AddMinutes(9));
        Assert.True(Same(before, after));
    }

    [Fact]
    public void A_writer_may_clear_the_entries_and_broken_ones_are_ignored()
    {
        var before = Written("a", 1);
        var cleared = before.Copy();
        cleared["metadata"]!["managedFields"] = new JsonArray(new JsonObject());
        ManagedFields.TrackUpdate(before, cleared, "b", "", Now);
        Assert.Null(cleared["metadata"]!["managedFields"]);
        var broken = before.Copy();
        broken["metadata"]!["managedFields"] = new JsonArray(new JsonObject { ["fieldsV1"] = 3 });
        ManagedFields.TrackUpdate(before, broken, "b", "", Now);
        Assert.True(Same(before, broken));
    }

    [Fact]
    public void Many_updaters_are_folded_into_one_entry()
    {
        var live = Stack("{}");
        for (var i = 0; i < 30; i++)
        {
            var next = live.Copy();
            next["spec"]![$"f{i}"] = i;
            ManagedFields.TrackUpdate(live, next, $"m{i}", "", Now.AddMinutes(i));
            live = next;
        }

        Assert.Equal(11, Entries(live).Count());
        Assert.Equal(30, Entries(live).Sum(e => ((JsonObject)e.At("fieldsV1.f:spec")!).Count));
    }

    [Property(Arbitrary = [typeof(RandomDocuments)], MaxTest = 300)]
    public bool After_any_writes_every_field_has_exactly_one_owner_among_updaters(JsonObject a, JsonObject b, JsonObject c)
    {
        JsonObject? live = null;
        foreach (var (spec, manager) in new[] { (a, "one"), (b, "two"), (c, "one") })
        {
            var next = Stack(KrateJson.ToText(spec));
            ManagedFields.TrackUpdate(live, next, manager, "", Now);
            live = next;
        }

        var leaves = FieldSet.LeavesOf(live!).Keys.ToHashSet();
        var owned = FieldOwner.ReadAll((JsonObject)live!["metadata"]!)!.SelectMany(o => o.Fields).ToLookup(leaves.Contains);
        // What is no leaf is an object that somebody asked for empty and others filled.
        return owned[true].Count() == leaves.Count && leaves.SetEquals(owned[true]) && owned[false].All(f => leaves.Any(l => l.StartsWith(f)));
    }

    private static JsonObject Written(string manager, int value)
    {
        var document = Stack($$"""{"x":{{value}}}""");
        ManagedFields.TrackUpdate(null, document, manager, "", Now);
        return document;
    }

    private static IEnumerable<JsonObject> Entries(JsonObject document) => (document.At("metadata.managedFields") as JsonArray ?? []).OfType<JsonObject>();
}
