using System.Text.Json.Nodes;

namespace Krate.Core.Resources.Patching;

/// <summary>Reads and changes a document at a <see cref="OwnedField"/>.</summary>
internal static class DocumentPath
{
    public static JsonNode? Get(JsonObject document, OwnedField path)
    {
        JsonNode? at = document;
        foreach (var step in path.Steps)
        {
            if (step == OwnedField.Self) return at;
            at = Step(at, step);
            if (at is null) return null;
        }

        return at;
    }

    /// <summary>Sets a leaf, making objects and keyed elements on the way.</summary>
    public static void Set(JsonObject document, OwnedField path, JsonNode? value)
    {
        JsonObject at = document;
        for (var i = 0; i < path.Steps.Count; i++)
        {
            var step = path.Steps[i];
            if (step == OwnedField.Self) return;
            var name = step[2..];
            var last = i == path.Steps.Count - 1;
            if (!last && OwnedField.KeyOf(path.Steps[i + 1]) is { } key)
            {
                if (at[name] is not JsonArray list) at[name] = list = [];
                at = Element(list, key);
                i++;
            }
            else if (last)
            {
                at[name] = value?.DeepClone();
            }
            else
            {
                at = at.Child(name);
            }
        }
    }

    /// <summary>Removes a leaf and the containers that this empties, up to one that is <paramref name="kept"/>.</summary>
    public static void Remove(JsonObject document, OwnedField path, IReadOnlySet<OwnedField> kept)
    {
        var steps = path.Steps[^1] == OwnedField.Self ? path.Steps.Take(path.Steps.Count - 1).ToArray() : [.. path.Steps];
        var parents = new List<JsonNode> { document };
        foreach (var step in steps[..^1])
        {
            if (Step(parents[^1], step) is not { } next) return;
            parents.Add(next);
        }

        for (var i = steps.Length - 1; i >= 0; i--)
        {
            Detach(parents[i], steps[i]);
            if (i == 0 || parents[i] is JsonObject { Count: > 0 } or JsonArray { Count: > 0 } || kept.Contains(new OwnedField(steps[..i]))) return;
        }
    }

    private static void Detach(JsonNode parent, string step)
    {
        if (parent is JsonObject o) o.Remove(step[2..]);
        else if (parent is JsonArray list && Step(list, step) is { } element) list.Remove(element);
    }

    private static JsonNode? Step(JsonNode? at, string step) => at switch
    {
        JsonObject o when step.StartsWith("f:", StringComparison.Ordinal) => o[step[2..]],
        JsonArray list when OwnedField.KeyOf(step) is { } key => list.FirstOrDefault(e => e.Text(key.Name) == key.Value),
        _ => null,
    };

    private static JsonObject Element(JsonArray list, (string Name, string Value) key)
    {
        if (list.FirstOrDefault(e => e.Text(key.Name) == key.Value) is JsonObject found) return found;
        var made = new JsonObject { [key.Name] = key.Value };
        list.Add(made);
        return made;
    }
}
