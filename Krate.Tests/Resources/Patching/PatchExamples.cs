using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using Krate.Core.Resources;

namespace Krate.Tests.Resources.Patching;

/// <summary>Kinds and documents that the patch tests share.</summary>
internal static class PatchExamples
{
    public static readonly DateTimeOffset Now = new(2026, 5, 1, 12, 0, 0, TimeSpan.Zero);

    public static readonly KindDefinition Product = new()
    {
        Kind = "AgentStack",
        Plural = "agentstacks",
        Group = WellKnown.ApiGroup,
        Version = WellKnown.ApiVersion,
        Scope = KindScope.Org,
        Description = "A stack.",
    };

    public static readonly KindDefinition Native = new()
    {
        Kind = "ServiceAccount",
        Plural = "serviceaccounts",
        Group = "",
        Version = "v1",
        Scope = KindScope.Namespaced,
        Description = "An account.",
        NativeType = typeof(object),
    };

    public static JsonObject Json(string text) => KrateJson.ParseObject(text);

    public static JsonArray Operations(string text) => (JsonArray)JsonNode.Parse(text)!;

    public static JsonObject Stack(string spec) => Json($$"""
        {"apiVersion":"{{WellKnown.GroupVersion}}","kind":"AgentStack","metadata":{"name":"a"},"spec":{{spec}}}
        """);

    public static bool Same(JsonNode? a, JsonNode? b) => JsonNode.DeepEquals(a, b);
}

/// <summary>Random JSON objects of a few levels, from few names, so that two of them overlap.</summary>
public static class RandomDocuments
{
    public static Arbitrary<JsonObject> Objects() => Gen.Sized(size => ObjectOf(Math.Min(size, 4))).ToArbitrary();

    private static Gen<JsonObject> ObjectOf(int depth) =>
        Gen.Elements("a", "b", "c", "d/e", "f~g").Zip(Value(depth)).ArrayOf().Resize(5).Select(pairs =>
        {
            var o = new JsonObject();
            foreach (var (name, value) in pairs) o[name] = value?.DeepClone();
            return o;
        });

    private static Gen<JsonNode?> Value(int depth)
    {
        var leaf = Gen.OneOf(
            Gen.Choose(0, 3).Select(i => (JsonNode?)JsonValue.Create(i)),
            Gen.Elements("x", "y", "").Select(s => (JsonNode?)JsonValue.Create(s)),
            Gen.Elements(true, false).Select(b => (JsonNode?)JsonValue.Create(b)));
        if (depth <= 0) return leaf;
        return Gen.OneOf(
            leaf,
            ObjectOf(depth - 1).Select(o => (JsonNode?)o),
            Value(depth - 1).ArrayOf().Resize(3).Select(items => (JsonNode?)new JsonArray([.. items.Select(i => i?.DeepClone())])));
    }
}
