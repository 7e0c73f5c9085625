using System.Text.Json.Nodes;

namespace Krate.Core.Resources.Patching;

/// <summary>RFC 7386 JSON merge patch: objects merge, null removes, everything else replaces.</summary>
public static class MergePatch
{
    /// <summary>The patched copy of <paramref name="live"/>.</summary>
    public static JsonObject Apply(JsonObject live, JsonObject patch)
    {
        var result = live.Copy();
        MergeInto(result, patch);
        return result;
    }

    /// <summary>The smallest patch that turns <paramref name="before"/> into <paramref name="after"/>. Values of null in <paramref name="after"/> cannot be expressed and read as absent.</summary>
    public static JsonObject Diff(JsonObject before, JsonObject after)
    {
        var patch = new JsonObject();
        foreach (var (name, _) in before)
            if (after[name] is null) patch[name] = null;
        foreach (var (name, value) in after)
        {
            if (value is null) continue;
            var was = before[name];
            if (was is JsonObject wasObject && value is JsonObject valueObject)
            {
                var inner = Diff(wasObject, valueObject);
                if (inner.Count > 0) patch[name] = inner;
            }
            else if (!JsonNode.DeepEquals(was, value))
            {
                patch[name] = value.DeepClone();
            }
        }

        return patch;
    }

    private static void MergeInto(JsonObject target, JsonObject patch)
    {
        foreach (var (name, value) in patch)
        {
            if (value is null)
            {
                target.Remove(name);
            }
            else if (value is JsonObject inner)
            {
                // A member that is no object counts as an empty one, so that nulls inside the patch never reach the result.
                MergeInto(target.Child(name), inner);
            }
            else
            {
                target[name] = value.DeepClone();
            }
        }
    }
}
