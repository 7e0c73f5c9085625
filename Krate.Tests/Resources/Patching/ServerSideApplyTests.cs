using System.Text.Json.Nodes;
using FsCheck.Xunit;
using Krate.Core.Resources;
using Krate.Core.Resources.Patching;
using Xunit;
using static Krate.Tests.Resources.Patching.PatchExamples;

namespace Krate.Tests.Resources.Patching;

public sealed class ServerSideApplyTests
{
    private static readonly DateTimeOffset Later = Now.AddMinutes(5);

    [Fact]
    public void Apply_creates_what_is_missing_and_owns_exactly_what_it_says()
    {
        var made = Apply(null, "ann", """{"model":"m","tags":["a"],"limits":{"x":1}}""");
        Assert.Equal("m", made.Text("spec.model"));
        var entry = Assert.Single(Entries(made));
        Assert.Equal("""{"f:spec":{"f:limits":{"f:x":{}},"f:model":{},"f:tags":{}}}""", KrateJson.ToText(entry["fieldsV1"]!));
        Assert.Equal(("ann", "Apply", WellKnown.GroupVersion, "2026-05-01T12:00:00Z"), (entry.Text("manager"), entry.Text("operation"), entry.Text("apiVersion"), entry.Text("time")));
    }

    [Fact]
    public void A_repeated_apply_changes_nothing_at_all()
    {
        var first = Apply(null, "ann", """{"model":"m","empty":{}}""");
        Assert.Equal(KrateJson.ToText(first), KrateJson.ToText(Apply(first, "ann", """{"model":"m","empty":{}}""", at: Later)));
    }

    [Fact]
    public void A_field_no_longer_said_goes_unless_somebody_else_owns_it_too()
    {
        var live = Apply(null, "ann", """{"model":"m","provider":"p","limits":{"x":1}}""");
        live = Apply(live, "bob", """{"provider":"p"}""");
        var after = Apply(live, "ann", """{"model":"m"}""", at: Later);
        Assert.Equal("""{"model":"m","provider":"p"}""", KrateJson.ToText(after["spec"]!));
        Assert.Equal(["bob", "ann"], Entries(after).OrderByDescending(e => e.Text("manager")).Select(e => e.Text("manager")));
    }

    [Fact]
    public void Another_value_for_a_field_of_somebody_else_is_a_conflict_that_names_both()
    {
        var live = Apply(null, "ann", """{"model":"m"}""");
        var refusal = Assert.Throws<ApiException>(() => Apply(live, "bob", """{"model":"n"}"""));
        Assert.Equal((409, "Conflict"), (refusal.Code, refusal.Reason));
        Assert.Equal("Apply failed with 1 conflict: conflict with \"ann\": .spec.model", refusal.Message);
        Assert.Equal(new FieldError("FieldManagerConflict", ".spec.model", "conflict with \"ann\""), Assert.Single(refusal.Causes));
    }

    [Fact]
    public void Several_conflicts_are_listed_by_manager_as_kubectl_prints_them()
    {
        var live = Apply(null, "ann", """{"model":"m","provider":"p"}""");
        live["spec"]!["tags"] = new JsonArray("t");
        ManagedFields.TrackUpdate(Apply(null, "ann", """{"model":"m","provider":"p"}"""), live, "edit", "", Now);
        var refusal = Assert.Throws<ApiException>(() => Apply(live, "bob", """{"model":"n","provider":"q","tags":["u"]}"""));
        Assert.Equal(
            "Apply failed with 3 conflicts: conflicts with \"ann\":\n- .spec.model\n- .spec.provider\nconflicts with \"edit\" using krate.a5c.ai/v1alpha1:\n- .spec.tags",
            refusal.Message);
    }

    [Fact]
    public void Force_takes_the_field_over()
    {
        var live = Apply(null, "ann", """{"model":"m","provider":"p"}""");
        var after = Apply(live, "bob", """{"model":"n"}""", force: true, at: Later);
        Assert.Equal("n", after.Text("spec.model"));
        Assert.Equal("""{"f:spec":{"f:provider":{}}}""", KrateJson.ToText(Entries(after).Single(e => e.Text("manager") == "ann")["fieldsV1"]!));
        Assert.Equal("2026-05-01T12:00:00Z", Entries(after).Single(e => e.Text("manager") == "ann").Text("time"));
    }

    [Fact]
    public void Replacing_a_map_of_somebody_else_by_a_value_is_a_conflict()
    {
        var live = Apply(null, "ann", """{"limits":{"x":1}}""");
        var refusal = Assert.Throws<ApiException>(() => Apply(live, "bob", """{"limits":3}"""));
        Assert.Equal(".spec.limits.x", Assert.Single(refusal.Causes).Field);
        Assert.Equal("3", Apply(live, "bob", """{"limits":3}""", force: true)["spec"]!["limits"]!.ToJsonString());
        Assert.Throws<ApiException>(() => Apply(Apply(null, "ann", """{"limits":{"x":{}}}"""), "bob", """{"limits":3}"""));
    }

    [Fact]
    public void A_member_of_somebody_elses_empty_map_is_no_conflict() =>
        Assert.Equal("""{"limits":{"x":1}}""", KrateJson.ToText(Apply(Apply(null, "ann", """{"limits":{}}"""), "bob", """{"limits":{"x":1}}""")["spec"]!));

    [Fact]
    public void Conditions_are_owned_one_by_one()
    {
        var live = Status(Stack("{}"), "one", """{"type":"Ready","status":"False"}""");
        live = Status(live, "two", """{"type":"Synced","status":"True"}""");
        Assert.Equal(2, ((JsonArray)live.At("status.conditions")!).Count);
        var refusal = Assert.Throws<ApiException>(() => Status(live, "two", """{"type":"Ready","status":"True"}"""));
        Assert.Equal(".status.conditions[type=\"Ready\"].status", Assert.Single(refusal.Causes).Field);
        Assert.Contains("conflict with \"one\" with subresource \"status\"", refusal.Message, StringComparison.Ordinal);
        live = Status(live, "two", "");
        Assert.Equal("Ready", Assert.Single((JsonArray)live.At("status.conditions")!).Text("type"));
    }

    [Fact]
    public void The_main_resource_ignores_a_status_and_the_status_everything_else()
    {
        var config = Stack("""{"model":"m"}""");
        config["status"] = new JsonObject { ["phase"] = "Ready" };
        var main = new Patch(PatchType.Apply, config, "ann").ApplyTo(null, Product, Now);
        Assert.Null(main["status"]);
        var status = new Patch(PatchType.Apply, config, "ann").ApplyTo(Stack("""{"model":"other"}"""), Product, Now, "status");
        Assert.Equal(("other", "Ready"), (status.Text("spec.model"), status.Text("status.phase")));
    }

    [Fact]
    public void What_only_the_server_may_say_is_refused()
    {
        var config = Stack("{}");
        config["metadata"]!["managedFields"] = new JsonArray(new JsonObject());
        Assert.Equal(400, Assert.Throws<ApiException>(() => new Patch(PatchType.Apply, config, "ann").ApplyTo(null, Product, Now)).Code);
        Assert.Equal(422, Assert.Throws<ApiException>(() => Apply(null, "", "{}")).Code);
        var stale = Stack("{}");
        stale["metadata"]!["resourceVersion"] = "1";
        Assert.Equal(409, Assert.Throws<ApiException>(() => new Patch(PatchType.Apply, stale, "ann").ApplyTo(Stack("{}"), Product, Now)).Code);
    }

    [Property(Arbitrary = [typeof(RandomDocuments)], MaxTest = 300)]
    public bool Applying_twice_is_applying_once(JsonObject live, JsonObject config)
    {
        var once = Apply(Tracked(live, "edit"), "ann", KrateJson.ToText(config), force: true);
        return KrateJson.ToText(once) == KrateJson.ToText(Apply(once, "ann", KrateJson.ToText(config), at: Later));
    }

    [Property(Arbitrary = [typeof(RandomDocuments)], MaxTest = 300)]
    public bool Two_managers_of_different_fields_do_not_care_who_comes_first(JsonObject a, JsonObject b)
    {
        var (ofAnn, ofBob) = (Wrap("ann", a), Wrap("bob", b));
        var one = Apply(Apply(Stack("{}"), "ann", ofAnn), "bob", ofBob);
        var two = Apply(Apply(Stack("{}"), "bob", ofBob), "ann", ofAnn);
        return Same(one["spec"], two["spec"]) && Same(Apply(one, "ann", "{}")["spec"], Apply(Stack("{}"), "bob", ofBob)["spec"]);
    }

    [Property(Arbitrary = [typeof(RandomDocuments)], MaxTest = 300)]
    public bool A_manager_that_drops_everything_leaves_what_was_there(JsonObject live, JsonObject config)
    {
        var before = Tracked(live, "edit");
        try
        {
            var after = Apply(Apply(before, "ann", KrateJson.ToText(config)), "ann", "{}");
            return Same(before["spec"], after["spec"]);
        }
        catch (ApiException conflict)
        {
            return conflict.Reason == "Conflict";
        }
    }

    private static JsonObject Apply(JsonObject? live, string manager, string spec, bool force = false, DateTimeOffset? at = null) =>
        new Patch(PatchType.Apply, Stack(spec), manager, force).ApplyTo(live, Product, at ?? Now);

    private static JsonObject Status(JsonObject live, string manager, string condition)
    {
        var config = Json($$"""{"metadata":{"name":"a"},"status":{"conditions":[{{condition}}] } }""");
        if (condition.Length == 0) config.Remove("status");
        return new Patch(PatchType.Apply, config, manager).ApplyTo(live, Product, Now, "status");
    }

    private static JsonObject Tracked(JsonObject spec, string manager)
    {
        var document = Stack(KrateJson.ToText(spec));
        ManagedFields.TrackUpdate(null, document, manager, "", Now);
        return document;
    }

    private static string Wrap(string name, JsonObject spec) => KrateJson.ToText(new JsonObject { [name] = spec.Copy(), ["shared"] = new JsonObject { [name] = spec.Copy() } });

    private static IEnumerable<JsonObject> Entries(JsonObject document) => ((JsonArray)document.At("metadata.managedFields")!).OfType<JsonObject>();
}
