using System.Collections.Concurrent;
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;

namespace Krate.Core.Resources;

/// <summary>
/// Turns a row of the table of kinds into its structural OpenAPI v3 schema, from the members of its typed records (or of
/// KubernetesClient's model) and their attributes: <c>[Description]</c>, <c>[Required]</c>, <c>[AllowedValues]</c>,
/// <c>[RegularExpression]</c>, <c>[Range]</c>, <c>[MaxLength]</c>. An attribute on a list or map speaks of its elements.
/// </summary>
public static class SchemaBuilder
{
    /// <summary>Component name of the metadata schema in OpenAPI documents.</summary>
    public const string MetadataReference = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

    private static readonly ConcurrentDictionary<string, Regex> Patterns = new();

    public static JsonObject Build(KindDefinition kind) => Shape(kind).ToJson();

    /// <summary>The schema of the whole document as nodes.</summary>
    public static SchemaNode Shape(KindDefinition kind)
    {
        var root = new Members(kind.FieldDescriptions, kind.RequiredFields.ToHashSet());
        var properties = new List<KeyValuePair<string, SchemaNode>>
        {
            new("apiVersion", new SchemaNode { Type = SchemaType.String, Description = $"API group and version: {kind.ApiVersion}." }),
            new("kind", new SchemaNode { Type = SchemaType.String, Description = $"Name of the kind: {kind.Kind}." }),
            new("metadata", MetadataSchema.Node),
        };
        if (kind.NativeType is { } native)
        {
            properties.AddRange(root.Of(native, "").Where(p => p.Key is not ("apiVersion" or "kind" or "metadata")));
        }
        else
        {
            properties.Add(new("spec", Spec(kind)));
            properties.Add(new("status", Status(kind)));
        }

        return new SchemaNode
        {
            Type = SchemaType.Object,
            Description = kind.Description,
            Properties = properties,
            Required = kind.NativeType is not null ? root.RequiredBelow("") : kind.RequiredSpec.Count > 0 ? ["spec"] : [],
        };
    }

    private static SchemaNode Spec(KindDefinition kind) => new()
    {
        Type = SchemaType.Object,
        Description = kind.Mutability is SpecMutability.Mutable ? "Desired state." : "What was asked for; fixed after create except where a field says otherwise.",
        Properties =
        [
            .. (kind.SpecType is { } type ? Members.Plain.Of(type, "spec") : [])
                .Select(p => kind.FixedSpecFields.Contains(p.Key) ? KeyValuePair.Create(p.Key, Fixed(p.Value)) : p),
        ],
        Required = kind.RequiredSpec,
        PreserveUnknown = kind.PreserveUnknownSpec,
    };

    private static SchemaNode Status(KindDefinition kind)
    {
        var phases = kind.StatusType?.GetCustomAttribute<PhasesAttribute>(inherit: true)?.Phases;
        return new SchemaNode
        {
            Type = SchemaType.Object,
            Description = "Observed state; written through the status subresource.",
            Properties =
            [
                .. (kind.StatusType is { } type ? Members.Plain.Of(type, "status") : [])
                    .Select(p => p.Key == "phase" && phases is not null
                        ? KeyValuePair.Create(p.Key, new SchemaNode { Type = SchemaType.String, Description = p.Value.Description, Enum = phases })
                        : p),
            ],
        };
    }

    private static SchemaNode Fixed(SchemaNode node) => new()
    {
        Type = node.Type,
        Description = node.Description,
        Format = node.Format,
        Properties = node.Properties,
        Required = node.Required,
        Items = node.Items,
        Values = node.Values,
        Enum = node.Enum,
        Pattern = node.Pattern,
        PatternMeans = node.PatternMeans,
        Matcher = node.Matcher,
        Minimum = node.Minimum,
        Maximum = node.Maximum,
        MaxLength = node.MaxLength,
        PreserveUnknown = node.PreserveUnknown,
        Immutable = true,
    };

    // $ of .NET also matches before a last line feed; that of OpenAPI does not.
    private static Regex Matcher(string pattern) =>
        Patterns.GetOrAdd(pattern, p => new Regex(p.EndsWith('$') ? p[..^1] + @"\z" : p, RegexOptions.CultureInvariant | RegexOptions.NonBacktracking));

    /// <summary>Reads the members of a type. Descriptions and required marks by path are for types that carry none themselves.</summary>
    internal sealed class Members(IReadOnlyDictionary<string, string> descriptions, IReadOnlySet<string> required)
    {
        public static readonly Members Plain = new(new Dictionary<string, string>(), new HashSet<string>());

        public IReadOnlyList<string> RequiredBelow(string path) =>
            [.. required.Where(r => path.Length == 0 ? !r.Contains('.', StringComparison.Ordinal) : r.StartsWith(path + ".", StringComparison.Ordinal) && r.IndexOf('.', path.Length + 1) < 0).Select(r => r[(r.LastIndexOf('.') + 1)..])];

        public IEnumerable<KeyValuePair<string, SchemaNode>> Of(Type type, string path)
        {
            // Members of the base record first: organizationRef, phase and conditions lead every list.
            var depth = Depth(type);
            foreach (var p in type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(p => p.GetMethod is not null && p.GetIndexParameters().Length == 0).OrderBy(p => depth[p.DeclaringType!]))
            {
                if (p.GetCustomAttribute<JsonIgnoreAttribute>() is not null) continue;
                var name = NameOf(p);
                yield return KeyValuePair.Create(name, Value(p.PropertyType, p, path.Length == 0 ? name : $"{path}.{name}"));
            }
        }

        private static Dictionary<Type, int> Depth(Type type)
        {
            var depth = new Dictionary<Type, int>();
            for (var t = type; t is not null; t = t.BaseType) depth[t] = -depth.Count;
            return depth;
        }

        private static string NameOf(PropertyInfo p) => p.GetCustomAttribute<JsonPropertyNameAttribute>()?.Name ?? JsonNamingPolicy.CamelCase.ConvertName(p.Name);

        private SchemaNode Value(Type type, PropertyInfo p, string path)
        {
            var description = p.GetCustomAttribute<DescriptionAttribute>()?.Description ?? descriptions.GetValueOrDefault(path);
            type = Nullable.GetUnderlyingType(type) ?? type;
            if (type == typeof(byte[])) return new SchemaNode { Type = SchemaType.String, Format = "byte", Description = description };
            if (ElementOf(type, typeof(IReadOnlyDictionary<,>), typeof(IDictionary<,>), 1) is { } valueType)
                return new SchemaNode { Type = SchemaType.Object, Description = description, Values = Element(valueType, p, path) };
            if (ElementOf(type, typeof(IReadOnlyList<>), typeof(IList<>), 0) is { } itemType)
                return new SchemaNode { Type = SchemaType.Array, Description = description, Items = Element(itemType, p, path), ListKey = itemType == typeof(Condition) ? "type" : null };
            return Scalar(type, p, path, description);
        }

        private SchemaNode Element(Type type, PropertyInfo p, string path) =>
            ElementOf(type, typeof(IReadOnlyList<>), typeof(IList<>), 0) is { } inner
                ? new SchemaNode { Type = SchemaType.Array, Items = Scalar(inner, p, path, null) }
                : Scalar(type, p, path, null);

        private SchemaNode Scalar(Type type, PropertyInfo p, string path, string? description) => type switch
        {
            _ when type == typeof(string) => Text(p, description),
            _ when type == typeof(byte[]) => new SchemaNode { Type = SchemaType.String, Format = "byte", Description = description },
            _ when type == typeof(bool) => new SchemaNode { Type = SchemaType.Boolean, Description = description },
            _ when type == typeof(int) || type == typeof(long) => Number(SchemaType.Integer, type == typeof(int) ? "int32" : "int64", p, description),
            _ when type == typeof(double) || type == typeof(decimal) => Number(SchemaType.Number, "double", p, description),
            _ when type == typeof(DateTime) || type == typeof(DateTimeOffset) => new SchemaNode { Type = SchemaType.String, Format = "date-time", Description = description },
            _ when type == typeof(JsonObject) || type == typeof(object) => new SchemaNode { Type = SchemaType.Object, PreserveUnknown = true, Description = description },
            _ when type == typeof(JsonNode) => new SchemaNode { Type = SchemaType.Any, Description = description },
            _ when type == typeof(Condition) => ConditionNode(description),
            _ when type.IsEnum || type.IsValueType => throw new NotSupportedException($"{p.DeclaringType}.{p.Name}: {type} has no schema"),
            _ => new SchemaNode { Type = SchemaType.Object, Description = description, Properties = [.. Of(type, path)], Required = RequiredOf(type, path) },
        };

        private IReadOnlyList<string> RequiredOf(Type type, string path) =>
            [.. type.GetProperties().Where(p => p.GetCustomAttribute<RequiredAttribute>() is not null).Select(NameOf).Union(RequiredBelow(path))];

        private static SchemaNode Text(PropertyInfo p, string? description) => new()
        {
            Type = SchemaType.String,
            Description = description,
            Enum = p.GetCustomAttribute<AllowedValuesAttribute>()?.Values.OfType<string>().ToArray(),
            Pattern = p.GetCustomAttribute<RegularExpressionAttribute>()?.Pattern,
            PatternMeans = p.GetCustomAttribute<RegularExpressionAttribute>()?.ErrorMessage,
            Matcher = p.GetCustomAttribute<RegularExpressionAttribute>() is { } r ? Matcher(r.Pattern) : null,
            MaxLength = p.GetCustomAttribute<MaxLengthAttribute>()?.Length,
        };

        private static SchemaNode Number(SchemaType type, string format, PropertyInfo p, string? description)
        {
            var range = p.GetCustomAttribute<RangeAttribute>();
            return new SchemaNode
            {
                Type = type,
                Format = format,
                Description = description,
                Minimum = Bound(range?.Minimum, double.MinValue, int.MinValue),
                Maximum = Bound(range?.Maximum, double.MaxValue, int.MaxValue),
            };
        }

        private static double? Bound(object? value, params double[] open) =>
            value is null || open.Contains(Convert.ToDouble(value, CultureInfo.InvariantCulture)) ? null : Convert.ToDouble(value, CultureInfo.InvariantCulture);

        private static Type? ElementOf(Type type, Type readOnly, Type mutable, int argument) =>
            type.IsGenericType && (type.GetGenericTypeDefinition() == readOnly || type.GetGenericTypeDefinition() == mutable) ? type.GetGenericArguments()[argument] : null;

        private static SchemaNode ConditionNode(string? description)
        {
            static KeyValuePair<string, SchemaNode> Field(string name, string text, SchemaType type = SchemaType.String, string? format = null, IReadOnlyList<string>? values = null) =>
                new(name, new SchemaNode { Type = type, Description = text, Format = format, Enum = values });
            return new SchemaNode
            {
                Type = SchemaType.Object,
                Description = description ?? "One observation.",
                Required = ["type", "status"],
                Properties =
                [
                    Field("type", "Stable CamelCase name; one entry per type."),
                    Field("status", "Whether it holds.", values: [Condition.True, Condition.False, Condition.Unknown]),
                    Field("reason", "Stable CamelCase code for machines."),
                    Field("message", "For people; never parsed."),
                    Field("observedGeneration", "Generation of the spec that this was computed from.", SchemaType.Integer, "int64"),
                    Field("lastTransitionTime", "When the status last flipped.", format: "date-time"),
                ],
            };
        }
    }
}
