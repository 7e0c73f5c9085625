using System.Buffers.Text;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Krate.Core.Resources;

/// <summary>Judges documents by the structural schema of their kind. Pure and thread-safe. Messages never repeat a value: it may be a secret in the wrong field.</summary>
public static class SchemaValidator
{
    public const string FieldRequired = "FieldValueRequired";
    public const string FieldTypeInvalid = "FieldValueTypeInvalid";
    public const string FieldNotSupported = "FieldValueNotSupported";
    public const string FieldInvalid = "FieldValueInvalid";

    /// <summary>Every violation of the schema (types, enums, patterns, bounds, required fields) and of Kubernetes' rules for metadata, with the path of each. Unknown fields are not violations.</summary>
    public static IReadOnlyList<FieldError> Validate(KindDefinition kind, JsonObject document)
    {
        var walk = new Walk();
        walk.Object(kind.Fields, document);
        var errors = walk.Errors ?? [];
        if (document["apiVersion"] is JsonValue && document.Text("apiVersion") is { } v && v != kind.ApiVersion)
            errors.Add(new FieldError(FieldInvalid, "apiVersion", $"must be {kind.ApiVersion}"));
        if (document["kind"] is JsonValue && document.Text("kind") is { } k && k != kind.Kind)
            errors.Add(new FieldError(FieldInvalid, "kind", $"must be {kind.Kind}"));
        MetadataRules.Check(kind, document["metadata"] as JsonObject, errors);
        return errors;
    }

    /// <summary>Removes the fields that the schema does not know and returns their paths (<c>spec.colour</c>), in document order.</summary>
    public static IReadOnlyList<string> Prune(KindDefinition kind, JsonObject document)
    {
        var walk = new Walk();
        walk.Prune(kind.Fields, document);
        return walk.Unknown ?? (IReadOnlyList<string>)[];
    }

    /// <summary>One pass over a document. Paths are only written out when something is wrong.</summary>
    private sealed class Walk
    {
        private readonly List<(string? Name, int Index)> path = [];

        public List<FieldError>? Errors { get; private set; }

        public List<string>? Unknown { get; private set; }

        public void Object(SchemaNode node, JsonObject value)
        {
            foreach (var name in node.Required)
                Demand(node, value, name);
            foreach (var (name, child) in value)
            {
                if (child is null || (node.Find(name) ?? node.Values) is not { } below) continue;
                path.Add((name, 0));
                Value(below, child);
                path.RemoveAt(path.Count - 1);
            }
        }

        public void Prune(SchemaNode node, JsonNode? value)
        {
            switch (value)
            {
                case JsonArray list when node.Items is { } items:
                    for (var i = 0; i < list.Count; i++)
                        PruneBelow(items, list[i], (null, i));
                    break;
                case JsonObject o when node.Type is SchemaType.Object:
                    List<string>? unknown = null;
                    foreach (var (name, child) in o)
                    {
                        if ((node.Find(name) ?? node.Values) is { } below)
                        {
                            if (child is JsonObject or JsonArray) PruneBelow(below, child, (name, 0));
                        }
                        else if (!node.PreserveUnknown)
                        {
                            (unknown ??= []).Add(name);
                            (Unknown ??= []).Add(Where(name));
                        }
                    }

                    foreach (var name in unknown ?? []) o.Remove(name);
                    break;
            }
        }

        private void PruneBelow(SchemaNode node, JsonNode? value, (string?, int) step)
        {
            path.Add(step);
            Prune(node, value);
            path.RemoveAt(path.Count - 1);
        }

        private void Demand(SchemaNode node, JsonObject value, string name)
        {
            var child = value[name];
            if (child is not null && !(child is JsonValue v && v.TryGetValue<string>(out var s) && s.Length == 0)) return;
            if (child is null && node.Find(name) is { Type: SchemaType.Object, Required.Count: > 0 } below)
            {
                // A whole section is missing: say which of its fields are wanted, not only that it is.
                path.Add((name, 0));
                Object(below, []);
                path.RemoveAt(path.Count - 1);
                return;
            }

            Add(FieldRequired, "Required value", name);
        }

        private void Value(SchemaNode node, JsonNode value)
        {
            switch (node.Type)
            {
                case SchemaType.Object when value is JsonObject o:
                    Object(node, o);
                    return;
                case SchemaType.Array when value is JsonArray list:
                    for (var i = 0; i < list.Count; i++)
                    {
                        path.Add((null, i));
                        if (list[i] is { } item) Value(node.Items!, item);
                        else Add(FieldTypeInvalid, $"must be {Article(node.Items!.Type)}, not null");
                        path.RemoveAt(path.Count - 1);
                    }

                    return;
                case SchemaType.Any:
                    return;
                case SchemaType.String when value is JsonValue v && v.TryGetValue<string>(out var text):
                    Text(node, text);
                    return;
                case SchemaType.Boolean when value.GetValueKind() is JsonValueKind.True or JsonValueKind.False:
                    return;
                case SchemaType.Integer or SchemaType.Number when value.GetValueKind() is JsonValueKind.Number:
                    Number(node, value);
                    return;
                default:
                    Add(FieldTypeInvalid, $"must be {Article(node.Type)}, not {Article(TypeOf(value))}");
                    return;
            }
        }

        private void Text(SchemaNode node, string text)
        {
            // An empty string is a field left blank; whether it may be is what "required" says.
            if (text.Length == 0) return;
            if (node.Enum is { } values && !values.Contains(text, StringComparer.Ordinal))
                Add(FieldNotSupported, $"Unsupported value; supported values: {string.Join(", ", values.Select(v => $"\"{v}\""))}");
            else if (node.MaxLength is { } max && text.Length > max)
                Add(FieldInvalid, $"must have at most {max} characters");
            else if (node.Matcher is { } matcher && !matcher.IsMatch(text))
                Add(FieldInvalid, node.PatternMeans ?? $"must match {node.Pattern}");
            else if (node.Format == "date-time" && !DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out _))
                Add(FieldInvalid, "must be an RFC 3339 time such as 2026-05-10T12:00:00Z");
            else if (node.Format == "byte" && !Base64.IsValid(text))
                Add(FieldInvalid, "must be base64");
        }

        private void Number(SchemaNode node, JsonNode value)
        {
            var text = value.ToJsonString();
            if (node.Type is SchemaType.Integer && !long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _))
            {
                Add(FieldTypeInvalid, "must be an integer, not a number");
                return;
            }

            if (!double.TryParse(text, CultureInfo.InvariantCulture, out var number)) return;
            if (node.Minimum is { } minimum && number < minimum)
                Add(FieldInvalid, string.Create(CultureInfo.InvariantCulture, $"must be at least {minimum}"));
            else if (node.Maximum is { } maximum && number > maximum)
                Add(FieldInvalid, string.Create(CultureInfo.InvariantCulture, $"must be at most {maximum}"));
            else if (node.Format == "int32" && number is > int.MaxValue or < int.MinValue)
                Add(FieldInvalid, "must fit in 32 bits");
        }

        private void Add(string reason, string message, string? child = null) => (Errors ??= []).Add(new FieldError(reason, Where(child), message));

        private string Where(string? child)
        {
            var text = new StringBuilder();
            foreach (var (name, index) in path)
            {
                if (name is null) text.Append('[').Append(index.ToString(CultureInfo.InvariantCulture)).Append(']');
                else Name(text, name);
            }

            if (child is not null) Name(text, child);
            return text.ToString();
        }

        private static void Name(StringBuilder text, string name)
        {
            if (name.Contains('.', StringComparison.Ordinal)) text.Append('[').Append(name).Append(']');
            else text.Append(text.Length == 0 ? "" : ".").Append(name);
        }

        private static SchemaType TypeOf(JsonNode value) => value.GetValueKind() switch
        {
            JsonValueKind.Object => SchemaType.Object,
            JsonValueKind.Array => SchemaType.Array,
            JsonValueKind.String => SchemaType.String,
            JsonValueKind.Number => SchemaType.Number,
            _ => SchemaType.Boolean,
        };

        private static string Article(SchemaType type) => type is SchemaType.Object or SchemaType.Array or SchemaType.Integer
            ? $"an {SchemaNode.TypeName(type)}"
            : $"a {SchemaNode.TypeName(type)}";
    }
}
