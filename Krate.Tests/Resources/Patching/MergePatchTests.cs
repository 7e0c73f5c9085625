using System.Text.Json.Nodes;
using FsCheck.Xunit;
using Krate.Core.Resources;
using Krate.Core.Resources.Patching;
using Xunit;
using static Krate.Tests.Resources.Patching.PatchExamples;

namespace Krate.Tests.Resources.Patching;

public sealed class MergePatchTests
{
    [Theory] // the examples of RFC 7386, appendix A, that concern objects
    [InlineData("""{"a":"b"}""", """{"a":"c"}""", """{"a":"c"}""")]
    [InlineData("""{"a":"b"}""", """{"b":"c"}""", """{"a":"b","b":"c"}""")]
    [InlineData("""{"a":"b","b":"c"}""", """{"a":null}""", """{"b":"c"}""")]
    [InlineData("""{"a":["b"]}""", """{"a":"c"}""", """{"a":"c"}""")]
    [InlineData("""{"a":"c"}""", """{"a":["b"]}""", """{"a":["b"]}""")]
    [InlineData("""{"a":{"b":"c"}}""", """{"a":{"b":"d","c":null}}""", """{"a":{"b":"d"}}""")]
    [InlineData("""{"a":[{"b":"c"}]}""", """{"a":[1]}""", """{"a":[1]}""")]
    [InlineData("""{"e":null}""", """{"a":1}""", """{"e":null,"a":1}""")]
    [InlineData("""{}""", """{"a":{"bb":{"ccc":null}}}""", """{"a":{"bb":{}}}""")]
    public void A_merge_patch_does_what_RFC_7386_says(string live, string patch, string expected) =>
        Assert.True(Same(Json(expected), MergePatch.Apply(Json(live), Json(patch))));

    [Property(Arbitrary = [typeof(RandomDocuments)], MaxTest = 300)]
    public bool The_difference_of_two_documents_turns_the_one_into_the_other(JsonObject a, JsonObject b) =>
        Same(b, MergePatch.Apply(a, MergePatch.Diff(a, b)));
}

public sealed class StrategicMergePatchTests
{
    [Theory]
    [InlineData("""{"metadata":{"finalizers":["a","b"]}}""", """{"metadata":{"finalizers":["c","a"]}}""", """{"metadata":{"finalizers":["a","b","c"]}}""")]
    [InlineData("""{"metadata":{"finalizers":["a","b"]}}""", """{"metadata":{"$deleteFromPrimitiveList/finalizers":["a"]}}""", """{"metadata":{"finalizers":["b"]}}""")]
    [InlineData("""{"metadata":{"finalizers":["a","b"]}}""", """{"metadata":{"$setElementOrder/finalizers":["c","b","a"],"finalizers":["c"]}}""", """{"metadata":{"finalizers":["c","b","a"]}}""")]
    [InlineData("""{"secrets":[{"name":"a"},{"name":"b"}]}""", """{"secrets":[{"name":"b","$patch":"delete"},{"name":"c"}]}""", """{"secrets":[{"name":"a"},{"name":"c"}]}""")]
    [InlineData("""{"secrets":[{"name":"a"},{"name":"b"}]}""", """{"secrets":[{"$patch":"replace"},{"name":"c"}]}""", """{"secrets":[{"name":"c"}]}""")]
    [InlineData("""{"imagePullSecrets":[{"name":"a"},{"name":"b"}]}""", """{"$setElementOrder/imagePullSecrets":[{"name":"b"},{"name":"a"}]}""", """{"imagePullSecrets":[{"name":"b"},{"name":"a"}]}""")]
    [InlineData("""{"metadata":{"ownerReferences":[{"uid":"1","name":"x"}]}}""", """{"metadata":{"ownerReferences":[{"uid":"1","controller":true},{"uid":"2"}]}}""", """{"metadata":{"ownerReferences":[{"uid":"1","name":"x","controller":true},{"uid":"2"}]}}""")]
    [InlineData("""{"rules":[{"verbs":["get"]},{"verbs":["list"]}]}""", """{"rules":[{"verbs":["watch"]}]}""", """{"rules":[{"verbs":["watch"]}]}""")]
    [InlineData("""{"data":{"a":"1","b":"2"}}""", """{"data":{"$patch":"replace","c":"3"}}""", """{"data":{"c":"3"}}""")]
    [InlineData("""{"data":{"a":"1"},"type":"x"}""", """{"data":{"$patch":"delete"}}""", """{"type":"x"}""")]
    [InlineData("""{"roleRef":{"a":"1","b":"2"}}""", """{"roleRef":{"$retainKeys":["a","c"],"c":"3"}}""", """{"roleRef":{"a":"1","c":"3"}}""")]
    [InlineData("""{"data":{"a":"1","b":"2"}}""", """{"data":{"a":null}}""", """{"data":{"b":"2"}}""")]
    public void Native_lists_merge_by_element_and_directives_are_honoured(string live, string patch, string expected) =>
        Assert.Equal(KrateJson.ToText(Json(expected)), KrateJson.ToText(StrategicMergePatch.Apply(Json(live), Json(patch), Native)));

    [Theory]
    [InlineData("""{"$what":1}""", "$what")]
    [InlineData("""{"data":{"$patch":"explode"}}""", "data.$patch")]
    [InlineData("""{"$setElementOrder/rules":[1]}""", "$setElementOrder/rules")]
    [InlineData("""{"$deleteFromPrimitiveList/secrets":["a"]}""", "$deleteFromPrimitiveList/secrets")]
    [InlineData("""{"rules":[{"$patch":"delete"}]}""", "rules.$patch")]
    [InlineData("""{"secrets":[{"namespace":"x"}]}""", "secrets")]
    [InlineData("""{"data":{"$retainKeys":["a"],"b":"1"}}""", "data.b")]
    [InlineData("""{"$patch":"delete"}""", "$patch")]
    public void Any_other_directive_is_refused_by_name(string patch, string field)
    {
        var refusal = Assert.Throws<ApiException>(() => StrategicMergePatch.Apply(Json("""{"data":{}}"""), Json(patch), Native));
        Assert.Equal(422, refusal.Code);
        Assert.Equal(field, Assert.Single(refusal.Causes).Field);
    }

    [Fact]
    public void Product_kinds_take_it_as_a_merge_patch_and_refuse_directives()
    {
        var live = Stack("""{"tags":["a"],"limits":{"x":1}}""");
        Assert.Equal("""{"tags":["b"],"limits":{}}""", KrateJson.ToText(StrategicMergePatch.Apply(live, Json("""{"spec":{"tags":["b"],"limits":{"x":null}}}"""), Product)["spec"]!));
        Assert.Equal(422, Assert.Throws<ApiException>(() => StrategicMergePatch.Apply(live, Json("""{"spec":{"$patch":"replace"}}"""), Product)).Code);
    }
}
