using System.Text;
using Krate.Core.Resources;

namespace Krate.Core.Generation;

/// <summary>docs/resources.md: all kinds in a table, and the fields of each product kind.</summary>
public static class ReferenceDocWriter
{
    public static string Write(KindCatalog catalog)
    {
        var text = new StringBuilder();
        text.Append(
            $"""
            # Resources

            Generated from the table of kinds; do not edit. The same text comes from `kubectl explain`.

            API group `{WellKnown.ApiGroup}`, version `{WellKnown.ApiVersion}`. Every product kind also has `spec.organizationRef`, which is filled in from the
            namespace, and `status.storage`, `status.phase`, `status.observedGeneration` and `status.conditions`. Platform kinds live in the namespace
            `{WellKnown.PlatformNamespace}`, the others in their organization's.


            """.ReplaceLineEndings("\n"));
        var products = catalog.All.Where(k => k.IsProduct).ToList();
        Overview(text, products);
        Natives(text, catalog.All.Where(k => !k.IsProduct));
        foreach (var area in products.GroupBy(k => k.Area))
        {
            text.Append("## ").Append(area.Key).Append("\n\n");
            foreach (var kind in area) Kind(text, kind);
        }

        return text.ToString().TrimEnd('\n') + "\n";
    }

    private static void Overview(StringBuilder text, List<KindDefinition> kinds)
    {
        text.Append("| Kind | Plural | Short names | Area | Scope | Storage |\n| --- | --- | --- | --- | --- | --- |\n");
        foreach (var kind in kinds)
        {
            text.Append("| [").Append(kind.Kind).Append("](#").Append(kind.Singular).Append(") | ").Append(kind.Plural).Append(" | ")
                .Append(string.Join(", ", kind.ShortNames)).Append(" | ").Append(kind.Area).Append(" | ").Append(kind.Scope).Append(" | ").Append(kind.Storage).Append(" |\n");
        }

        text.Append('\n');
    }

    private static void Natives(StringBuilder text, IEnumerable<KindDefinition> kinds)
    {
        text.Append("## Native kinds\n\nAs in Kubernetes; `kubectl explain` lists their fields.\n\n| Kind | Group and version | Short names | What |\n| --- | --- | --- | --- |\n");
        foreach (var kind in kinds)
            text.Append("| ").Append(kind.Kind).Append(" | ").Append(kind.ApiVersion).Append(" | ").Append(string.Join(", ", kind.ShortNames)).Append(" | ").Append(Cell(kind.Description)).Append(" |\n");
        text.Append('\n');
    }

    private static void Kind(StringBuilder text, KindDefinition kind)
    {
        text.Append("### ").Append(kind.Kind).Append("\n\n").Append(kind.Description).Append("\n\n");
        foreach (var fact in Facts(kind)) text.Append("- ").Append(fact).Append('\n');
        text.Append("\n| Field | Type | Required | Description |\n| --- | --- | --- | --- |\n");
        foreach (var section in new[] { "spec", "status" })
        {
            if (kind.Fields.Find(section) is { } node) Fields(text, kind, node, section);
        }

        text.Append('\n');
    }

    private static IEnumerable<string> Facts(KindDefinition kind)
    {
        yield return $"`{kind.Plural}.{kind.Group}`, {kind.Scope}, storage class `{kind.Storage}`, context `{kind.Context}`.";
        if (kind.ReadOnly) yield return "Read only: get, list and watch.";
        else if (kind.ServerMade) yield return "Made by Krate: no client may create, change or give a status to it.";
        if (kind.Numbered) yield return "Numbered per repository; an empty name becomes `<repository>-<number>`.";
        else if (kind.NamePrefix is { } prefix) yield return $"Named `{prefix}` and a lower-case ULID when the name is left out.";
        if (kind.Mutability is SpecMutability.Whole) yield return "Fixed as a whole after create.";
        if (kind.Mutability is SpecMutability.Fixed)
            yield return kind.MutableSpecFields.Count == 0 ? "The spec is fixed after create." : $"The spec is fixed after create, except {Codes(kind.MutableSpecFields)}.";
        if (kind.FixedSpecFields.Count > 0) yield return $"Fixed after create: {Codes(kind.FixedSpecFields)}.";
        if (kind.WriteOnceStatus.Count > 0) yield return $"Written once in the status: {Codes(kind.WriteOnceStatus)}.";
        if (kind.PreserveUnknownSpec) yield return "Further fields of the spec are kept as they are.";
        if (kind.DerivedLabels.Count > 0) yield return $"Labels set from the spec: {Codes(kind.DerivedLabels.Select(l => l.Label))}.";
        if (kind.References.Count > 0) yield return $"Refers to {string.Join(", ", kind.References.Select(r => r.TargetKind).Where(t => t.Length > 0).Distinct().Order(StringComparer.Ordinal).DefaultIfEmpty("what its fields name"))}.";
    }

    private static void Fields(StringBuilder text, KindDefinition kind, SchemaNode node, string path)
    {
        foreach (var (name, child) in node.Properties)
        {
            var field = $"{path}.{name}";
            if (field is "spec.organizationRef" && !node.Required.Contains(name)) continue;
            if (field is "status.storage" or "status.observedGeneration" or "status.conditions") continue;
            if (field is "status.phase" && child.Enum is null) continue;
            text.Append("| `").Append(field).Append("` | ").Append(Cell(TypeOf(child))).Append(" | ").Append(node.Required.Contains(name) ? "yes" : "").Append(" | ")
                .Append(Cell(child.Description ?? "")).Append(Cell(Bounds(child))).Append(" |\n");
            if (child.Items is { Properties.Count: > 0 } items) Fields(text, kind, items, field + "[]");
            else if (child.Properties.Count > 0) Fields(text, kind, child, field);
        }
    }

    private static string TypeOf(SchemaNode node) => node switch
    {
        { Items: { } items } => $"list of {TypeOf(items)}",
        { Values: { } values } => $"map to {TypeOf(values)}",
        { Format: "date-time" } => "time",
        _ => SchemaNode.TypeName(node.Type),
    };

    private static string Bounds(SchemaNode node)
    {
        var leaf = node.Items ?? node.Values ?? node;
        return leaf.Enum is { } values ? $" One of {Codes(values)}." : "";
    }

    private static string Codes(IEnumerable<string> values) => string.Join(", ", values.Select(v => $"`{v}`"));

    private static string Cell(string value) => value.Replace("|", "\\|", StringComparison.Ordinal).Replace('\n', ' ').Replace("<", "&lt;", StringComparison.Ordinal);
}
