using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Krate.Core.Resources;
using Xunit;

namespace Krate.Tests.Resources;

public class YamlTests
{
    [Property(MaxTest = 500, Arbitrary = [typeof(Documents)])]
    public void What_is_written_is_read_back(JsonObject document)
    {
        var text = Yaml.Write(document);
        Assert.Equal(document.ToJsonString(), Yaml.ParseObject(text).ToJsonString());
    }

    [Fact]
    public void A_key_with_a_star_is_written_in_quotes_and_never_misread()
    {
        var document = KrateJson.ParseObject("""{"a":{"end *b":[1],"c *":"d *e"}}""");
        Assert.Equal(document.ToJsonString(), Yaml.ParseObject(Yaml.Write(document)).ToJsonString());
        Assert.Contains("in quotes", Assert.Throws<ApiException>(() => Yaml.ParseObject("a:\n  end *b: 1\n")).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("on", "\"on\"")]
    [InlineData("yes", "\"yes\"")]
    [InlineData("y", "\"y\"")]
    [InlineData("No", "\"No\"")]
    [InlineData("0755", "755")]
    [InlineData("0x1F", "31")]
    [InlineData("0o17", "15")]
    [InlineData("+7", "7")]
    [InlineData(".5", "0.5")]
    [InlineData("1e3", "1e3")]
    [InlineData("1.10", "1.10")]
    [InlineData("123456789012345678901234567890", "123456789012345678901234567890")]
    [InlineData("12:30:45", "\"12:30:45\"")]
    [InlineData("2026-01-01", "\"2026-01-01\"")]
    [InlineData(".inf", "\".inf\"")]
    [InlineData("TRUE", "true")]
    [InlineData("~", "null")]
    [InlineData("", "null")]
    [InlineData("'1'", "\"1\"")]
    [InlineData("!!str 1", "\"1\"")]
    [InlineData("!!float 1", "1")]
    public void Plain_scalars_follow_the_core_schema(string yaml, string json) =>
        Assert.Equal($"{{\"a\":{json}}}", Yaml.ParseObject($"a: {yaml}\n").ToJsonString());

    [Theory]
    [InlineData("on")]
    [InlineData("NO")]
    [InlineData("1_000")]
    [InlineData("12:30")]
    [InlineData("2026-01-01")]
    [InlineData("2026-01-01T10:00:00Z")]
    [InlineData("0b11")]
    [InlineData("=")]
    [InlineData("1e3")]
    public void What_older_readers_misread_is_quoted(string text) =>
        Assert.Equal($"a: \"{text}\"\n", Yaml.Write(new JsonObject { ["a"] = text }));

    [Fact]
    public void Documents_look_as_kubectl_writes_them()
    {
        var document = KrateJson.ParseObject("""
            {"apiVersion":"v1","metadata":{"labels":{},"name":"a"},"spec":{"refs":["x","y"],"rules":[{"verbs":["get"],"count":1}],"text":"one\n  two\n","last":"a\nb","path":"refs/heads/*"}}
            """);
        Assert.Equal(
            """
            apiVersion: v1
            metadata:
              labels: {}
              name: a
            spec:
              refs:
              - x
              - "y"
              rules:
              - verbs:
                - get
                count: 1
              text: |
                one
                  two
              last: |-
                a
                b
              path: refs/heads/*

            """,
            Yaml.Write(document));
    }

    [Theory]
    [InlineData("a: 1\na: 2\n", "line 2, column 1: the key \"a\" appears twice")]
    [InlineData("a: &x [1]\nb: *x\n", "line 1, column 4: anchors are not supported")]
    [InlineData("a: *x\n", "line 1, column 4: aliases are not supported")]
    [InlineData("- a\n", "an object is expected")]
    [InlineData("", "the document is empty")]
    [InlineData("a: 1\n---\nb: 2\n", "one document is expected")]
    [InlineData("a: !own x\n", "the tag !own is not supported")]
    [InlineData("a: [1\nb: 2\n", "this is no YAML from here on")]
    [InlineData("a:\n\t- b\n", "error parsing YAML: line 1")]
    [InlineData("? [a]\n: b\n", "a key must be a plain text")]
    public void A_bad_text_is_refused_naming_the_place(string yaml, string why)
    {
        var refusal = Assert.Throws<ApiException>(() => Yaml.ParseObject(yaml));
        Assert.Equal(400, refusal.Code);
        Assert.Contains(why, refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(64, true)]
    [InlineData(65, false)]
    [InlineData(100_000, false)]
    public void Depth_is_bounded(int depth, bool accepted)
    {
        var yaml = "a: " + new string('[', depth - 1) + new string(']', depth - 1);
        if (accepted) Yaml.ParseObject(yaml);
        else Assert.Contains("nested deeper", Assert.Throws<ApiException>(() => Yaml.ParseObject(yaml)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Json_is_yaml() =>
        Assert.Equal("""{"a":{"b":[1,"x",null,true]}}""", Yaml.ParseObject("""{"a": {"b": [1, "x", null, true]}}""").ToJsonString());

    public static class Documents
    {
        private static readonly string[] Nasty =
        [
            "", " ", "on", "yes", "y", "~", "null", "-", "- a", "?", ": ", "a: b", "a #b", "#", "a:", "a\n", "a\n\n", "\n", "\na", " a\nb", "a\n \nb", "a\n  b\nc", "a\tb\nc",
            "a\r\nb", "'", "\"", "\\", "{}", "[]", "*a", "&a", "!a", "|", ">", "%a", "@a", "`a", "1", "1.0", "0x1", "---", "...", "--- a", "é", "日本", "😀 a", "\u0085", "\u2028", "\ufeff", "\u007f", "a\u00a0b",
            "key with spaces", "<<", "=", "12:30", "-a", "-1", "a,b", "[a", "x: |", "tab\t", "end ", "a\n---\nb", "...\n", "# a\nb\n", "- a\n- b\n",
        ];

        public static Arbitrary<JsonObject> Trees() => Gen.Sized(size => Map(Math.Min(size, 5))).ToArbitrary();

        private static Gen<string> Text() => Gen.OneOf(
            Gen.Elements(Nasty),
            Gen.Elements(Nasty).ListOf(3).Select(parts => string.Concat(parts)),
            ArbMap.Default.GeneratorFor<NonNull<string>>().Select(s => new string([.. s.Get.Where(c => !char.IsSurrogate(c) && c != '\0')])));

        private static Gen<JsonNode?> Value(int depth)
        {
            var leaf = Gen.OneOf(
                Text().Select(s => (JsonNode?)JsonNode.Parse(JsonValue.Create(s).ToJsonString())),
                Gen.Elements("0", "-1", "1.0", "1e5", "9223372036854775807", "true", "false", "null", "{}", "[]").Select(s => JsonNode.Parse(s)));
            return depth == 0 ? leaf : Gen.OneOf(leaf, Map(depth - 1).Select(o => (JsonNode?)o), Items(depth - 1).Select(a => (JsonNode?)a));
        }

        private static Gen<JsonArray> Items(int depth) =>
            Value(depth).ListOf().Select(list => new JsonArray([.. list.Take(4).Select(v => v?.DeepClone())]));

        private static Gen<JsonObject> Map(int depth) =>
            Text().Zip(Value(depth)).ListOf().Select(list =>
            {
                var map = new JsonObject();
                foreach (var (key, value) in list.Take(5)) map[key] = value?.DeepClone();
                return map;
            });
    }
}
