using System.Text.Json.Nodes;

namespace Krate.Core.Resources;

/// <summary>Turns a row of the table of kinds into its structural OpenAPI v3 schema.</summary>
public static class SchemaBuilder
{
    public static JsonObject Build(KindDefinition kind) => new() { ["type"] = "object", ["description"] = kind.Description };
}
