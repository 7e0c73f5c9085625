using System.Text.Json.Nodes;
using FsCheck.Xunit;
using Krate.Core.Resources;
using Krate.Core.Resources.Patching;
using Xunit;
using static Krate.Tests.Resources.Patching.PatchExamples;

namespace Krate.Tests.Resources.Patching;

public sealed class JsonPatchTests
{
    [Theory]
    [InlineData("""{"a":[1,3]}""", """[{"op":"add","path":"/a/1","value":2}]""", """{"a":[1,2,3]}""")]
    [InlineData("""{"a":[1]}""", """[{"op":"add","path":"/a/-","value":2}]""", """{"a":[1,2]}""")]
    [InlineData("""{"a":1}""", """[{"op":"add","path":"/b","value":{"c":null}}]""", """{"a":1,"b":{"c":null}}""")]
    [InlineData("""{"a":1}""", """[{"op":"add","path":"","value":{"b":2}}]""", """{"b":2}""")]
    [InlineData("""{"a":1,"b":2}""", """[{"op":"remove","path":"/a"}]""", """{"b":2}""")]
    [InlineData("""{"a":[1,2,3]}""", """[{"op":"remove","path":"/a/1"}]""", """{"a":[1,3]}""")]
    [InlineData("""{"a":[1,2]}""", """[{"op":"replace","path":"/a/0","value":9}]""", """{"a":[9,2]}""")]
    [InlineData("""{"a":{"b":1},"c":{}}""", """[{"op":"move","from":"/a/b","path":"/c/d"}]""", """{"a":{},"c":{"d":1}}""")]
    [InlineData("""{"a":{"b":1}}""", """[{"op":"copy","from":"/a","path":"/c"}]""", """{"a":{"b":1},"c":{"b":1}}""")]
    [InlineData("""{"a/b":1,"c~d":2}""", """[{"op":"test","path":"/a~1b","value":1},{"op":"replace","path":"/c~0d","value":3}]""", """{"a/b":1,"c~d":3}""")]
    public void Each_operation_does_what_RFC_6902_says(string live, string patch, string expected) =>
        Assert.True(Same(Json(expected), JsonPatch.Apply(Json(live), Operations(patch), Product)));

    [Theory]
    [InlineData("""[{"op":"remove","path":"/x"}]""", 422, "remove /x")]
    [InlineData("""[{"op":"replace","path":"/a/7","value":1}]""", 422, "replace /a/7")]
    [InlineData("""[{"op":"add","path":"/a/01","value":1}]""", 422, "add /a/01")]
    [InlineData("""[{"op":"add","path":"/x/y","value":1}]""", 422, "add /x/y")]
    [InlineData("""[{"op":"test","path":"/b","value":"no"}]""", 422, "test /b")]
    [InlineData("""[{"op":"move","from":"/o","path":"/o/p"}]""", 422, "move /o to /o/p")]
    [InlineData("""[{"op":"remove","path":""}]""", 422, "no object")]
    [InlineData("""[{"op":"replace","path":"","value":3}]""", 422, "no object")]
    [InlineData("""[{"op":"spell","path":"/a"}]""", 400, "spell")]
    [InlineData("""[{"op":"add","path":"/a"}]""", 400, "value")]
    [InlineData("""[{"op":"add","path":"a","value":1}]""", 400, "JSON pointer")]
    [InlineData("""[{"op":"copy","path":"/a"}]""", 400, "from")]
    [InlineData("""[7]""", 400, "operation 0")]
    public void A_wrong_operation_is_refused_by_name_and_changes_nothing(string patch, int code, string names)
    {
        var live = Json("""{"a":[1,2],"b":"yes","o":{}}""");
        var refusal = Assert.Throws<ApiException>(() => JsonPatch.Apply(live, Operations(patch), Product));
        Assert.Equal(code, refusal.Code);
        Assert.Contains(names, refusal.Message, StringComparison.Ordinal);
        Assert.True(Same(Json("""{"a":[1,2],"b":"yes","o":{}}"""), live));
    }

    [Fact]
    public void Doubling_copies_are_refused_before_they_fill_the_memory()
    {
        var doubling = new JsonArray([.. Enumerable.Range(0, 60).Select(i => (JsonNode)new JsonObject { ["op"] = "copy", ["from"] = "/a", ["path"] = $"/a/{i}" })]);
        var refusal = Assert.Throws<ApiException>(() => JsonPatch.Apply(Json("""{"a":{"x":"0123456789"}}"""), doubling, Product));
        Assert.InRange(refusal.Code, 400, 499);
    }

    [Property(Arbitrary = [typeof(RandomDocuments)], MaxTest = 300)]
    public bool A_patch_made_of_the_difference_and_its_inverse_lead_there_and_back(JsonObject a, JsonObject b)
    {
        var there = JsonPatch.Apply(a, Difference(a, b, ""), Product);
        return Same(b, there) && Same(a, JsonPatch.Apply(there, Difference(b, a, ""), Product));
    }

    private static JsonArray Difference(JsonObject a, JsonObject b, string at)
    {
        var operations = new JsonArray();
        foreach (var (name, _) in a)
            if (!b.ContainsKey(name)) operations.Add(new JsonObject { ["op"] = "remove", ["path"] = at + Pointer(name) });
        foreach (var (name, value) in b)
        {
            if (a[name] is JsonObject x && value is JsonObject y)
                foreach (var inner in Difference(x, y, at + Pointer(name))) operations.Add(inner!.DeepClone());
            else if (!Same(a[name], value))
                operations.Add(new JsonObject { ["op"] = a.ContainsKey(name) ? "replace" : "add", ["path"] = at + Pointer(name), ["value"] = value?.DeepClone() });
        }

        return operations;
    }

    private static string Pointer(string name) => "/" + name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);
}
