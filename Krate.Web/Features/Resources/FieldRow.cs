using Krate.Core.Resources;

namespace Krate.Web.Features.Resources;

/// <summary>One field of a schema for the help beside an editor.</summary>
public sealed record FieldRow(string Path, int Depth, string Type, bool Required, string Description, IReadOnlyList<string> Choices)
{
    /// <summary>The fields that a person writes, two levels deep.</summary>
    public static IReadOnlyList<FieldRow> Of(KindDefinition kind)
    {
        var rows = new List<FieldRow>();
        if (kind.IsProduct && kind.Fields.Find("spec") is { } spec) Add(rows, spec, "spec", 0);
        else if (!kind.IsProduct) Add(rows, kind.Fields, "", 0);
        return rows;
    }

    private static void Add(List<FieldRow> rows, SchemaNode node, string path, int depth)
    {
        foreach (var (name, field) in node.Properties.OrderByDescending(p => node.Required.Contains(p.Key)))
        {
            if (path.Length == 0 && name is "apiVersion" or "kind" or "metadata" or "status") continue;
            var full = path.Length == 0 ? name : $"{path}.{name}";
            rows.Add(new FieldRow(full, depth, TypeOf(field), node.Required.Contains(name), field.Description ?? "", (field.Items ?? field).Enum ?? []));
            if (depth < 1) Add(rows, field.Items ?? field, full, depth + 1);
        }
    }

    private static string TypeOf(SchemaNode node) => node.Type switch
    {
        SchemaType.Array => $"list of {(node.Items is { } items ? TypeOf(items) : "any")}",
        SchemaType.Object when node.Values is { } values => $"map of {TypeOf(values)}",
        SchemaType.Any => "any",
        _ => node.Type.ToString().ToLowerInvariant(),
    };
}
