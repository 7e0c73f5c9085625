using System.Globalization;
using System.Text.Json.Nodes;

namespace Krate.Core.Resources.Patching;

/// <summary>RFC 6902 JSON patch. All operations succeed or none does.</summary>
public static class JsonPatch
{
    /// <summary>As Kubernetes: more operations in one patch are refused.</summary>
    private const int MaxOperations = 10_000;

    /// <summary>Characters that "copy" may add in one patch; doubling copies would otherwise grow without bound.</summary>
    private const int MaxCopied = 3 * 1024 * 1024;

    /// <exception cref="ApiException">400 for a malformed operation, 413 for a patch that grows too large, 422 when an operation cannot be applied; both name the operation and its path.</exception>
    public static JsonObject Apply(JsonObject live, JsonArray patch, KindDefinition kind)
    {
        if (patch.Count > MaxOperations) throw new ApiException(413, "RequestEntityTooLarge", $"The allowed maximum operations in a JSON patch is {MaxOperations}, got {patch.Count}");
        var root = new JsonObject { ["_"] = live.Copy() };
        var name = live.Text("metadata.name") ?? "";
        var copied = 0;
        for (var i = 0; i < patch.Count; i++)
        {
            var operation = Operation.Read(patch[i], i);
            try
            {
                operation.Run(root, ref copied);
            }
            catch (PatchFailure failure)
            {
                throw ApiException.Invalid(kind, name, new FieldError("FieldValueInvalid", operation.Path, $"{operation.Describe(i)}: {failure.Message}"));
            }
        }

        if (root["_"] is not JsonObject result)
            throw ApiException.Invalid(kind, name, new FieldError("FieldValueInvalid", "", "the patch replaces the whole object by something that is no object"));
        if (DepthOf(result) > KrateJson.MaxDepth)
            throw ApiException.Invalid(kind, name, new FieldError("FieldValueInvalid", "", $"the patched object is nested more than {KrateJson.MaxDepth} levels deep"));
        root.Remove("_");
        return result;
    }

    private static int DepthOf(JsonNode? node) => node switch
    {
        JsonObject o => 1 + o.Select(p => DepthOf(p.Value)).DefaultIfEmpty(0).Max(),
        JsonArray a => 1 + a.Select(DepthOf).DefaultIfEmpty(0).Max(),
        _ => 0,
    };

    private sealed class PatchFailure(string message) : Exception(message);

    /// <summary>One operation. Pointers are kept with the step <c>_</c> in front, so that the whole document is a member like any other.</summary>
    private sealed record Operation(string Op, string Path, string? From, JsonNode? Value)
    {
        public static Operation Read(JsonNode? node, int index)
        {
            if (node is not JsonObject o) throw ApiException.BadRequest($"JSON patch operation {index} is no object");
            var op = o.Text("op") ?? throw ApiException.BadRequest($"JSON patch operation {index} has no \"op\"");
            var path = o.Text("path") ?? throw ApiException.BadRequest($"JSON patch operation {index} ({op}) has no \"path\"");
            if (op is not ("add" or "remove" or "replace" or "move" or "copy" or "test"))
                throw ApiException.BadRequest($"JSON patch operation {index} has the unknown op \"{op}\"; use add, remove, replace, move, copy or test");
            if (op is "add" or "replace" or "test" && !o.ContainsKey("value"))
                throw ApiException.BadRequest($"JSON patch operation {index} ({op} {path}) has no \"value\"");
            var from = o.Text("from");
            if (op is "move" or "copy" && from is null)
                throw ApiException.BadRequest($"JSON patch operation {index} ({op} {path}) has no \"from\"");
            foreach (var pointer in new[] { path, from })
                if (pointer is { Length: > 0 } && pointer[0] != '/')
                    throw ApiException.BadRequest($"JSON patch operation {index} ({op} {path}): \"{pointer}\" is no JSON pointer; it must start with /");
            return new(op, path, from, o["value"]);
        }

        public string Describe(int index) => From is null ? $"operation {index} ({Op} {Path})" : $"operation {index} ({Op} {From} to {Path})";

        public void Run(JsonObject root, ref int copied)
        {
            switch (Op)
            {
                case "add":
                    Add(root, Path, Value);
                    break;
                case "remove":
                    Remove(root, Path);
                    break;
                case "replace":
                    Replace(root, Path, Value);
                    break;
                case "move":
                    if (Path.StartsWith(From + "/", StringComparison.Ordinal)) throw new PatchFailure("a value cannot be moved into itself");
                    var moved = Get(root, From!)?.DeepClone();
                    Remove(root, From!);
                    Add(root, Path, moved);
                    break;
                case "copy":
                    var value = Get(root, From!);
                    copied += value is null ? 4 : KrateJson.ToText(value).Length;
                    if (copied > MaxCopied) throw new ApiException(413, "RequestEntityTooLarge", "the copy operations of the JSON patch add more than 3 MB");
                    Add(root, Path, value);
                    if (DepthOf(root["_"]) > KrateJson.MaxDepth) throw new PatchFailure($"the result is nested more than {KrateJson.MaxDepth} levels deep");
                    break;
                default:
                    if (!JsonNode.DeepEquals(Get(root, Path), Value)) throw new PatchFailure("the test failed: the value is another one");
                    break;
            }
        }

        private static void Add(JsonObject root, string pointer, JsonNode? value)
        {
            var (parent, step) = Parent(root, pointer);
            switch (parent)
            {
                case JsonObject o:
                    o[step] = value?.DeepClone();
                    break;
                case JsonArray a:
                    var at = step == "-" ? a.Count : Index(step);
                    if (at > a.Count) throw new PatchFailure($"index {step} is beyond the end of the list");
                    a.Insert(at, value?.DeepClone());
                    break;
            }
        }

        private static void Remove(JsonObject root, string pointer)
        {
            var (parent, step) = Parent(root, pointer);
            switch (parent)
            {
                case JsonObject o:
                    if (!o.Remove(step)) throw Missing(pointer);
                    break;
                case JsonArray a:
                    a.RemoveAt(Existing(a, step));
                    break;
            }
        }

        private static void Replace(JsonObject root, string pointer, JsonNode? value)
        {
            var (parent, step) = Parent(root, pointer);
            switch (parent)
            {
                case JsonObject o:
                    if (!o.ContainsKey(step)) throw Missing(pointer);
                    o[step] = value?.DeepClone();
                    break;
                case JsonArray a:
                    a[Existing(a, step)] = value?.DeepClone();
                    break;
            }
        }

        private static JsonNode? Get(JsonObject root, string pointer)
        {
            var (parent, step) = Parent(root, pointer);
            if (parent is JsonArray a) return a[Existing(a, step)];
            return ((JsonObject)parent).TryGetPropertyValue(step, out var value) ? value : throw Missing(pointer);
        }

        private static (JsonNode Parent, string Step) Parent(JsonObject root, string pointer)
        {
            var steps = ("_" + pointer).Split('/').Select(s => s.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal)).ToArray();
            JsonNode? at = root;
            foreach (var step in steps[..^1])
            {
                at = at switch
                {
                    JsonObject o => o.TryGetPropertyValue(step, out var next) ? next : throw Missing(pointer),
                    JsonArray a => a[Existing(a, step)],
                    _ => throw Missing(pointer),
                };
            }

            return (at is JsonObject or JsonArray ? at : throw Missing(pointer), steps[^1]);
        }

        private static int Existing(JsonArray a, string step)
        {
            var at = Index(step);
            return at < a.Count ? at : throw new PatchFailure($"index {step} is beyond the end of the list");
        }

        private static int Index(string step) =>
            int.TryParse(step, NumberStyles.None, CultureInfo.InvariantCulture, out var at) && (step == "0" || step[0] != '0')
                ? at
                : throw new PatchFailure($"\"{step}\" is no index of a list");

        private static PatchFailure Missing(string pointer) => new($"there is no value at {(pointer.Length == 0 ? "the root" : pointer)}");
    }
}
