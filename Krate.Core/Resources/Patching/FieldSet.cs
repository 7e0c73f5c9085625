using System.Text.Json.Nodes;

namespace Krate.Core.Resources.Patching;

/// <summary>
/// The leaves of a document: maps are granular, lists are atomic, except conditions, which are keyed by their type. The
/// fields that only the server sets have no owner and are left out.
/// </summary>
internal static class FieldSet
{
    private static readonly HashSet<string> Unowned = new(StringComparer.Ordinal)
    {
        ".apiVersion", ".kind", ".metadata.name", ".metadata.namespace", ".metadata.uid", ".metadata.resourceVersion", ".metadata.generation",
        ".metadata.creationTimestamp", ".metadata.deletionTimestamp", ".metadata.deletionGracePeriodSeconds", ".metadata.selfLink", ".metadata.managedFields",
    };

    private static readonly OwnedField Conditions = OwnedField.Root.Member("status").Member("conditions");

    /// <summary>Every owned leaf with its value. The value of an element's own entry (<c>.</c>) is null.</summary>
    public static Dictionary<OwnedField, JsonNode?> LeavesOf(JsonObject document)
    {
        var leaves = new Dictionary<OwnedField, JsonNode?>();
        foreach (var (name, value) in document)
        {
            var path = OwnedField.Root.Member(name);
            if (name == "metadata" && value is JsonObject metadata)
            {
                foreach (var (field, inner) in metadata) Collect(inner, path.Member(field), leaves);
            }
            else
            {
                Collect(value, path, leaves);
            }
        }

        return leaves;
    }

    public static HashSet<OwnedField> Read(JsonObject fieldsV1)
    {
        var set = new HashSet<OwnedField>();
        Read(fieldsV1, OwnedField.Root, set);
        return set;
    }

    public static JsonObject Write(IEnumerable<OwnedField> set)
    {
        var root = new JsonObject();
        foreach (var path in set.Order())
        {
            var at = root;
            foreach (var step in path.Steps) at = at.Child(step);
        }

        return root;
    }

    private static void Collect(JsonNode? value, OwnedField path, Dictionary<OwnedField, JsonNode?> leaves)
    {
        if (path.Steps.Count <= 2 && Unowned.Contains(path.ToString())) return;
        if (value is JsonObject { Count: > 0 } o)
        {
            foreach (var (name, inner) in o) Collect(inner, path.Member(name), leaves);
        }
        else if (value is JsonArray list && KeyedBy(list, path) is { } key)
        {
            foreach (var element in list.OfType<JsonObject>())
            {
                var at = path.Element(key, element.Text(key)!);
                leaves[at.Then(OwnedField.Self)] = null;
                foreach (var (name, inner) in element) Collect(inner, at.Member(name), leaves);
            }
        }
        else
        {
            leaves[path] = value;
        }
    }

    /// <summary>The key of a list whose elements are owned one by one; null for an atomic list.</summary>
    private static string? KeyedBy(JsonArray list, OwnedField path) =>
        list.Count > 0 && path.Equals(Conditions) && list.All(e => e.Text("type") is not null)
            && list.Select(e => e.Text("type")).Distinct(StringComparer.Ordinal).Count() == list.Count
            ? "type"
            : null;

    private static void Read(JsonObject fields, OwnedField at, HashSet<OwnedField> set)
    {
        if (fields.Count == 0 && !at.IsRoot) set.Add(at);
        foreach (var (step, inner) in fields)
        {
            if (step == OwnedField.Self) set.Add(at.Then(OwnedField.Self));
            else if (inner is JsonObject child) Read(child, at.Then(step), set);
        }
    }
}
